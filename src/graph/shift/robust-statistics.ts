/** Order statistics that a few wild values cannot move. */

/** Middle of the values; NaN for none. */
export function medianOf(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >>> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}

/**
 * Spread in units of a standard deviation: the larger of the scaled median absolute deviation and the scaled
 * distance of the quartiles, since either alone is 0 for values that mostly repeat. 0 for fewer than two.
 */
export function spreadOf(values: readonly number[]): number {
  if (values.length < 2) return 0
  const middle = medianOf(values)
  const deviation = medianOf(values.map(value => Math.abs(value - middle))) * 1.4826
  const sorted = values.toSorted((a, b) => a - b)
  const at = (q: number) => sorted[Math.round(q * (sorted.length - 1))] ?? middle
  return Math.max(deviation, (at(0.75) - at(0.25)) / 1.349)
}
