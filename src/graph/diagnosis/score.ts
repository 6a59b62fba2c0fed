/**
 * The link from features to a score, and what each kind of evidence is worth.
 *
 * `score = 1 / (1 + exp(-(bias + sum(weight * value))))`: a logistic link over features in [0, 1]. Anybody who
 * has the answer can recompute every score from it. A value is how sure a deviation is, times how much of
 * the requests concerned it changes; a weight says how much such a deviation points to the place where it was
 * seen rather than to somewhere else.
 */
import type { Feature, FeatureName } from './diagnosis.ts'

/** Log-odds of a candidate without any evidence: one in 245. */
export const bias: number = -5.5

/** Log-odds that full evidence of a kind adds. */
export const weights: Readonly<Record<FeatureName, number>> = {
  // Time is charged once, so whoever keeps it is where it was spent.
  own_time: 13.2,
  network_gap: 13.2,
  // An error is put down to the deepest span that failed.
  error_origin: 13.2,
  // Its own calls are fast; there are more of them than there were.
  more_calls: 13.2,
  // What is sent and never taken was lost between the two.
  lost_messages: 13.2,
  // Sequences tell that a program behaves differently, not always that it is worse.
  error_logs: 11,
  skipped_work: 11,
  new_branch: 6.6,
  resource: 11,
  unexplained_latency: 11,
  unexplained_errors: 11,
  // A release alone is no fault: it only adds to evidence against the same service.
  release: 3.3,
  // What is refused is answered at once, and so is what was remembered: enough to ask, never to accuse.
  hasty_answers: 3.3,
  // Counted by what users suffer and how much of that more traffic explains.
  entry_traffic: 13.2,
}

/** Score from log-odds, rounded to three decimals so that the last bits of a sum do not matter. */
export function scoreOf(features: readonly Pick<Feature, 'value' | 'weight'>[]): number {
  return roundTo(1 / (1 + Math.exp(-(bias + sumOf(features)))), 3)
}

/** Log-odds that the features add to the bias. */
export function sumOf(features: readonly Pick<Feature, 'value' | 'weight'>[]): number {
  return features.reduce((sum, feature) => sum + feature.weight * feature.value, 0)
}

export function roundTo(value: number, digits: number): number {
  const scale = 10 ** digits
  return Math.round(value * scale) / scale
}
