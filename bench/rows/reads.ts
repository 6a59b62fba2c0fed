/** Read paths over stored data: trace by id, log search, and the graph of a large system. */
import { findAnomalies } from '../../src/graph/anomalies.ts'
import { blastRadius } from '../../src/graph/blast-radius.ts'
import type { ComparedViews } from '../../src/graph/compared-views.ts'
import { serviceHealth } from '../../src/graph/service-health.ts'
import { serviceMap } from '../../src/graph/service-map.ts'
import type { TelemetryReader } from '../../src/model/reader.ts'
import type { TotalKind } from '../../src/model/rollup.ts'
import { recordOf, type SpanBlock } from '../../src/model/telemetry.ts'
import type { TimeRange } from '../../src/model/time.ts'
import { attributesOfSpan } from '../../src/otlp/attributes.ts'
import { parseLogQuery } from '../../src/store/search/log-query.ts'
import { searchLogs } from '../../src/store/search/log-search.ts'
import { benchProfile } from '../measure/offer.ts'
import { mediansOf, quantile, type ReadTimes, readTimesOf, timesOf } from '../measure/quantile.ts'
import { noDeadline, openReadPaths, type ReadPaths } from '../measure/read-paths.ts'
import { type StoredData, type StoredDataPlan, storedData } from '../measure/stored-data.ts'
import { type Figure, judged, type Row, type RowContext, type Scale, shown } from './row.ts'

const hour = 3_600_000

/** Stored spans by scale. */
export const storedSpans: Readonly<Record<Scale, number>> = {
  smoke: 20_000,
  usual: 1_000_000,
  full: 10_000_000,
}
const storedLogs: Readonly<Record<Scale, number>> = { smoke: 20_000, usual: 1_000_000, full: 5_000_000 }
const graphSpans: Readonly<Record<Scale, number>> = { smoke: 30_000, usual: 600_000, full: 3_000_000 }
const graphServices: Readonly<Record<Scale, number>> = { smoke: 50, usual: 1_000, full: 1_000 }

export function spanData(scale: Scale): StoredDataPlan {
  return { name: 'spans', items: { traces: storedSpans[scale] }, sinceMs: 3 * hour }
}

export function logData(scale: Scale): StoredDataPlan {
  return { name: 'logs', items: { logs: storedLogs[scale] }, sinceMs: 3 * hour }
}

export function graphData(scale: Scale): StoredDataPlan {
  const services = graphServices[scale]
  return {
    name: `graph-${services}`,
    items: { traces: graphSpans[scale] },
    sinceMs: 2 * hour,
    profile: { ...benchProfile, services, edges: services * 10, operations: 3 },
  }
}

/** Of a hundred the 99th percentile would be the slowest one: as much of the machine as of what is measured. */
const times: Readonly<Record<Scale, number>> = { smoke: 5, usual: 1_000, full: 1_000 }
/** Questions before them, so that code has been compiled as in a worker that has run for a while. */
const warmUps: Readonly<Record<Scale, number>> = { smoke: 3, usual: 30, full: 30 }
/** Steps of ten seconds. */
const laterTimes: Readonly<Record<Scale, number>> = { smoke: 1, usual: 5, full: 15 }

function wholeRange(data: StoredData) {
  return { fromMs: data.untilMs - data.sinceMs - hour, toMs: data.untilMs + hour }
}

/** Ids of traces spread over all that is stored. */
async function someTraces(paths: ReadPaths, data: StoredData, count: number): Promise<readonly string[]> {
  return paths.read(async reader => {
    const ids: string[] = []
    const blocks: SpanBlock[] = []
    for await (const { block } of reader.scanSpans({ range: wholeRange(data), order: 'oldest_first' }))
      blocks.push(block)
    for (let n = 0; n < count; n++) {
      const block = blocks[Math.floor(((n + 0.5) / count) * blocks.length)]
      if (block === undefined) continue
      const row = (n * 7_919) % block.count
      ids.push(Buffer.from(block.traceId.subarray(row * 16, row * 16 + 16)).toString('hex'))
    }
    return ids
  })
}

/** A trace with every attribute of every span decoded. */
async function readTrace(reader: TelemetryReader, id: string): Promise<number> {
  const trace = await reader.trace(id)
  let attributes = 0
  for (const part of trace?.parts ?? [])
    for (const row of part.rows) attributes += [...attributesOfSpan(recordOf(part.records, row))].length
  if (attributes === 0) throw new Error(`trace ${id} was not found`)
  return attributes
}

export const trace: Row = {
  id: 'trace',
  title: 'Trace by id',
  async run(context) {
    const data = await storedData(context.dataRoot, spanData(context.scale))
    const count = times[context.scale]
    const first = openReadPaths(data)
    const ids = await someTraces(first, data, count + warmUps[context.scale])
    await first.close()
    context.progress('reading')
    // Caches of a worker that has not seen these segments but has run for a while.
    const paths = openReadPaths(data)
    const cold = await timesOf(1, () => paths.read(reader => readTrace(reader, ids[0] ?? '')), 0)
    const taken = await readTimesOf(
      count,
      turn => paths.read(reader => readTrace(reader, ids[(turn + ids.length) % ids.length] ?? '')),
      warmUps[context.scale],
    )
    await paths.close()
    const size = `${shown(storedSpans[context.scale])} spans`
    return {
      figures: [
        judged(
          {
            id: 'trace.p99',
            what: `trace by id with all attributes, ${size}, p99`,
            value: quantile(taken.wall, 0.99),
            unit: 'ms',
            baseline: mediansOf(taken),
          },
          { most: 5 },
        ),
        judged(
          {
            id: 'trace.first',
            what: `the first of a new thread, ${size}`,
            value: cold[0] ?? Number.NaN,
            unit: 'ms',
          },
          null,
        ),
      ],
    }
  },
}

interface SearchCase {
  readonly id: string
  readonly query: string
  readonly most: number
}

const searches: readonly SearchCase[] = [
  { id: 'common-word', query: 'order', most: 5 },
  { id: 'common-and', query: 'payment timeout', most: 5 },
  { id: 'common-prefix', query: 'confirm', most: 5 },
  { id: 'rare-word', query: 'quarantined', most: 30 },
  { id: 'rare-prefix', query: 'quarant', most: 30 },
  { id: 'absent-word', query: 'zymurgy', most: 30 },
  { id: 'absent-prefix', query: 'zymu', most: 30 },
]

export const logSearch: Row = {
  id: 'log-search',
  title: 'Log search, newest 50',
  async run(context) {
    const data = await storedData(context.dataRoot, logData(context.scale))
    const paths = openReadPaths(data)
    const figures: Figure[] = []
    for (const { id, query, most } of searches) {
      context.progress(query)
      const search = { range: wholeRange(data), condition: parseLogQuery(query), limit: 50 }
      let found = 0
      const ask = (): Promise<void> =>
        paths.read(async reader => {
          found = (await searchLogs(reader, search, noDeadline)).hits.length
        })
      const taken = await readTimesOf(times[context.scale], ask, warmUps[context.scale])
      const size = `${shown(storedLogs[context.scale])} lines, ${found} found`
      figures.push(
        judged(
          {
            id: `log-search.${id}`,
            what: `newest 50 of ${size}: ${id.replace('-', ' ')}, p99`,
            value: quantile(taken.wall, 0.99),
            unit: 'ms',
            baseline: mediansOf(taken),
          },
          { most },
        ),
      )
    }
    await paths.close()
    return { figures }
  },
}

type Ranges = { readonly window: TimeRange; readonly baseline: TimeRange }

/** The last half hour and the hour before it, as a tool asks where nothing else is said. */
function rangesOf(data: StoredData, backMs: number): Ranges {
  const window = { fromMs: data.untilMs - backMs - hour / 2, toMs: data.untilMs - backMs }
  return { window, baseline: { fromMs: window.fromMs - hour, toMs: window.fromMs } }
}

async function views(reader: TelemetryReader, ranges: Ranges): Promise<ComparedViews> {
  const window = await reader.rollups(ranges.window, 10)
  return { window, baseline: await reader.rollups(ranges.baseline, 10) }
}

async function totals(
  reader: TelemetryReader,
  ranges: Ranges,
  kinds: readonly TotalKind[] = ['service', 'edge'],
): Promise<ComparedViews> {
  const { view: window } = await reader.totals(ranges.window, 10, kinds)
  const { view: baseline } = await reader.totals(ranges.baseline, 10, kinds)
  return { window, baseline }
}

type GraphRead = (reader: TelemetryReader, ranges: Ranges, service: string) => Promise<number>

const graphReads: readonly (readonly [string, string, GraphRead])[] = [
  [
    'service-map',
    'service map',
    async (reader, ranges) => serviceMap(await totals(reader, ranges), { limit: 200 }).totalServices,
  ],
  [
    'impact',
    'impact of one service',
    async (reader, ranges, service) =>
      blastRadius((await reader.totals(ranges.window, 10, ['service', 'edge'])).view, service).callers.length,
  ],
  [
    'health',
    'health of one service',
    async (reader, ranges, service) =>
      serviceHealth(await views(reader, ranges), service)?.operations.length ?? 0,
  ],
  [
    'anomalies',
    'anomalies of all services',
    async (reader, ranges) => {
      const sums = await totals(reader, ranges, ['service', 'operation', 'edge'])
      return findAnomalies(await views(reader, ranges), { sums }).length + 1
    },
  ],
]

export const graph: Row = {
  id: 'graph',
  title: 'Service map, health, impact, anomalies',
  async run(context) {
    const data = await storedData(context.dataRoot, graphData(context.scale))
    const services = graphServices[context.scale]
    const middle = `service-${String(services / 2).padStart(Math.max(2, String(services - 1).length), '0')}`
    const figures: Figure[] = []
    for (const [id, what, read] of graphReads) {
      context.progress(what)
      const paths = openReadPaths(data)
      const ask = (backMs: number) => (): Promise<void> =>
        paths.read(async reader => {
          if ((await read(reader, rangesOf(data, backMs), middle)) === 0) throw new Error(`${what}: nothing`)
        })
      // Begins in the past, so that every later question has seen less than there is.
      const turns = laterTimes[context.scale]
      const cold = await readTimesOf(1, ask(turns * 10_000), 0)
      const again = await readTimesOf(times[context.scale], ask(turns * 10_000), warmUps[context.scale])
      const moved = await readTimesOf(turns, turn => ask((turns - 1 - turn) * 10_000)(), 0)
      await paths.close()
      const size = `${shown(services)} services, ${shown(services * 10)} edges`
      const both = ({ wall, cpu }: ReadTimes): string =>
        `${shown(quantile(wall, 0.5))} (${shown(quantile(cpu, 0.5))})`
      const rest = `${mediansOf(again)}; ten seconds on ${both(moved)}; first ever ${both(cold)} ms (of processor)`
      figures.push(
        judged(
          {
            id: `graph.${id}`,
            what: `${what}, ${size}, again over the same data, p99`,
            value: quantile(again.wall, 0.99),
            unit: 'ms',
            baseline: rest,
          },
          { most: 5 },
        ),
      )
    }
    return { figures }
  },
}

/** Used by rows that ask the whole server for traces. */
export async function traceIds(context: RowContext, count: number): Promise<readonly string[]> {
  return someTraceIds(await storedData(context.dataRoot, spanData(context.scale)), count)
}

export async function someTraceIds(data: StoredData, count: number): Promise<readonly string[]> {
  const paths = openReadPaths(data)
  const ids = await someTraces(paths, data, count)
  await paths.close()
  return ids
}
