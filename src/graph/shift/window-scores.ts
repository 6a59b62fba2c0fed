/** Standard scores of a window series against the same series in a baseline, per kind of measurement. */
import { medianOf, spreadOf } from './robust-statistics.ts'

/** Windows with data a baseline needs before anything can be called unusual. */
export const minBaselineWindows = 8

/** Items all baseline windows must hold together for a share of them to be known. */
export const minBaselineItems = 30

export interface Scores {
  /** One per window; NaN where there is nothing to judge. */
  readonly values: Float64Array
  /** The same of the baseline's own windows: tells whether what is abnormal had begun before. */
  readonly before: Float64Array
  /** What is normal: a share for counts, else a value. */
  readonly baseline: number
}

/**
 * Scores of `part` out of `whole` per window. Shares are compared on the arcsine scale, where their spread
 * does not depend on the share itself, and divided by how much the baseline's own windows scatter there:
 * counts within a window are not independent. Null if the baseline is too small.
 *
 * Source: Anscombe, "The transformation of Poisson, binomial and negative-binomial data", Biometrika 1948.
 */
export function shareScores(
  window: { readonly part: ArrayLike<number>; readonly whole: ArrayLike<number> },
  baseline: { readonly part: ArrayLike<number>; readonly whole: ArrayLike<number> },
): Scores | null {
  let parts = 0
  let all = 0
  for (let i = 0; i < baseline.whole.length; i++) {
    parts += Math.max(0, baseline.part[i] ?? 0)
    all += Math.max(0, baseline.whole[i] ?? 0)
  }
  if (all < minBaselineItems) return null
  const share = Math.min(1, parts / all)
  const past = angles(baseline, share)
  const quiet = past.filter(value => !Number.isNaN(value))
  if (quiet.length < minBaselineWindows) return null
  const centre = Math.max(0, medianOf(quiet))
  const scatter = Math.max(1, spreadOf(quiet))
  const scored = (value: number) => (value - centre) / scatter
  return { values: angles(window, share).map(scored), before: past.map(scored), baseline: share }
}

/**
 * Scores that `shareScores` gives at most, whatever the scatter of the baseline and wherever its centre: both only
 * lower what is above the share.
 */
export function highestShareScores(
  window: { readonly part: ArrayLike<number>; readonly whole: ArrayLike<number> },
  share: number,
): Float64Array {
  const scores = angles(window, Math.min(1, share))
  // Below the share a wide scatter raises them, to nothing at most.
  for (let i = 0; i < scores.length; i++) if ((scores[i] as number) < 0) scores[i] = 0
  return scores
}

function angles(
  of: { readonly part: ArrayLike<number>; readonly whole: ArrayLike<number> },
  share: number,
): Float64Array {
  const out = new Float64Array(of.whole.length).fill(Number.NaN)
  const normal = 2 * Math.asin(Math.sqrt(share))
  for (let i = 0; i < out.length; i++) {
    const whole = of.whole[i] ?? 0
    if (whole < 1) continue
    const part = Math.min(whole, Math.max(0, of.part[i] ?? 0))
    const angle = 2 * Math.asin(Math.sqrt((part + 0.375) / (whole + 0.75)))
    const none = 2 * Math.asin(Math.sqrt(0.375 / (whole + 0.75)))
    // Without a single one in the window there is nothing unusual, however few there are.
    out[i] = (angle - Math.max(normal, none)) * Math.sqrt(whole + 0.5)
  }
  return out
}

/** Counts per window, and what they should go with: requests of the caller, or ones for an entry point. */
export interface Exposed {
  readonly count: ArrayLike<number>
  readonly exposure: ArrayLike<number>
}

/** A window in which fewer than this many are expected says nothing by being empty. */
export const minExpectedCount = 10

/**
 * Scores of falling counts, positive where there are fewer than the baseline's ratio to the exposure makes
 * expect: less traffic altogether is no silence. NaN where too few are expected. Null if the baseline is too
 * small or has gaps of its own, for then silence is normal. `baseline` is the ratio.
 */
export function silenceScores(window: Exposed, baseline: Exposed): Scores | null {
  let count = 0
  let exposure = 0
  for (let i = 0; i < baseline.count.length; i++) {
    count += Math.max(0, baseline.count[i] ?? 0)
    exposure += Math.max(0, baseline.exposure[i] ?? 0)
  }
  if (exposure <= 0) return null
  const ratio = count / exposure
  const past = shortfalls(baseline, ratio)
  const usual = past.filter(value => !Number.isNaN(value))
  const silent = silentWindows(baseline, ratio)
  if (usual.length < minBaselineWindows || silent * 20 > usual.length) return null
  const centre = medianOf(usual)
  const scatter = Math.max(1, spreadOf(usual))
  const scored = (value: number) => (value - centre) / scatter
  return { values: shortfalls(window, ratio).map(scored), before: past.map(scored), baseline: ratio }
}

function silentWindows(of: Exposed, ratio: number): number {
  let silent = 0
  for (let i = 0; i < of.count.length; i++) {
    if (ratio * (of.exposure[i] ?? 0) >= minExpectedCount && (of.count[i] ?? 0) <= 0) silent++
  }
  return silent
}

function shortfalls(of: Exposed, ratio: number): Float64Array {
  const root = (count: number) => 2 * Math.sqrt(Math.max(0, count) + 0.375)
  return Float64Array.from(of.count, (count, i) => {
    const expected = ratio * (of.exposure[i] ?? 0)
    return expected < minExpectedCount ? Number.NaN : root(expected) - root(count)
  })
}

/**
 * Scores of values, in either direction (`sign` 1 for higher, -1 for lower). The spread is never taken as
 * less than a hundredth of the usual value, or a value that hardly ever moves would alarm by moving at all.
 */
export function valueScores(
  window: ArrayLike<number>,
  baseline: ArrayLike<number>,
  sign: 1 | -1,
): Scores | null {
  const usual = Array.from(baseline).filter(value => !Number.isNaN(value))
  if (usual.length < minBaselineWindows) return null
  const centre = medianOf(usual)
  const spread = Math.max(spreadOf(usual), Math.abs(centre) / 100, Number.MIN_VALUE)
  const scored = (of: ArrayLike<number>) => Float64Array.from(of, value => (sign * (value - centre)) / spread)
  return { values: scored(window), before: scored(baseline), baseline: centre }
}
