/** Times as callers write them, and nothing that could be read in two ways. */
import { ArgumentProblem } from './problem.ts'

/** What `from`, `to`, `baseline_from` and `baseline_to` take. */
export const timeForms: readonly string[] = [
  'RFC 3339 with offset: 2026-01-31T12:00:00Z',
  'epoch seconds (10 digits) or milliseconds (13 digits)',
  'now, now-15m, -2h (units s, m, h, d)',
]

const example = 'now-15m'
const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const relative = /^(?:now)?-(\d{1,6})([smhd])$/
const rfc3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/
const withoutOffset = /^\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?$/

export interface ParsedTime {
  /** Milliseconds since the epoch. */
  readonly ms: number
  /** Whether it was said relative to now. */
  readonly relative: boolean
}

function refuse(field: string, code: 'invalid_time' | 'ambiguous_time', reason: string): never {
  throw new ArgumentProblem(code, `${field} ${reason}`, { field, accepted: timeForms, example })
}

function parseEpoch(field: string, digits: string): ParsedTime {
  if (digits.length === 10) return { ms: Number(digits) * 1_000, relative: false }
  if (digits.length === 13) return { ms: Number(digits), relative: false }
  return refuse(
    field,
    'ambiguous_time',
    `has ${digits.length} digits, which is neither seconds nor milliseconds`,
  )
}

function parseCalendar(field: string, match: RegExpExecArray): ParsedTime {
  const [, year, month, day, hour, minute, second, fraction = '', offset = 'Z'] = match
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction.slice(0, 4)}${offset.toUpperCase()}`
  const ms = Date.parse(iso)
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()
  if (Number.isNaN(ms) || Number(day) > days)
    return refuse(field, 'invalid_time', 'is not a date of the calendar')
  return { ms, relative: false }
}

/**
 * Reads one time argument. Throws ArgumentProblem `invalid_time` or `ambiguous_time`: a date without a zone,
 * micro- or nanoseconds, a bare number of other lengths.
 */
export function parseTime(field: string, value: string | number, nowMs: number): ParsedTime {
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || value < 0) return refuse(field, 'invalid_time', 'is not a time')
    return parseEpoch(field, String(Math.floor(value)))
  }
  const text = value.trim()
  if (text === 'now') return { ms: nowMs, relative: true }
  const back = relative.exec(text)
  if (back !== null) return { ms: nowMs - Number(back[1]) * (unitMs[back[2] ?? ''] ?? 0), relative: true }
  if (/^\d+$/.test(text)) return parseEpoch(field, text)
  const calendar = rfc3339.exec(text)
  if (calendar !== null) return parseCalendar(field, calendar)
  if (withoutOffset.test(text))
    return refuse(field, 'ambiguous_time', 'has no offset; end it with Z or +01:00')
  return refuse(field, 'invalid_time', 'is not a time')
}

/** UTC, without milliseconds where they are zero; at most to the millisecond. */
export function formatTime(ms: number): string {
  const text = new Date(Math.min(Math.max(Math.round(ms), -8.64e15), 8.64e15)).toISOString()
  return text.endsWith('.000Z') ? `${text.slice(0, -5)}Z` : text
}
