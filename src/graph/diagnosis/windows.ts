/** Which times are compared, and how finely rollups are read for them. */
import type { TimeRange } from '../../model/time.ts'

/** The default baseline is at least this long, so that a question about one minute has a minute to compare. */
const minBaselineMs = 10 * 60_000
/** And at most this long: what was normal hours ago may not be any more. */
const maxBaselineMs = 60 * 60_000
/** Resource series are compared with this much of the time before the window when the baseline is short. */
export const historyMs: number = 60 * 60_000

/** The time before the window: four times as long as the window, within bounds. */
export function defaultBaseline(window: TimeRange): TimeRange {
  const length = Math.min(maxBaselineMs, Math.max(minBaselineMs, 4 * (window.toMs - window.fromMs)))
  return { fromMs: window.fromMs - length, toMs: window.fromMs }
}

/** Width of rollup windows that keeps a range below some hundreds of them. */
export function stepFor(range: TimeRange): 10 | 60 | 600 {
  const seconds = (range.toMs - range.fromMs) / 1000
  if (seconds <= 3600) return 10
  return seconds <= 12 * 3600 ? 60 : 600
}

/** The later of two ranges cut so that they do not overlap: a window is never part of its own baseline. */
export function withoutOverlap(baseline: TimeRange, window: TimeRange): TimeRange {
  if (baseline.toMs <= window.fromMs || baseline.fromMs >= window.toMs) return baseline
  if (baseline.fromMs < window.fromMs) return { fromMs: baseline.fromMs, toMs: window.fromMs }
  return { fromMs: Math.min(baseline.toMs, window.toMs), toMs: Math.max(baseline.toMs, window.toMs) }
}

/**
 * A baseline for rollups: its end moved back to a whole rollup window, because views round outwards and the
 * window that holds the first seconds of an incident is no part of the time before it.
 */
export function beforeWholeWindow(baseline: TimeRange): TimeRange {
  const stepMs = stepFor(baseline) * 1000
  const toMs = Math.floor(baseline.toMs / stepMs) * stepMs
  return toMs > baseline.fromMs ? { fromMs: baseline.fromMs, toMs } : baseline
}

/** Stretches that the times read of a window are divided into, to see what goes up and down within it. */
const stretches = 16

/** Length of a stretch of a window that was read in these parts, milliseconds. */
export function stretchOf(parts: readonly TimeRange[]): number {
  return Math.max(1, parts.reduce((sum, part) => sum + part.toMs - part.fromMs, 0) / stretches)
}

/**
 * How much of the times read lies in stretches in which anything happened, milliseconds. Rates are counted over
 * that: before a system starts, and while nobody sends, it has none.
 */
export function activeMs(
  timesMs: Iterable<ArrayLike<number>>,
  parts: readonly TimeRange[],
  stretchMs: number,
): number {
  const active = new Set<number>()
  for (const times of timesMs)
    for (let i = 0; i < times.length; i++) active.add(Math.floor((times[i] as number) / stretchMs))
  let sum = 0
  for (const stretch of active) {
    const fromMs = stretch * stretchMs
    for (const part of parts) {
      sum += Math.max(0, Math.min(part.toMs, fromMs + stretchMs) - Math.max(part.fromMs, fromMs))
    }
  }
  return sum
}
