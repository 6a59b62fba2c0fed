import { z } from 'zod'
import type { Overflow } from '../model/overflow.ts'
import type { IngestCounter } from '../model/reader.ts'
import type { Receiver } from '../model/receiver.ts'
import type { RollupKind } from '../model/rollup.ts'
import type { Signal } from '../model/telemetry.ts'
import type { Draft, NextCall, Table } from './answer/draft.ts'
import { formatTime } from './arguments/time-argument.ts'
import { everywhere, fields, windowed } from './arguments/vocabulary.ts'
import { optionalService } from './reading/service-names.ts'
import { showName } from './text/name.ts'
import { defineTool, type Tool, type ToolContext } from './tool.ts'

/** Without `as_of`: what it tells is the state of this process, which no position in the data brings back. */
const input = z.strictObject({
  service: fields.service.optional(),
  ...windowed,
  max_tokens: everywhere.max_tokens,
  tenant: everywhere.tenant,
})

/** Silence that is worth a word: several export intervals of any SDK. */
const quietMs = 5 * 60_000

interface Hop {
  /** What the data is past this hop, as "not received: …" says it where the hop is broken. */
  readonly hop: string
  readonly broken: boolean
  readonly remedy: string
}

interface ServiceCounts {
  spans: number
  logs: number
  points: number
}

/** Which rollups count the items of a signal. */
const counted: readonly (readonly [RollupKind, keyof ServiceCounts])[] = [
  ['operation', 'spans'],
  ['severity', 'logs'],
  ['metric', 'points'],
]

async function servicesSeen(
  { reader, window }: ToolContext,
  only: string | undefined,
): Promise<ReadonlyMap<string, ServiceCounts>> {
  const view = await reader.rollups(window)
  const seen = new Map<string, ServiceCounts>()
  for (const [kind, member] of counted) {
    for (const series of view.series(kind, only)) {
      const service = series.key[0] ?? ''
      const entry = seen.get(service) ?? { spans: 0, logs: 0, points: 0 }
      entry[member] += series.count.reduce((sum, count) => sum + count, 0)
      seen.set(service, entry)
    }
  }
  return seen
}

function serviceTable(seen: ReadonlyMap<string, ServiceCounts>): Table {
  const sorted = [...seen].sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    name: 'services',
    columns: [
      { name: 'service', kind: 'svc' },
      { name: 'spans', kind: 'word' },
      { name: 'log_records', kind: 'word' },
      { name: 'metric_points', kind: 'word' },
    ],
    rows: sorted.map(([service, counts]) => ({
      // Services that lack a signal are what one looks for.
      importance: [counts.spans, counts.logs, counts.points].filter(count => count === 0).length,
      cells: [service, counts.spans, counts.logs, counts.points],
    })),
  }
}

function receiverTable(receivers: readonly Receiver[]): Table {
  return {
    name: 'receivers',
    columns: [
      { name: 'transport', kind: 'word' },
      { name: 'address', kind: 'name' },
      { name: 'problem', kind: 'text' },
    ],
    rows: receivers.map(receiver => ({
      importance: 20,
      cells: [receiver.transport, receiver.address, receiver.problem],
    })),
    paged: false,
  }
}

function counterTable(counters: readonly IngestCounter[]): Table {
  const sorted = counters.toSorted(
    (a, b) =>
      (a.tenant < b.tenant ? -1 : a.tenant > b.tenant ? 1 : 0) ||
      (a.signal < b.signal ? -1 : a.signal > b.signal ? 1 : 0) ||
      (a.transport < b.transport ? -1 : 1),
  )
  return {
    name: 'received_since_start',
    columns: [
      { name: 'tenant', kind: 'name' },
      { name: 'signal', kind: 'word' },
      { name: 'transport', kind: 'word' },
      { name: 'requests', kind: 'word' },
      { name: 'accepted_items', kind: 'word' },
      { name: 'rejected_items', kind: 'word' },
      { name: 'duplicate_requests', kind: 'word' },
      { name: 'told_to_retry', kind: 'word' },
      { name: 'invalid_requests', kind: 'word' },
      { name: 'last_accepted', kind: 'time' },
      { name: 'last_problem', kind: 'text' },
    ],
    rows: sorted.map(counter => ({
      importance: 10 + (counter.rejected + counter.invalid + counter.refusedRetry > 0 ? 1 : 0),
      cells: [
        counter.tenant,
        counter.signal,
        counter.transport,
        counter.requests,
        counter.accepted,
        counter.rejected,
        counter.duplicates,
        counter.refusedRetry,
        counter.invalid,
        counter.lastAcceptedMs === 0 ? null : counter.lastAcceptedMs,
        counter.lastProblem,
      ],
    })),
    paged: false,
  }
}

/** Bounds of the graph that were reached since the start; what was over them is stored, and counted as `_overflow`. */
function overflowTable(overflows: readonly Overflow[]): Table {
  const sorted = overflows.toSorted((a, b) => b.count - a.count || (a.tenant < b.tenant ? -1 : 1))
  return {
    name: 'over_limits',
    columns: [
      { name: 'tenant', kind: 'name' },
      { name: 'limit', kind: 'word' },
      { name: 'folded', kind: 'word' },
      { name: 'top_offenders', kind: 'text' },
    ],
    rows: sorted.slice(0, 20).map(({ tenant, limit, count, offenders }) => ({
      importance: 9,
      cells: [tenant, limit, count, offenders.map(one => `${one.name} (${one.count})`).join(', ')],
    })),
    paged: false,
  }
}

const sum = (counters: readonly IngestCounter[], member: (counter: IngestCounter) => number): number =>
  counters.reduce((total, counter) => total + member(counter), 0)

function sendTo(receivers: readonly Receiver[]): string {
  const addresses = receivers.map(receiver => `${receiver.transport} ${receiver.address}`)
  return addresses.length > 0 ? addresses.join(', ') : 'gRPC 4317, HTTP 4318'
}

/** The way of a request, hop by hop; the first broken one is the answer. */
function hopsOf(
  receivers: readonly Receiver[],
  counters: readonly IngestCounter[],
  inWindow: number,
  stored: boolean,
  lag: number,
): readonly Hop[] {
  const requests = sum(counters, counter => counter.requests)
  const accepted = sum(counters, counter => counter.accepted)
  const refused = sum(counters, counter => counter.refusedRetry)
  const invalid = sum(counters, counter => counter.invalid)
  const rejected = sum(counters, counter => counter.rejected)
  const newest = counters.reduce((latest, counter) => Math.max(latest, counter.lastAcceptedMs), 0)
  return [
    {
      hop: 'received',
      broken: requests === 0 && !stored,
      remedy: `no request has reached this server for this tenant: point the exporter at the OTLP endpoints (${sendTo(receivers)}), check key and tenant, and try otelcontext doctor`,
    },
    {
      hop: 'accepted',
      broken: requests > 0 && accepted === 0,
      remedy:
        invalid > 0
          ? 'every request was refused as invalid: see last_problem; protocol and encoding of the exporter must agree with the endpoint'
          : 'every request was told to retry: see last_problem; disk space or a paused signal',
    },
    {
      hop: 'complete',
      broken: rejected + refused + invalid > 0,
      remedy: 'a part was refused: see last_problem; the exporter log names the rejected items',
    },
    {
      hop: 'queryable',
      broken: lag > 10_000,
      remedy: 'data is accepted but readers lag behind: wait, or look at the load of the machine',
    },
    {
      hop: 'in the window',
      broken: inWindow === 0,
      remedy:
        newest > 0
          ? `nothing in this window; the last request was accepted at ${formatTime(newest)}: check the window and the clocks of the senders`
          : 'nothing in this window: take the window of the newest data',
    },
  ]
}

function signalsMissing(counts: ServiceCounts): readonly Signal[] {
  return [
    ...(counts.spans === 0 ? (['traces'] as const) : []),
    ...(counts.logs === 0 ? (['logs'] as const) : []),
    ...(counts.points === 0 ? (['metrics'] as const) : []),
  ]
}

async function run(args: z.output<typeof input>, context: ToolContext): Promise<Draft> {
  const { reader, window, caller } = context
  const service = await optionalService(args.service, reader, window)
  const all = await reader.ingestCounters()
  const counters = caller.operator ? all : all.filter(counter => counter.tenant === reader.tenant)
  const own = counters.filter(counter => counter.tenant === reader.tenant)
  const coverage = await reader.coverage(window)
  const seen = await servicesSeen(context, service)
  const inWindow = [...seen.values()].reduce(
    (total, entry) => total + entry.spans + entry.logs + entry.points,
    0,
  )
  const receivers = await context.receivers()
  const overflows = (await context.overflows()).filter(
    overflow => caller.operator || overflow.tenant === reader.tenant,
  )
  const broken = hopsOf(receivers, own, inWindow, coverage.newestMs !== null, coverage.lagMs).find(
    hop => hop.broken,
  )
  const counts = service === undefined ? undefined : (seen.get(service) ?? { spans: 0, logs: 0, points: 0 })
  const missing = counts === undefined ? [] : signalsMissing(counts)
  const elsewhere = own.length === 0 ? counters.filter(counter => counter.tenant !== reader.tenant) : []
  const newestMs = coverage.newestMs
  const quiet = newestMs !== null && reader.nowMs - newestMs > quietMs
  const next: NextCall[] =
    inWindow === 0 && newestMs !== null
      ? [
          {
            tool: 'diagnose_ingest',
            arguments: { from: formatTime(newestMs - 1_800_000), to: formatTime(newestMs + 1_000) },
            why: 'the window of the newest data',
          },
        ]
      : []
  const about =
    service === undefined
      ? `${seen.size} services sent data in this window`
      : `${showName(service)} sent ${missing.length === 3 ? 'nothing' : 'data'} in this window`
  const verdict =
    broken === undefined
      ? missing.length > 0 && missing.length < 3
        ? `It sends no ${missing.join(' and no ')}: no exporter for it is set up in that service.`
        : 'No hop is broken.'
      : `Not ${broken.hop}: ${broken.remedy}.`
  return {
    status: broken === undefined ? 'healthy' : 'ok',
    answer: `${about}. ${verdict}${quiet ? ` The newest data is of ${formatTime(newestMs)}.` : ''}`,
    facts: {
      first_broken_hop: broken?.hop ?? null,
      items_in_window: inWindow,
      newest_data: newestMs === null ? null : formatTime(newestMs),
      oldest_data: coverage.oldestMs === null ? null : formatTime(coverage.oldestMs),
      lag_positions: coverage.lagPositions,
      corrupt_segments: coverage.corruptSegments,
      ...(missing.length > 0 ? { missing_signals: missing } : {}),
      ...(elsewhere.length > 0 ? { data_of_other_tenants: elsewhere.length } : {}),
    },
    tables: [
      receiverTable(receivers),
      counterTable(counters),
      overflowTable(overflows),
      serviceTable(seen),
    ].filter(table => table.rows.length > 0),
    notes: receivers.flatMap(receiver => (receiver.problem === '' ? [] : [receiver.problem])),
    window,
    next,
  }
}

export const diagnoseIngest: Tool = defineTool({
  name: 'diagnose_ingest',
  title: 'Why is there no data',
  description:
    'Why do I see no data: what was received, accepted, refused, stored and readable, per signal, transport and service; the first broken hop and how to mend it.',
  input,
  examples: [{}, { service: 'checkout', from: 'now-1h' }],
  maxTokens: 2_000,
  rows: 100,
  window: 'window',
  memo: false,
  run,
})
