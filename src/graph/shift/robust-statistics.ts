/** Order statistics that a few wild values cannot move. */

/** Middle of the values; NaN for none. */
export function medianOf(values: ArrayLike<number>): number {
  return middleOf(Float64Array.from(values).sort())
}

function middleOf(sorted: Float64Array): number {
  const middle = sorted.length >>> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}

/**
 * Spread in units of a standard deviation: the larger of the scaled median absolute deviation and the scaled
 * distance of the quartiles, since either alone is 0 for values that mostly repeat. 0 for fewer than two.
 */
export function spreadOf(values: ArrayLike<number>): number {
  if (values.length < 2) return 0
  const sorted = Float64Array.from(values).sort()
  const middle = middleOf(sorted)
  const deviation = middleOf(sorted.map(value => Math.abs(value - middle)).sort()) * 1.4826
  const at = (q: number) => sorted[Math.round(q * (sorted.length - 1))] ?? middle
  return Math.max(deviation, (at(0.75) - at(0.25)) / 1.349)
}
