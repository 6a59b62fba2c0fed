/** Reads the fields of JSON bodies; a body that lacks one is the sender's mistake. */
import { Problem } from './problem.ts'

export function textField(body: unknown, name: string): string {
  const value = field(body, name)
  if (typeof value !== 'string') throw new Problem(400, `${name} must be a text`)
  return value
}

export function numberField(body: unknown, name: string): number {
  const value = field(body, name)
  if (typeof value !== 'number') throw new Problem(400, `${name} must be a number`)
  return value
}

export function listField(body: unknown, name: string): readonly unknown[] {
  const value = field(body, name)
  if (!Array.isArray(value)) throw new Problem(400, `${name} must be a list`)
  return value
}

/** Undefined where the body is no object or has no such field. */
export function field(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined
}

/** A number among the settings of a condition; zero where there is none. */
export function settingNumber(settings: unknown, name: string): number {
  const value = field(settings, name)
  return typeof value === 'number' ? value : 0
}
