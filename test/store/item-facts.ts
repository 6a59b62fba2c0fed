/** Every item of a block with everything that is known of it, as text; two blocks hold the same if these do. */
import { type Block, type MetricType, type RecordTable, recordOf } from '../../src/model/telemetry.ts'
import { decode } from './protobuf-root.ts'

const metrics = 'opentelemetry.proto.metrics.v1'

const pointTypes: Readonly<Record<MetricType, string>> = {
  gauge: `${metrics}.NumberDataPoint`,
  sum: `${metrics}.NumberDataPoint`,
  histogram: `${metrics}.HistogramDataPoint`,
  exponential_histogram: `${metrics}.ExponentialHistogramDataPoint`,
  summary: `${metrics}.SummaryDataPoint`,
}

const textColumns = new Set(['name', 'errorType', 'peer', 'eventName', 'series'])
const tables = new Set(['strings', 'resources', 'scopes', 'metrics', 'resource', 'scope', 'metric', 'signal'])
const widths: Readonly<Record<string, number>> = { traceId: 16, spanId: 8, parentSpanId: 8 }

/** Sorted. With `rows`, only these. */
export function factsOf(block: Block, records: RecordTable, rows?: readonly number[]): readonly string[] {
  const wanted = rows ?? Array.from({ length: block.count }, (_, row) => row)
  return wanted.map(row => JSON.stringify(factOf(block, records, row), plain)).sort()
}

function factOf(block: Block, records: RecordTable, row: number): unknown {
  const metric = block.signal === 'metrics' ? block.metrics[block.metric[row] ?? -1] : undefined
  return {
    record: decode(recordType(block, row), recordOf(records, row)),
    resource: block.resources[block.resource[row] ?? -1],
    scope: block.scopes[block.scope[row] ?? -1],
    metric,
    columns: Object.entries(block)
      .flatMap(([name, column]) => columnFact(block, name, column, row))
      .sort(),
  }
}

function recordType(block: Block, row: number): string {
  if (block.signal === 'traces') return 'opentelemetry.proto.trace.v1.Span'
  if (block.signal === 'logs') return 'opentelemetry.proto.logs.v1.LogRecord'
  return pointTypes[block.metrics[block.metric[row] ?? -1]?.type ?? 'gauge']
}

function columnFact(block: Block, name: string, column: unknown, row: number): readonly unknown[] {
  if (tables.has(name) || !ArrayBuffer.isView(column)) return []
  const width = widths[name]
  if (width !== undefined && column instanceof Uint8Array)
    return [[name, Buffer.from(column.subarray(row * width, (row + 1) * width)).toString('hex')]]
  const values = column as Uint32Array
  const value = values[row]
  return [
    [name, textColumns.has(name) ? block.strings[value ?? -1] : Object.is(value, -0) ? '-0' : String(value)],
  ]
}

function plain(_: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (Object.is(value, -0)) return '-0'
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
