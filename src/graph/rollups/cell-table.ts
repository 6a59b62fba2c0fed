/**
 * Rollup cells that are being counted: one per series and window, in columns, with their sketches in one
 * table of bucket counts. Adding is commutative: times are whole nanoseconds, so their sums are exact in any
 * order below 2^53 (104 days of summed time in one cell), and nothing is kept that cannot be taken back.
 */
import { PairMap, widenFloat64, widenUint32 } from './pair-map.ts'

/** Bits of a bucket in a bucket key; `bucketCount` is below 1024. */
const bucketBits = 10

/** A bucket key is cell and bucket in 32 bits, so a table never holds more cells than this. */
export const maxTableCells: number = 2 ** (32 - bucketBits)

/** Values of metric points that fall into one cell. */
export interface PointSummary {
  readonly count: number
  /** Times the counter began anew. */
  readonly resets: number
  readonly sum: number
  readonly last: number
  /** Time of `last`, milliseconds; 0 when there was an increase but no point. */
  readonly lastMs: number
  readonly min: number
  readonly max: number
}

export class CellTable {
  readonly #pairs = new PairMap(1024)
  #lastWindow: Uint32Array = new Uint32Array(1024)
  #lastCell = new Int32Array(1024)
  /** Call, span, record or point count per cell. */
  count: Float64Array = new Float64Array(1024)
  /** Failed ones; metric: counter resets. */
  errors: Float64Array = new Float64Array(1024)
  /** Summed durations in ns; metric: sum of values. */
  sum: Float64Array = new Float64Array(1024)
  /** Self time or gap in ns; metric: last value. */
  self: Float64Array = new Float64Array(1024)
  /** Paired calls; metric: smallest value. */
  paired: Float64Array = new Float64Array(1024)
  /** Metric: largest value. */
  max: Float64Array = new Float64Array(1024)
  /** Metric: time of the last value, ms. */
  lastMs: Float64Array = new Float64Array(1024)
  readonly buckets: BucketCounts = new BucketCounts()

  get size(): number {
    return this.#pairs.size
  }

  seriesOf(cell: number): number {
    return this.#pairs.first(cell)
  }

  /** Window number: start in ms divided by the width in ms. */
  windowOf(cell: number): number {
    return this.#pairs.second(cell)
  }

  /** The cell of a series in a window, created empty if it is new. */
  cell(series: number, window: number): number {
    if (series >= this.#lastCell.length) this.#widenSeries(series)
    const cached = this.#lastCell[series] ?? 0
    if (cached > 0 && this.#lastWindow[series] === window) return cached - 1
    const cell = this.#pairs.add(series, window)
    if (cell >= this.count.length) this.#widenCells()
    this.#lastWindow[series] = window
    this.#lastCell[series] = cell + 1
    return cell
  }

  /** Adds to the counts of a cell; any amount may be negative. */
  add(cell: number, count: number, errors: number, sumNs: number): void {
    this.count[cell] = (this.count[cell] ?? 0) + count
    this.errors[cell] = (this.errors[cell] ?? 0) + errors
    this.sum[cell] = (this.sum[cell] ?? 0) + sumNs
  }

  addSelf(cell: number, selfNs: number): void {
    this.self[cell] = (this.self[cell] ?? 0) + selfNs
  }

  addPaired(cell: number, paired: number): void {
    this.paired[cell] = (this.paired[cell] ?? 0) + paired
  }

  /** Merges points into a metric cell; of equally late values the larger one counts as last. */
  addPoints(cell: number, points: PointSummary): void {
    this.add(cell, points.count, points.resets, points.sum)
    // No time: an increase without a point of its own in this window.
    if (points.lastMs > 0) this.#addValues(cell, points.lastMs, points.last, points.min, points.max)
  }

  /** The same for one point, or for `count` observations with their mean; no object each, because they are many. */
  addPoint(cell: number, timeMs: number, value: number, count: number, sum: number): void {
    this.add(cell, count, 0, sum)
    if (timeMs > 0) this.#addValues(cell, timeMs, value, value, value)
  }

  #addValues(cell: number, lastMs: number, last: number, min: number, max: number): void {
    const before = this.lastMs[cell] ?? 0
    const fresh = before === 0
    if (lastMs > before || (lastMs === before && last > (this.self[cell] ?? 0))) {
      this.self[cell] = last
      this.lastMs[cell] = lastMs
    }
    if (fresh || min < (this.paired[cell] ?? 0)) this.paired[cell] = min
    if (fresh || max > (this.max[cell] ?? 0)) this.max[cell] = max
  }

  /** Whether all that was added to the cell cancelled out. */
  isZero(cell: number): boolean {
    return (
      this.count[cell] === 0 &&
      this.errors[cell] === 0 &&
      this.sum[cell] === 0 &&
      this.self[cell] === 0 &&
      this.paired[cell] === 0
    )
  }

  clear(): void {
    const used = this.#pairs.size
    this.#pairs.clear()
    this.#lastCell.fill(0)
    for (const column of [this.count, this.errors, this.sum, this.self, this.paired, this.max, this.lastMs]) {
      column.fill(0, 0, used)
    }
    this.buckets.clear()
  }

  #widenSeries(series: number): void {
    const length = Math.max(series + 1, this.#lastCell.length * 2)
    this.#lastWindow = widenUint32(this.#lastWindow, length)
    const cells = new Int32Array(length)
    cells.set(this.#lastCell)
    this.#lastCell = cells
  }

  #widenCells(): void {
    const length = this.count.length * 2
    this.count = widenFloat64(this.count, length)
    this.errors = widenFloat64(this.errors, length)
    this.sum = widenFloat64(this.sum, length)
    this.self = widenFloat64(this.self, length)
    this.paired = widenFloat64(this.paired, length)
    this.max = widenFloat64(this.max, length)
    this.lastMs = widenFloat64(this.lastMs, length)
  }
}

/** Counts per (cell, bucket); open addressing on one 32-bit key. */
export class BucketCounts {
  /**
   * Pairs of key + 1 (0 for empty) and count, side by side because a look-up is one miss of the cache. A key of
   * 2^32 - 1 cannot occur: `bucketCount` is below 1023.
   */
  #pairs = new Float64Array(8192)
  #size = 0

  add(cell: number, bucket: number, count: number): void {
    const key = ((cell << bucketBits) | bucket) >>> 0
    const pairs = this.#pairs
    const mask = (pairs.length >> 1) - 1
    let at = spread(key) & mask
    for (;;) {
      const found = pairs[at * 2]
      if (found === key + 1) {
        pairs[at * 2 + 1] = (pairs[at * 2 + 1] ?? 0) + count
        return
      }
      if (found === 0) break
      at = (at + 1) & mask
    }
    pairs[at * 2] = key + 1
    pairs[at * 2 + 1] = count
    if (++this.#size * 4 > pairs.length) this.#grow()
  }

  /** All non-zero counts of cells below `cells`, by cell and then bucket. */
  sorted(cells: number): SortedBuckets {
    const pairs = this.#pairs
    const first = new Uint32Array(cells + 1)
    for (let at = 0; at < pairs.length; at += 2) {
      const key = pairs[at] ?? 0
      if (key === 0 || pairs[at + 1] === 0) continue
      const next = ((key - 1) >>> bucketBits) + 1
      first[next] = (first[next] ?? 0) + 1
    }
    for (let cell = 0; cell < cells; cell++) first[cell + 1] = (first[cell + 1] ?? 0) + (first[cell] ?? 0)
    const used = first[cells] ?? 0
    const buckets = new Uint16Array(used)
    const counts = new Float64Array(used)
    const next = first.slice()
    for (let at = 0; at < pairs.length; at += 2) {
      const key = pairs[at] ?? 0
      if (key === 0 || pairs[at + 1] === 0) continue
      const cell = (key - 1) >>> bucketBits
      const end = next[cell] ?? 0
      next[cell] = end + 1
      insertBucket({ first, buckets, counts }, first[cell] ?? 0, end, {
        bucket: (key - 1) & ((1 << bucketBits) - 1),
        count: pairs[at + 1] ?? 0,
      })
    }
    return { first, buckets, counts }
  }

  clear(): void {
    if (this.#pairs.length > 524_288) this.#pairs = new Float64Array(8192)
    else if (this.#size > 0) this.#pairs.fill(0)
    this.#size = 0
  }

  #grow(): void {
    const before = this.#pairs
    const pairs = new Float64Array(before.length * 2)
    const mask = before.length - 1
    for (let i = 0; i < before.length; i += 2) {
      const stored = before[i] ?? 0
      if (stored === 0) continue
      let at = spread(stored - 1) & mask
      while (pairs[at * 2] !== 0) at = (at + 1) & mask
      pairs[at * 2] = stored
      pairs[at * 2 + 1] = before[i + 1] ?? 0
    }
    this.#pairs = pairs
  }
}

/** Buckets of cell `c` are rows `[first[c], first[c + 1])`, ascending. */
export interface SortedBuckets {
  readonly first: Uint32Array
  readonly buckets: Uint16Array
  readonly counts: Float64Array
}

/** A cell has some dozens of buckets, so moving them up beats sorting. */
function insertBucket(
  into: SortedBuckets,
  from: number,
  end: number,
  added: { readonly bucket: number; readonly count: number },
): void {
  let at = end
  while (at > from && (into.buckets[at - 1] ?? 0) > added.bucket) {
    into.buckets[at] = into.buckets[at - 1] ?? 0
    into.counts[at] = into.counts[at - 1] ?? 0
    at--
  }
  into.buckets[at] = added.bucket
  into.counts[at] = added.count
}

function spread(key: number): number {
  let hash = Math.imul(key ^ (key >>> 16), 0x7feb352d)
  hash ^= hash >>> 15
  return Math.imul(hash, 0x846ca68b)
}
