/**
 * Where a series left its normal range and where it came back: a one-sided cumulative sum over standard
 * scores. Source: Page, "Continuous inspection schemes", Biometrika 41, 1954.
 */
import { medianOf } from './robust-statistics.ts'

/** Scores within one deviation of normal count as healthy: they lower the sum. */
const allowance = 1

/** One window counts for no more than this, so that a single wild value is never an episode. */
const largestScore = 6

/** Falling counts for no more than this a window: an episode ends by several healthy windows, not by one. */
const largestRecovery = 2

export interface Episode {
  /** Index of the first abnormal window. */
  readonly from: number
  /** Index behind the last abnormal window. */
  readonly to: number
  /** Whether the series was still abnormal at its end. */
  readonly open: boolean
  /** Largest cumulative sum over the threshold: 1 is just enough. */
  readonly strength: number
}

/**
 * Threshold on the cumulative sum that a quiet series passes with at most the chance `falseAlarms` in
 * `looks` windows of all series together. For normal scores the sum passes h with a chance of exp(-2kh) per
 * window (k the allowance), so the correction for many looks is in h.
 */
export function episodeThreshold(looks: number, falseAlarms: number): number {
  return Math.log(Math.max(1, looks) / falseAlarms) / (2 * allowance)
}

/**
 * Episodes of high scores, oldest first. NaN is a window without data: it neither raises nor lowers the sum.
 * An episode is a rise of the sum over the threshold until it has fallen back to nothing; its ends are where a
 * step to its own level fits best.
 */
export function findEpisodes(scores: ArrayLike<number>, threshold: number): Episode[] {
  const episodes: Episode[] = []
  // Capped, so that a long episode does not take long to end.
  const ceiling = threshold * 2
  let sum = 0
  let start = 0
  let end = 0
  let highest = 0
  let strongest = 0
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] ?? Number.NaN
    if (Number.isNaN(score)) continue
    if (sum === 0) start = i
    const uncapped = Math.max(0, sum + stepOf(score))
    strongest = Math.max(strongest, uncapped)
    sum = Math.min(uncapped, ceiling)
    if (sum > 0 && sum >= highest) {
      highest = sum
      end = i + 1
    }
    if (sum > 0) continue
    if (highest > threshold)
      episodes.push(episodeOf(refined(scores, start, end), false, strongest / threshold))
    highest = 0
    strongest = 0
  }
  if (highest > threshold) {
    const open = highest - sum <= threshold / 2
    const { from, to } = refined(scores, start, end)
    episodes.push(episodeOf({ from, to: open ? scores.length : to }, open, strongest / threshold))
  }
  return episodes
}

/** Whether `findEpisodes` could find any: what it finds in scores that are lower it would find in these. */
export function mayHoldEpisode(scores: ArrayLike<number>, threshold: number): boolean {
  let sum = 0
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] as number
    if (Number.isNaN(score)) continue
    sum = Math.max(0, sum + stepOf(score))
    if (sum > threshold) return true
  }
  return false
}

function stepOf(score: number): number {
  return Math.max(-largestRecovery, Math.min(largestScore, score) - allowance)
}

interface Stretch {
  readonly from: number
  readonly to: number
}

/**
 * The most likely stretch of a step to the episode's own level: noise before and behind it may have raised
 * the sum early or kept it up.
 */
function refined(scores: ArrayLike<number>, start: number, end: number): Stretch {
  const clipped = (i: number) => Math.min(largestScore, scores[i] ?? Number.NaN)
  const inside: number[] = []
  for (let i = start; i < end; i++) if (!Number.isNaN(clipped(i))) inside.push(clipped(i))
  const half = medianOf(inside) / 2
  const excess = (i: number) => (Number.isNaN(clipped(i)) ? 0 : clipped(i) - half)
  let to = end
  let most = Number.NEGATIVE_INFINITY
  for (let i = start, sum = 0; i < end; i++) {
    sum += excess(i)
    if (sum > most) {
      most = sum
      to = i + 1
    }
  }
  let from = start
  most = Number.NEGATIVE_INFINITY
  for (let i = to - 1, sum = 0; i >= start; i--) {
    sum += excess(i)
    if (sum > most) {
      most = sum
      from = i
    }
  }
  return { from, to }
}

function episodeOf(stretch: Stretch, open: boolean, strength: number): Episode {
  return { ...stretch, open, strength: Math.round(strength * 1000) / 1000 }
}
