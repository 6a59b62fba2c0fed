/** The window an answer is about, and what it is compared with. */
import type { TimeRange } from '../../model/time.ts'
import { futureToleranceMs } from '../../otlp/decode-context.ts'
import { ArgumentProblem } from './problem.ts'
import { formatTime, type ParsedTime, parseTime } from './time-argument.ts'

export interface WindowArguments {
  readonly from?: string | number | undefined
  readonly to?: string | number | undefined
  readonly baseline_from?: string | number | undefined
  readonly baseline_to?: string | number | undefined
}

/** Without `from`: half an hour, long enough for a baseline of the same length before it to be fresh. */
const defaultLengthMs = 30 * 60_000
/** A window longer than a year is a mistake in the unit. */
const longestMs = 366 * 86_400_000

/** Up to the next whole second, so that what was received this very moment is inside. */
const nextSecond = (ms: number): number => Math.ceil(ms / 1_000) * 1_000

function rangeOf(fromName: string, toName: string, fromMs: number, toMs: number): TimeRange {
  if (fromMs >= toMs) {
    throw new ArgumentProblem('invalid_window', `${fromName} is not before ${toName}`, {
      field: fromName,
      accepted: [`a time before ${toName}`],
      example: '-1h',
    })
  }
  if (toMs - fromMs > longestMs) {
    throw new ArgumentProblem('invalid_window', `${fromName} to ${toName} is longer than 366 days`, {
      field: fromName,
      accepted: ['at most 366 days'],
      example: '-7d',
    })
  }
  return { fromMs, toMs }
}

function parsed(field: string, value: string | number | undefined, nowMs: number): ParsedTime | null {
  return value === undefined ? null : parseTime(field, value, nowMs)
}

/**
 * No item is filed later than this after its receipt, so nothing can ever have been stored for a later window:
 * a wrong year or unit, which "nothing happened" would hide.
 */
function refuseFuture(field: string, fromMs: number, now: number): void {
  if (fromMs <= now + futureToleranceMs) return
  throw new ArgumentProblem('invalid_window', `the window lies in the future: it is ${formatTime(now)} now`, {
    field,
    accepted: ['a time before now'],
    example: 'now-15m',
  })
}

/**
 * The half-open window; relative times count from `nowMs`, which is rounded up to a second.
 *
 * @throws {ArgumentProblem} for ends in the wrong order, more than a year, and windows in the future
 */
export function resolveWindow(args: WindowArguments, nowMs: number): TimeRange {
  const now = nextSecond(nowMs)
  const from = parsed('from', args.from, now)
  const to = parsed('to', args.to, now)
  const toMs = to?.ms ?? now
  const fromMs = from?.ms ?? toMs - defaultLengthMs
  refuseFuture(from === null ? 'to' : 'from', fromMs, now)
  return rangeOf('from', 'to', fromMs, toMs)
}

/** The baseline as named, or null: then the healthy time before the window is taken. */
export function resolveBaseline(args: WindowArguments, nowMs: number): TimeRange | null {
  const now = nextSecond(nowMs)
  const from = parsed('baseline_from', args.baseline_from, now)
  const to = parsed('baseline_to', args.baseline_to, now)
  if (from === null && to === null) return null
  if (from === null || to === null) {
    const missing = from === null ? 'baseline_from' : 'baseline_to'
    throw new ArgumentProblem('missing_argument', `${missing} is required where the other end is given`, {
      field: missing,
      example: '-2h',
    })
  }
  return rangeOf('baseline_from', 'baseline_to', from.ms, to.ms)
}

/** With `as_of` an answer must not depend on the clock, so both ends are said, and absolutely. */
export function requireAbsoluteTimes(args: WindowArguments, windowed: boolean): void {
  for (const field of ['from', 'to', 'baseline_from', 'baseline_to'] as const) {
    const value = args[field]
    const wanted = windowed && (field === 'from' || field === 'to')
    if (value === undefined ? wanted : parseTime(field, value, 0).relative) {
      throw new ArgumentProblem(
        'as_of_needs_absolute_times',
        `${field} must be an absolute time with as_of`,
        {
          field,
          accepted: ['RFC 3339 with offset: 2026-01-31T12:00:00Z', 'epoch seconds or milliseconds'],
          example: '2026-01-31T12:00:00Z',
        },
      )
    }
  }
}
