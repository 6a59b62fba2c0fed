/** Some rows of a block, in any order, as a block of their own that holds no table entry nobody refers to. */
import type { BlockBase, LogBlock, MetricBlock, SpanBlock } from '../../model/telemetry.ts'

/** Row `i` of the result is row `rows[i]` of the block. */
export function pickSpans(block: SpanBlock, rows: Uint32Array): SpanBlock {
  const texts = new Kept(block.strings, [''])
  return {
    signal: 'traces',
    ...pickBase(block, rows),
    traceId: ids(block.traceId, rows, 4),
    spanId: ids(block.spanId, rows, 2),
    parentSpanId: ids(block.parentSpanId, rows, 2),
    startHi: words(block.startHi, rows),
    startLo: words(block.startLo, rows),
    endHi: words(block.endHi, rows),
    endLo: words(block.endLo, rows),
    kind: octets(block.kind, rows),
    status: octets(block.status, rows),
    name: texts.column(block.name, rows),
    httpStatus: halves(block.httpStatus, rows),
    errorType: texts.column(block.errorType, rows),
    peer: texts.column(block.peer, rows),
    peerKind: octets(block.peerKind, rows),
    links: octets(block.links, rows),
    strings: texts.entries,
  }
}

/** As `pickSpans`. */
export function pickLogs(block: LogBlock, rows: Uint32Array): LogBlock {
  const texts = new Kept(block.strings, [''])
  return {
    signal: 'logs',
    ...pickBase(block, rows),
    traceId: ids(block.traceId, rows, 4),
    spanId: ids(block.spanId, rows, 2),
    timeHi: words(block.timeHi, rows),
    timeLo: words(block.timeLo, rows),
    severity: octets(block.severity, rows),
    eventName: texts.column(block.eventName, rows),
    template: words(block.template, rows),
    strings: texts.entries,
  }
}

/** As `pickSpans`. */
export function pickPoints(block: MetricBlock, rows: Uint32Array): MetricBlock {
  const texts = new Kept(block.strings, [''])
  const metrics = new Kept(block.metrics)
  return {
    signal: 'metrics',
    ...pickBase(block, rows),
    metric: metrics.column(block.metric, rows),
    metrics: metrics.entries,
    timeHi: words(block.timeHi, rows),
    timeLo: words(block.timeLo, rows),
    startHi: words(block.startHi, rows),
    startLo: words(block.startLo, rows),
    value: doubles(block.value, rows),
    pointCount: doubles(block.pointCount, rows),
    series: texts.column(block.series, rows),
    strings: texts.entries,
  }
}

function pickBase(block: BlockBase, rows: Uint32Array): Omit<BlockBase, 'strings'> {
  const resources = new Kept(block.resources)
  const scopes = new Kept(block.scopes)
  return {
    count: rows.length,
    resource: resources.column(block.resource, rows),
    scope: scopes.column(block.scope, rows),
    resources: resources.entries,
    scopes: scopes.entries,
    flags: octets(block.flags, rows),
  }
}

/** The entries of a table that rows refer to, in the order in which they do. */
class Kept<E> {
  readonly entries: E[]
  readonly #all: readonly E[]
  /** New number + 1; 0 for an entry that was not met. */
  readonly #numbers: Uint32Array

  /** `first` stand at the beginning of the table and are kept in any case. */
  constructor(all: readonly E[], first: readonly E[] = []) {
    this.#all = all
    this.entries = [...first]
    this.#numbers = new Uint32Array(all.length)
    for (let entry = 0; entry < first.length; entry++) this.#numbers[entry] = entry + 1
  }

  /** The column with new numbers. */
  column(column: Uint32Array, rows: Uint32Array): Uint32Array {
    const into = new Uint32Array(rows.length)
    const numbers = this.#numbers
    for (let row = 0; row < rows.length; row++) {
      const entry = column[rows[row] as number] as number
      const known = numbers[entry] as number
      into[row] = known > 0 ? known - 1 : this.#keep(entry)
    }
    return into
  }

  #keep(entry: number): number {
    const number = this.entries.push(this.#all[entry] as E)
    this.#numbers[entry] = number
    return number - 1
  }
}

// One function a width, so that each is compiled for one kind of array.

function octets(column: Uint8Array, rows: Uint32Array): Uint8Array {
  const into = new Uint8Array(rows.length)
  for (let row = 0; row < rows.length; row++) into[row] = column[rows[row] as number] as number
  return into
}

function halves(column: Uint16Array, rows: Uint32Array): Uint16Array {
  const into = new Uint16Array(rows.length)
  for (let row = 0; row < rows.length; row++) into[row] = column[rows[row] as number] as number
  return into
}

function words(column: Uint32Array, rows: Uint32Array): Uint32Array {
  const into = new Uint32Array(rows.length)
  for (let row = 0; row < rows.length; row++) into[row] = column[rows[row] as number] as number
  return into
}

function doubles(column: Float64Array, rows: Uint32Array): Float64Array {
  const into = new Float64Array(rows.length)
  for (let row = 0; row < rows.length; row++) into[row] = column[rows[row] as number] as number
  return into
}

/** Ids of so many 32-bit words each; the column has a buffer of its own, so that words are aligned. */
function ids(column: Uint8Array, rows: Uint32Array, wordsPerId: number): Uint8Array {
  const from = new Int32Array(column.buffer, column.byteOffset, column.length >> 2)
  const into = new Int32Array(rows.length * wordsPerId)
  for (let row = 0; row < rows.length; row++) {
    const start = (rows[row] as number) * wordsPerId
    const target = row * wordsPerId
    for (let word = 0; word < wordsPerId; word++) into[target + word] = from[start + word] as number
  }
  return new Uint8Array(into.buffer)
}
