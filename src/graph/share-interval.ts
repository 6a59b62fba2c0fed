/** How sure a share, a quantile and the difference of two of them are. */

/** Normal quantile of 95 % certainty on both sides. */
const z = 1.96

export interface Interval {
  readonly low: number
  readonly high: number
}

/** Wilson's interval of a share (Wilson, "Probable inference", 1927); everything where nothing was seen. */
export function shareInterval(share: number, count: number): Interval {
  if (count <= 0) return { low: 0, high: 1 }
  const scale = 1 + z ** 2 / count
  const centre = (share + z ** 2 / (2 * count)) / scale
  const reach = (z * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2))) / scale
  return { low: Math.max(0, centre - reach), high: Math.min(1, centre + reach) }
}

/** Where a quantile lies, by the ranks that so many values leave open. */
export function quantileInterval(q: number, count: number, quantile: (q: number) => number): Interval {
  const reach = count <= 0 ? 1 : z * Math.sqrt((q * (1 - q)) / count)
  return { low: quantile(Math.max(0, q - reach)), high: quantile(Math.min(1, q + reach)) }
}

export interface Estimate extends Interval {
  readonly value: number
}

/** Interval of `after - before` from those of both (Zou and Donner, "MOVER", 2008; for shares Newcombe's). */
export function differenceInterval(after: Estimate, before: Estimate): Interval {
  const change = after.value - before.value
  return {
    low: change - Math.hypot(after.value - after.low, before.high - before.value),
    high: change + Math.hypot(after.high - after.value, before.value - before.low),
  }
}

/** A mean of values with its interval; of fewer than two nothing is known but that it lies between 0 and 1. */
export function meanEstimate(values: readonly number[]): Estimate & { readonly error: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
  if (values.length < 2) return { value: mean, low: 0, high: 1, error: Number.POSITIVE_INFINITY }
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
  const error = Math.sqrt(variance / values.length)
  return { value: mean, low: mean - z * error, high: mean + z * error, error }
}
