/** Latencies in buckets of one percent, so that a load of any length fits into some kilobytes. */

const growth = Math.log(1.01)
/** 1.01^2500 microseconds are about seventeen hours. */
const bucketCount = 2_500

export class LatencyRecord {
  readonly #buckets = new Float64Array(bucketCount)
  #count = 0
  #maxMs = 0

  add(ms: number): void {
    const bucket = Math.floor(Math.log(Math.max(1, ms * 1_000)) / growth)
    const at = Math.min(bucketCount - 1, bucket)
    this.#buckets[at] = (this.#buckets[at] as number) + 1
    this.#count++
    this.#maxMs = Math.max(this.#maxMs, ms)
  }

  get count(): number {
    return this.#count
  }

  get maxMs(): number {
    return rounded(this.#maxMs)
  }

  /** Milliseconds, at most one percent off; null without any. */
  quantile(q: number): number | null {
    if (this.#count === 0) return null
    const rank = q * (this.#count - 1)
    let seen = 0
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      seen += this.#buckets[bucket] as number
      if (seen > rank) return rounded(Math.min(this.#maxMs, Math.exp((bucket + 0.5) * growth) / 1_000))
    }
    return this.maxMs
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}
