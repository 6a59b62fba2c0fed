import { z } from 'zod'
import type { Attribute } from '../otlp/any-value.ts'
import { valueText } from '../otlp/any-value.ts'
import type { Draft, NextCall, Table } from './answer/draft.ts'
import { ArgumentProblem } from './arguments/problem.ts'
import { formatTime } from './arguments/time-argument.ts'
import { everywhere, fields } from './arguments/vocabulary.ts'
import { findExemplars } from './reading/exemplar-points.ts'
import { logsOfTrace, severityName } from './reading/log-lines.ts'
import { spanDetailOf } from './reading/record-fields.ts'
import { readTraceTree, type TraceSpan, type TraceTree } from './reading/trace-tree.ts'
import { amount } from './text/amount.ts'
import { showName } from './text/name.ts'
import { defineTool, type Tool, type ToolContext } from './tool.ts'

const input = z.strictObject({
  trace_id: fields.trace_id.describe('hex, 8 to 32 digits'),
  include: z
    .array(z.enum(['logs', 'attributes', 'exemplars', 'links']))
    .max(4)
    .optional(),
  limit: fields.limit.optional(),
  cursor: fields.cursor.optional(),
  ...everywhere,
})

const kindNames = ['', 'internal', 'server', 'client', 'producer', 'consumer'] as const
/** Logs and exemplars may be stamped a little before or after the spans they belong to. */
const aroundMs = 60_000
const maxLines = 500
const maxExemplars = 50
const maxAttributeRows = 1_000

async function fullId(prefix: string, { reader }: ToolContext): Promise<string> {
  const wanted = prefix.toLowerCase()
  if (wanted.length === 32) return wanted
  const found = await reader.findTraces(wanted, 4)
  if (found.length > 1) {
    throw new ArgumentProblem(
      'ambiguous_trace_id',
      `${found.length} or more traces begin with these digits`,
      {
        field: 'trace_id',
        accepted: ['more digits'],
        near: found,
      },
    )
  }
  return found[0] ?? wanted
}

function noTrace(): never {
  throw new ArgumentProblem('no_such_entity', 'no stored trace has this id', {
    field: 'trace_id',
    accepted: ['an id from search_traces, search_logs or an exemplar'],
  })
}

/** Errors first, then the critical path, then what took the most time itself. */
function importanceOf(span: TraceSpan, tree: TraceTree): number {
  const share = tree.durationMs > 0 ? span.selfMs / tree.durationMs : 0
  return (span.failed ? 4 : 0) + (span.parent === 0 ? 3 : 0) + (span.critical ? 2 : 0) + Math.min(1, share)
}

function spanTable(tree: TraceTree): Table {
  return {
    name: 'spans',
    columns: [
      { name: 'n', kind: 'word' },
      { name: 'parent', kind: 'word' },
      { name: 'service', kind: 'svc' },
      { name: 'operation', kind: 'text' },
      { name: 'kind', kind: 'word' },
      { name: 'offset_ms', kind: 'word' },
      { name: 'duration_ms', kind: 'word' },
      { name: 'self_ms', kind: 'word' },
      { name: 'critical', kind: 'word' },
      { name: 'error', kind: 'text' },
      { name: 'peer', kind: 'text' },
    ],
    rows: tree.spans.map(span => ({
      importance: importanceOf(span, tree),
      cells: [
        span.ordinal,
        span.parent,
        span.service,
        span.operation,
        kindNames[span.kind] ?? '',
        span.offsetMs,
        span.durationMs,
        span.selfMs,
        span.critical ? 1 : 0,
        span.failed ? span.errorType || String(span.httpStatus || 'error') : '',
        span.peer,
      ],
    })),
  }
}

function errorTable(tree: TraceTree): Table {
  const failed = tree.spans.filter(span => span.failed)
  return {
    name: 'errors',
    columns: [
      { name: 'n', kind: 'word' },
      { name: 'service', kind: 'svc' },
      { name: 'status_message', kind: 'text' },
      { name: 'exceptions', kind: 'text' },
    ],
    rows: failed.flatMap(span => {
      const { statusMessage, exceptions } = spanDetailOf(span.record)
      if (statusMessage === '' && exceptions.length === 0) return []
      // The deepest error is the one that began it.
      return [
        {
          importance: 6 + Math.min(span.depth, 1_000) / 1_000,
          cells: [span.ordinal, span.service, statusMessage, exceptions.join(' | ')],
        },
      ]
    }),
    paged: false,
  }
}

function serviceTable(tree: TraceTree): Table {
  const services = new Map<string, { spans: number; errors: number; selfMs: number }>()
  for (const span of tree.spans) {
    const entry = services.get(span.service) ?? { spans: 0, errors: 0, selfMs: 0 }
    entry.spans++
    entry.errors += span.failed ? 1 : 0
    entry.selfMs += span.selfMs
    services.set(span.service, entry)
  }
  const sorted = [...services].sort(([a, x], [b, y]) => y.selfMs - x.selfMs || (a < b ? -1 : 1))
  return {
    name: 'services',
    columns: [
      { name: 'service', kind: 'svc' },
      { name: 'spans', kind: 'word' },
      { name: 'errors', kind: 'word' },
      { name: 'self_ms', kind: 'word' },
    ],
    rows: sorted.map(([service, entry], at) => ({
      importance: 5 - Math.min(at, 4) * 0.7 - (at > 4 ? 2 : 0),
      cells: [service, entry.spans, entry.errors, entry.selfMs],
    })),
    paged: false,
  }
}

function attributeTable(tree: TraceTree): Table {
  const rows = tree.spans
    .filter(span => span.failed || span.critical)
    .flatMap(span =>
      spanDetailOf(span.record).attributes.map((attribute: Attribute) => ({
        importance: importanceOf(span, tree) - 1,
        cells: [span.ordinal, attribute.key, valueText(attribute.value)],
      })),
    )
  return {
    name: 'attributes',
    columns: [
      { name: 'n', kind: 'word' },
      { name: 'key', kind: 'text' },
      { name: 'value', kind: 'text' },
    ],
    rows: rows.slice(0, maxAttributeRows),
    more: Math.max(0, rows.length - maxAttributeRows),
    paged: false,
  }
}

function linkTable(tree: TraceTree): Table {
  return {
    name: 'links',
    columns: [
      { name: 'n', kind: 'word' },
      { name: 'linked_trace_id', kind: 'id' },
      { name: 'linked_span_id', kind: 'id' },
    ],
    rows: tree.spans
      .filter(span => span.links > 0)
      .flatMap(span =>
        spanDetailOf(span.record).links.map(link => ({
          importance: 3,
          cells: [span.ordinal, link.traceId, link.spanId],
        })),
      )
      .slice(0, maxAttributeRows),
    paged: false,
  }
}

/** Errors tell more than spans of the critical path, warnings about as much, the rest comes after them. */
function lineImportance(severity: number): number {
  if (severity >= 17) return 3.9
  return severity >= 13 ? 2.2 : 0.8
}

async function logTable(traceId: string, tree: TraceTree, context: ToolContext): Promise<Table> {
  const range = { fromMs: tree.startMs - aroundMs, toMs: tree.startMs + tree.durationMs + aroundMs }
  const { lines, total } = await logsOfTrace(context.reader, traceId, range, maxLines, context.deadline)
  const ordinals = new Map(tree.spans.map(span => [span.spanId, span.ordinal]))
  return {
    name: 'logs',
    columns: [
      { name: 'n', kind: 'word' },
      { name: 'offset_ms', kind: 'word' },
      { name: 'service', kind: 'svc' },
      { name: 'severity', kind: 'word' },
      { name: 'body', kind: 'text' },
    ],
    rows: lines.map(line => ({
      importance: lineImportance(line.severity),
      cells: [
        ordinals.get(line.spanId) ?? 0,
        line.timeMs - tree.startMs,
        line.service,
        severityName(line.severity),
        line.body,
      ],
    })),
    more: total - lines.length,
    paged: false,
  }
}

async function exemplarTable(traceId: string, tree: TraceTree, context: ToolContext): Promise<Table> {
  const range = { fromMs: tree.startMs - aroundMs, toMs: tree.startMs + tree.durationMs + aroundMs }
  const services = [...new Set(tree.spans.map(span => span.service))]
  const points = await findExemplars(
    context.reader,
    { range, services, traceId, limit: maxExemplars },
    context.deadline,
  )
  const ordinals = new Map(tree.spans.map(span => [span.spanId, span.ordinal]))
  return {
    name: 'exemplars',
    columns: [
      { name: 'n', kind: 'word' },
      { name: 'service', kind: 'svc' },
      { name: 'metric', kind: 'metric' },
      { name: 'value', kind: 'word' },
      { name: 'unit', kind: 'text' },
    ],
    rows: points.map(point => ({
      importance: 2,
      cells: [ordinals.get(point.spanId) ?? 0, point.service, point.metric, point.value, point.unit],
    })),
    paged: false,
  }
}

function answerOf(tree: TraceTree): string {
  const failed = tree.spans.filter(span => span.failed)
  const deepest = failed.reduce<TraceSpan | null>(
    (best, span) => (best === null || span.depth > best.depth ? span : best),
    null,
  )
  const slowest = tree.spans.reduce<TraceSpan | null>(
    (best, span) => (best === null || span.selfMs > best.selfMs ? span : best),
    null,
  )
  const size = `${amount(tree.spans.length, 'span')}, ${Math.round(tree.durationMs)} ms from ${formatTime(tree.startMs)}`
  const error =
    deepest === null
      ? 'No span failed.'
      : `${amount(failed.length, 'span')} failed, the deepest in ${showName(deepest.service)} (span ${deepest.ordinal}).`
  const time =
    slowest === null
      ? ''
      : ` Most time of its own: ${showName(slowest.service)} with ${Math.round(slowest.selfMs)} ms (span ${slowest.ordinal}).`
  return `${size}. ${error}${time}`
}

function nextOf(traceId: string, included: readonly string[], tree: TraceTree): readonly NextCall[] {
  const calls: NextCall[] = []
  if (!included.includes('logs'))
    calls.push({
      tool: 'get_trace',
      arguments: { trace_id: traceId, include: ['logs'] },
      why: 'what it wrote',
    })
  const failed = tree.spans.find(span => span.failed)
  if (failed !== undefined)
    calls.push({
      tool: 'get_service_health',
      arguments: {
        service: showName(failed.service),
        from: formatTime(tree.startMs - 900_000),
        to: formatTime(tree.startMs + 900_000),
      },
      why: 'whether this service fails more than usual',
    })
  return calls
}

async function run(args: z.output<typeof input>, context: ToolContext): Promise<Draft> {
  const traceId = await fullId(args.trace_id, context)
  const rows = await context.reader.trace(traceId)
  if (rows === null) return noTrace()
  const tree = readTraceTree(rows)
  context.deadline.check()
  const include = args.include ?? []
  const orphans = tree.spans.filter(span => span.orphan).length
  const clocks = tree.spans.filter(span => span.clockWrong).length
  const tables = [spanTable(tree), errorTable(tree), serviceTable(tree)]
  if (include.includes('logs')) tables.push(await logTable(traceId, tree, context))
  if (include.includes('exemplars')) tables.push(await exemplarTable(traceId, tree, context))
  if (include.includes('attributes')) tables.push(attributeTable(tree))
  if (include.includes('links')) tables.push(linkTable(tree))
  return {
    status: 'ok',
    answer: answerOf(tree),
    facts: {
      trace_id: traceId,
      start: formatTime(tree.startMs),
      duration_ms: tree.durationMs,
      spans: tree.spans.length + tree.cut,
      errors: tree.spans.filter(span => span.failed).length,
      ...(orphans > 0 ? { orphan_spans: orphans } : {}),
      ...(rows.duplicates > 0 ? { merged_duplicates: rows.duplicates } : {}),
    },
    tables,
    touched: { fromMs: tree.startMs - 1, toMs: tree.startMs + tree.durationMs + 1 },
    notes: [
      ...(orphans > 0 ? ['parents of some spans are missing, so the tree is partial'] : []),
      ...(clocks > 0 ? ['some spans ended before they started; their duration is shown as 0'] : []),
      ...(tree.cut > 0 ? [`only the earliest ${tree.spans.length} spans were read`] : []),
    ],
    next: nextOf(traceId, include, tree),
  }
}

export const getTrace: Tool = defineTool({
  name: 'get_trace',
  title: 'One trace',
  description:
    'One trace: what failed, what took the time, critical path and spans (flat, parent by number). The id may be its first 8 or more digits. Logs, exemplars, attributes and links on request.',
  input,
  examples: [
    { trace_id: '4bf92f3577b34da6a3ce929d0e0e4736' },
    { trace_id: '4bf92f35', include: ['logs', 'attributes'], max_tokens: 6000 },
  ],
  maxTokens: 4_000,
  rows: 1_000,
  window: 'none',
  memo: false,
  run,
})
