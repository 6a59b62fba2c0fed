/**
 * Rollup cells that are being counted: one per series and window, in columns, with their sketches in one
 * table of bucket counts. Adding is commutative: times are whole nanoseconds, so their sums are exact in any
 * order below 2^53 (104 days of summed time in one cell), and nothing is kept that cannot be taken back.
 */
import { PairMap, widenFloat64, widenUint32 } from './pair-map.ts'

/** Bits of a bucket in a bucket key of 32, `bucketCount` being below 1024: a table never holds more than four million cells. */
const bucketBits = 10

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

  /** Forgets the cells of windows from this one on; the others are numbered anew, in the same order. */
  keepBefore(window: number): void {
    const kept = new Uint32Array(this.size)
    let size = 0
    for (let cell = 0; cell < this.size; cell++) if (this.windowOf(cell) < window) kept[size++] = cell
    this.#keep(kept.subarray(0, size))
  }

  #keep(kept: Uint32Array): void {
    const series = kept.map(cell => this.seriesOf(cell))
    const windows = kept.map(cell => this.windowOf(cell))
    this.#pairs.clear(Number.POSITIVE_INFINITY)
    this.#lastCell.fill(0)
    for (let at = 0; at < kept.length; at++) this.#pairs.add(series[at] as number, windows[at] as number)
    for (const column of this.#columns()) {
      for (let at = 0; at < kept.length; at++) column[at] = column[kept[at] as number] as number
      column.fill(0, kept.length)
    }
    this.buckets.keep(kept)
  }

  /** What had grown large is given back, unless it is `refilled` at once. */
  clear(refilled = false): void {
    const used = this.#pairs.size
    this.#pairs.clear(refilled ? Number.POSITIVE_INFINITY : undefined)
    this.#lastCell.fill(0)
    for (const column of this.#columns()) column.fill(0, 0, used)
    this.buckets.clear(refilled)
  }

  #columns(): readonly Float64Array[] {
    return [this.count, this.errors, this.sum, this.self, this.paired, this.max, this.lastMs]
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

/** Entries kept before they are summed up on their own account: what five full segments of spans add, and half of it. */
const usualEntries = 262_144

/**
 * Counts per (cell, bucket), as they came: adding is an append, and what belongs together is summed when it is asked for.
 * A table in which each was looked up took a fifth of the time of counting a span.
 */
export class BucketCounts {
  #keys = new Uint32Array(4096)
  #counts = new Float64Array(4096)
  #used = 0
  /** Cells below it have counts. */
  #cells = 0

  add(cell: number, bucket: number, count: number): void {
    if (this.#used === this.#keys.length) this.#makeRoom()
    const at = this.#used++
    this.#keys[at] = (cell << bucketBits) | bucket
    this.#counts[at] = count
    if (cell >= this.#cells) this.#cells = cell + 1
  }

  /** What was added and not summed up yet; no fewer than there are distinct ones. */
  get entries(): number {
    return this.#used
  }

  /** Sums up what belongs together. */
  condense(): void {
    this.keep(Uint32Array.from({ length: this.#cells }, (_, cell) => cell))
  }

  /** Sums up, of these cells alone, which are numbered anew in this order. */
  keep(cells: ArrayLike<number>): void {
    const { first, buckets, counts } = this.sorted(this.#cells)
    let used = 0
    for (let to = 0; to < cells.length; to++) {
      const cell = cells[to] as number
      for (let at = first[cell] as number; at < (first[cell + 1] as number); at++) {
        this.#keys[used] = (to << bucketBits) | (buckets[at] as number)
        this.#counts[used++] = counts[at] as number
      }
    }
    this.#used = used
    this.#cells = Math.min(this.#cells, cells.length)
  }

  /** All non-zero counts of cells below `cells`, by cell and then bucket. */
  sorted(cells: number): SortedBuckets {
    return sumBuckets(this.#byCell(), cells)
  }

  clear(refilled = false): void {
    if (!refilled && this.#keys.length > usualEntries) {
      this.#keys = new Uint32Array(4096)
      this.#counts = new Float64Array(4096)
    }
    this.#used = 0
    this.#cells = 0
  }

  /** The entries cell by cell, otherwise as they came. */
  #byCell(): SortedBuckets {
    const keys = this.#keys
    const all = this.#counts
    const first = new Uint32Array(this.#cells + 1)
    for (let at = 0; at < this.#used; at++) {
      const after = ((keys[at] as number) >>> bucketBits) + 1
      first[after] = (first[after] as number) + 1
    }
    for (let cell = 0; cell < this.#cells; cell++)
      first[cell + 1] = (first[cell + 1] as number) + (first[cell] as number)
    const next = first.slice()
    const buckets = new Uint16Array(this.#used)
    const counts = new Float64Array(this.#used)
    for (let at = 0; at < this.#used; at++) {
      const key = keys[at] as number
      const cell = key >>> bucketBits
      const place = next[cell] as number
      next[cell] = place + 1
      buckets[place] = key & ((1 << bucketBits) - 1)
      counts[place] = all[at] as number
    }
    return { first, buckets, counts }
  }

  /** Sums up what there is, where that makes half of the room free; else there is twice as much. */
  #makeRoom(): void {
    if (this.#keys.length >= usualEntries) {
      this.condense()
      if (this.#used * 2 <= this.#keys.length) return
    }
    const keys = new Uint32Array(this.#keys.length * 2)
    keys.set(this.#keys)
    const counts = new Float64Array(keys.length)
    counts.set(this.#counts)
    this.#keys = keys
    this.#counts = counts
  }
}

/** Counts by bucket of the cell at hand, zero again once it is done. */
const sums = new Float64Array(1 << bucketBits)
/** Cell + 1 that had something in the bucket last. */
const seenBy = new Uint32Array(1 << bucketBits)
const distinct = new Uint16Array(1 << bucketBits)

/** Entries of each cell below `cells` summed by bucket, ascending, in their own place; zeros left out. */
function sumBuckets(entries: SortedBuckets, cells: number): SortedBuckets {
  const first = new Uint32Array(cells + 1)
  const { buckets, counts } = entries
  seenBy.fill(0)
  let used = 0
  for (let cell = 0; cell < cells; cell++) {
    const found = sumCell(entries, cell)
    for (let at = 0; at < found; at++) {
      const bucket = distinct[at] as number
      const sum = sums[bucket] as number
      sums[bucket] = 0
      if (sum === 0) continue
      buckets[used] = bucket
      counts[used++] = sum
    }
    first[cell + 1] = used
  }
  return { first, buckets: buckets.subarray(0, used), counts: counts.subarray(0, used) }
}

/** Adds the entries of a cell to `sums`; how many of `distinct` name its buckets, ascending. */
function sumCell({ first, buckets, counts }: SortedBuckets, cell: number): number {
  const end = first[cell + 1] ?? 0
  let found = 0
  for (let at = first[cell] ?? 0; at < end; at++) {
    const bucket = buckets[at] as number
    sums[bucket] = (sums[bucket] as number) + (counts[at] as number)
    if (seenBy[bucket] === cell + 1) continue
    seenBy[bucket] = cell + 1
    distinct[found++] = bucket
  }
  if (found > fewBuckets) distinct.subarray(0, found).sort()
  else sortFew(found)
  return found
}

/** Up to so many, moving them up beats a call. */
const fewBuckets = 32

function sortFew(found: number): void {
  for (let next = 1; next < found; next++) {
    const bucket = distinct[next] as number
    let at = next
    for (; at > 0 && (distinct[at - 1] as number) > bucket; at--) distinct[at] = distinct[at - 1] as number
    distinct[at] = bucket
  }
}

/** Buckets of cell `c` are rows `[first[c], first[c + 1])`, ascending. */
export interface SortedBuckets {
  readonly first: Uint32Array
  readonly buckets: Uint16Array
  readonly counts: Float64Array
}
