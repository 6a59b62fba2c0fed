/**
 * What comes at the same time of day on other days too is how a system is used, not an incident: its anomalies are told
 * apart by what the same series did then.
 */
import type { RollupSeries, RollupView } from '../model/rollup.ts'
import type { TimeRange } from '../model/time.ts'
import type { Anomaly } from './anomalies.ts'
import { totalOf } from './compared-views.ts'

export const dayMs = 86_400_000

/** So many days before are looked at: yesterday, two more for a day that was odd itself, and the same day of the week. */
export const otherDaysBefore: readonly number[] = [1, 2, 3, 7]

/** An incident may strike twice at the same hour by chance; what two of four days show besides today is a habit. */
export const minDays = 2

/** On those days it rose by at least this part of today's rise: what is half as much again as usual is not usual. */
const usualPart = 2 / 3

/** A habit keeps no exact time. */
export const slackMs: number = 30 * 60_000
const slackStepMs = 15 * 60_000

/** The latency that anomalies are told by. */
const tailQuantile = 0.9

/** Another day at the time of the anomalies, with the time around it, and its own baseline. */
export interface OtherDay {
  readonly daysBefore: number
  readonly window: RollupView
  readonly baseline: RollupView
}

/** What to read of another day: times of the anomalies with some slack; `baseline` moved by whole days. */
export function rangesOn(
  daysBefore: number,
  anomalies: readonly Anomaly[],
  { windowEndMs, baseline }: { readonly windowEndMs: number; readonly baseline: TimeRange },
): { readonly window: TimeRange; readonly baseline: TimeRange } {
  const byMs = daysBefore * dayMs
  const onsets = anomalies.map(one => one.onsetMs)
  const ends = anomalies.map(one => one.endMs ?? windowEndMs)
  const earliest = onsets.reduce((a, b) => Math.min(a, b), windowEndMs)
  const latest = ends.reduce((a, b) => Math.max(a, b), earliest)
  return {
    window: { fromMs: earliest - byMs - slackMs, toMs: latest - byMs + slackMs },
    baseline: { fromMs: baseline.fromMs - byMs - slackMs, toMs: baseline.toMs - byMs },
  }
}

/** Whether enough other days show the same at that time; false where history does not reach so far. */
export function isUsualAtThisTime(anomaly: Anomaly, windowEndMs: number, days: readonly OtherDay[]): boolean {
  return days.filter(day => roseAlike(anomaly, windowEndMs, day)).length >= minDays
}

function roseAlike(
  anomaly: Anomaly,
  windowEndMs: number,
  { daysBefore, window, baseline }: OtherDay,
): boolean {
  const sign = anomaly.direction === 'up' ? 1 : -1
  const byMs = daysBefore * dayMs
  const then = { fromMs: anomaly.onsetMs - byMs, toMs: (anomaly.endMs ?? windowEndMs) - byMs }
  const before = { fromMs: baseline.fromMs + slackMs, toMs: baseline.toMs }
  const seen = farthest(sign, [-slackMs, slackMs], at => levelOf(anomaly, window, moved(then, at)))
  const usual = farthest(-sign, [-slackMs, 0], at => levelOf(anomaly, baseline, moved(before, at)))
  if (seen === null || usual === null) return false
  return sign * (seen - usual) >= usualPart * sign * (anomaly.value - anomaly.baselineValue)
}

function moved({ fromMs, toMs }: TimeRange, byMs: number): TimeRange {
  return { fromMs: fromMs + byMs, toMs: toMs + byMs }
}

/** The highest (`sign` 1) or lowest level at any of the times between; null if none is known. */
export function farthest(
  sign: number,
  [fromMs, toMs]: readonly [number, number],
  levelAt: (byMs: number) => number | null,
): number | null {
  let best: number | null = null
  for (let byMs = fromMs; byMs <= toMs; byMs += slackStepMs) {
    const level = levelAt(byMs)
    if (level !== null && (best === null || sign * (level - best) > 0)) best = level
  }
  return best
}

/** What the series showed then, in the anomaly's unit; null if nothing of it is known. */
function levelOf({ kind, of, key }: Anomaly, view: RollupView, { fromMs, toMs }: TimeRange): number | null {
  const stepMs = view.stepSeconds * 1000
  const from = Math.max(0, Math.floor((fromMs - view.fromMs) / stepMs))
  const to = Math.min(view.length, Math.ceil((toMs - view.fromMs) / stepMs))
  const series = view.find(of, key)
  if (to <= from || series === undefined) return null
  const sum = (column: Float64Array) => totalOf(column.subarray(from, to))
  switch (kind) {
    case 'errors':
      return percent(sum(series.errors), sum(series.count))
    case 'latency':
      return known(series.quantile(tailQuantile, from, to))
    case 'silence':
      return sum(series.count) / ((to - from) * view.stepSeconds)
    case 'log_template':
      return percent(sum(series.count), recordsOf(view, key[0] ?? '', sum))
    case 'metric':
      return meanOf(series, from, to)
    default:
      return kind satisfies never
  }
}

function percent(part: number, whole: number): number | null {
  return whole > 0 ? (100 * part) / whole : null
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value
}

/** Log records of a service. */
function recordsOf(view: RollupView, service: string, sum: (column: Float64Array) => number): number {
  return view
    .series('severity', service)
    .filter(series => series.key[0] === service)
    .reduce((all, series) => all + sum(series.count), 0)
}

/** Mean of the windows' means, as the anomaly's own value is. */
function meanOf(series: RollupSeries, from: number, to: number): number | null {
  let means = 0
  let windows = 0
  for (let i = from; i < to; i++) {
    const count = series.count[i] ?? 0
    if (!(count > 0)) continue
    means += (series.sum[i] ?? 0) / count
    windows++
  }
  return windows === 0 ? null : means / windows
}
