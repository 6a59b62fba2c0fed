/** Some rows of a block, in any order, as a block of their own that holds no table entry nobody refers to. */
import type { BlockBase, LogBlock, MetricBlock, SpanBlock } from '../../model/telemetry.ts'
import type { Scratch } from './scratch.ts'

/** Row `i` of the result is row `rows[i]` of the block, which lies in `scratch` as the result does. */
export function pickSpans(scratch: Scratch, block: SpanBlock, rows: Uint32Array): SpanBlock {
  const texts = new Kept(block.strings, [''])
  return {
    signal: 'traces',
    ...pickBase(scratch, block, rows),
    traceId: ids(scratch, block.traceId, rows, 4),
    spanId: ids(scratch, block.spanId, rows, 2),
    parentSpanId: ids(scratch, block.parentSpanId, rows, 2),
    startHi: words(scratch, block.startHi, rows),
    startLo: words(scratch, block.startLo, rows),
    endHi: words(scratch, block.endHi, rows),
    endLo: words(scratch, block.endLo, rows),
    kind: octets(scratch, block.kind, rows),
    status: octets(scratch, block.status, rows),
    name: texts.column(scratch, block.name, rows),
    httpStatus: halves(scratch, block.httpStatus, rows),
    errorType: texts.column(scratch, block.errorType, rows),
    peer: texts.column(scratch, block.peer, rows),
    peerKind: octets(scratch, block.peerKind, rows),
    links: octets(scratch, block.links, rows),
    strings: texts.entries,
  }
}

/** As `pickSpans`. */
export function pickLogs(scratch: Scratch, block: LogBlock, rows: Uint32Array): LogBlock {
  const texts = new Kept(block.strings, [''])
  return {
    signal: 'logs',
    ...pickBase(scratch, block, rows),
    traceId: ids(scratch, block.traceId, rows, 4),
    spanId: ids(scratch, block.spanId, rows, 2),
    timeHi: words(scratch, block.timeHi, rows),
    timeLo: words(scratch, block.timeLo, rows),
    severity: octets(scratch, block.severity, rows),
    eventName: texts.column(scratch, block.eventName, rows),
    template: words(scratch, block.template, rows),
    strings: texts.entries,
  }
}

/** As `pickSpans`. */
export function pickPoints(scratch: Scratch, block: MetricBlock, rows: Uint32Array): MetricBlock {
  const texts = new Kept(block.strings, [''])
  const metrics = new Kept(block.metrics)
  return {
    signal: 'metrics',
    ...pickBase(scratch, block, rows),
    metric: metrics.column(scratch, block.metric, rows),
    metrics: metrics.entries,
    timeHi: words(scratch, block.timeHi, rows),
    timeLo: words(scratch, block.timeLo, rows),
    startHi: words(scratch, block.startHi, rows),
    startLo: words(scratch, block.startLo, rows),
    value: doubles(scratch, block.value, rows),
    pointCount: doubles(scratch, block.pointCount, rows),
    series: texts.column(scratch, block.series, rows),
    strings: texts.entries,
  }
}

function pickBase(scratch: Scratch, block: BlockBase, rows: Uint32Array): Omit<BlockBase, 'strings'> {
  const resources = new Kept(block.resources)
  const scopes = new Kept(block.scopes)
  return {
    count: rows.length,
    resource: resources.column(scratch, block.resource, rows),
    scope: scopes.column(scratch, block.scope, rows),
    resources: resources.entries,
    scopes: scopes.entries,
    flags: octets(scratch, block.flags, rows),
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
  column(scratch: Scratch, column: Uint32Array, rows: Uint32Array): Uint32Array {
    const into = scratch.words(rows.length)
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

function octets(scratch: Scratch, column: Uint8Array, rows: Uint32Array): Uint8Array {
  const into = scratch.octets(rows.length)
  for (let row = 0; row < rows.length; row++) into[row] = column[rows[row] as number] as number
  return into
}

function halves(scratch: Scratch, column: Uint16Array, rows: Uint32Array): Uint16Array {
  const into = scratch.halves(rows.length)
  for (let row = 0; row < rows.length; row++) into[row] = column[rows[row] as number] as number
  return into
}

function words(scratch: Scratch, column: Uint32Array, rows: Uint32Array): Uint32Array {
  const into = scratch.words(rows.length)
  for (let row = 0; row < rows.length; row++) into[row] = column[rows[row] as number] as number
  return into
}

function doubles(scratch: Scratch, column: Float64Array, rows: Uint32Array): Float64Array {
  const into = scratch.doubles(rows.length)
  for (let row = 0; row < rows.length; row++) into[row] = column[rows[row] as number] as number
  return into
}

/** Ids of so many 32-bit words each; the column lies in `scratch`, so that words are aligned. */
function ids(scratch: Scratch, column: Uint8Array, rows: Uint32Array, wordsPerId: number): Uint8Array {
  const from = new Uint32Array(column.buffer, column.byteOffset, column.length >> 2)
  const into = scratch.words(rows.length * wordsPerId)
  for (let row = 0; row < rows.length; row++) {
    const start = (rows[row] as number) * wordsPerId
    const target = row * wordsPerId
    for (let word = 0; word < wordsPerId; word++) into[target + word] = from[start + word] as number
  }
  return new Uint8Array(into.buffer, into.byteOffset, into.length * 4)
}
