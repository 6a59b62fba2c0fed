/**
 * Encodings of single columns. Each writes so that zstd finds what repeats: bytes of one significance
 * together, times as differences in the coarsest unit that loses nothing, ids once each.
 */
import type { ByteReader, ByteWriter } from './bytes.ts'
import { corruptSegment } from './corrupt.ts'
import { IdTable, isZeroId } from './id-table.ts'
import { sameWords, viewOf } from './words.ts'

const two32 = 4294967296
/** Differences beyond it are not exact in a double. */
const exactLimit = 2 ** 52

/** Unsigned integers in 0 to 4 byte planes, low first. */
export function writeIntegers(out: ByteWriter, values: Uint8Array | Uint16Array | Uint32Array): void {
  if (values instanceof Uint8Array) writeOctets(out, values)
  else writePlanes(out, values)
}

function writeOctets(out: ByteWriter, values: Uint8Array): void {
  let any = 0
  for (let row = 0; row < values.length; row++) any |= values[row] as number
  out.u8(any === 0 ? 0 : 1)
  if (any !== 0) out.raw(values)
}

function writePlanes(out: ByteWriter, values: Uint16Array | Uint32Array): void {
  let max = 0
  for (let row = 0; row < values.length; row++) if ((values[row] as number) > max) max = values[row] as number
  const width = max === 0 ? 0 : max < 256 ? 1 : max < 65536 ? 2 : max < 16777216 ? 3 : 4
  out.u8(width)
  out.reserve(values.length * width)
  const { bytes } = out
  for (let plane = 0; plane < width; plane++) {
    const shift = plane * 8
    const at = out.length
    for (let row = 0; row < values.length; row++) bytes[at + row] = (values[row] as number) >>> shift
    out.length = at + values.length
  }
}

export function readIntegers<A extends Uint8Array | Uint16Array | Uint32Array>(from: ByteReader, into: A): A {
  const width = from.u8()
  if (width > 4) throw corruptSegment('a column has an unknown width')
  for (let plane = 0; plane < width; plane++) {
    const bytes = from.raw(into.length)
    const shift = plane * 8
    if (plane === 0) into.set(bytes)
    else
      for (let row = 0; row < into.length; row++)
        into[row] = (into[row] as number) | ((bytes[row] as number) << shift)
  }
  return into
}

/** Nanoseconds as halves. */
export interface Times {
  readonly high: Uint32Array
  readonly low: Uint32Array
}

/** Rows as differences from `base`, row by row, or from the row before where there is no base. */
export function writeTimes(out: ByteWriter, times: Times, base: Times | null): void {
  const count = times.high.length
  const deltas = new Float64Array(count)
  let unit = 1_000_000
  for (let row = 0; row < count; row++) {
    const against = base === null ? Math.max(0, row - 1) : row
    const from = base ?? times
    const delta =
      ((times.high[row] as number) - (from.high[against] as number)) * two32 +
      ((times.low[row] as number) - (from.low[against] as number))
    if (Math.abs(delta) >= exactLimit) {
      out.u8(0)
      writeIntegers(out, times.high)
      writeIntegers(out, times.low)
      return
    }
    deltas[row] = delta
    while (unit > 1 && delta % unit !== 0) unit = unit === 1_000_000 ? 1000 : 1
  }
  out.u8(unit === 1 ? 1 : unit === 1000 ? 2 : 3)
  if (base === null) {
    out.u32(times.high[0] ?? 0)
    out.u32(times.low[0] ?? 0)
  }
  for (let row = 0; row < count; row++) out.zigzag((deltas[row] as number) / unit)
}

export function readTimes(from: ByteReader, count: number, base: Times | null): Times {
  const high = new Uint32Array(count)
  const low = new Uint32Array(count)
  const mode = from.u8()
  if (mode > 3) throw corruptSegment('a time column has an unknown encoding')
  if (mode === 0) return { high: readIntegers(from, high), low: readIntegers(from, low) }
  const unit = mode === 1 ? 1 : mode === 2 ? 1000 : 1_000_000
  let lastHigh = base === null ? from.u32() : 0
  let lastLow = base === null ? from.u32() : 0
  for (let row = 0; row < count; row++) {
    if (base !== null) {
      lastHigh = base.high[row] as number
      lastLow = base.low[row] as number
    }
    lastLow += from.zigzag() * unit
    // Rarely: 2^32 ns are four seconds.
    if (lastLow < 0 || lastLow >= two32) {
      const carry = Math.floor(lastLow / two32)
      lastHigh = (lastHigh + carry) >>> 0
      lastLow -= carry * two32
    }
    high[row] = lastHigh
    low[row] = lastLow
  }
  return { high, low }
}

/**
 * Doubles in runs that belong together (`starts` of runs, the first 0). A run of integers becomes
 * differences; another one the bits that differ from the row before, in byte planes.
 */
export function writeDoubles(out: ByteWriter, values: Float64Array, starts: readonly number[]): void {
  out.varint(starts.length)
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length * 2)
  for (let run = 0; run < starts.length; run++) {
    const from = starts[run] as number
    const to = starts[run + 1] ?? values.length
    out.varint(to - from)
    if (areIntegers(values, from, to)) {
      out.u8(1)
      let last = 0
      for (let row = from; row < to; row++) {
        out.zigzag((values[row] as number) - last)
        last = values[row] as number
      }
      continue
    }
    out.u8(0)
    out.reserve((to - from) * 8)
    for (let plane = 0; plane < 8; plane++) {
      const half = plane >> 2
      const shift = (plane & 3) * 8
      for (let row = from; row < to; row++) {
        const before = row === from ? 0 : (words[row * 2 - 2 + half] as number)
        out.bytes[out.length++] = ((words[row * 2 + half] as number) ^ before) >>> shift
      }
    }
  }
}

function areIntegers(values: Float64Array, from: number, to: number): boolean {
  for (let row = from; row < to; row++) {
    const value = values[row] as number
    // Half the exact limit, so that differences are exact too; the sign of zero is worth a double.
    if (!Number.isInteger(value) || Math.abs(value) >= exactLimit / 2 || Object.is(value, -0)) return false
  }
  return true
}

export function readDoubles(from: ByteReader, count: number): Float64Array {
  const values = new Float64Array(count)
  const words = new Uint32Array(values.buffer)
  const runs = from.varint()
  let row = 0
  for (let run = 0; run < runs; run++) {
    const end = row + from.varint()
    if (end > count) throw corruptSegment('a value column is longer than its rows')
    if (from.u8() === 1) {
      let last = 0
      for (; row < end; row++) {
        last += from.zigzag()
        values[row] = last
      }
      continue
    }
    const start = row
    for (let plane = 0; plane < 8; plane++) {
      const bytes = from.raw(end - start)
      const shift = (plane & 3) * 8
      for (let index = 0; index < bytes.length; index++) {
        const word = start * 2 + index * 2 + (plane >> 2)
        words[word] = (words[word] as number) | ((bytes[index] as number) << shift)
      }
    }
    for (row = start + 1; row < end; row++) {
      words[row * 2] = (words[row * 2] as number) ^ (words[row * 2 - 2] as number)
      words[row * 2 + 1] = (words[row * 2 + 1] as number) ^ (words[row * 2 - 1] as number)
    }
    row = end
  }
  if (row !== count) throw corruptSegment('a value column is shorter than its rows')
  return values
}

/** Kept from group to group: they grow to the largest one. */
const idTables = { short: new IdTable(8, 1024), long: new IdTable(16, 1024) }

/** Ids that repeat: the distinct ones into `random`, which is not worth compressing, rows as ordinals. */
export function writeIds(out: ByteWriter, random: ByteWriter, ids: Uint8Array, width: number): void {
  const count = ids.length / width
  const view = viewOf(ids)
  const table = width === 8 ? idTables.short : idTables.long
  table.clear(count)
  table.add(new DataView(new ArrayBuffer(width)), 0)
  const ordinals = new Uint32Array(count)
  for (let row = 0; row < count; row++) {
    const at = row * width
    // What belongs together mostly stands together.
    const again = row > 0 && sameWords(view, at, view, at - width, width)
    ordinals[row] = again ? (ordinals[row - 1] as number) : table.add(view, at)
  }
  out.varint(table.count - 1)
  writeIntegers(out, ordinals)
  table.write(random, 1)
}

export function readIds(from: ByteReader, random: ByteReader, count: number, width: number): Uint8Array {
  const distinct = from.varint()
  const ordinals = readIntegers(from, new Uint32Array(count))
  const words = width / 4
  // A copy, so that it can be read by words wherever it lay.
  const table = new Uint32Array(new Uint8Array(random.raw(distinct * width)).buffer)
  const ids = new Uint32Array(count * words)
  for (let row = 0, to = 0; row < count; row++, to += words) {
    const ordinal = ordinals[row] as number
    if (ordinal === 0) continue
    if (ordinal > distinct) throw corruptSegment('an id is out of range')
    const from = (ordinal - 1) * words
    for (let word = 0; word < words; word++) ids[to + word] = table[from + word] as number
  }
  return new Uint8Array(ids.buffer)
}

/** Parents that are rows of the same block as the distance to them, others as they are, none as nothing. */
export function writeParents(
  out: ByteWriter,
  random: ByteWriter,
  spanIds: Uint8Array,
  parents: Uint8Array,
): void {
  const count = spanIds.length / 8
  const ids = viewOf(spanIds)
  const wanted = viewOf(parents)
  const codes = new Uint32Array(count)
  let rows: RowsById | null = null
  for (let row = 0; row < count; row++) {
    const at = row * 8
    if (isZeroId(wanted, at, 8)) continue
    let found = nearRow(ids, row, wanted)
    if (found < 0) {
      rows ??= new RowsById(ids, count)
      found = rows.find(wanted, at)
    }
    if (found < 0) {
      codes[row] = 1
      random.words(wanted, at, at + 8)
    } else {
      const distance = row - found
      codes[row] = 2 + (distance < 0 ? -2 * distance - 1 : 2 * distance)
    }
  }
  writeIntegers(out, codes)
}

/** Rows looked at before the table of all ids is asked: spans of a trace stand together, parents first. */
const nearRows = 12

function nearRow(ids: DataView, row: number, wanted: DataView): number {
  const low = wanted.getInt32(row * 8, true)
  const high = wanted.getInt32(row * 8 + 4, true)
  for (let near = row - 1; near >= 0 && near >= row - nearRows; near--)
    if (ids.getInt32(near * 8, true) === low && ids.getInt32(near * 8 + 4, true) === high) return near
  return -1
}

class RowsById {
  readonly #table: IdTable
  readonly #rows: Uint32Array

  constructor(ids: DataView, count: number) {
    this.#table = new IdTable(8, count)
    this.#rows = new Uint32Array(count)
    for (let row = 0; row < count; row++) this.#rows[this.#table.add(ids, row * 8)] = row
  }

  find(id: DataView, at: number): number {
    const found = this.#table.find(id, at)
    return found < 0 ? -1 : (this.#rows[found] as number)
  }
}

export function readParents(from: ByteReader, random: ByteReader, spanIds: Uint8Array): Uint8Array {
  const count = spanIds.length / 8
  const codes = readIntegers(from, new Uint32Array(count))
  const parents = new Uint8Array(count * 8)
  for (let row = 0; row < count; row++) {
    const code = (codes[row] as number) - 2
    if (code === -2) continue
    if (code === -1) {
      parents.set(random.raw(8), row * 8)
      continue
    }
    const parent = row - (code % 2 === 0 ? code / 2 : -(code + 1) / 2)
    if (parent < 0 || parent >= count) throw corruptSegment('a parent is out of range')
    for (let byte = 0; byte < 8; byte++) parents[row * 8 + byte] = spanIds[parent * 8 + byte] as number
  }
  return parents
}
