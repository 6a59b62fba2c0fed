/** The facts of an independent implementation about OTLP's messages, from the fixture beside this file. */
import { readFileSync } from 'node:fs'

export const factLines: readonly string[] = readFileSync(
  new URL('./fixtures/otlp-1.11-facts.txt', import.meta.url),
  'utf8',
)
  .split('\n')
  .filter(line => line !== '' && !line.startsWith('#'))

export interface FieldFact {
  readonly message: string
  readonly name: string
  readonly number: number
  /** A scalar type, or the full name of a message or enum. */
  readonly type: string
  readonly repeated: boolean
  readonly optional: boolean
  readonly oneof: string
  readonly jsonName: string
}

export const messageNames: readonly string[] = factLines
  .filter(line => line.startsWith('message '))
  .map(line => line.slice('message '.length))

export const fieldFacts: readonly FieldFact[] = factLines.flatMap(line => {
  const parts = /^([\w.]+)\.(\w+)=(\d+):([\w.]+)( repeated)?( optional)?(?: oneof=(\w+))? json=(\w+)$/.exec(
    line,
  )
  if (parts === null) return []
  const [, message = '', name = '', number = '', type = '', repeated, optional, oneof = '', jsonName = ''] =
    parts
  return [
    {
      message,
      name,
      number: Number(number),
      type,
      repeated: repeated !== undefined,
      optional: optional !== undefined,
      oneof,
      jsonName,
    },
  ]
})

export interface EnumFact {
  readonly enum: string
  readonly name: string
  readonly number: number
}

export const enumFacts: readonly EnumFact[] = factLines.flatMap(line => {
  const parts = /^enum ([\w.]+)\.(\w+)=(\d+)$/.exec(line)
  return parts === null ? [] : [{ enum: parts[1] ?? '', name: parts[2] ?? '', number: Number(parts[3]) }]
})
