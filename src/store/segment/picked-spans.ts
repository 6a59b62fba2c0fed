/**
 * The spans of one trace out of a group of a thousand, without columns of all the others: a look-up wants a few rows,
 * and what it would throw away lies outside of V8's heap, which has it collected in full.
 */
import type { SpanBlock } from '../../model/telemetry.ts'
import type { DecodedColumns, RowGroup, SegmentLayout } from './block-codec.ts'
import { ByteReader } from './bytes.ts'
import type { Times } from './columns.ts'
import { readCompressed } from './compression.ts'
import { corruptSegment } from './corrupt.ts'

const two32 = 4294967296

/** Rows of the group, ascending. */
type Rows = readonly number[]

/** A column of integers as it is stored: byte planes, low first. */
class StoredIntegers {
  readonly #bytes: Uint8Array
  readonly #first: number
  readonly #count: number
  readonly #width: number

  constructor(from: ByteReader, count: number) {
    this.#width = from.u8()
    if (this.#width > 4) throw corruptSegment('a column has an unknown width')
    this.#bytes = from.bytes
    this.#first = from.at
    this.#count = count
    from.skip(this.#width * count)
  }

  at(row: number): number {
    let value = 0
    for (let plane = 0, at = this.#first + row; plane < this.#width; plane++, at += this.#count)
      value |= (this.#bytes[at] as number) << (plane * 8)
    return value >>> 0
  }

  rowsOf(value: number): Rows {
    const rows: number[] = []
    for (let row = 0; row < this.#count; row++) if (this.at(row) === value) rows.push(row)
    return rows
  }

  pick<A extends Uint8Array | Uint16Array | Uint32Array>(rows: Rows, into: A): A {
    for (let place = 0; place < rows.length; place++) into[place] = this.at(rows[place] as number)
    return into
  }

  /** Of a table of `size` entries. */
  references(rows: Rows, size: number): Uint32Array {
    const column = this.pick(rows, new Uint32Array(rows.length))
    for (const entry of column) if (entry >= size) throw corruptSegment('a table entry is out of range')
    return column
  }
}

/**
 * The rows of `traceId` (16 bytes) as a block of their own, which shares the tables of the layout; null if there are
 * none. Only of spans in groups (format 4 and later). Throws StoreError `corrupt_segment`.
 */
export function readSpansOfTrace(
  { tables }: SegmentLayout,
  { count, firstRow }: RowGroup,
  content: Uint8Array,
  traceId: Uint8Array,
): DecodedColumns | null {
  if (tables === null) throw corruptSegment('its columns lie in no groups')
  const { strings, resources, scopes } = tables
  const part = new ByteReader(content)
  const from = new ByteReader(readCompressed(part))
  const random = new ByteReader(part.block())
  const column = (): StoredIntegers => new StoredIntegers(from, count)
  const [resource, scope, flags, held] = [column(), column(), column(), column()]
  const rows = rowsOfTrace(from, random, count, traceId)
  if (rows.length === 0) return null
  const octets = (stored: StoredIntegers): Uint8Array => stored.pick(rows, new Uint8Array(rows.length))
  const allSpanIds = random.raw(count * 8)
  const parentSpanId = pickParents(column(), random, allSpanIds, rows)
  const start = pickTimes(from, count, rows, null)
  const end = pickTimes(from, count, rows, start)
  const [kind, status, peerKind, links] = [column(), column(), column(), column()]
  const httpStatus = column()
  const [name, errorType, peer] = [column(), column(), column()]
  const block: SpanBlock = {
    signal: 'traces',
    count: rows.length,
    strings,
    resources,
    scopes,
    resource: resource.references(rows, resources.length),
    scope: scope.references(rows, scopes.length),
    flags: octets(flags),
    traceId: repeated(traceId, rows.length),
    spanId: pickIds(allSpanIds, rows),
    parentSpanId,
    startHi: start.high,
    startLo: start.low,
    endHi: end.high,
    endLo: end.low,
    kind: octets(kind),
    status: octets(status),
    name: name.references(rows, strings.length),
    httpStatus: httpStatus.pick(rows, new Uint16Array(rows.length)),
    errorType: errorType.references(rows, strings.length),
    peer: peer.references(rows, strings.length),
    peerKind: octets(peerKind),
    links: octets(links),
  }
  return { block, held: octets(held), firstRow, picked: rows }
}

/** `readIds`, looked through. */
function rowsOfTrace(from: ByteReader, random: ByteReader, count: number, traceId: Uint8Array): Rows {
  const distinct = from.varint()
  const ordinals = new StoredIntegers(from, count)
  const table = random.raw(distinct * 16)
  // Buffer's search compares words; what it finds between two ids is none.
  const bytes = Buffer.from(table.buffer, table.byteOffset, table.length)
  let at = bytes.indexOf(traceId)
  while (at >= 0 && at % 16 !== 0) at = bytes.indexOf(traceId, at + 1)
  return at < 0 ? [] : ordinals.rowsOf(at / 16 + 1)
}

/** `readTimes` of some rows. */
function pickTimes(from: ByteReader, count: number, rows: Rows, base: Times | null): Times {
  const high = new Uint32Array(rows.length)
  const low = new Uint32Array(rows.length)
  const mode = from.u8()
  if (mode > 3) throw corruptSegment('a time column has an unknown encoding')
  if (mode === 0) {
    const [highs, lows] = [new StoredIntegers(from, count), new StoredIntegers(from, count)]
    return { high: highs.pick(rows, high), low: lows.pick(rows, low) }
  }
  const unit = mode === 1 ? 1 : mode === 2 ? 1000 : 1_000_000
  let lastHigh = base === null ? from.u32() : 0
  let lastLow = base === null ? from.u32() : 0
  for (let row = 0, place = 0; row < count; row++) {
    const delta = from.zigzag()
    const wanted = row === rows[place]
    if (base !== null) {
      if (!wanted) continue
      lastHigh = base.high[place] as number
      lastLow = base.low[place] as number
    }
    const total = lastLow + delta * unit
    const carry = Math.floor(total / two32)
    lastHigh = (lastHigh + carry) >>> 0
    lastLow = total - carry * two32
    if (!wanted) continue
    high[place] = lastHigh
    low[place] = lastLow
    place++
  }
  return { high, low }
}

/** `readParents` of some rows. */
function pickParents(codes: StoredIntegers, random: ByteReader, spanIds: Uint8Array, rows: Rows): Uint8Array {
  const count = spanIds.length / 8
  const parents = new Uint8Array(rows.length * 8)
  for (let row = 0, place = 0; place < rows.length; row++) {
    const code = codes.at(row) - 2
    const wanted = row === rows[place]
    if (!wanted) {
      if (code === -1) random.skip(8)
      continue
    }
    const to = place++ * 8
    if (code === -1) parents.set(random.raw(8), to)
    if (code < 0) continue
    const parent = row - (code % 2 === 0 ? code / 2 : -(code + 1) / 2)
    if (parent < 0 || parent >= count) throw corruptSegment('a parent is out of range')
    parents.set(spanIds.subarray(parent * 8, parent * 8 + 8), to)
  }
  return parents
}

function pickIds(ids: Uint8Array, rows: Rows): Uint8Array {
  const picked = new Uint8Array(rows.length * 8)
  for (let place = 0; place < rows.length; place++) {
    const at = (rows[place] as number) * 8
    picked.set(ids.subarray(at, at + 8), place * 8)
  }
  return picked
}

function repeated(id: Uint8Array, times: number): Uint8Array {
  const ids = new Uint8Array(times * id.length)
  for (let at = 0; at < ids.length; at += id.length) ids.set(id, at)
  return ids
}
