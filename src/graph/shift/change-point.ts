/**
 * Where a series left its normal range and where it came back: a one-sided cumulative sum over standard
 * scores. Source: Page, "Continuous inspection schemes", Biometrika 41, 1954.
 */

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
 * An episode begins with the first window of the rise that passed the threshold and ends behind its last
 * high window, once the sum has fallen back by the threshold.
 */
export function findEpisodes(scores: ArrayLike<number>, threshold: number): Episode[] {
  const episodes: Episode[] = []
  let sum = 0
  let start = 0
  let peak = 0
  let strongest = 0
  let lastHigh = 0
  let inside = false
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] ?? Number.NaN
    if (Number.isNaN(score)) continue
    if (sum === 0) start = i
    const step = Math.min(largestScore, score) - allowance
    sum = Math.max(0, sum + Math.max(-largestRecovery, step))
    if (step > 0) lastHigh = i
    if (sum > threshold) inside = true
    strongest = Math.max(strongest, sum)
    // Capped, so that a long episode does not take long to end.
    peak = Math.min(sum, threshold * 2)
    sum = peak
    if (sum > 0) continue
    if (inside) episodes.push(episodeOf(start, lastHigh + 1, false, strongest / threshold))
    inside = false
    strongest = 0
  }
  if (inside) {
    const open = sum > threshold / 2 && scores.length - lastHigh <= 1 + Math.ceil(threshold / 2)
    episodes.push(episodeOf(start, open ? scores.length : lastHigh + 1, open, strongest / threshold))
  }
  return episodes
}

function episodeOf(from: number, to: number, open: boolean, strength: number): Episode {
  return { from, to, open, strength: Math.round(strength * 1000) / 1000 }
}
