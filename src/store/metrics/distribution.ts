/**
 * What histogram, exponential histogram and summary points say about a distribution (metrics.proto), in one
 * form: counts between bounds. Exponential buckets become their bounds, so that differences and sums of
 * points at different scales need no special case.
 */
import type { MetricType } from '../../model/telemetry.ts'
import {
  cursor,
  doubleAt,
  fixed32At,
  readLength,
  readTag,
  readVarint,
  skipValue,
  unsigned64,
} from '../../otlp/wire/varint.ts'

/** Counts per bucket; bucket `i` is the values in (bounds[i-1], bounds[i]], the last one above all bounds. */
export interface Distribution {
  readonly bounds: readonly number[]
  readonly counts: readonly number[]
  /** NaN where the point does not say. */
  readonly min: number
  readonly max: number
  /** Of a summary: quantiles as sent, which cannot be added up. */
  readonly quantiles: readonly (readonly [quantile: number, value: number])[]
}

/** Exponential buckets kept per sign; a point may claim far more, and they are then merged by pairs. */
const maxExponentialBuckets = 4096

/** The distribution in a data point message. Null for gauges and sums. Throws `decode_error` if malformed. */
export function distributionOf(type: MetricType, point: Uint8Array): Distribution | null {
  if (type === 'histogram') return histogramOf(point)
  if (type === 'exponential_histogram') return exponentialOf(point)
  return type === 'summary' ? summaryOf(point) : null
}

type Visit = (tag: number, from: number, to: number) => void

function eachField(bytes: Uint8Array, start: number, end: number, visit: Visit): void {
  for (let at = start; at < end; ) {
    const tag = readTag(bytes, at, end)
    const content = cursor.next
    at = skipValue(bytes, content, end, tag & 7)
    const from = (tag & 7) === 2 ? at - readLength(bytes, content, end) : content
    visit(tag, from, at)
  }
}

function histogramOf(point: Uint8Array): Distribution {
  const bounds: number[] = []
  const counts: number[] = []
  let min = Number.NaN
  let max = Number.NaN
  eachField(point, 0, point.length, (tag, from, to) => {
    // Repeated numbers come packed, and one by one from old encoders.
    if (tag === 0x32 || tag === 0x31)
      for (let at = from; at + 8 <= to; at += 8)
        counts.push(unsigned64(fixed32At(point, at), fixed32At(point, at + 4)))
    else if (tag === 0x3a || tag === 0x39)
      for (let at = from; at + 8 <= to; at += 8) bounds.push(doubleAt(point, at))
    else if (tag === 0x59) min = doubleAt(point, from)
    else if (tag === 0x61) max = doubleAt(point, from)
  })
  return { bounds, counts, min, max, quantiles: [] }
}

interface ExponentialBuckets {
  readonly offset: number
  readonly counts: readonly number[]
}

const noBuckets: ExponentialBuckets = { offset: 0, counts: [] }

function exponentialOf(point: Uint8Array): Distribution {
  let scale = 0
  let zeroCount = 0
  let zeroThreshold = 0
  let positive = noBuckets
  let negative = noBuckets
  let min = Number.NaN
  let max = Number.NaN
  eachField(point, 0, point.length, (tag, from, to) => {
    if (tag === 0x30) scale = zigzagAt(point, from, to)
    else if (tag === 0x39) zeroCount = unsigned64(fixed32At(point, from), fixed32At(point, from + 4))
    else if (tag === 0x42) positive = bucketsOf(point, from, to)
    else if (tag === 0x4a) negative = bucketsOf(point, from, to)
    else if (tag === 0x61) min = doubleAt(point, from)
    else if (tag === 0x69) max = doubleAt(point, from)
    else if (tag === 0x71) zeroThreshold = doubleAt(point, from)
  })
  const bounds: number[] = []
  const counts: number[] = []
  // Bucket i of scale s holds base^i < |v| <= base^(i+1) with base = 2^(2^-s).
  for (let at = negative.counts.length - 1; at >= 0; at--) {
    bounds.push(-boundary(negative.offset + at, scale))
    counts.push(negative.counts[at] ?? 0)
  }
  if (bounds.length > 0) {
    bounds.unshift(-boundary(negative.offset + negative.counts.length, scale))
    counts.unshift(0)
  }
  if (zeroCount > 0 || positive.counts.length > 0) {
    bounds.push(zeroThreshold)
    counts.push(zeroCount)
    const lowest = boundary(positive.offset, scale)
    if (positive.counts.length > 0 && lowest > zeroThreshold) {
      bounds.push(lowest)
      counts.push(0)
    }
    for (let at = 0; at < positive.counts.length; at++) {
      bounds.push(boundary(positive.offset + at + 1, scale))
      counts.push(positive.counts[at] ?? 0)
    }
  }
  return { bounds, counts: [...counts, 0], min, max, quantiles: [] }
}

function boundary(index: number, scale: number): number {
  return 2 ** (index * 2 ** -scale)
}

/** Buckets: offset = 1 (sint32), bucket_counts = 2 (packed uint64). */
function bucketsOf(point: Uint8Array, start: number, end: number): ExponentialBuckets {
  let offset = 0
  const counts: number[] = []
  eachField(point, start, end, (tag, from, to) => {
    if (tag === 0x08) offset = zigzagAt(point, from, to)
    else if (tag === 0x12 || tag === 0x10)
      for (let at = from; at < to && counts.length < maxExponentialBuckets; at = cursor.next) {
        const low = readVarint(point, at, to)
        counts.push(unsigned64(low, cursor.high))
      }
  })
  return { offset, counts }
}

function zigzagAt(bytes: Uint8Array, from: number, to: number): number {
  const value = readVarint(bytes, from, to)
  return (value >>> 1) ^ -(value & 1)
}

/** SummaryDataPoint: quantile_values = 6, each quantile = 1 and value = 2. */
function summaryOf(point: Uint8Array): Distribution {
  const quantiles: [number, number][] = []
  eachField(point, 0, point.length, (tag, from, to) => {
    if (tag !== 0x32) return
    let quantile = 0
    let value = 0
    eachField(point, from, to, (inner, at) => {
      if (inner === 0x09) quantile = doubleAt(point, at)
      else if (inner === 0x11) value = doubleAt(point, at)
    })
    quantiles.push([quantile, value])
  })
  return { bounds: [], counts: [], min: Number.NaN, max: Number.NaN, quantiles }
}

/**
 * Adds up distributions by bound: a count whose upper bound others do not have keeps it. Exact where all have
 * the same bounds.
 */
export class DistributionSum {
  readonly #counts = new Map<number, number>()
  /** All values lie between, as far as every point says. */
  #lowest = Number.POSITIVE_INFINITY
  #highest = Number.NEGATIVE_INFINITY

  /**
   * Adds `weight` times `counts`, of which negative ones, which resets leave behind, count as none. They may be
   * what a cumulative point gained: its extremes since start hold for that too.
   */
  add(distribution: Distribution, counts: readonly number[] = distribution.counts, weight = 1): void {
    const { bounds, min, max } = distribution
    let any = false
    for (let bucket = 0; bucket < counts.length; bucket++) {
      const count = counts[bucket] ?? 0
      const bound = bounds[bucket] ?? Number.POSITIVE_INFINITY
      if (count > 0) any = true
      if (count > 0 || !this.#counts.has(bound))
        this.#counts.set(bound, (this.#counts.get(bound) ?? 0) + Math.max(0, count) * weight)
    }
    if (!any) return
    this.#lowest = Math.min(this.#lowest, Number.isNaN(min) ? Number.NEGATIVE_INFINITY : min)
    this.#highest = Math.max(this.#highest, Number.isNaN(max) ? Number.POSITIVE_INFINITY : max)
  }

  /**
   * The value below which a share `q` of the counts lies, linear inside a bucket; NaN without counts. A bucket
   * ends where the extremes do: bounds made for milliseconds put all of a metric in seconds into the first one.
   */
  quantile(q: number): number {
    const buckets = [...this.#counts].sort((a, b) => a[0] - b[0])
    const total = buckets.reduce((sum, [, count]) => sum + count, 0)
    if (!(total > 0)) return Number.NaN
    const wanted = Math.min(1, Math.max(0, q)) * total
    let below = 0
    for (let at = 0; at < buckets.length; at++) {
      const [upper, count] = buckets[at] ?? [0, 0]
      if (count <= 0 || below + count < wanted) {
        below += count
        continue
      }
      const previous = buckets[at - 1]?.[0]
      // Extremes since start say little of the open end now: the nearest bound is the answer, as of Prometheus.
      if (upper === Number.POSITIVE_INFINITY) return previous ?? Number.NaN
      return this.#inside(previous ?? Math.min(0, upper), upper, (wanted - below) / count)
    }
    return buckets.at(-1)?.[0] ?? Number.NaN
  }

  #inside(lower: number, upper: number, share: number): number {
    const from = Math.max(lower, this.#lowest)
    const to = Math.min(upper, this.#highest)
    // Senders that fill in zeros contradict their counts, and are not believed.
    return from <= to ? from + (to - from) * share : lower + (upper - lower) * share
  }
}
