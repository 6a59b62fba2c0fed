/**
 * Whether two series over the same time windows go up and down together, and which of them first: Spearman's rank
 * correlation at several lags, the ranks taken over all windows, judged by as many independent values as their own persistence leaves.
 */

export interface Correlation {
  /** -1 to 1. */
  readonly rho: number
  /** Windows by which the second series follows the first; negative if it comes before. */
  readonly lag: number
  /** Pairs of values compared. */
  readonly pairs: number
  /** Standard deviations from no relation. */
  readonly z: number
}

/** Fewer pairs say nothing of ranks. */
const minPairs = 8

/** The lag of at most `maxLag` windows at which they agree most; the shortest of several. Null without enough values. */
export function correlate(first: Float64Array, second: Float64Array, maxLag: number): Correlation | null {
  return correlateRanks(ranksOf(first), ranksOf(second), maxLag)
}

/** The same for series whose `ranksOf` are known, as of one that is compared with many. */
export function correlateRanks(
  first: Float64Array,
  second: Float64Array,
  maxLag: number,
): Correlation | null {
  let best: Correlation | null = null
  for (let step = 0; step <= 2 * maxLag; step++) {
    // 0, 1, -1, 2, -2: of two that are as good the nearer one stays.
    const lag = step % 2 === 0 ? 0 - step / 2 : (step + 1) / 2
    const found = atLag(first, second, lag)
    if (found !== null && (best === null || Math.abs(found.z) > Math.abs(best.z) + 1e-9)) best = found
  }
  return best
}

function atLag(first: Float64Array, second: Float64Array, lag: number): Correlation | null {
  const a: number[] = []
  const b: number[] = []
  for (let at = Math.max(0, -lag); at < Math.min(first.length, second.length - lag); at++) {
    const x = first[at] ?? Number.NaN
    const y = second[at + lag] ?? Number.NaN
    if (Number.isNaN(x) || Number.isNaN(y)) continue
    a.push(x)
    b.push(y)
  }
  if (a.length < minPairs) return null
  const rho = pearson(a, b)
  if (rho === null) return null
  // Values that hang on their predecessors count less than as many independent ones (Bartlett, 1935).
  const persistence = Math.max(0, (following(a) ?? 0) * (following(b) ?? 0))
  const independent = (a.length * (1 - persistence)) / (1 + persistence)
  const certain = Math.atanh(Math.max(-0.999, Math.min(0.999, rho)))
  return { rho, lag, pairs: a.length, z: independent <= 3 ? 0 : certain * Math.sqrt(independent - 3) }
}

/** Ranks from 1, those of equal values their mean; NaN where there is no value. */
export function ranksOf(values: Float64Array): Float64Array {
  const ranks = new Float64Array(values.length).fill(Number.NaN)
  const order = [...values.keys()].filter(at => !Number.isNaN(values[at]))
  order.sort((x, y) => (values[x] ?? 0) - (values[y] ?? 0) || x - y)
  for (let from = 0; from < order.length; ) {
    let to = from + 1
    while (to < order.length && values[order[to] ?? 0] === values[order[from] ?? 0]) to++
    for (let at = from; at < to; at++) ranks[order[at] ?? 0] = (from + to + 1) / 2
    from = to
  }
  return ranks
}

/** Of pairs that lie `by` places apart. Null where one of them never changes. */
function pearson(a: readonly number[], b: readonly number[], by = 0): number | null {
  const pairs = a.length - by
  let sumA = 0
  let sumB = 0
  for (let at = 0; at < pairs; at++) {
    sumA += a[at] ?? 0
    sumB += b[at + by] ?? 0
  }
  let both = 0
  let squareA = 0
  let squareB = 0
  for (let at = 0; at < pairs; at++) {
    const dx = (a[at] ?? 0) - sumA / pairs
    const dy = (b[at + by] ?? 0) - sumB / pairs
    both += dx * dy
    squareA += dx * dx
    squareB += dy * dy
  }
  return squareA === 0 || squareB === 0 ? null : both / Math.sqrt(squareA * squareB)
}

/** How much a value says of the next one. */
function following(ranks: readonly number[]): number | null {
  return pearson(ranks, ranks, 1)
}

/** Standard deviations that chance passes once in a hundred answers of so many comparisons (Bonferroni). */
export function neededZ(comparisons: number): number {
  return normalQuantile(1 - 0.01 / Math.max(1, comparisons) / 2)
}

/** Quantile of the standard normal, within 5e-4 (Abramowitz and Stegun, 26.2.23). */
function normalQuantile(q: number): number {
  const t = Math.sqrt(-2 * Math.log(1 - q))
  return (
    t -
    (2.515517 + 0.802853 * t + 0.010328 * t ** 2) / (1 + 1.432788 * t + 0.189269 * t ** 2 + 0.001308 * t ** 3)
  )
}
