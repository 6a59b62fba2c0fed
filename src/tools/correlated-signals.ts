import { z } from 'zod'
import { correlateRanks, neededZ, ranksOf } from '../graph/similar/correlation.ts'
import type { RollupView } from '../model/rollup.ts'
import type { Draft, NextCall, Table } from './answer/draft.ts'
import { explainEmptiness } from './answer/show-coverage.ts'
import { formatTime } from './arguments/time-argument.ts'
import { everywhere, fields, windowed } from './arguments/vocabulary.ts'
import { requireService } from './reading/service-names.ts'
import { listSignals, type Signal, type SignalKind, signalKinds } from './reading/signal-series.ts'
import { showName } from './text/name.ts'
import { defineTool, type Tool, type ToolContext } from './tool.ts'

const input = z.strictObject({
  service: fields.service,
  signal: z
    .enum(signalKinds)
    .optional()
    .describe('of the service; default: errors if there are any, else latency'),
  ...windowed,
  limit: fields.limit.optional(),
  cursor: fields.cursor.optional(),
  ...everywhere,
})

type Arguments = z.output<typeof input>

/** How far signals may lie apart, seconds: an alarm of a queue, a cache that runs empty. */
const maxLagSeconds = 60
/** Signals compared: about a second of work for an hour. */
const maxSignals = 4_000
/** Windows below which ranks say nothing. */
const minWindows = 12

interface Related {
  readonly signal: Signal
  readonly rho: number
  readonly lagSeconds: number
  readonly pairs: number
  /** Over what chance allows among all that was compared: 1 is just enough. */
  readonly strength: number
}

function relatedTo(
  target: Signal,
  others: readonly Signal[],
  view: RollupView,
  check: () => void,
): readonly Related[] {
  const maxLag = Math.max(1, Math.floor(maxLagSeconds / view.stepSeconds))
  const needed = neededZ(others.length * (2 * maxLag + 1))
  const own = ranksOf(target.values)
  const related: Related[] = []
  for (const [at, signal] of others.entries()) {
    if (at % 64 === 0) check()
    const found = correlateRanks(own, ranksOf(signal.values), maxLag)
    if (found === null || Math.abs(found.z) < needed) continue
    related.push({
      signal,
      rho: Math.round(found.rho * 1_000) / 1_000,
      lagSeconds: found.lag * view.stepSeconds,
      pairs: found.pairs,
      strength: Math.round((Math.abs(found.z) / needed) * 100) / 100,
    })
  }
  return related.sort((a, b) => b.strength - a.strength || (a.signal.id < b.signal.id ? -1 : 1))
}

function signalTable(related: readonly Related[]): Table {
  return {
    name: 'signals',
    columns: [
      { name: 'service', kind: 'svc' },
      { name: 'of', kind: 'word' },
      { name: 'signal', kind: 'word' },
      { name: 'rho', kind: 'word' },
      { name: 'lag_s', kind: 'word' },
      { name: 'windows', kind: 'word' },
      { name: 'strength', kind: 'word' },
      { name: 'name', kind: 'text' },
    ],
    rows: related.map(({ signal, rho, lagSeconds, pairs, strength }, at) => ({
      importance: -at,
      cells: [signal.service, signal.of, signal.kind, rho, lagSeconds, pairs, strength, signal.name],
    })),
  }
}

function chooseTarget(own: readonly Signal[], wanted: SignalKind | undefined): Signal | undefined {
  const of = (kind: SignalKind) => own.find(signal => signal.kind === kind)
  if (wanted !== undefined) return of(wanted)
  const errors = of('errors')
  return errors?.values.some(value => value > 0) === true ? errors : of('latency')
}

/** Its own signals, then those of its callers and callees, then all others; each in their order. */
function nearestFirst(signals: readonly Signal[], service: string, view: RollupView): readonly Signal[] {
  const neighbours = new Set(view.series('edge', service).flatMap(({ key }) => key.slice(0, 2)))
  const distance = (one: Signal) => (one.service === service ? 0 : neighbours.has(one.service) ? 1 : 2)
  return signals.toSorted((a, b) => distance(a) - distance(b))
}

function nextOf(target: Signal, { window }: ToolContext): readonly NextCall[] {
  const range = { from: formatTime(window.fromMs), to: formatTime(window.toMs) }
  return [
    {
      tool: 'investigate',
      arguments: { service: showName(target.service), ...range },
      why: 'causes, by more than moving together',
    },
  ]
}

async function run(args: Arguments, context: ToolContext): Promise<Draft> {
  const { reader, window, deadline, similarEntries } = context
  const service = await requireService(args.service, reader, window)
  const view = await reader.rollups(window)
  deadline.check()
  const all = listSignals(view, await reader.templates())
  const target = chooseTarget(
    all.filter(signal => signal.of === 'service' && signal.service === service),
    args.signal,
  )
  if (target === undefined) {
    const { status, because } = await explainEmptiness(reader, window, ['traces'])
    return { status, answer: `No requests to ${showName(service)} in this window; ${because}.`, window }
  }
  const others = nearestFirst(
    all.filter(signal => signal.id !== target.id),
    service,
    view,
  ).slice(0, Math.min(maxSignals, similarEntries))
  const windows = target.values.filter(value => !Number.isNaN(value)).length
  const related = relatedTo(target, others, view, () => deadline.check())
  const before = related.filter(one => one.lagSeconds < 0).length
  const what = `${target.kind} of ${showName(service)}`
  return {
    status: 'ok',
    answer:
      windows < minWindows
        ? `${windows} windows of ${view.stepSeconds} s with a value of ${what} are too few to say what moves with it.`
        : `${related.length} of ${others.length} signals move with ${what} beyond chance, ${before} of them before it.`,
    tables: windows < minWindows || related.length === 0 ? [] : [signalTable(related)],
    window,
    read: { windows, window_s: view.stepSeconds, signals: others.length },
    notes: [
      'rho: rank correlation at the lag where it is surest; a positive lag_s comes after; moving together is no proof of a cause',
      ...(others.length < all.length - 1
        ? [
            'only signals of the nearest services were compared: its own, those of callers and callees, others',
          ]
        : []),
    ],
    next: windows < minWindows ? [] : nextOf(target, context),
  }
}

export const correlatedSignals: Tool = defineTool({
  name: 'correlated_signals',
  title: 'What moves together with a service',
  description:
    'Requests, errors and latency of services and calls, log templates and metrics that go up and down with a signal of this service, or shortly before or after it, beyond what chance explains.',
  input,
  examples: [
    { service: 'checkout', from: 'now-1h' },
    { service: 'checkout', signal: 'latency' },
  ],
  maxTokens: 2_000,
  rows: 30,
  window: 'window',
  memo: false,
  run,
})
