import { z } from 'zod'
import { type MapEdge, type MapService, type ServiceMap, serviceMap } from '../graph/service-map.ts'
import type { Draft, NextCall, Table } from './answer/draft.ts'
import { explainEmptiness } from './answer/show-coverage.ts'
import { formatTime } from './arguments/time-argument.ts'
import { compared, everywhere, fields } from './arguments/vocabulary.ts'
import { openTotals } from './reading/compared-views.ts'
import { optionalService } from './reading/service-names.ts'
import { amount } from './text/amount.ts'
import { failsAsBefore } from './text/lasting-errors.ts'
import { showName } from './text/name.ts'
import { defineTool, type Tool, type ToolContext } from './tool.ts'

const input = z.strictObject({
  service: fields.service.optional().describe('focus'),
  depth: z.int().min(1).max(10).optional().describe('calls away from the focus, default 1'),
  ...compared,
  limit: fields.limit.optional(),
  cursor: fields.cursor.optional(),
  ...everywhere,
})

/** What is unwell stays longest, then what is busy. */
const worry: Readonly<Record<MapService['health'], number>> = {
  failing: 4,
  quiet: 3,
  slow: 2,
  unknown: 0.5,
  healthy: 0,
}

const busy = (requests: number): number => Math.log10(requests + 1) / 10

function serviceTable(services: readonly MapService[]): Table {
  return {
    name: 'services',
    columns: [
      { name: 'service', kind: 'svc' },
      { name: 'health', kind: 'word' },
      { name: 'entry_point', kind: 'word' },
      { name: 'sends_telemetry', kind: 'word' },
      { name: 'per_s', kind: 'word' },
      { name: 'error_pct', kind: 'word' },
      { name: 'p50_ms', kind: 'word' },
      { name: 'p95_ms', kind: 'word' },
      { name: 'self_ms_per_request', kind: 'word' },
    ],
    rows: services.map(one => ({
      importance: 10 + worry[one.health] + busy(one.requests),
      cells: [
        one.service,
        one.health,
        one.entryPoint,
        !one.peer,
        one.perS,
        one.errorPct,
        one.p50Ms,
        one.p95Ms,
        one.selfMsPerRequest,
      ],
    })),
  }
}

function edgeTable(edges: readonly MapEdge[]): Table {
  return {
    name: 'edges',
    columns: [
      { name: 'caller', kind: 'svc' },
      { name: 'callee', kind: 'svc' },
      { name: 'connection', kind: 'word' },
      { name: 'health', kind: 'word' },
      { name: 'per_s', kind: 'word' },
      { name: 'error_pct', kind: 'word' },
      { name: 'p95_ms', kind: 'word' },
      { name: 'gap_ms_per_call', kind: 'word' },
    ],
    rows: edges.map(edge => ({
      importance: 5 + worry[edge.health] * 2 + busy(edge.requests),
      cells: [
        edge.caller,
        edge.callee,
        edge.connection,
        edge.health,
        edge.perS,
        edge.errorPct,
        edge.p95Ms,
        edge.gapMsPerCall,
      ],
    })),
  }
}

function sentenceOf(map: ServiceMap): string {
  const unwell = map.services.filter(one => worry[one.health] > 1)
  const named = unwell.slice(0, 4).map(one => `${showName(one.service)} ${one.health}`)
  const more = unwell.length > named.length ? ` and ${unwell.length - named.length} more` : ''
  const known = knownHealth(map)
  const calm = known === 0 ? 'too little to compare with' : 'none of them unwell against the baseline'
  const state = unwell.length === 0 ? calm : `${named.join(', ')}${more}`
  const dark = map.services.length - known
  const note = dark > 0 && known > 0 ? ` Health of ${dark} is unknown: too little to compare with.` : ''
  return `${amount(map.services.length, 'service')}, ${amount(map.edges.length, 'call edge')}: ${state}.${lastingErrors(map)}${note}`
}

/** Errors that the baseline had, too, count as healthy; they are said beside. */
function lastingErrors(map: ServiceMap): string {
  const alike = map.services
    .filter(one => failsAsBefore(one.health, one.errorPct))
    .sort((a, b) => (b.errorPct ?? 0) - (a.errorPct ?? 0))
  const named = alike.slice(0, 4).map(one => `${showName(one.service)} ${one.errorPct ?? 0} %`)
  const more = alike.length > named.length ? ` and ${alike.length - named.length} more` : ''
  return alike.length === 0 ? '' : ` Failing as in the baseline: ${named.join(', ')}${more}.`
}

/** Services whose health could be judged. */
function knownHealth(map: ServiceMap): number {
  return map.services.filter(one => one.health !== 'unknown').length
}

function nextOf(map: ServiceMap, context: ToolContext): readonly NextCall[] {
  const worst = map.services[0]
  if (worst === undefined || worry[worst.health] < 1) return []
  const range = { from: formatTime(context.window.fromMs), to: formatTime(context.window.toMs) }
  return [
    { tool: 'investigate', arguments: range, why: 'the cause' },
    {
      tool: 'get_service_health',
      arguments: { service: showName(worst.service), ...range },
      why: 'the most worrying service',
    },
  ]
}

async function run(args: z.output<typeof input>, context: ToolContext): Promise<Draft> {
  const { reader, window, deadline } = context
  const focus = await optionalService(args.service, reader, window)
  const totals = await openTotals(context, ['service', 'edge'])
  const views = { window: totals.window.view, baseline: totals.baseline.view }
  const map = serviceMap(views, {
    ...(focus === undefined ? {} : { focus }),
    ...(args.depth === undefined ? {} : { depth: args.depth }),
  })
  deadline.check()
  if (map.services.every(one => one.requests === 0) && map.edges.length === 0) {
    const { status, because } = await explainEmptiness(reader, window, ['traces', 'metrics'])
    return { status, answer: `No request in this window: ${because}.`, window }
  }
  const unwell = map.services.some(one => worry[one.health] > 1 || failsAsBefore(one.health, one.errorPct))
  return {
    // What could not be judged is not healthy.
    status: unwell || knownHealth(map) < map.services.length ? 'ok' : 'healthy',
    answer: sentenceOf(map),
    tables: [serviceTable(map.services), edgeTable(map.edges)].filter(table => table.rows.length > 0),
    window,
    baseline: totals.baselineRange,
    read: { windows: totals.window.windows, window_s: totals.window.windowSeconds },
    notes: map.silentEdges > 0 ? [`${map.silentEdges} edges were used only before the window`] : [],
    next: nextOf(map, context),
  }
}

export const getServiceMap: Tool = defineTool({
  name: 'get_service_map',
  title: 'Services and their calls',
  description:
    'Services and call edges with rate, errors, latency and health against the baseline; also databases and other peers without telemetry. Any past time; focus and depth.',
  input,
  examples: [{}, { service: 'checkout', depth: 2, from: 'now-15m' }],
  maxTokens: 2_000,
  rows: 200,
  window: 'compared',
  memo: true,
  run,
})
