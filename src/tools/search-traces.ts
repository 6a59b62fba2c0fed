import { z } from 'zod'
import type { IndexCondition } from '../model/reader.ts'
import { recordOf, type SpanBlock } from '../model/telemetry.ts'
import { type TimeRange, toMs } from '../model/time.ts'
import { attributesOfResource, attributesOfSpan } from '../otlp/attributes.ts'
import type { Draft, NextCall, Table } from './answer/draft.ts'
import { explainEmptiness } from './answer/show-coverage.ts'
import { formatTime } from './arguments/time-argument.ts'
import { everywhere, fields, windowed } from './arguments/vocabulary.ts'
import { hexAt } from './reading/hex-id.ts'
import { hasValue } from './reading/record-fields.ts'
import { optionalService } from './reading/service-names.ts'
import { type FoundTraces, findTraceSummaries, type TraceSummary } from './reading/span-groups.ts'
import { matchName, showName } from './text/name.ts'
import { defineTool, type Tool, type ToolContext } from './tool.ts'

const input = z.strictObject({
  service: fields.service.optional(),
  operation: fields.operation.optional(),
  status: z.enum(['error', 'ok']).optional(),
  min_duration_ms: z.number().min(0).optional(),
  max_duration_ms: z.number().min(0).optional(),
  attributes: z.record(z.string().min(1).max(200), z.string().max(500)).optional().describe('equal, as text'),
  order: z.enum(['newest', 'slowest']).optional(),
  group: z.boolean().optional().describe('group traces of one shape'),
  region: fields.region.optional(),
  environment: fields.environment.optional(),
  ...windowed,
  limit: fields.limit.optional(),
  cursor: fields.cursor.optional(),
  ...everywhere,
})

type Arguments = z.output<typeof input>

/** Records loaded for attribute filters at most; they are the dear part of a search. */
const maxRecords = 50_000

function columnFilter(args: Arguments, service: string | undefined) {
  const { operation, status, min_duration_ms: min, max_duration_ms: max, region, environment } = args
  return (block: SpanBlock, row: number): boolean => {
    const resource = block.resources[block.resource[row] ?? 0]
    if (service !== undefined && resource?.service !== service) return false
    if (region !== undefined && resource?.region !== region) return false
    if (environment !== undefined && resource?.environment !== environment) return false
    if (status !== undefined && (block.status[row] === 2) !== (status === 'error')) return false
    if (operation !== undefined) {
      const name = block.strings[block.name[row] ?? 0] ?? ''
      if (matchName(operation, [name], 'op') === null) return false
    }
    if (min === undefined && max === undefined) return true
    const startMs = toMs(block.startHi[row] ?? 0, block.startLo[row] ?? 0)
    const durationMs = toMs(block.endHi[row] ?? 0, block.endLo[row] ?? 0) - startMs
    return durationMs >= (min ?? 0) && durationMs <= (max ?? Number.POSITIVE_INFINITY)
  }
}

/** Spans of the window whose attributes or resource attributes have all the values, as `trace id/span id`. */
async function withAttributes(
  wanted: Readonly<Record<string, string>>,
  filter: (block: SpanBlock, row: number) => boolean,
  service: string | undefined,
  { reader, window, deadline }: ToolContext,
): Promise<{ readonly ids: ReadonlySet<string>; readonly complete: boolean }> {
  const ids = new Set<string>()
  const pairs = Object.entries(wanted)
  const services = service === undefined ? {} : { services: [service] }
  const where: IndexCondition = {
    type: 'and',
    conditions: pairs.map(([key, value]) => ({ type: 'attribute', key, value })),
  }
  let read = 0
  for await (const scanned of reader.scanSpans({
    range: window,
    ...services,
    where,
    order: 'newest_first',
  })) {
    deadline.check()
    const { block, candidateRows = block.kind.keys() } = scanned
    const rows = [...candidateRows].filter(row => filter(block, row))
    if (rows.length === 0) continue
    if (read >= maxRecords) return { ids, complete: false }
    read += rows.length
    const records = await scanned.records(rows)
    for (const row of rows) {
      const own = attributesOfSpan(recordOf(records, row))
      const resource = attributesOfResource(
        block.resources[block.resource[row] ?? 0]?.bytes ?? new Uint8Array(),
      )
      if (pairs.every(([key, value]) => hasValue(own, key, value) || hasValue(resource, key, value)))
        ids.add(`${hexAt(block.traceId, row, 16)}/${hexAt(block.spanId, row, 8)}`)
    }
  }
  return { ids, complete: true }
}

const rootOf = (trace: TraceSummary, names: readonly string[]): string =>
  trace.rootService < 0 ? '' : (names[trace.rootService] ?? '')

function listTable(found: FoundTraces, order: 'newest' | 'slowest'): Table {
  const sorted = found.traces.toSorted(
    (a, b) =>
      (order === 'newest' ? b.startMs - a.startMs : b.longestMatchMs - a.longestMatchMs) ||
      (a.traceId < b.traceId ? -1 : 1),
  )
  return {
    name: 'traces',
    columns: [
      { name: 'trace_id', kind: 'id' },
      { name: 'start', kind: 'time' },
      { name: 'root_service', kind: 'svc' },
      { name: 'root_operation', kind: 'text' },
      { name: 'duration_ms', kind: 'word' },
      { name: 'spans', kind: 'word' },
      { name: 'errors', kind: 'word' },
      { name: 'services', kind: 'word' },
      { name: 'error_type', kind: 'text' },
    ],
    rows: sorted.map(trace => ({
      importance: order === 'newest' ? trace.startMs : trace.longestMatchMs,
      cells: [
        trace.traceId,
        trace.startMs,
        rootOf(trace, found.serviceNames),
        trace.rootOperation,
        trace.endMs - trace.startMs,
        trace.spans,
        trace.errors,
        trace.services.size,
        trace.firstError,
      ],
    })),
  }
}

interface ShapeGroup {
  traces: number
  errors: number
  sumMs: number
  maxMs: number
  exemplar: TraceSummary
}

function groupTable(found: FoundTraces): Table {
  const groups = new Map<string, ShapeGroup>()
  for (const trace of found.traces) {
    const key = `${trace.rootService}/${trace.rootOperation}/${trace.shape}`
    const durationMs = trace.endMs - trace.startMs
    const group = groups.get(key) ?? { traces: 0, errors: 0, sumMs: 0, maxMs: -1, exemplar: trace }
    group.traces++
    group.errors += trace.errors > 0 ? 1 : 0
    group.sumMs += durationMs
    const better = durationMs - group.maxMs || (trace.traceId < group.exemplar.traceId ? 1 : -1)
    if (better > 0) {
      group.maxMs = durationMs
      group.exemplar = trace
    }
    groups.set(key, group)
  }
  const sorted = [...groups.values()].sort(
    (a, b) =>
      b.errors - a.errors || b.traces - a.traces || (a.exemplar.traceId < b.exemplar.traceId ? -1 : 1),
  )
  return {
    name: 'shapes',
    columns: [
      { name: 'root_service', kind: 'svc' },
      { name: 'root_operation', kind: 'text' },
      { name: 'traces', kind: 'word' },
      { name: 'with_errors', kind: 'word' },
      { name: 'mean_ms', kind: 'word' },
      { name: 'max_ms', kind: 'word' },
      { name: 'spans', kind: 'word' },
      { name: 'services', kind: 'word' },
      { name: 'slowest_trace_id', kind: 'id' },
    ],
    rows: sorted.map((group, at) => ({
      importance: -at,
      cells: [
        rootOf(group.exemplar, found.serviceNames),
        group.exemplar.rootOperation,
        group.traces,
        group.errors,
        group.sumMs / group.traces,
        group.maxMs,
        group.exemplar.spans,
        group.exemplar.services.size,
        group.exemplar.traceId,
      ],
    })),
  }
}

function nextOf(args: Arguments, found: FoundTraces, window: TimeRange): readonly NextCall[] {
  const worst = found.traces.toSorted(
    (a, b) => b.errors - a.errors || b.longestMatchMs - a.longestMatchMs || (a.traceId < b.traceId ? -1 : 1),
  )[0]
  if (worst === undefined) return []
  const look: NextCall = {
    tool: 'get_trace',
    arguments: { trace_id: worst.traceId, include: ['logs'] },
    why: 'the trace with the most errors, else the slowest',
  }
  if (args.group === true || found.traces.length < 20) return [look]
  return [look, { tool: 'search_traces', arguments: groupArguments(args, window), why: 'their shapes' }]
}

/** The same question for groups; attribute values are the caller's own text and stay out of `next`. */
function groupArguments(args: Arguments, window: TimeRange): Readonly<Record<string, unknown>> {
  const { status, min_duration_ms, max_duration_ms } = args
  return {
    ...(args.service === undefined ? {} : { service: showName(args.service) }),
    ...(args.operation === undefined ? {} : { operation: showName(args.operation, 'op') }),
    ...(status === undefined ? {} : { status }),
    ...(min_duration_ms === undefined ? {} : { min_duration_ms }),
    ...(max_duration_ms === undefined ? {} : { max_duration_ms }),
    group: true,
    from: formatTime(window.fromMs),
    to: formatTime(window.toMs),
  }
}

async function run(args: Arguments, context: ToolContext): Promise<Draft> {
  const { reader, window, deadline } = context
  const service = await optionalService(args.service, reader, window)
  const filter = columnFilter(args, service)
  const selected =
    args.attributes === undefined ? null : await withAttributes(args.attributes, filter, service, context)
  const matches = (block: SpanBlock, row: number): boolean =>
    filter(block, row) &&
    (selected === null || selected.ids.has(`${hexAt(block.traceId, row, 16)}/${hexAt(block.spanId, row, 8)}`))
  const services = service === undefined ? {} : { services: [service] }
  const found = await findTraceSummaries(reader, { range: window, ...services, matches }, deadline)
  const complete = found.complete && selected?.complete !== false
  if (found.traces.length === 0) {
    const { status, because } = await explainEmptiness(reader, window, ['traces'])
    const searched = found.spansInside > 0 ? `none of ${found.spansInside} spans matches` : because
    return { status, answer: `No trace found: ${searched}.`, window, read: { spans: found.spansInside } }
  }
  const failing = found.traces.filter(trace => trace.errors > 0).length
  const table = args.group === true ? groupTable(found) : listTable(found, args.order ?? 'newest')
  return {
    status: 'ok',
    answer: `${found.traces.length} traces${args.group === true ? ` in ${table.rows.length} shapes` : ''}, ${failing} of them with errors.`,
    tables: [table],
    window,
    read: { spans: found.spansInside },
    notes: complete ? [] : ['limits were reached: only the newest part of the window was read'],
    next: nextOf(args, found, window),
  }
}

export const searchTraces: Tool = defineTool({
  name: 'search_traces',
  title: 'Find traces',
  description:
    'Traces with a span that matches: service, operation, status, duration, attributes (span or resource). Newest or slowest first, or grouped by shape (same spans, same failures).',
  input,
  examples: [
    { service: 'checkout', status: 'error', from: 'now-30m' },
    { operation: 'GET /cart', min_duration_ms: 500, order: 'slowest', limit: 10 },
    { attributes: { 'http.response.status_code': '503' }, group: true, from: '-2h' },
  ],
  maxTokens: 2_000,
  rows: 20,
  window: 'window',
  memo: false,
  run,
})
