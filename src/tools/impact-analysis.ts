import { z } from 'zod'
import { type BlastRadius, blastRadius } from '../graph/blast-radius.ts'
import type { Spread } from '../graph/scenario/spread.ts'
import type { Draft, NextCall, Table } from './answer/draft.ts'
import { explainEmptiness } from './answer/show-coverage.ts'
import { ArgumentProblem } from './arguments/problem.ts'
import { formatTime } from './arguments/time-argument.ts'
import { everywhere, fields, windowed } from './arguments/vocabulary.ts'
import { parseScenario, playScenario, scenarioForm } from './reading/scenario.ts'
import { scenarioDraft } from './reading/scenario-answer.ts'
import { requireService } from './reading/service-names.ts'
import { spreadThrough } from './reading/traces-through.ts'
import { amount } from './text/amount.ts'
import { showName } from './text/name.ts'
import { defineTool, type Tool, type ToolContext } from './tool.ts'

const input = z.strictObject({
  service: fields.service,
  scenario: z
    .string()
    .regex(scenarioForm, 'fails, or a latency such as +300ms or +2s')
    .optional()
    .describe('"fails", or "+300ms": replays stored traces as if'),
  operation: fields.operation.optional(),
  ...windowed,
  ...everywhere,
})

function callerTable(radius: BlastRadius): Table {
  return {
    name: 'callers',
    columns: [
      { name: 'service', kind: 'svc' },
      { name: 'entry_point', kind: 'word' },
      { name: 'calls_away', kind: 'word' },
      { name: 'requests', kind: 'word' },
      { name: 'exposed_pct', kind: 'word' },
      { name: 'exposed_requests', kind: 'word' },
    ],
    rows: radius.callers.map((caller, at) => ({
      importance: (caller.entryPoint ? 60 : 50) - at * 0.1,
      cells: [
        caller.service,
        caller.entryPoint,
        caller.distance,
        caller.requests,
        caller.exposedShare === null ? null : Math.round(caller.exposedShare * 1_000) / 10,
        caller.exposedRequests,
      ],
    })),
    paged: false,
  }
}

function edgeTable(radius: BlastRadius, measured: readonly Spread[]): Table {
  const byEdge = new Map(measured.map(one => [`${one.caller}\n${one.callee}`, one]))
  return {
    name: 'edges',
    columns: [
      { name: 'caller', kind: 'svc' },
      { name: 'callee', kind: 'svc' },
      { name: 'connection', kind: 'word' },
      { name: 'calls_per_request', kind: 'word' },
      { name: 'failed_calls', kind: 'word' },
      { name: 'callee_failed', kind: 'word' },
      { name: 'caller_failed_too', kind: 'word' },
      { name: 'probability', kind: 'word' },
      { name: 'low', kind: 'word' },
      { name: 'high', kind: 'word' },
      { name: 'probability_otherwise', kind: 'word' },
    ],
    rows: radius.edges.map((edge, at) => {
      const seen = byEdge.get(`${edge.caller}\n${edge.callee}`)
      return {
        importance: 40 + (seen?.probability ?? 0) - at * 0.1,
        cells: [
          edge.caller,
          edge.callee,
          edge.connection,
          edge.callsPerRequest,
          edge.failedCalls,
          seen?.calleeFailed ?? 0,
          seen?.callerFailed ?? 0,
          seen?.probability ?? null,
          seen?.probability == null ? null : seen.low,
          seen?.probability == null ? null : seen.high,
          seen?.otherwise ?? null,
        ],
      }
    }),
    paged: false,
  }
}

function sentenceOf(service: string, radius: BlastRadius, measured: readonly Spread[]): string {
  const callers = radius.callers.filter(caller => caller.distance > 0)
  if (callers.length === 0) return `Nobody is seen calling ${showName(service)} in this window.`
  const entries = callers.filter(caller => caller.entryPoint)
  const worst = entries.toSorted((a, b) => (b.exposedRequests ?? 0) - (a.exposedRequests ?? 0))[0]
  const share =
    worst?.exposedShare == null
      ? ''
      : `; of the requests to ${showName(worst.service)} ${Math.round(worst.exposedShare * 100)} % pass through it`
  const spread = measured.filter(one => one.callee === service && one.probability !== null)
  const likely = spread.toSorted(
    (a, b) => (b.probability ?? 0) - (a.probability ?? 0) || (a.caller < b.caller ? -1 : 1),
  )[0]
  const measuredText =
    likely === undefined
      ? ' No failure of it was seen, so how failures spread is not measured.'
      : ` When it failed, ${showName(likely.caller)} failed too in ${likely.callerFailed} of ${likely.calleeFailed} requests.`
  return `${amount(callers.length, 'service depends', 'services depend')} on ${showName(service)}, ${amount(entries.length, 'of them an entry point', 'of them entry points')}${share}.${measuredText}`
}

function nextOf(service: string, radius: BlastRadius, { window }: ToolContext): readonly NextCall[] {
  const caller = radius.callers.find(one => one.distance > 0)
  if (caller === undefined) return []
  const range = { from: formatTime(window.fromMs), to: formatTime(window.toMs) }
  return [
    {
      tool: 'get_service_health',
      arguments: { service: showName(caller.service), ...range },
      why: 'whether the most exposed caller suffers now',
    },
    {
      tool: 'search_traces',
      arguments: { service: showName(service), status: 'error', limit: 5, ...range },
      why: 'its failures in whole traces',
    },
  ]
}

function lonelyOperation(): ArgumentProblem {
  return new ArgumentProblem('missing_argument', 'operation says what a scenario is about, so it needs one', {
    field: 'scenario',
    accepted: ['fails', '+300ms'],
    example: 'fails',
  })
}

async function run(args: z.output<typeof input>, context: ToolContext): Promise<Draft> {
  const { reader, window, deadline } = context
  if (args.operation !== undefined && args.scenario === undefined) throw lonelyOperation()
  const service = await requireService(args.service, reader, window)
  const { view } = await reader.totals(window, 10, ['service', 'edge'])
  deadline.check()
  const radius = blastRadius(view, service)
  const itself = radius.callers[0]
  if (radius.callers.length <= 1 && (itself?.requests ?? 0) === 0) {
    const { status, because } = await explainEmptiness(reader, window, ['traces', 'metrics'])
    return { status, answer: `No call to ${showName(service)} in this window: ${because}.`, window }
  }
  const played =
    args.scenario === undefined
      ? null
      : await playScenario(service, args.operation, parseScenario(args.scenario), context)
  const scenario = played === null ? null : scenarioDraft(played, window)
  if (scenario !== null) return scenario
  const { spread: measured, traces } = await spreadThrough(service, context)
  const unplayed = played === null ? '' : 'Not replayed: no request from outside was read that leads to it. '
  return {
    status: 'ok',
    answer: `${unplayed}${sentenceOf(service, radius, measured)}`,
    tables: [callerTable(radius), edgeTable(radius, measured)].filter(table => table.rows.length > 0),
    window,
    read: { traces },
    notes: [
      'exposed shares come from calls per request and take the edges of one caller as independent',
      'callee_failed: requests of the caller whose calls to it all failed; low, high: 95 % interval of probability',
    ],
    next: nextOf(service, radius, context),
  }
}

export const impactAnalysis: Tool = defineTool({
  name: 'impact_analysis',
  title: 'Who suffers if a service fails',
  description:
    'Who suffers if this service (or database, or peer) fails: callers up to entry points, share of their requests that pass through it, measured chance that its failure becomes theirs. With scenario: share of requests from outside that would fail, or how much later they would end, by entry point.',
  input,
  examples: [
    { service: 'payment', from: 'now-1h' },
    { service: 'payment', scenario: 'fails' },
    { service: 'payment', scenario: '+300ms', operation: 'POST /charge' },
  ],
  maxTokens: 2_000,
  rows: 1_000,
  window: 'window',
  memo: true,
  run,
})
