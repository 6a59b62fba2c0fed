/** Small batches of spans, log records and metric points for the tests of the graph. */
import type {
  Batch,
  LogBlock,
  MetricBlock,
  MetricEntry,
  ResourceEntry,
  SpanBlock,
} from '../../src/model/telemetry.ts'
import { halvesOf } from '../../src/model/time.ts'

export interface TestSpan {
  readonly service: string
  readonly id: number
  readonly parent?: number
  readonly trace?: number
  readonly name?: string
  readonly kind?: number
  /** Milliseconds behind `epochMs`. */
  readonly startMs: number
  readonly durationMs: number
  readonly failed?: boolean
  readonly httpStatus?: number
  readonly peer?: string
  readonly peerKind?: number
  readonly links?: readonly { readonly id: number; readonly trace?: number }[]
  readonly instance?: string
  readonly version?: string
  readonly process?: string
}

/** A whole ten-second, minute and ten-minute window begins here. */
export const epochMs: number = Math.floor(1_700_000_000_000 / 600_000) * 600_000

export const kinds = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const

function resourceOf(service: string, instance = '', version = '', process = ''): ResourceEntry {
  return {
    service,
    instance,
    version,
    process,
    namespace: '',
    region: '',
    environment: '',
    tenant: '',
    bytes: new Uint8Array(0),
    schemaUrl: '',
  }
}

class Texts {
  readonly strings: string[] = ['']
  readonly #numbers = new Map([['', 0]])

  number(text: string): number {
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    this.#numbers.set(text, this.strings.length)
    return this.strings.push(text) - 1
  }
}

/** Distinct resources of the items, and the index of each item's. */
function resourcesOf(
  items: readonly { service?: string; instance?: string; version?: string; process?: string }[],
): { resources: ResourceEntry[]; resource: Uint32Array } {
  const entries = new Map<string, ResourceEntry>()
  const keys = items.map(({ service = 'shop', instance = '', version = '', process = '' }) => {
    const key = [service, instance, version, process].join('|')
    if (!entries.has(key)) entries.set(key, resourceOf(service, instance, version, process))
    return key
  })
  const order = [...entries.keys()]
  return { resources: [...entries.values()], resource: Uint32Array.from(keys, key => order.indexOf(key)) }
}

function base(count: number) {
  return {
    count,
    scopes: [{ name: 'test', version: '', bytes: new Uint8Array(0), schemaUrl: '' }],
    scope: new Uint32Array(count),
    flags: new Uint8Array(count),
  }
}

function setTime(high: Uint32Array, low: Uint32Array, row: number, ms: number): void {
  const halves = halvesOf(BigInt(ms) * 1_000_000n)
  high[row] = halves.high
  low[row] = halves.low
}

export function spanBatch(spans: readonly TestSpan[]): Batch<SpanBlock> {
  const n = spans.length
  const texts = new Texts()
  const block = {
    ...base(n),
    signal: 'traces',
    ...resourcesOf(spans),
    traceId: new Uint8Array(16 * n),
    spanId: new Uint8Array(8 * n),
    parentSpanId: new Uint8Array(8 * n),
    startHi: new Uint32Array(n),
    startLo: new Uint32Array(n),
    endHi: new Uint32Array(n),
    endLo: new Uint32Array(n),
    kind: new Uint8Array(n),
    status: new Uint8Array(n),
    name: new Uint32Array(n),
    httpStatus: new Uint16Array(n),
    errorType: new Uint32Array(n),
    peer: new Uint32Array(n),
    peerKind: new Uint8Array(n),
    links: new Uint8Array(n),
    strings: texts.strings,
  } as const
  const records: Uint8Array[] = []
  for (const [row, span] of spans.entries()) {
    new DataView(block.traceId.buffer).setUint32(row * 16 + 12, span.trace ?? 1)
    new DataView(block.spanId.buffer).setUint32(row * 8 + 4, span.id)
    new DataView(block.parentSpanId.buffer).setUint32(row * 8 + 4, span.parent ?? 0)
    setTime(block.startHi, block.startLo, row, epochMs + span.startMs)
    setTime(block.endHi, block.endLo, row, epochMs + span.startMs + span.durationMs)
    block.kind[row] = span.kind ?? kinds.server
    block.status[row] = span.failed === true ? 2 : 0
    block.name[row] = texts.number(span.name ?? 'work')
    block.httpStatus[row] = span.httpStatus ?? 0
    block.peer[row] = texts.number(span.peer ?? '')
    block.peerKind[row] = span.peerKind ?? (span.peer === undefined ? 0 : 3)
    block.links[row] = span.links?.length ?? 0
    records.push(linkMessage(span))
  }
  return { block, records: tableOf(records), refusals: [], warnings: [] }
}

/** A Span message that holds nothing but its links (field 13: trace id 1, span id 2). */
function linkMessage(span: TestSpan): Uint8Array {
  const bytes: number[] = []
  for (const link of span.links ?? []) {
    const ids = new Uint8Array(28)
    const view = new DataView(ids.buffer)
    ids.set([0x0a, 16], 0)
    view.setUint32(14, link.trace ?? 1)
    ids.set([0x12, 8], 18)
    view.setUint32(24, link.id)
    bytes.push(0x6a, ids.length, ...ids)
  }
  return Uint8Array.from(bytes)
}

function tableOf(records: readonly Uint8Array[]) {
  const bytes = new Uint8Array(records.reduce((sum, record) => sum + record.length, 0))
  const offset = new Uint32Array(records.length)
  const length = new Uint32Array(records.length)
  let at = 0
  for (const [i, record] of records.entries()) {
    bytes.set(record, at)
    offset[i] = at
    length[i] = record.length
    at += record.length
  }
  return { bytes, offset, length }
}

export interface TestLog {
  readonly service: string
  readonly body: string
  readonly atMs: number
  readonly severity?: number
}

export function logBatch(logs: readonly TestLog[]): Batch<LogBlock> {
  const n = logs.length
  const block = {
    ...base(n),
    signal: 'logs',
    strings: [''],
    ...resourcesOf(logs),
    traceId: new Uint8Array(16 * n),
    spanId: new Uint8Array(8 * n),
    timeHi: new Uint32Array(n),
    timeLo: new Uint32Array(n),
    severity: Uint8Array.from(logs, log => log.severity ?? 9),
    eventName: new Uint32Array(n),
    template: new Uint32Array(n),
  } as const
  for (const [row, log] of logs.entries()) setTime(block.timeHi, block.timeLo, row, epochMs + log.atMs)
  return { block, records: tableOf(logs.map(log => bodyMessage(log.body))), refusals: [], warnings: [] }
}

/** A LogRecord message with a string body (field 5, AnyValue.string_value 1). */
function bodyMessage(body: string): Uint8Array {
  const text = new TextEncoder().encode(body)
  const value = [0x0a, ...varint(text.length), ...text]
  return Uint8Array.from([0x2a, ...varint(value.length), ...value])
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]
}

export interface TestPoint {
  readonly service?: string
  readonly instance?: string
  readonly metric: string
  readonly type?: MetricEntry['type']
  readonly temporality?: number
  readonly monotonic?: boolean
  readonly unit?: string
  readonly series?: string
  readonly atMs: number
  /** Behind `epochMs`; not given: no start time. */
  readonly startMs?: number
  readonly value: number
  readonly count?: number
}

export function metricBatch(points: readonly TestPoint[]): Batch<MetricBlock> {
  const n = points.length
  const texts = new Texts()
  const block = {
    ...base(n),
    signal: 'metrics',
    ...resourcesOf(points),
    metrics: points.map(point => ({
      name: point.metric,
      unit: point.unit ?? '1',
      description: '',
      type: point.type ?? 'gauge',
      temporality: point.temporality ?? 0,
      monotonic: point.monotonic ?? false,
      bytes: new Uint8Array(0),
    })),
    metric: Uint32Array.from(points.keys()),
    timeHi: new Uint32Array(n),
    timeLo: new Uint32Array(n),
    startHi: new Uint32Array(n),
    startLo: new Uint32Array(n),
    value: Float64Array.from(points, point => point.value),
    pointCount: Float64Array.from(points, point => point.count ?? 1),
    series: Uint32Array.from(points, point => texts.number(point.series ?? '')),
    strings: texts.strings,
  } as const
  for (const [row, point] of points.entries()) {
    setTime(block.timeHi, block.timeLo, row, epochMs + point.atMs)
    if (point.startMs !== undefined) setTime(block.startHi, block.startLo, row, epochMs + point.startMs)
  }
  return { block, records: tableOf([]), refusals: [], warnings: [] }
}
