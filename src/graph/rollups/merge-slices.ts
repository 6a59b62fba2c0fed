/**
 * Records added up slice by slice. A slice is a range of windows whose cells fit into a table of bounded size: the
 * whole block if they do, or else a half of it, a quarter and so on, so that slices of later merges have the same
 * boundaries. Ordinary records take one slice; such as each hold hours, as an import leaves them, take many.
 */
import type { RollupRecord } from '../../model/store.ts'
import { corrupt } from './byte-stream.ts'
import { windowsPerBlock } from './cell-order.ts'
import { CellTable } from './cell-table.ts'
import type { CellColumns, DecodedKind } from './decode.ts'
import { type EncodedCells, encodeInPieces, workOf } from './encode.ts'
import { openOnce } from './open-once.ts'
import type { Pieces } from './pieces.ts'
import { kindShapes, SeriesKeys } from './series-keys.ts'
import { SeriesNames } from './series-names.ts'

/** What a table may hold, unless a single window holds more. */
export interface SliceLimits {
  readonly cells: number
  /** Counts of buckets, each once. */
  readonly buckets: number
}

/**
 * Some 40 MB with everything beside the table. Many cells, because each record of thousands of series names them
 * all; few counts of buckets, because where those are many, names are the smaller part.
 */
export const sliceLimits: SliceLimits = { cells: 2 ** 18, buckets: 350_000 }

/** Room for counts that repeat, over those that may stay: below the next power of two, to which columns grow. */
const repeatedBuckets = 1.4

/** Work between two stops, a few milliseconds. */
const workPerPiece = 2 ** 17

/** Columns are laid over a section when it is decoded, which costs so much less than to add what is in it. */
export const shareOfDecoding: number = 1 / 8

/**
 * All cells of the records, with windows of `stepSeconds`, as blocks in the order of time; how much it was is
 * `workOf`. Throws StoreError `corrupt_rollup` for a damaged record, and RangeError for one that is
 * coarser than `stepSeconds`.
 */
export function* mergeSlices(
  records: readonly RollupRecord[],
  stepSeconds: number,
  limits: SliceLimits,
): Pieces<EncodedCells[]> {
  const parts: EncodedCells[] = []
  const widthMs = stepSeconds * 1000
  const merged = { table: new CellTable(), series: new MergedSeries(), stepSeconds, limits }
  /** Ranges that are still to come, the next one last. */
  const ranges = [wholeRange(records, widthMs)]
  for (let range = ranges.pop(); range !== undefined; range = ranges.pop()) {
    const slice = new Slice(merged, range)
    for (const record of records)
      if (record.fromMs < slice.to * widthMs && record.toMs > slice.from * widthMs) yield* slice.add(record)
    parts.push(...(yield* slice.encode()))
    ranges.push(...slice.left)
  }
  return parts
}

interface WindowRange {
  readonly from: number
  readonly to: number
}

/** From where a block begins to where one ends. */
function wholeRange(records: readonly RollupRecord[], widthMs: number): WindowRange {
  const blockMs = widthMs * windowsPerBlock
  let first = Number.POSITIVE_INFINITY
  let last = 0
  for (const { fromMs, toMs } of records) {
    first = Math.min(first, Math.floor(fromMs / blockMs))
    last = Math.max(last, Math.ceil(toMs / blockMs))
  }
  return { from: first * windowsPerBlock, to: last * windowsPerBlock }
}

/** Where a range is cut in two: between blocks, if it has several. */
function middleOf({ from, to }: WindowRange): number {
  const half = (to - from) >>> 1
  return from + (half < windowsPerBlock ? half : half - (half % windowsPerBlock))
}

/** Series under the numbers of one table, found without putting their keys together for each record. */
class MergedSeries {
  readonly keys = new SeriesKeys()
  readonly #names = new SeriesNames()
  /** By kind and number among the names of the kind. */
  readonly #numbers: number[][] = kindShapes.map(() => [])

  /** Numbers of the section's series in `keys`. */
  numbersOf(kind: number, decoded: DecodedKind): Uint32Array {
    const known = this.#numbers[kind] ?? []
    const names = this.#names.kind(kind)
    return this.#names
      .numbersOf(kind, decoded)
      .map(name => (known[name] ??= this.keys.add(kind, names.key(name))))
  }
}

/** What all slices of a merge share: what takes room is made once that way. */
interface Merged {
  readonly table: CellTable
  readonly series: MergedSeries
  readonly stepSeconds: number
  readonly limits: SliceLimits
}

class Slice {
  readonly from: number
  to: number
  /** Ranges it gave up, the nearest last. */
  readonly left: WindowRange[] = []
  readonly #merged: Merged
  readonly #table: CellTable
  #work = 0

  /** Whatever is in the table goes. */
  constructor(merged: Merged, { from, to }: WindowRange) {
    merged.table.clear(true)
    this.#merged = merged
    this.#table = merged.table
    this.from = from
    this.to = to
  }

  *add(record: RollupRecord): Pieces<void> {
    const { stepSeconds, series } = this.#merged
    const factor = stepSeconds / record.stepSeconds
    if (!Number.isInteger(factor)) {
      throw new RangeError(`rollup windows of ${record.stepSeconds} s do not fit into ${stepSeconds} s`)
    }
    for (const { kind, decoded } of sectionsOf(record)) {
      const { cells } = decoded
      const { first, bucketFirst } = cells
      this.#work += workOf(cells.window.length, cells.buckets.length) * shareOfDecoding
      for (const [s, number] of series.numbersOf(kind, decoded).entries()) {
        const [from, to] = [first[s] as number, first[s + 1] as number]
        this.#addRows({ kind, number, factor, cells }, from, to)
        this.#keepWithin()
        this.#work += workOf(to - from, (bucketFirst[to] as number) - (bucketFirst[from] as number))
        if (this.#work >= workPerPiece) yield this.#told()
      }
    }
  }

  *encode(): Pieces<EncodedCells[]> {
    yield this.#told()
    return yield* encodeInPieces(this.#table, this.#merged.series.keys, this.#merged.stepSeconds)
  }

  #told(): number {
    const work = this.#work
    this.#work = 0
    return work
  }

  #addRows({ kind, number, factor, cells }: SourceSeries, from: number, to: number): void {
    // Windows ascend within a series.
    for (let row = from; row < to; row++) {
      const window = Math.floor((cells.window[row] as number) / factor)
      if (window < this.from) continue
      if (window >= this.to) break
      addRow(this.#table, this.#table.cell(number, window), kind, cells, row)
    }
  }

  /** Gives up later halves for as long as the table holds too much. */
  #keepWithin(): void {
    while (this.to - this.from > 1 && this.#isTooLarge()) {
      const middle = middleOf(this)
      this.left.push({ from: middle, to: this.to })
      this.#work += workOf(this.#table.size, this.#table.buckets.entries)
      this.to = middle
      this.#table.keepBefore(middle)
    }
  }

  #isTooLarge(): boolean {
    const { buckets, size } = this.#table
    const { limits } = this.#merged
    if (size > limits.cells) return true
    if (buckets.entries <= limits.buckets * repeatedBuckets) return false
    buckets.condense()
    return buckets.entries > limits.buckets
  }
}

interface SourceSeries {
  readonly kind: number
  readonly number: number
  /** How many windows of the source make one of the target. */
  readonly factor: number
  readonly cells: CellColumns
}

/** Decodes one section after the other. Throws StoreError `corrupt_rollup`. */
export function* sectionsOf(
  record: RollupRecord,
): Generator<{ readonly kind: number; readonly decoded: DecodedKind }> {
  const block = openOnce(record)
  if (block.stepSeconds !== record.stepSeconds) throw corrupt(`its windows are ${block.stepSeconds} s wide`)
  for (const kind of kindShapes.keys()) {
    const decoded = block.section(kind)
    if (decoded === undefined) continue
    checkWindows(record, decoded.cells.window)
    yield { kind, decoded }
  }
}

/** Slices go by what records say of themselves: a cell that is somewhere else would be in none. */
function checkWindows({ fromMs, toMs, stepSeconds }: RollupRecord, window: Uint32Array): void {
  const first = fromMs / (stepSeconds * 1000)
  const last = toMs / (stepSeconds * 1000)
  for (let row = 0; row < window.length; row++)
    if ((window[row] as number) < first || (window[row] as number) >= last)
      throw corrupt(`window ${window[row]} is outside of its range`)
}

function addRow(table: CellTable, cell: number, kind: number, cells: CellColumns, row: number): void {
  if (kindShapes[kind]?.cells === 'value') {
    table.addPoints(cell, {
      count: cells.count[row] ?? 0,
      resets: cells.errors[row] ?? 0,
      sum: cells.sum[row] ?? 0,
      last: cells.self[row] ?? 0,
      lastMs: cells.lastMs[row] ?? 0,
      min: cells.paired[row] ?? 0,
      max: cells.max[row] ?? 0,
    })
    return
  }
  table.add(cell, cells.count[row] ?? 0, cells.errors[row] ?? 0, cells.sum[row] ?? 0)
  table.addSelf(cell, cells.self[row] ?? 0)
  table.addPaired(cell, cells.paired[row] ?? 0)
  for (let at = cells.bucketFirst[row] ?? 0; at < (cells.bucketFirst[row + 1] ?? 0); at++) {
    table.buckets.add(cell, cells.buckets[at] ?? 0, cells.bucketCounts[at] ?? 0)
  }
}
