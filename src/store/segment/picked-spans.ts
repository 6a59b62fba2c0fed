/**
 * Some spans out of a group of a thousand, without columns of all the others: a look-up wants the rows of one trace, a
 * search those of one service, then those of the traces it found. What they would throw away lies outside of V8's heap,
 * which has it collected in full.
 */
import type { SpanBlock } from '../../model/telemetry.ts'
import type { DecodedColumns, RowGroup, SegmentLayout } from './block-codec.ts'
import { ByteReader } from './bytes.ts'
import type { Times } from './columns.ts'
import { readCompressed } from './compression.ts'
import { corruptSegment } from './corrupt.ts'
import type { IdTable } from './id-table.ts'
import { type TraceKey, traceKey } from './trace-filter.ts'
import { viewOf } from './words.ts'

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

  /** Those whose value has a 1 in `flags`; what is beyond them has none. */
  rowsWith(flags: Uint8Array): Rows {
    const rows: number[] = []
    if (flags.includes(1))
      for (let row = 0; row < this.#count; row++) if (flags[this.at(row)] === 1) rows.push(row)
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

/** Rows with one of these services, or of one of these traces. */
export type WantedSpans =
  | { readonly services: readonly string[] }
  | { readonly traces: IdTable; readonly keys: readonly TraceKey[] | null }

/** Where there are more of them, nearly every segment holds one. */
const fewTraces = 100

/** `ids` are 16 bytes each; `table` holds them. With keys where filters are worth asking. */
export function wantedTraces(ids: Uint8Array, table: IdTable): WantedSpans {
  const view = viewOf(ids)
  for (let at = 0; at < ids.length; at += 16) table.add(view, at)
  const few = table.count <= fewTraces
  const keys = Array.from({ length: few ? ids.length / 16 : 0 }, (_, n) =>
    traceKey(ids.subarray(n * 16, n * 16 + 16)),
  )
  return { traces: table, keys: few ? keys : null }
}

/**
 * The rows of `traceId` (16 bytes) as a block of their own, which shares the tables of the layout; null if there are
 * none. Only of spans in groups (format 4 and later). Throws StoreError `corrupt_segment`.
 */
export function readSpansOfTrace(
  layout: SegmentLayout,
  group: RowGroup,
  content: Uint8Array,
  traceId: Uint8Array,
): DecodedColumns | null {
  const found = pickSpans(layout, group, content, (_, ids) => ids.rowsOf(traceId))
  return found.block.count === 0 ? null : found
}

/** The same of other rows, if only none. */
export function readWantedSpans(
  layout: SegmentLayout,
  group: RowGroup,
  content: Uint8Array,
  wanted: WantedSpans,
): DecodedColumns {
  if ('traces' in wanted) return pickSpans(layout, group, content, (_, ids) => ids.rowsIn(wanted.traces))
  const holds = ({ service }: { readonly service: string }) => (wanted.services.includes(service) ? 1 : 0)
  const flags = Uint8Array.from(layout.tables?.resources ?? [], holds)
  return pickSpans(layout, group, content, resource => resource.rowsWith(flags))
}

function pickSpans(
  { tables }: SegmentLayout,
  { count, firstRow }: RowGroup,
  content: Uint8Array,
  rowsOf: (resource: StoredIntegers, ids: StoredIds) => Rows,
): DecodedColumns {
  if (tables === null) throw corruptSegment('its columns lie in no groups')
  const { strings, resources, scopes } = tables
  const part = new ByteReader(content)
  const from = new ByteReader(readCompressed(part))
  const random = new ByteReader(part.block())
  const column = (): StoredIntegers => new StoredIntegers(from, count)
  const [resource, scope, flags, held] = [column(), column(), column(), column()]
  const traceIds = new StoredIds(from, random, count)
  const rows = rowsOf(resource, traceIds)
  if (rows.length === 0) return { ...noSpans(tables), firstRow, picked: rows }
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
    traceId: traceIds.pick(rows),
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

/** No rows, with the tables of a layout. */
export function noSpans(
  tables: NonNullable<SegmentLayout['tables']>,
): Pick<DecodedColumns, 'block' | 'held'> {
  const { strings, resources, scopes } = tables
  const [octets, numbers] = [new Uint8Array(), new Uint32Array()]
  const ids = { traceId: octets, spanId: octets, parentSpanId: octets }
  const times = { startHi: numbers, startLo: numbers, endHi: numbers, endLo: numbers }
  const small = { flags: octets, kind: octets, status: octets, peerKind: octets, links: octets }
  const references = { resource: numbers, scope: numbers, name: numbers, errorType: numbers, peer: numbers }
  const block: SpanBlock = {
    signal: 'traces',
    count: 0,
    strings,
    resources,
    scopes,
    ...ids,
    ...times,
    ...small,
    ...references,
    httpStatus: new Uint16Array(),
  }
  return { block, held: octets }
}

/** A column of ids of 16 bytes as it is stored: a table of distinct ones, from 1 on, and rows as its entries; 0 is none. */
class StoredIds {
  readonly #ordinals: StoredIntegers
  readonly #table: Uint8Array

  constructor(from: ByteReader, random: ByteReader, count: number) {
    const distinct = from.varint()
    this.#ordinals = new StoredIntegers(from, count)
    this.#table = random.raw(distinct * 16)
  }

  rowsOf(id: Uint8Array): Rows {
    const { buffer, byteOffset, length } = this.#table
    // Buffer's search compares words; what it finds between two ids is none.
    const bytes = Buffer.from(buffer, byteOffset, length)
    let at = bytes.indexOf(id)
    while (at >= 0 && at % 16 !== 0) at = bytes.indexOf(id, at + 1)
    return at < 0 ? [] : this.#ordinals.rowsOf(at / 16 + 1)
  }

  rowsIn(ids: IdTable): Rows {
    const view = viewOf(this.#table)
    const flags = new Uint8Array(this.#table.length / 16 + 1)
    flags[0] = ids.find(noId, 0) >= 0 ? 1 : 0
    for (let entry = 1; entry < flags.length; entry++)
      flags[entry] = ids.find(view, (entry - 1) * 16) >= 0 ? 1 : 0
    return this.#ordinals.rowsWith(flags)
  }

  pick(rows: Rows): Uint8Array {
    const picked = new Uint8Array(rows.length * 16)
    for (let place = 0; place < rows.length; place++) {
      const entry = this.#ordinals.at(rows[place] as number)
      if (entry * 16 > this.#table.length) throw corruptSegment('an id is out of range')
      if (entry > 0) picked.set(this.#table.subarray(entry * 16 - 16, entry * 16), place * 16)
    }
    return picked
  }
}

const noId = new DataView(new ArrayBuffer(16))

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
  let row = 0
  for (let place = 0; place < rows.length; place++) {
    const wanted = rows[place] as number
    if (base !== null) {
      from.skipVarints(wanted - row)
      row = wanted
      lastHigh = base.high[place] as number
      lastLow = base.low[place] as number
    }
    for (; row <= wanted; row++) {
      lastLow += from.zigzag() * unit
      if (lastLow >= 0 && lastLow < two32) continue
      const carry = Math.floor(lastLow / two32)
      lastHigh = (lastHigh + carry) >>> 0
      lastLow -= carry * two32
    }
    high[place] = lastHigh
    low[place] = lastLow
  }
  from.skipVarints(count - row)
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
