/**
 * Rollup cells as stored bytes.
 *
 * Block: `OCRB`, version, width in seconds (u32), number of sections; per section kind number, compression
 * (0 none, 1 zstd), raw length, stored length, payload; CRC-32C of all before it. All fixed numbers are
 * little-endian. A section holds one kind, so that a reader decodes only the kinds it is asked for:
 * texts, series (key parts as text numbers), cells per series, then one column after the other.
 */
import { constants, zstdCompressSync } from 'node:zlib'
import { BlockWriter } from './byte-stream.ts'
import type { CellTable, SortedBuckets } from './cell-table.ts'
import { crc32c } from './crc32c.ts'
import { type KindShape, kindShapes, type SeriesKeys } from './series-keys.ts'

export const blockMagic = 0x4252434f
export const blockVersion = 1

/** Below this a section is stored as it is: a zstd frame would not pay for its own header. */
const compressFromBytes = 512

/** Windows one block covers, aligned: an hour of ten-second windows. Range reads skip whole blocks by it. */
export const windowsPerBlock = 360

export interface EncodedCells {
  /** Start of the first and end of the last window, milliseconds. */
  readonly fromMs: number
  readonly toMs: number
  readonly bytes: Uint8Array
}

/** All cells of the table as blocks of at most `windowsPerBlock` windows, oldest first. Zero cells are left out. */
export function encodeCells(table: CellTable, series: SeriesKeys, stepSeconds: number): EncodedCells[] {
  const order = orderCells(table, series)
  const blocks: EncodedCells[] = []
  const buckets = table.buckets.sorted(table.size)
  for (const group of order) blocks.push(encodeGroup({ table, series, stepSeconds, buckets }, group))
  return blocks
}

interface Source {
  readonly table: CellTable
  readonly series: SeriesKeys
  readonly stepSeconds: number
  readonly buckets: SortedBuckets
}

/** Cells by block, then by series and window. */
function orderCells(table: CellTable, series: SeriesKeys): Uint32Array[] {
  const byBlock = new Map<number, number[]>()
  for (let cell = 0; cell < table.size; cell++) {
    if (isRedundant(table, series, cell)) continue
    const block = Math.floor(table.windowOf(cell) / windowsPerBlock)
    const cells = byBlock.get(block)
    if (cells === undefined) byBlock.set(block, [cell])
    else cells.push(cell)
  }
  return [...byBlock.keys()]
    .sort((a, b) => a - b)
    .map(block => {
      const cells = Uint32Array.from(byBlock.get(block) ?? [])
      return cells.sort(
        (a, b) => table.seriesOf(a) - table.seriesOf(b) || table.windowOf(a) - table.windowOf(b),
      )
    })
}

/** Corrections may cancel a cell out; an edge known from metrics alone counts by being there. */
function isRedundant(table: CellTable, series: SeriesKeys, cell: number): boolean {
  if (!table.isZero(cell)) return false
  const number = table.seriesOf(cell)
  const kind = kindShapes[series.kinds[number] ?? 0]
  if (kind?.cells === 'value') return false
  return !(kind?.cells === 'call' && series.keys[number]?.[2] === 'metric')
}

function encodeGroup(source: Source, cells: Uint32Array): EncodedCells {
  const { table, series, stepSeconds } = source
  const byKind: number[][] = kindShapes.map(() => [])
  let first = Number.POSITIVE_INFINITY
  let last = 0
  for (const cell of cells) {
    byKind[series.kinds[table.seriesOf(cell)] ?? 0]?.push(cell)
    first = Math.min(first, table.windowOf(cell))
    last = Math.max(last, table.windowOf(cell))
  }
  const block = new BlockWriter()
  block.uint32(blockMagic)
  block.byte(blockVersion)
  block.uint32(stepSeconds)
  block.byte(byKind.filter(list => list.length > 0).length)
  for (const [kind, list] of byKind.entries()) {
    const shape = kindShapes[kind]
    if (list.length === 0 || shape === undefined) continue
    writeSection(block, kind, encodeSection(source, shape, list))
  }
  block.uint32(crc32c(block.finish()))
  const widthMs = stepSeconds * 1000
  return { fromMs: first * widthMs, toMs: (last + 1) * widthMs, bytes: block.finish() }
}

function writeSection(block: BlockWriter, kind: number, raw: Uint8Array): void {
  const packed =
    raw.length < compressFromBytes
      ? raw
      : zstdCompressSync(raw, { params: { [constants.ZSTD_c_compressionLevel]: 1 } })
  const pays = packed.length < raw.length
  block.byte(kind)
  block.byte(pays ? 1 : 0)
  block.uint32(raw.length)
  block.uint32(pays ? packed.length : raw.length)
  block.raw(pays ? packed : raw)
}

function encodeSection(source: Source, shape: KindShape, cells: readonly number[]): Uint8Array {
  const { table, series } = source
  const writer = new BlockWriter()
  const numbers: number[] = []
  const lengths: number[] = []
  for (const cell of cells) {
    const number = table.seriesOf(cell)
    if (numbers.at(-1) !== number) {
      numbers.push(number)
      lengths.push(0)
    }
    lengths[lengths.length - 1] = (lengths.at(-1) ?? 0) + 1
  }
  writeKeys(
    writer,
    numbers.map(number => series.keys[number] ?? []),
  )
  for (const length of lengths) writer.varint(length)
  let before = 0
  for (const cell of cells) {
    const window = table.windowOf(cell)
    writer.signed(window - before)
    before = window
  }
  for (const cell of cells) writer.signed(table.count[cell] ?? 0)
  if (shape.cells === 'value') writeValues(writer, table, cells)
  else if (shape.cells !== 'count') writeDurations(writer, source, shape, cells)
  return writer.finish()
}

function writeKeys(writer: BlockWriter, keys: readonly (readonly string[])[]): void {
  const texts = new Map<string, number>()
  for (const key of keys) for (const part of key) if (!texts.has(part)) texts.set(part, texts.size)
  writer.varint(texts.size)
  for (const text of texts.keys()) writer.text(text)
  writer.varint(keys.length)
  for (const key of keys) for (const part of key) writer.varint(texts.get(part) ?? 0)
}

function writeDurations(
  writer: BlockWriter,
  source: Source,
  shape: KindShape,
  cells: readonly number[],
): void {
  const { table, buckets } = source
  for (const cell of cells) writer.signed(table.errors[cell] ?? 0)
  for (const cell of cells) writer.signed(table.sum[cell] ?? 0)
  for (const cell of cells) writer.signed(table.self[cell] ?? 0)
  if (shape.cells === 'call') for (const cell of cells) writer.signed(table.paired[cell] ?? 0)
  for (const cell of cells) writer.varint((buckets.first[cell + 1] ?? 0) - (buckets.first[cell] ?? 0))
  for (const cell of cells) {
    let before = 0
    for (let row = buckets.first[cell] ?? 0; row < (buckets.first[cell + 1] ?? 0); row++) {
      const bucket = buckets.buckets[row] ?? 0
      writer.varint(bucket - before)
      writer.signed(buckets.counts[row] ?? 0)
      before = bucket
    }
  }
}

function writeValues(writer: BlockWriter, table: CellTable, cells: readonly number[]): void {
  for (const cell of cells) writer.signed(table.errors[cell] ?? 0)
  for (const column of [table.sum, table.self, table.paired, table.max, table.lastMs]) {
    for (const cell of cells) writer.float64(column[cell] ?? 0)
  }
}
