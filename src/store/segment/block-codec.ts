/**
 * A block as bytes and back: its tables, then its columns in groups of rows, so that a read that needs a few rows
 * decodes a few; ids and other noise apart from what compresses.
 */
import type {
  Block,
  BlockBase,
  LogBlock,
  MetricBlock,
  MetricEntry,
  MetricType,
  ResourceEntry,
  ScopeEntry,
  Signal,
  SpanBlock,
} from '../../model/telemetry.ts'
import { signals } from '../../model/telemetry.ts'
import { toMs } from '../../model/time.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import {
  readDoubles,
  readIds,
  readIntegers,
  readParents,
  readTimes,
  writeDoubles,
  writeIds,
  writeIntegers,
  writeParents,
  writeTimes,
} from './columns.ts'
import { readCompressed, writeCompressed } from './compression.ts'
import { corruptSegment } from './corrupt.ts'
import { partNames } from './part-names.ts'

/** Rows of one block at most; a count beyond it is damage. */
const maxRows = 1 << 20

const signalNumbers = { traces: 0, logs: 1, metrics: 2 } as const

const metricTypes: readonly MetricType[] = ['gauge', 'sum', 'histogram', 'exponential_histogram', 'summary']

/** Rows of one group of columns. Not of data points: they stand by series, and no read wants a few of them. */
export function rowsPerGroup(signal: Signal): number {
  return signal === 'metrics' ? maxRows : 1024
}

type Tables = Pick<BlockBase, 'strings' | 'resources' | 'scopes'> & Pick<MetricBlock, 'metrics'>

/** What the groups of a segment share, and which there are. */
export interface SegmentLayout {
  readonly signal: Signal
  readonly count: number
  readonly rowsPerGroup: number
  readonly groups: readonly RowGroup[]
  /** Null in formats 2 and 3, whose one group holds them. */
  readonly tables: Tables | null
}

export interface RowGroup {
  readonly number: number
  readonly firstRow: number
  readonly count: number
  /** Of index times, milliseconds; unknown in formats 2 and 3. */
  readonly minTimeMs: number
  readonly maxTimeMs: number
}

/** The rows of one group as a block of their own, or those of all. */
export interface DecodedColumns {
  readonly block: Block
  /** `heldFieldsOf` bits per row. */
  readonly held: Uint8Array
  /** Row of the segment that is row 0 here, or of the group; a frame never lies in two groups. */
  readonly firstRow: number
  /** Rows of the group that are here, ascending, where these are not all of them; spans only. */
  readonly picked?: readonly number[]
}

/** Kept from block to block: they grow to the largest one. */
const packed = new ByteWriter(1 << 18)
const random = new ByteWriter(1 << 17)

export function writeLayout(out: ByteWriter, block: Block): void {
  packed.length = 0
  writeTables(packed, block)
  const size = rowsPerGroup(block.signal)
  const high = block.signal === 'traces' ? block.startHi : block.timeHi
  const low = block.signal === 'traces' ? block.startLo : block.timeLo
  for (let first = 0; first < block.count; first += size) {
    let oldest = first
    let newest = first
    for (let row = first; row < Math.min(block.count, first + size); row++) {
      if (isBefore(high, low, row, oldest)) oldest = row
      if (isBefore(high, low, newest, row)) newest = row
    }
    for (const row of [oldest, newest]) {
      packed.u32(high[row] as number)
      packed.u32(low[row] as number)
    }
  }
  out.u8(signalNumbers[block.signal])
  out.varint(block.count)
  out.varint(size)
  writeCompressed(out, packed.view())
}

function isBefore(high: Uint32Array, low: Uint32Array, a: number, b: number): boolean {
  // No pair of them: this runs for every row, and what cannot be a small integer would be an object each time.
  const order = (high[a] as number) - (high[b] as number)
  return order < 0 || (order === 0 && (low[a] as number) < (low[b] as number))
}

/** `block` and `held` are of the rows of one group. */
export function writeGroup(out: ByteWriter, block: Block, held: Uint8Array): void {
  packed.length = 0
  random.length = 0
  writeIntegers(packed, block.resource)
  writeIntegers(packed, block.scope)
  writeIntegers(packed, block.flags)
  writeIntegers(packed, held)
  if (block.signal === 'traces') writeSpans(packed, random, block)
  else if (block.signal === 'logs') writeLogs(packed, random, block)
  else writePoints(packed, block)
  writeCompressed(out, packed.view())
  out.block(random.view())
}

/** Throws StoreError `corrupt_segment` for whatever is no layout. `version` is the part's. */
export function readLayout(content: Uint8Array, version: number): SegmentLayout {
  const part = new ByteReader(content)
  const signal = signalOf(part.u8())
  const count = part.varint()
  if (count > maxRows) throw corruptSegment('it has too many rows')
  if (version < groupedSince) {
    const all = { number: 0, firstRow: 0, count, minTimeMs: -Infinity, maxTimeMs: Infinity }
    return { signal, count, rowsPerGroup: maxRows, groups: [all], tables: null }
  }
  const size = part.varint()
  if (size < 1) throw corruptSegment('its groups have no rows')
  const from = new ByteReader(readCompressed(part))
  const tables = { ...readTables(from), metrics: signal === 'metrics' ? readMetrics(from) : [] }
  const groups: RowGroup[] = []
  for (let firstRow = 0; firstRow < count; firstRow += size) {
    const [minTimeMs, maxTimeMs] = [toMs(from.u32(), from.u32()), toMs(from.u32(), from.u32())]
    const number = groups.length
    groups.push({ number, firstRow, count: Math.min(size, count - firstRow), minTimeMs, maxTimeMs })
  }
  return { signal, count, rowsPerGroup: size, groups, tables }
}

/** Format in which columns came to lie in groups. */
const groupedSince = 4

/** `content` is of the part `groupPartOf` names. Throws StoreError `corrupt_segment` for whatever is not a block. */
export function readGroup(layout: SegmentLayout, group: RowGroup, content: Uint8Array): DecodedColumns {
  const part = new ByteReader(content)
  if (layout.tables === null) {
    part.u8()
    part.varint()
  }
  const from = new ByteReader(readCompressed(part))
  const random = new ByteReader(part.block())
  const { count, firstRow } = group
  const tables = layout.tables ?? readTables(from)
  const base: BlockBase = {
    count,
    strings: tables.strings,
    resources: tables.resources,
    scopes: tables.scopes,
    resource: readReferences(from, count, tables.resources.length),
    scope: readReferences(from, count, tables.scopes.length),
    flags: readIntegers(from, new Uint8Array(count)),
  }
  const held = readIntegers(from, new Uint8Array(count))
  if (layout.signal === 'traces') return { block: readSpans(from, random, base), held, firstRow }
  if (layout.signal === 'logs') return { block: readLogs(from, random, base), held, firstRow }
  const metrics = layout.tables?.metrics ?? readMetrics(from)
  return { block: readPoints(from, base, metrics), held, firstRow }
}

export function groupPartOf(layout: SegmentLayout, group: RowGroup): string {
  return layout.tables === null ? partNames.columns : partNames.group(group.number)
}

function signalOf(number: number): Signal {
  const signal = signals[number]
  if (signal === undefined) throw corruptSegment('its signal is unknown')
  return signal
}

function writeTables(out: ByteWriter, block: Block): void {
  out.varint(block.strings.length)
  for (const text of block.strings) out.text(text)
  out.varint(block.resources.length)
  for (const entry of block.resources) writeResource(out, entry)
  out.varint(block.scopes.length)
  for (const entry of block.scopes) {
    for (const text of [entry.name, entry.version, entry.schemaUrl]) out.text(text)
    out.block(entry.bytes)
  }
  if (block.signal === 'metrics') writeMetrics(out, block.metrics)
}

function readTables(from: ByteReader): Pick<BlockBase, 'strings' | 'resources' | 'scopes'> {
  const strings: string[] = []
  for (let left = from.count(); left > 0; left--) strings.push(from.text())
  const resources: ResourceEntry[] = []
  for (let left = from.count(); left > 0; left--) resources.push(readResource(from))
  const scopes: ScopeEntry[] = []
  for (let left = from.count(); left > 0; left--)
    scopes.push({
      name: from.text(),
      version: from.text(),
      schemaUrl: from.text(),
      bytes: from.block().slice(),
    })
  return { strings, resources, scopes }
}

/** Entries as they were written: the same ones come with every segment. */
const writtenResources = new WeakMap<ResourceEntry, Uint8Array>()

function writeResource(out: ByteWriter, entry: ResourceEntry): void {
  const known = writtenResources.get(entry)
  if (known !== undefined) {
    out.raw(known)
    return
  }
  const { service, namespace, version, instance, region, environment, tenant, process, schemaUrl } = entry
  const from = out.length
  for (const text of [service, namespace, version, instance, region, environment, tenant, process, schemaUrl])
    out.text(text)
  out.block(entry.bytes)
  writtenResources.set(entry, out.bytes.slice(from, out.length))
}

function readResource(from: ByteReader): ResourceEntry {
  return {
    service: from.text(),
    namespace: from.text(),
    version: from.text(),
    instance: from.text(),
    region: from.text(),
    environment: from.text(),
    tenant: from.text(),
    process: from.text(),
    schemaUrl: from.text(),
    bytes: from.block().slice(),
  }
}

/** A column that points into a table of `size` entries. */
function readReferences(from: ByteReader, count: number, size: number): Uint32Array {
  const column = readIntegers(from, new Uint32Array(count))
  for (let row = 0; row < count; row++)
    if ((column[row] as number) >= size) throw corruptSegment('a table entry is out of range')
  return column
}

function writeSpans(out: ByteWriter, random: ByteWriter, block: SpanBlock): void {
  const start = { high: block.startHi, low: block.startLo }
  writeIds(out, random, block.traceId, 16)
  random.raw(block.spanId)
  writeParents(out, random, block.spanId, block.parentSpanId)
  writeTimes(out, start, null)
  writeTimes(out, { high: block.endHi, low: block.endLo }, start)
  for (const column of [block.kind, block.status, block.peerKind, block.links]) writeIntegers(out, column)
  writeIntegers(out, block.httpStatus)
  for (const column of [block.name, block.errorType, block.peer]) writeIntegers(out, column)
}

function readSpans(from: ByteReader, random: ByteReader, base: BlockBase): SpanBlock {
  const { count } = base
  const texts = base.strings.length
  const traceId = readIds(from, random, count, 16)
  const spanId = random.raw(count * 8).slice()
  const parentSpanId = readParents(from, random, spanId)
  const start = readTimes(from, count, null)
  const end = readTimes(from, count, start)
  const octets = (): Uint8Array => readIntegers(from, new Uint8Array(count))
  const [kind, status, peerKind, links] = [octets(), octets(), octets(), octets()]
  const httpStatus = readIntegers(from, new Uint16Array(count))
  const name = readReferences(from, count, texts)
  const errorType = readReferences(from, count, texts)
  const peer = readReferences(from, count, texts)
  return {
    signal: 'traces',
    ...base,
    traceId,
    spanId,
    parentSpanId,
    startHi: start.high,
    startLo: start.low,
    endHi: end.high,
    endLo: end.low,
    kind,
    status,
    name,
    httpStatus,
    errorType,
    peer,
    peerKind,
    links,
  }
}

function writeLogs(out: ByteWriter, random: ByteWriter, block: LogBlock): void {
  writeIds(out, random, block.traceId, 16)
  writeIds(out, random, block.spanId, 8)
  writeTimes(out, { high: block.timeHi, low: block.timeLo }, null)
  writeIntegers(out, block.severity)
  writeIntegers(out, block.eventName)
  writeIntegers(out, block.template)
}

function readLogs(from: ByteReader, random: ByteReader, base: BlockBase): LogBlock {
  const { count } = base
  const traceId = readIds(from, random, count, 16)
  const spanId = readIds(from, random, count, 8)
  const time = readTimes(from, count, null)
  return {
    signal: 'logs',
    ...base,
    traceId,
    spanId,
    timeHi: time.high,
    timeLo: time.low,
    severity: readIntegers(from, new Uint8Array(count)),
    eventName: readReferences(from, count, base.strings.length),
    template: readIntegers(from, new Uint32Array(count)),
  }
}

function writeMetrics(out: ByteWriter, metrics: readonly MetricEntry[]): void {
  out.varint(metrics.length)
  for (const entry of metrics) {
    for (const text of [entry.name, entry.unit, entry.description]) out.text(text)
    out.u8(metricTypes.indexOf(entry.type))
    out.u8(entry.temporality)
    out.u8(entry.monotonic ? 1 : 0)
    out.block(entry.bytes)
  }
}

function writePoints(out: ByteWriter, block: MetricBlock): void {
  const runs = runsOf(block.metric)
  writeIntegers(out, block.metric)
  writeTimes(out, { high: block.timeHi, low: block.timeLo }, null)
  writeTimes(out, { high: block.startHi, low: block.startLo }, null)
  writeDoubles(out, block.value, runs)
  writeDoubles(out, block.pointCount, runs)
  writeIntegers(out, block.series)
}

function readMetrics(from: ByteReader): readonly MetricEntry[] {
  const metrics: MetricEntry[] = []
  for (let left = from.count(); left > 0; left--) {
    const [name, unit, description] = [from.text(), from.text(), from.text()]
    const type = metricTypes[from.u8()]
    if (type === undefined) throw corruptSegment('a metric type is unknown')
    const temporality = from.u8()
    const monotonic = from.u8() === 1
    metrics.push({ name, unit, description, type, temporality, monotonic, bytes: from.block().slice() })
  }
  return metrics
}

function readPoints(from: ByteReader, base: BlockBase, metrics: readonly MetricEntry[]): MetricBlock {
  const { count } = base
  const metric = readReferences(from, count, metrics.length)
  const time = readTimes(from, count, null)
  const start = readTimes(from, count, null)
  return {
    signal: 'metrics',
    ...base,
    metrics,
    metric,
    timeHi: time.high,
    timeLo: time.low,
    startHi: start.high,
    startLo: start.low,
    value: readDoubles(from, count),
    pointCount: readDoubles(from, count),
    series: readReferences(from, count, base.strings.length),
  }
}

/** Starts of runs of equal values. */
function runsOf(column: Uint32Array): readonly number[] {
  const starts: number[] = []
  for (let row = 0; row < column.length; row++)
    if (row === 0 || column[row] !== column[row - 1]) starts.push(row)
  return starts
}
