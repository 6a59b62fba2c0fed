import { z } from 'zod'
import type { RequestSummary } from '../graph/request-summary.ts'
import { type ServiceHealth, serviceHealth } from '../graph/service-health.ts'
import type { MapEdge } from '../graph/service-map.ts'
import type { Draft, NextCall, Table } from './answer/draft.ts'
import { explainEmptiness } from './answer/show-coverage.ts'
import { formatTime } from './arguments/time-argument.ts'
import { compared, everywhere, fields } from './arguments/vocabulary.ts'
import { openViews } from './reading/compared-views.ts'
import { withoutDailyRhythm } from './reading/daily-rhythm.ts'
import { severityName } from './reading/log-lines.ts'
import { requireService } from './reading/service-names.ts'
import { failsAsBefore } from './text/lasting-errors.ts'
import { showName } from './text/name.ts'
import { defineTool, type Tool, type ToolContext } from './tool.ts'

const input = z.strictObject({
  service: fields.service,
  ...compared,
  ...everywhere,
})

const kindNames = ['', 'internal', 'server', 'client', 'producer', 'consumer'] as const
const unwell = new Set(['failing', 'slow', 'quiet'])
/** Deviations of a metric from its baseline that are worth a row before the others. */
const unusual = 4

function operationTable(health: ServiceHealth): Table {
  return {
    name: 'operations',
    columns: [
      { name: 'operation', kind: 'text' },
      { name: 'kind', kind: 'word' },
      { name: 'health', kind: 'word' },
      { name: 'per_s', kind: 'word' },
      { name: 'error_pct', kind: 'word' },
      { name: 'error_pct_before', kind: 'word' },
      { name: 'p95_ms', kind: 'word' },
      { name: 'p95_ms_before', kind: 'word' },
      { name: 'self_ms', kind: 'word' },
    ],
    rows: health.operations.map((one, at) => ({
      importance: (unwell.has(one.health) ? 80 : 40) - at * 0.5,
      cells: [
        one.operation,
        kindNames[one.kind] ?? '',
        one.health,
        one.perS,
        one.errorPct,
        one.baseline?.errorPct ?? null,
        one.p95Ms,
        one.baseline?.p95Ms ?? null,
        one.selfMsPerCall,
      ],
    })),
    paged: false,
  }
}

function edgeTable(name: 'callers' | 'callees', edges: readonly MapEdge[]): Table {
  return {
    name,
    columns: [
      { name: 'service', kind: 'svc' },
      { name: 'connection', kind: 'word' },
      { name: 'health', kind: 'word' },
      { name: 'per_s', kind: 'word' },
      { name: 'error_pct', kind: 'word' },
      { name: 'p95_ms', kind: 'word' },
      { name: 'gap_ms_per_call', kind: 'word' },
    ],
    rows: edges.map((edge, at) => ({
      importance: (unwell.has(edge.health) ? 75 : 45) - at * 0.5,
      cells: [
        name === 'callers' ? edge.caller : edge.callee,
        edge.connection,
        edge.health,
        edge.perS,
        edge.errorPct,
        edge.p95Ms,
        edge.gapMsPerCall,
      ],
    })),
    paged: false,
  }
}

function instanceTable(health: ServiceHealth): Table {
  return {
    name: 'instances',
    columns: [
      { name: 'instance', kind: 'text' },
      { name: 'version', kind: 'text' },
      { name: 'per_s', kind: 'word' },
      { name: 'error_pct', kind: 'word' },
      { name: 'p95_ms', kind: 'word' },
    ],
    rows: health.instances.map((one, at) => ({
      importance: 42 - at * 0.5,
      cells: [one.instance, one.version, one.perS, one.errorPct, one.p95Ms],
    })),
    paged: false,
  }
}

function metricTable(health: ServiceHealth): Table {
  return {
    name: 'metrics',
    columns: [
      { name: 'metric', kind: 'metric' },
      { name: 'value', kind: 'word' },
      { name: 'usual', kind: 'word' },
      { name: 'max', kind: 'word' },
      { name: 'deviations', kind: 'word' },
      { name: 'unit', kind: 'text' },
      { name: 'series', kind: 'text' },
    ],
    rows: health.metrics.map((one, at) => ({
      importance: (Math.abs(one.deviations ?? 0) >= unusual ? 70 : 30) - at * 0.5,
      cells: [
        one.metric,
        one.value,
        one.baselineValue,
        one.max,
        one.deviations,
        one.unit,
        [one.instance, one.attributes].filter(part => part !== '').join(' '),
      ],
    })),
    paged: false,
  }
}

function templateTable(health: ServiceHealth): Table {
  return {
    name: 'templates',
    columns: [
      { name: 'severity', kind: 'word' },
      { name: 'count', kind: 'word' },
      { name: 'expected', kind: 'word' },
      { name: 'template_id', kind: 'id' },
      { name: 'pattern', kind: 'text' },
    ],
    rows: health.templates.map((one, at) => ({
      importance: 72 - at,
      cells: [
        severityName(one.severity),
        one.count,
        one.expectedCount === null ? null : Math.round(one.expectedCount * 10) / 10,
        one.templateId,
        one.pattern,
      ],
    })),
    paged: false,
  }
}

function anomalyTable(health: ServiceHealth): Table {
  return {
    name: 'anomalies',
    columns: [
      { name: 'onset', kind: 'time' },
      { name: 'end', kind: 'time' },
      { name: 'kind', kind: 'word' },
      { name: 'of', kind: 'word' },
      { name: 'usual', kind: 'word' },
      { name: 'seen', kind: 'word' },
      { name: 'name', kind: 'text' },
    ],
    rows: health.anomalies.map((one, at) => ({
      importance: 78 - at,
      cells: [one.onsetMs, one.endMs, one.kind, one.of, one.baselineValue, one.value, one.name],
    })),
    paged: false,
  }
}

function changeTable(health: ServiceHealth): Table {
  return {
    name: 'changes',
    columns: [
      { name: 'change', kind: 'word' },
      { name: 'at', kind: 'time' },
      { name: 'count', kind: 'word' },
      { name: 'name', kind: 'text' },
      { name: 'text', kind: 'text' },
    ],
    rows: health.changes.map((one, at) => ({
      importance: 74 - at,
      cells: [one.kind, one.atMs, one.count, one.name, one.text],
    })),
    paged: false,
  }
}

/** SeverityNumber of ERROR and above. */
const errorSeverity = 17

/** Error templates that came more often than the baseline makes one expect, by more than chance. */
function unusualErrors(health: ServiceHealth): number {
  return health.templates.filter(one => {
    const expected = one.expectedCount ?? one.count
    return one.severity >= errorSeverity && one.count > expected + 4 * Math.sqrt(expected + 1)
  }).length
}

function sentenceOf(health: ServiceHealth): string {
  const show = (summary: RequestSummary): string =>
    `${summary.perS} requests per s, ${summary.errorPct ?? 0} % errors, p95 ${summary.p95Ms ?? 'unknown'} ms`
  const usual =
    health.baseline !== null && health.baseline.requests > 0 ? `; before: ${show(health.baseline)}` : ''
  const name = showName(health.service)
  const sick = [...health.callees].filter(edge => unwell.has(edge.health)).map(edge => showName(edge.callee))
  const below = sick.length > 0 ? ` Calls to ${[...new Set(sick)].slice(0, 3).join(', ')} are unwell.` : ''
  const errors = unusualErrors(health)
  const logs = errors > 0 ? ` Error log templates above their usual count: ${errors}.` : ''
  if (health.requests.requests === 0)
    return `${name} had no requests in this window (${health.health})${usual}.${below}${logs}`
  const lasting = failsAsBefore(health.health, health.requests.errorPct)
  const state = lasting ? 'failing as it did in the baseline' : health.health
  return `${name} is ${state}: ${show(health.requests)}${usual}.${below}${logs}`
}

function isWell(health: ServiceHealth): boolean {
  return health.health === 'healthy' && health.anomalies.length === 0 && unusualErrors(health) === 0
}

function nextOf(health: ServiceHealth, { window }: ToolContext): readonly NextCall[] {
  if (isWell(health)) return []
  const range = { from: formatTime(window.fromMs), to: formatTime(window.toMs) }
  const service = showName(health.service)
  return [
    { tool: 'investigate', arguments: { service, ...range }, why: 'the cause' },
    {
      tool: 'search_traces',
      arguments: {
        service,
        ...(health.health === 'failing' ? { status: 'error' } : { order: 'slowest' }),
        limit: 5,
        ...range,
      },
      why: 'requests that show it',
    },
    { tool: 'impact_analysis', arguments: { service, ...range }, why: 'who suffers' },
  ]
}

async function run(args: z.output<typeof input>, context: ToolContext): Promise<Draft> {
  const { reader, window, deadline } = context
  const service = await requireService(args.service, reader, window)
  const views = await openViews(context)
  const templates = await reader.templates()
  const found = serviceHealth(views, service, { templates, check: () => deadline.check() })
  if (found === null) {
    const { status, because } = await explainEmptiness(reader, window, ['traces', 'logs', 'metrics'])
    return { status, answer: `${showName(service)} is known, but not in this window: ${because}.`, window }
  }
  const { anomalies, notes } = await withoutDailyRhythm(context, views, found.anomalies)
  const health = { ...found, anomalies }
  const well = isWell(health)
  return {
    status: well && !failsAsBefore(health.health, health.requests.errorPct) ? 'healthy' : 'ok',
    answer: sentenceOf(health),
    facts: {
      health: health.health,
      requests: health.requests.requests,
      p50_ms: health.requests.p50Ms,
      p99_ms: health.requests.p99Ms,
      max_ms: health.requests.maxMs,
    },
    tables: [
      operationTable(health),
      edgeTable('callers', health.callers),
      edgeTable('callees', health.callees),
      anomalyTable(health),
      templateTable(health),
      changeTable(health),
      metricTable(health),
      instanceTable(health),
    ].filter(table => table.rows.length > 0),
    window,
    baseline: views.baselineRange,
    read: { windows: views.window.length, window_s: views.window.stepSeconds },
    notes,
    next: nextOf(health, context),
  }
}

export const getServiceHealth: Tool = defineTool({
  name: 'get_service_health',
  title: 'One service against its baseline',
  description:
    'One service: requests, errors, latency per operation, callers, callees, instances, its own metrics, log templates, anomalies and changes, each against the baseline.',
  input,
  examples: [{ service: 'checkout' }, { service: 'checkout', from: '-2h', to: '-1h' }],
  maxTokens: 2_000,
  rows: 1_000,
  window: 'compared',
  memo: true,
  run,
})
