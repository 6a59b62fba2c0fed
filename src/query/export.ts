/** Stored telemetry as OTLP/JSON export requests, lossless: what `otelcontext export` writes. */
import type { Deadline, Scanned, ScanQuery, TelemetryReader } from '../model/reader.ts'
import type { Block, LogBlock, MetricBlock, RecordTable, Signal, SpanBlock } from '../model/telemetry.ts'
import { type TimeRange, toMs } from '../model/time.ts'
import { requestJson } from '../otlp/encode-request.ts'

/** Items of one export request; a few hundred kilobytes, so that a line can be sent again as one request. */
const rowsPerLine = 1_000

/** How far around a trace its log records may lie. */
const logMarginMs = 60_000

export interface ExportQuery {
  readonly signals: readonly Signal[]
  readonly range: TimeRange
  /** Exact `service.name`; empty for all. */
  readonly service: string
  /** 32 hex digits: this trace and its log records, whatever the range says; empty for all. */
  readonly traceId: string
}

/**
 * Calls `write` with one line, newline included, per export request; resolves with the number of items.
 * Throws what the reader and the deadline throw.
 */
export async function exportTelemetry(
  reader: TelemetryReader,
  query: ExportQuery,
  deadline: Deadline,
  write: (line: string) => Promise<void>,
): Promise<number> {
  if (query.traceId !== '') return exportTrace(reader, query, deadline, write)
  const scan: ScanQuery = {
    range: query.range,
    order: 'oldest_first',
    ...(query.service === '' ? {} : { services: [query.service] }),
  }
  let items = 0
  for (const signal of query.signals) {
    for await (const scanned of scanOf(reader, signal, scan)) {
      deadline.check()
      items += await writeRows(scanned, rowsIn(scanned.block, query.range, query.service), write)
    }
  }
  return items
}

function scanOf(reader: TelemetryReader, signal: Signal, query: ScanQuery): AsyncIterable<Scanned<Block>> {
  switch (signal) {
    case 'traces':
      return reader.scanSpans(query)
    case 'logs':
      return reader.scanLogs(query)
    case 'metrics':
      return reader.scanMetrics(query)
    default:
      return signal satisfies never
  }
}

async function exportTrace(
  reader: TelemetryReader,
  query: ExportQuery,
  deadline: Deadline,
  write: (line: string) => Promise<void>,
): Promise<number> {
  const trace = await reader.trace(query.traceId)
  if (trace === null) return 0
  let items = 0
  let fromMs = Number.POSITIVE_INFINITY
  let untilMs = 0
  for (const { block, rows, records } of trace.parts) {
    if (query.signals.includes('traces')) items += await writeLines(block, records, rows, write)
    for (const row of rows) {
      fromMs = Math.min(fromMs, toMs(block.startHi[row] ?? 0, block.startLo[row] ?? 0))
      untilMs = Math.max(untilMs, toMs(block.endHi[row] ?? 0, block.endLo[row] ?? 0))
    }
  }
  if (!query.signals.includes('logs')) return items
  const range = { fromMs: fromMs - logMarginMs, toMs: untilMs + logMarginMs }
  for await (const scanned of reader.scanLogs({ range, order: 'oldest_first' })) {
    deadline.check()
    const rows = rowsIn(scanned.block, range, '').filter(row => hasTrace(scanned.block, row, query.traceId))
    items += await writeRows(scanned, rows, write)
  }
  return items
}

function hasTrace(block: LogBlock, row: number, traceId: string): boolean {
  return (
    Buffer.from(block.traceId.buffer, block.traceId.byteOffset + row * 16, 16).toString('hex') === traceId
  )
}

function timeOf(block: SpanBlock | LogBlock | MetricBlock, row: number): number {
  return block.signal === 'traces'
    ? toMs(block.startHi[row] ?? 0, block.startLo[row] ?? 0)
    : toMs(block.timeHi[row] ?? 0, block.timeLo[row] ?? 0)
}

function rowsIn(block: Block, range: TimeRange, service: string): number[] {
  const rows: number[] = []
  for (let row = 0; row < block.count; row++) {
    const timeMs = timeOf(block, row)
    if (timeMs < range.fromMs || timeMs >= range.toMs) continue
    if (service !== '' && block.resources[block.resource[row] ?? 0]?.service !== service) continue
    rows.push(row)
  }
  return rows
}

async function writeRows(
  scanned: Scanned<Block>,
  rows: readonly number[],
  write: (line: string) => Promise<void>,
): Promise<number> {
  if (rows.length === 0) return 0
  return writeLines(scanned.block, await scanned.records(rows), rows, write)
}

async function writeLines(
  block: Block,
  records: RecordTable,
  rows: readonly number[],
  write: (line: string) => Promise<void>,
): Promise<number> {
  for (let at = 0; at < rows.length; at += rowsPerLine) {
    await write(`${requestJson({ block, records, rows: rows.slice(at, at + rowsPerLine) })}\n`)
  }
  return rows.length
}
