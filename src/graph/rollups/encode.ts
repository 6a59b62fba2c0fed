/**
 * Rollup cells as stored bytes.
 *
 * Block: `OCRB`, version, width in seconds (u32), number of sections; per section kind number, compression
 * (0 none, 1 zstd), raw length, stored length, payload; CRC-32C of all before it. All fixed numbers are
 * little-endian. A section holds one kind, so that a reader decodes only the kinds it is asked for; see
 * `section-columns.ts` for what is in it. Version 1 differs in its sections alone (`decode-first.ts`).
 */
import { crc32c } from '../../model/crc32c.ts'
import { packFrame } from '../../model/zstd-context.ts'
import { BlockWriter } from './byte-stream.ts'
import { type CellGroup, orderCells } from './cell-order.ts'
import type { CellTable, SortedBuckets } from './cell-table.ts'
import { gathered, type NumberColumn, narrowed } from './number-column.ts'
import { finish, type Pieces } from './pieces.ts'
import { writeColumns } from './section-columns.ts'
import { type KindShape, kindShapes, type SeriesKeys } from './series-keys.ts'

export const blockMagic = 0x4252434f
export const blockVersion = 2

/** Below this a section is stored as it is: a zstd frame would not pay for its own header. */
const compressFromBytes = 512

export interface EncodedCells {
  /** Start of the first and end of the last window, milliseconds. */
  readonly fromMs: number
  readonly toMs: number
  readonly bytes: Uint8Array
}

/** All cells of the table as blocks of at most `windowsPerBlock` windows, oldest first. Zero cells are left out. */
export function encodeCells(table: CellTable, series: SeriesKeys, stepSeconds: number): EncodedCells[] {
  return finish(encodeInPieces(table, series, stepSeconds))
}

/** What going through cells and their counts of buckets costs, in counts: a cell costs as much as eight. */
export function workOf(cells: number, buckets: number): number {
  return cells * 8 + buckets
}

/** The same; how much it was is `workOf`. */
export function* encodeInPieces(
  table: CellTable,
  series: SeriesKeys,
  stepSeconds: number,
): Pieces<EncodedCells[]> {
  const blocks = orderCells(table, series)
  const parts: EncodedCells[] = []
  if (blocks.length === 0) return parts
  yield workOf(table.size, 0)
  const source = { table, series, stepSeconds, buckets: table.buckets.sorted(table.size) }
  yield workOf(0, table.buckets.entries)
  for (const groups of blocks) parts.push(yield* encodeBlock(source, groups))
  return parts
}

interface Source {
  readonly table: CellTable
  readonly series: SeriesKeys
  readonly stepSeconds: number
  readonly buckets: SortedBuckets
}

function* encodeBlock(source: Source, groups: readonly CellGroup[]): Pieces<EncodedCells> {
  const { table, stepSeconds } = source
  const block = new BlockWriter()
  block.uint32(blockMagic)
  block.byte(blockVersion)
  block.uint32(stepSeconds)
  block.byte(groups.length)
  let first = Number.POSITIVE_INFINITY
  let last = 0
  for (const { kind, cells } of groups) {
    const shape = kindShapes[kind]
    if (shape === undefined) continue
    for (let at = 0; at < cells.length; at++) {
      const window = table.windowOf(cells[at] as number)
      if (window < first) first = window
      if (window > last) last = window
    }
    const { bytes, buckets } = encodeSection(source, shape, cells)
    writeSection(block, kind, bytes)
    yield workOf(cells.length, buckets)
  }
  block.uint32(crc32c(block.written()))
  const widthMs = stepSeconds * 1000
  return { fromMs: first * widthMs, toMs: (last + 1) * widthMs, bytes: block.finish() }
}

function writeSection(block: BlockWriter, kind: number, raw: Uint8Array): void {
  // Written at once: the next frame is packed in the same memory.
  const packed = raw.length < compressFromBytes ? raw : packFrame(raw)
  const pays = packed.length < raw.length
  block.byte(kind)
  block.byte(pays ? 1 : 0)
  block.uint32(raw.length)
  block.uint32(pays ? packed.length : raw.length)
  block.raw(pays ? packed : raw)
}

function encodeSection(
  source: Source,
  shape: KindShape,
  cells: Uint32Array,
): { readonly bytes: Uint8Array; readonly buckets: number } {
  const { table } = source
  const { numbers, lengths } = runsOf(table, cells)
  const { texts, parts } = keyColumns(source.series, shape, numbers)
  const { windows, firstWindow } = windowColumn(table, cells)
  const columns: NumberColumn[] = [
    narrowed(texts.map(text => text.length)),
    ...parts.map(narrowed),
    narrowed(lengths),
    narrowed(windows),
    gathered(table.count, cells),
  ]
  let buckets = 0
  if (shape.cells === 'value') {
    for (const column of [table.errors, table.sum, table.self, table.paired, table.max, table.lastMs])
      columns.push(gathered(column, cells))
  } else if (shape.cells !== 'count') {
    for (const column of [table.errors, table.sum, table.self]) columns.push(gathered(column, cells))
    if (shape.cells === 'call') columns.push(gathered(table.paired, cells))
    const sketches = bucketColumns(source.buckets, cells)
    buckets = sketches[1].length
    columns.push(...sketches)
  }
  const sizes = { texts: texts.length, series: numbers.length, cells: cells.length, buckets, firstWindow }
  return { bytes: writeColumns(sizes, columns, texts), buckets }
}

/** Windows of the cells, counted from the first one. */
function windowColumn(table: CellTable, cells: Uint32Array): { windows: Uint32Array; firstWindow: number } {
  const windows = new Uint32Array(cells.length)
  let firstWindow = 2 ** 32 - 1
  for (let at = 0; at < cells.length; at++) {
    const window = table.windowOf(cells[at] as number)
    windows[at] = window
    if (window < firstWindow) firstWindow = window
  }
  for (let at = 0; at < windows.length; at++) windows[at] = (windows[at] as number) - firstWindow
  return { windows, firstWindow }
}

/** Series of the cells, and how many cells of each there are. */
function runsOf(table: CellTable, cells: Uint32Array): { numbers: number[]; lengths: number[] } {
  const numbers: number[] = []
  const lengths: number[] = []
  for (let from = 0; from < cells.length; ) {
    const number = table.seriesOf(cells[from] as number)
    let to = from + 1
    while (to < cells.length && table.seriesOf(cells[to] as number) === number) to++
    numbers.push(number)
    lengths.push(to - from)
    from = to
  }
  return { numbers, lengths }
}

/** The texts in the keys of these series, and every part of them as a column of numbers of texts. */
function keyColumns(
  series: SeriesKeys,
  shape: KindShape,
  numbers: readonly number[],
): { texts: string[]; parts: Uint32Array[] } {
  const texts: string[] = []
  /** Number + 1 in `texts` by number among all texts. */
  const known = new Uint32Array(series.texts.length)
  const parts = Array.from({ length: shape.parts }, () => new Uint32Array(numbers.length))
  for (let at = 0; at < numbers.length; at++) {
    const first = series.firstPart[numbers[at] as number] as number
    for (let part = 0; part < shape.parts; part++) {
      const text = series.parts[first + part] as number
      if (known[text] === 0) known[text] = texts.push(series.texts[text] as string)
      const column = parts[part] as Uint32Array
      column[at] = (known[text] as number) - 1
    }
  }
  return { texts, parts }
}

/** How many buckets each cell has, which they are, and their counts. */
function bucketColumns(
  { first, buckets, counts }: SortedBuckets,
  cells: Uint32Array,
): [NumberColumn, NumberColumn, NumberColumn] {
  const lengths = new Uint32Array(cells.length)
  let total = 0
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] as number
    lengths[i] = (first[cell + 1] as number) - (first[cell] as number)
    total += lengths[i] as number
  }
  const rows = new Uint32Array(total)
  let at = 0
  for (let i = 0; i < cells.length; i++) {
    const from = first[cells[i] as number] as number
    for (let row = from; row < from + (lengths[i] as number); row++) rows[at++] = row
  }
  return [narrowed(lengths), gathered(buckets, rows), gathered(counts, rows)]
}
