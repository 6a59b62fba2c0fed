/**
 * Cursors: where the next page of one table starts, without memory on the server. A cursor names the window in
 * absolute times, the importance of the last row given and how many rows of just that importance were given;
 * a keyed hash binds it to tenant, principal, tool and arguments.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { ArgumentProblem } from '../arguments/problem.ts'

export interface CursorPosition {
  readonly table: string
  readonly fromMs: number
  readonly toMs: number
  /** Importance of the last row given. */
  readonly importance: number
  /** Rows of exactly that importance given so far. */
  readonly ties: number
}

export interface CursorBinding {
  /** Secret of this data: the whole inbox id, of which users see eight digits. */
  readonly key: string
  /** Tenant, principal, tool and the arguments that shape the rows. */
  readonly scope: string
}

const separator = '~'

function macOf(binding: CursorBinding, body: string): string {
  return createHmac('sha256', binding.key).update(`${binding.scope}\n${body}`).digest('hex').slice(0, 12)
}

export function writeCursor(position: CursorPosition, binding: CursorBinding): string {
  const { table, fromMs, toMs, importance, ties } = position
  const body = [table, fromMs, toMs, importance, ties].join(separator)
  return `${body}${separator}${macOf(binding, body)}`
}

function refuse(): never {
  throw new ArgumentProblem('invalid_cursor', 'cursor is not one this tool gave for these arguments', {
    field: 'cursor',
    accepted: ['the cursor of `omitted`, with the other arguments unchanged'],
  })
}

/** Throws ArgumentProblem `invalid_cursor` for one that was altered, or given to somebody or something else. */
export function readCursor(text: string, binding: CursorBinding): CursorPosition {
  const parts = text.split(separator)
  const [table, from, to, importance, ties, mac] = parts
  if (parts.length !== 6 || table === undefined || mac === undefined) return refuse()
  const expected = Buffer.from(macOf(binding, parts.slice(0, 5).join(separator)))
  const given = Buffer.from(mac)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return refuse()
  return {
    table,
    fromMs: Number(from),
    toMs: Number(to),
    importance: Number(importance),
    ties: Number(ties),
  }
}
