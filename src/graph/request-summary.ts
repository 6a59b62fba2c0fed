/** Requests or calls of one series over a whole view, and how healthy that is against its own baseline. */
import type { RollupSeries, RollupView } from '../model/rollup.ts'
import { shown } from './compared-views.ts'

/**
 * - `failing`: errors have risen; `slow`: latency has; `quiet`: requests stopped coming
 * - `healthy`: none of these; `unknown`: too little data in the window or in the baseline to say
 */
export type Health = 'failing' | 'slow' | 'quiet' | 'healthy' | 'unknown'

export interface RequestSummary {
  readonly requests: number
  readonly perS: number
  readonly errors: number
  /** Null without requests, like all that follow. */
  readonly errorPct: number | null
  readonly meanMs: number | null
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  readonly p99Ms: number | null
  readonly maxMs: number | null
}

/** Counts, rates and latency of a series over all windows of its view. */
export function summarise(series: RollupSeries | null, view: RollupView): RequestSummary {
  const requests = Math.max(0, series?.total('count') ?? 0)
  const errors = Math.max(0, series?.total('errors') ?? 0)
  const seconds = view.length * view.stepSeconds
  const timed = series !== null && requests > 0
  const quantile = (q: number) => (timed ? shown(series.quantile(q)) : null)
  return {
    requests,
    perS: seconds > 0 ? (shown(requests / seconds) ?? 0) : 0,
    errors,
    errorPct: requests > 0 ? shown((100 * errors) / requests) : null,
    meanMs: timed ? shown(series.total('sum') / requests) : null,
    p50Ms: quantile(0.5),
    p95Ms: quantile(0.95),
    p99Ms: quantile(0.99),
    maxMs: timed ? shown(series.max.reduce((largest, value) => Math.max(largest, value), 0)) : null,
  }
}

/** Requests both sides need before they are compared. */
export const minComparedRequests = 20

/** Standard scores a change must have; with ten thousand edges compared, chance gives one in a thousand maps. */
const convincing = 5

/** A rise of the failed share by less than this, in percent of requests, is no change of health. */
const errorEffectPct = 1

/** Slower by less than this factor is no change of health. */
const latencyEffect = 1.3

/** A mean that is not even this much longer hides no visible rise of a quantile; quantiles cost more. */
const meanEffect = 1.02

/** Compares a series with its baseline as wholes; a share of calls or a quantile must move convincingly and visibly. */
export function healthOf(
  window: RollupSeries | null,
  baseline: RollupSeries | null,
  seconds: { readonly window: number; readonly baseline: number },
): Health {
  const now = Math.max(0, window?.total('count') ?? 0)
  const before = Math.max(0, baseline?.total('count') ?? 0)
  if (before < minComparedRequests || baseline === null) return 'unknown'
  if (isQuiet(now, before, seconds)) return 'quiet'
  if (now < minComparedRequests || window === null) return 'unknown'
  const failedNow = Math.max(0, window.total('errors'))
  const failedBefore = Math.max(0, baseline.total('errors'))
  const risePct = 100 * (failedNow / now - failedBefore / before)
  if (risePct >= errorEffectPct && shareScore(failedNow, now, failedBefore, before) >= convincing) {
    return 'failing'
  }
  return isSlower(window, baseline, now, before) ? 'slow' : 'healthy'
}

/** A share of requests that was usual has fallen to less than a twentieth of what was expected. */
function isQuiet(
  now: number,
  before: number,
  seconds: { readonly window: number; readonly baseline: number },
): boolean {
  if (seconds.baseline <= 0) return false
  const expected = (before / seconds.baseline) * seconds.window
  return expected >= minComparedRequests * 2 && now < expected / 20
}

function isSlower(window: RollupSeries, baseline: RollupSeries, now: number, before: number): boolean {
  if (window.total('sum') / now < (baseline.total('sum') / before) * meanEffect) return false
  return [0.5, 0.9].some(q => {
    const usual = baseline.quantile(q)
    if (!(window.quantile(q) > usual * latencyEffect)) return false
    const limit = usual * latencyEffect
    return shareScore(window.countAbove(limit), now, baseline.countAbove(limit), before) >= convincing
  })
}

/** Difference of two shares in standard deviations of chance, on the arcsine scale. */
function shareScore(partA: number, wholeA: number, partB: number, wholeB: number): number {
  const angle = (part: number, whole: number) =>
    2 * Math.asin(Math.sqrt(Math.min(1, (part + 0.375) / (whole + 0.75))))
  return (angle(partA, wholeA) - angle(partB, wholeB)) / Math.sqrt(1 / wholeA + 1 / wholeB)
}

/** Most worrying first. */
export const healthOrder: readonly Health[] = ['failing', 'quiet', 'slow', 'unknown', 'healthy']
