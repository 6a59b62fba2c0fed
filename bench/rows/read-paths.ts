/** Every tool over much of everything stored, idle and while the server takes all it can. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { offer } from '../measure/offer.ts'
import { peakMemoryOf } from '../measure/process-figures.ts'
import { quantile } from '../measure/quantile.ts'
import { type StoredData, type StoredDataPlan, storedData } from '../measure/stored-data.ts'
import { startWhole } from '../measure/subjects.ts'
import { openToolCalls, type ToolCalls } from '../measure/tool-calls.ts'
import { someTraceIds } from './reads.ts'
import { judged, type Row, type Scale, shown } from './row.ts'

const hour = 3_600_000

const stored: Readonly<Record<Scale, StoredDataPlan['items']>> = {
  smoke: { traces: 20_000, logs: 10_000, metrics: 10_000 },
  usual: { traces: 1_000_000, logs: 500_000, metrics: 500_000 },
  full: { traces: 10_000_000, logs: 5_000_000, metrics: 5_000_000 },
}

/** A tool is asked so often, or for so long, but a few times in any case. */
const turns: Readonly<
  Record<Scale, { readonly most: number; readonly seconds: number; readonly least: number }>
> = {
  smoke: { most: 2, seconds: 1, least: 1 },
  usual: { most: 200, seconds: 5, least: 20 },
  full: { most: 200, seconds: 10, least: 20 },
}

type Question = readonly [
  name: string,
  tool: string,
  args: (turn: number) => Readonly<Record<string, unknown>>,
]

/** The last half hour of what is stored; a second earlier every time, so that nothing is answered from memory. */
function questionsOver(data: StoredData, ids: readonly string[]): readonly Question[] {
  const time = (ms: number): string => new Date(ms).toISOString()
  const window = (turn: number) => {
    const toMs = data.untilMs - turn * 1_000
    return { from: time(toMs - hour / 2), to: time(toMs) }
  }
  const service = 'service-05'
  const over = (args: Readonly<Record<string, unknown>>) => (turn: number) => ({ ...args, ...window(turn) })
  return [
    ['get_trace', 'get_trace', turn => ({ trace_id: ids[turn % ids.length] ?? '' })],
    ['search_traces', 'search_traces', over({ service, min_duration_ms: 50 })],
    ['search_logs, a common word', 'search_logs', over({ query: 'order' })],
    ['search_logs, a rare word', 'search_logs', over({ query: 'quarantined' })],
    ['query_metrics', 'query_metrics', over({ query: 'request' })],
    ['get_service_map', 'get_service_map', over({})],
    ['get_service_health', 'get_service_health', over({ service })],
    ['get_anomaly_timeline', 'get_anomaly_timeline', over({})],
    ['impact_analysis', 'impact_analysis', over({ service })],
    ['compare_windows', 'compare_windows', over({ service })],
    ['root_cause_analysis', 'root_cause_analysis', over({ service })],
    ['investigate', 'investigate', over({})],
  ]
}

async function timesOfTool(calls: ToolCalls, scale: Scale, [, tool, args]: Question, from: number) {
  const { most, seconds, least } = turns[scale]
  const taken: number[] = []
  for (let turn = 0; turn < Math.min(5, least); turn++) await calls.call(tool, args(from - turn))
  const started = performance.now()
  for (let turn = 1; turn <= most; turn++) {
    const asked = performance.now()
    if (taken.length >= least && asked - started > seconds * 1_000) break
    await calls.call(tool, args(from + turn))
    taken.push(performance.now() - asked)
  }
  return taken
}

export const readPaths: Row = {
  id: 'read-paths',
  title: 'Every read path during full ingest',
  scales: ['smoke', 'full'],
  async run(context) {
    const { scale } = context
    const data = await storedData(context.dataRoot, { name: 'all', items: stored[scale], sinceMs: 3 * hour })
    const ids = await someTraceIds(data, 500)
    // What is sent here must not stay with the data of the next run.
    const copy = mkdtempSync(join(tmpdir(), 'otelcontext-bench-read-paths-'))
    cpSync(data.directory, copy, { recursive: true })
    const server = await startWhole({ dataDirectory: copy, environment: { MCP_CACHE_TTL_MS: '0' } })
    const calls = openToolCalls(server.url)
    try {
      const questions = questionsOver(data, ids)
      const measure = async (from: number) => {
        const taken: number[][] = []
        for (const question of questions) {
          context.progress(question[0])
          taken.push(await timesOfTool(calls, scale, question, from))
        }
        return taken
      }
      const idle = await measure(10)
      context.progress('full ingest')
      const stop = new AbortController()
      // What it is given for minutes is more than it can seal: in the end it refuses, which is what full means.
      const load = offer(server, { seconds: 3_600, idSeed: 7, signalToStop: stop.signal, refusable: true })
      await new Promise(resolve => setTimeout(resolve, context.warmUpSeconds * 1_000))
      const busy = await measure(turns[scale].most + 20)
      stop.abort()
      const { acknowledged_per_s: rate } = await load
      const size = Object.entries(stored[scale])
        .map(([signal, items]) => `${shown(items)} ${signal}`)
        .join(', ')
      const figures = questions.map(([name], at) => {
        const [calm = [], full = []] = [idle[at], busy[at]]
        const ratio = quantile(full, 0.99) / quantile(calm, 0.99)
        const middle = `median ${shown(quantile(full, 0.5))}`
        const before = `idle p99 ${shown(quantile(calm, 0.99))} of ${calm.length}, median ${shown(quantile(calm, 0.5))} ms`
        return judged(
          {
            id: `read-paths.${name}`,
            what: `${name} during full ingest, everything stored: p99 of ${full.length} ${shown(quantile(full, 0.99))} ms, ${middle}`,
            value: ratio,
            unit: 'times idle',
            baseline: before,
            ratio,
          },
          { most: 3 },
        )
      })
      const memory = judged(
        {
          id: 'read-paths.memory',
          what: `resident memory meanwhile, ${size} stored, ${shown(rate)} spans/s taken`,
          value: peakMemoryOf(server.pid),
          unit: 'MiB',
        },
        { most: 512 },
      )
      return { figures: [...figures, memory] }
    } finally {
      calls.close()
      await server.finish()
      rmSync(copy, { recursive: true, force: true })
    }
  },
}
