/**
 * Latency sketch: counts per logarithmic bucket, so that sketches add up exactly and a quantile is off by at
 * most `relativeError` of its value, whatever the distribution.
 *
 * Source: Masson, Rim, Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error
 * guarantees", VLDB 2019. Counts may be negative in a delta; a sum of all deltas never is.
 */

/** Bound on |estimate - true| / true for durations between `smallestMs` and `largestMs`. */
export const relativeError = 0.0195

const gamma = (1 + relativeError) / (1 - relativeError)
const logGamma = Math.log(gamma)

/** One microsecond: what is shorter is counted as zero, below the resolution of most clocks. */
export const smallestMs = 1e-3

/** Number of buckets; the last one ends above seventeen days, longer durations are counted there. */
export const bucketCount = 720

/** Longest duration that is told apart, milliseconds. */
export const largestMs: number = smallestMs * gamma ** (bucketCount - 1)

/** Bucket of a duration in nanoseconds: 0 below a microsecond, then `ceil(log_gamma(us))`. */
export function bucketOfNs(ns: number): number {
  if (!(ns >= 1000)) return 0
  const index = Math.ceil(Math.log(ns / 1000) / logGamma)
  return index < 1 ? 1 : index >= bucketCount ? bucketCount - 1 : index
}

/** Bucket of a duration in milliseconds. */
export function bucketOfMs(ms: number): number {
  return bucketOfNs(ms * 1e6)
}

/** The value that stands for a bucket, milliseconds. */
export function bucketValueMs(bucket: number): number {
  return bucket <= 0 ? 0 : (smallestMs * 2 * gamma ** bucket) / (gamma + 1)
}

/** Quantile of counts per bucket, milliseconds; NaN without data. Negative counts are taken as none. */
export function quantileOf(counts: Float64Array, q: number): number {
  let total = 0
  for (const count of counts) if (count > 0) total += count
  if (total <= 0) return Number.NaN
  const rank = Math.min(1, Math.max(0, q)) * (total - 1)
  let seen = 0
  for (let bucket = 0; bucket < counts.length; bucket++) {
    const count = counts[bucket] ?? 0
    if (count <= 0) continue
    seen += count
    if (seen > rank) return bucketValueMs(bucket)
  }
  return bucketValueMs(counts.length - 1)
}
