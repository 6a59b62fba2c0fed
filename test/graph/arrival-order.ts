/**
 * Telemetry of a few random traces, logs and metrics, brought in many orders: shuffled, children first, cut into other
 * batches and publications, repeated, minutes late. The graph has to be the same cell by cell, and every trace line by
 * line.
 */
import { TenantGraph } from '../../src/graph/tenant-graph.ts'
import type { RollupRecord } from '../../src/model/store.ts'
import type { Batch, Block, RecordTable, SpanBlock } from '../../src/model/telemetry.ts'
import { mergeTraceParts } from '../../src/query/trace-rows.ts'
import { readTraceTree } from '../../src/tools/reading/trace-tree.ts'
import { type SeededChoice, seededChoice } from '../seeded-choice.ts'
import { cellText } from './cell-text.ts'
import {
  epochMs,
  kinds,
  logBatch,
  metricBatch,
  spanBatch,
  type TestLog,
  type TestPoint,
  type TestSpan,
} from './telemetry-batches.ts'

const services = ['web', 'cart', 'pay', 'mail'] as const
const lateMs = 10 * 60_000

/** One export request, and whether the graph must not mind meeting it again. */
interface Arrival {
  readonly batch: Batch
  readonly repeatable: boolean
}

interface Outcome {
  readonly cells: readonly string[]
  readonly traces: string
}

export interface OrderFigures {
  readonly orders: number
  /** Orders that made another graph or trace; the first difference of the first of them. */
  readonly different: number
  readonly difference: string
  readonly cells: number
  readonly spans: number
  readonly repeats: number
}

/** The telemetry of `seed` in so many orders, each against the order in which it happened. */
export function tryOrders(seed: number, orders: number): OrderFigures {
  const choice = seededChoice(seed)
  const spans = randomSpans(choice)
  const logs = randomLogs(choice)
  const points = randomPoints(choice)
  const told: readonly Arrival[] = [
    { batch: spanBatch(spans), repeatable: true },
    { batch: logBatch(logs), repeatable: false },
    { batch: metricBatch(points), repeatable: false },
  ]
  const expected = outcomeOf(told, choice, false)
  let different = 0
  let difference = ''
  let repeats = 0
  for (let order = 0; order < orders; order++) {
    const arrivals: Arrival[] = [
      ...piecesOf(spans, choice).map(piece => ({ batch: spanBatch(piece), repeatable: true })),
      ...piecesOf(logs, choice).map(piece => ({ batch: logBatch(piece), repeatable: false })),
      ...piecesOf(points, choice).map(piece => ({ batch: metricBatch(piece), repeatable: false })),
    ]
    const again = arrivals.filter(arrival => arrival.repeatable && choice.chance(0.2))
    repeats += again.length
    const outcome = outcomeOf(shuffled([...arrivals, ...again], choice), choice, true)
    const found = differenceOf(expected, outcome)
    if (found === null) continue
    if (different++ === 0) difference = `order ${order}: ${found}`
  }
  return { orders, different, difference, cells: expected.cells.length, spans: spans.length, repeats }
}

function outcomeOf(arrivals: readonly Arrival[], choice: SeededChoice, disturbed: boolean): Outcome {
  const graph = new TenantGraph({ tenant: 't', templates: [] })
  const records: RollupRecord[] = []
  let receivedMs = epochMs + 60_000
  for (const { batch } of arrivals) {
    if (disturbed && choice.chance(0.1)) receivedMs += lateMs
    graph.ingest(batch, receivedMs)
    if (disturbed && choice.chance(0.2)) records.push(...graph.cut().rollups)
  }
  records.push(...graph.cut().rollups)
  // Numbers of templates tell in which order lines were met; how many lines there were is in the severities.
  const cells = cellText(records).filter(line => !line.startsWith('template '))
  return { cells, traces: tracesOf(arrivals) }
}

interface MutablePart {
  readonly block: SpanBlock
  readonly rows: number[]
  readonly records: RecordTable
}

function tracesOf(arrivals: readonly Arrival[]): string {
  const parts = new Map<string, MutablePart[]>()
  for (const { batch } of arrivals) {
    const { records } = batch
    const block: Block = batch.block
    if (block.signal !== 'traces') continue
    for (let row = 0; row < block.count; row++) {
      const id: string = Buffer.from(block.traceId.subarray(row * 16, row * 16 + 16)).toString('hex')
      const known: MutablePart[] = parts.get(id) ?? []
      parts.set(id, known)
      const last: MutablePart | undefined = known.at(-1)
      if (last?.block === block) last.rows.push(row)
      else known.push({ block, rows: [row], records })
    }
  }
  return [...parts.keys()]
    .sort()
    .map(id => {
      const { spans, startMs, durationMs } = readTraceTree(mergeTraceParts(id, parts.get(id) ?? []))
      const lines = spans.map(({ record, ...span }) => JSON.stringify({ ...span, bytes: record.length }))
      return [`${id} ${startMs} ${durationMs}`, ...lines].join('\n')
    })
    .join('\n')
}

function differenceOf(expected: Outcome, found: Outcome): string | null {
  for (let i = 0; i < Math.max(expected.cells.length, found.cells.length); i++) {
    if (expected.cells[i] !== found.cells[i])
      return `cell ${expected.cells[i] ?? 'none'} became ${found.cells[i] ?? 'none'}`
  }
  if (expected.traces === found.traces) return null
  const lines = found.traces.split('\n')
  const at = expected.traces.split('\n').findIndex((line, i) => line !== lines[i])
  return `trace line ${expected.traces.split('\n')[at]} became ${lines[at]}`
}

/** A few traces of calls; some parents are missing, wrong or in a circle, some times are odd. */
function randomSpans(choice: SeededChoice): readonly TestSpan[] {
  const spans: TestSpan[] = []
  const traces = 1 + choice.below(3)
  for (let trace = 1; trace <= traces; trace++) {
    const count = 2 + choice.below(8)
    const firstId = spans.length + 1
    for (let i = 0; i < count; i++) {
      const id = firstId + i
      const startMs = i * 5 + choice.below(40_000)
      const kind = choice.below(6)
      const calls = kind === kinds.client || kind === kinds.producer
      spans.push({
        service: services[choice.below(services.length)] ?? 'web',
        id,
        trace,
        ...(i === 0 ? {} : { parent: choice.chance(0.1) ? choice.below(40) : firstId + choice.below(i) }),
        name: `op ${choice.below(4)}`,
        kind,
        startMs,
        durationMs: choice.below(3_000),
        failed: choice.chance(0.2),
        httpStatus: choice.chance(0.2) ? 500 : 0,
        ...(calls && choice.chance(0.5) ? { peer: 'orders', peerKind: 1 + choice.below(4) } : {}),
        ...(choice.chance(0.1) ? { links: [{ id: 1 + choice.below(10), trace }] } : {}),
        instance: `i-${choice.below(2)}`,
        version: `1.${choice.below(2)}`,
      })
    }
  }
  return spans
}

function randomLogs(choice: SeededChoice): readonly TestLog[] {
  return Array.from({ length: 1 + choice.below(6) }, (_, i) => ({
    service: services[choice.below(services.length)] ?? 'web',
    body: `order ${i} placed`,
    atMs: choice.below(40_000),
    severity: 1 + choice.below(24),
  }))
}

function randomPoints(choice: SeededChoice): readonly TestPoint[] {
  return Array.from({ length: 1 + choice.below(6) }, (_, i) => ({
    service: services[choice.below(services.length)] ?? 'web',
    metric: choice.chance(0.5) ? 'queue' : 'sent',
    series: `shard=${choice.below(2)}`,
    atMs: i * 7_000 + choice.below(1_000),
    value: choice.below(100),
  }))
}

/** The same items in another number of requests. */
function piecesOf<T>(items: readonly T[], choice: SeededChoice): readonly (readonly T[])[] {
  const pieces: T[][] = []
  for (const item of shuffled(items, choice)) {
    const last = pieces.at(-1)
    if (last === undefined || choice.chance(0.6)) pieces.push([item])
    else last.push(item)
  }
  return pieces
}

function shuffled<T>(items: readonly T[], choice: SeededChoice): readonly T[] {
  const keyed = items.map(item => ({ item, key: choice.next() }))
  return keyed.sort((a, b) => a.key - b.key).map(one => one.item)
}
