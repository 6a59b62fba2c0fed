/** One quarter of a soak: steady load and questions for so long, and what memory, handles and answers were like. */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { quantile } from '../../bench/measure/quantile.ts'
import { openToolCalls } from '../../bench/measure/tool-calls.ts'
import type { ServerProcess } from '../../scripts/server-process.ts'
import type { LoadReport } from '../../src/cli/load/load-report.ts'

const command = fileURLToPath(new URL('../../bin/otelcontext.js', import.meta.url))

/** A question every so often, as of some agents and dashboards; the tools take turns. */
const askEveryMs = 2_000
/** Agents at a time: as many as there are threads that answer on two cores. */
const agents = 2
const questions: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['get_service_map', { from: '-15m' }],
  ['search_logs', { query: 'failed', from: '-15m' }],
  ['get_anomaly_timeline', { from: '-15m' }],
  ['investigate', {}],
]

export interface QuarterFigures {
  /** Medians over the quarter: resident MiB, open descriptors, threads. */
  readonly residentMib: number
  readonly descriptors: number
  readonly threads: number
  readonly maxResidentMib: number
  /** Of all questions, milliseconds. */
  readonly answerP50Ms: number
  readonly answerP99Ms: number
  readonly failedAnswers: number
  /** Of acknowledgements of spans, from when each was due, milliseconds. */
  readonly ackP50Ms: number
  readonly ackP99Ms: number
  readonly acknowledged: number
  readonly failed: number
}

export interface QuarterLoad {
  readonly seconds: number
  /** Spans and points a second of all twenty services together; log records half of it. */
  readonly rate: number
  readonly seed: number
}

interface Sample {
  readonly residentMib: number
  readonly descriptors: number
  readonly threads: number
}

function sampleOf(pid: number): Sample {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1])
  const descriptors = readdirSync(`/proc/${pid}/fd`).length
  return { residentMib: field('VmRSS') / 1_024, descriptors, threads: field('Threads') }
}

function offerLoad(server: ServerProcess, { seconds, rate, seed }: QuarterLoad): Promise<LoadReport> {
  const each = String(rate / 20)
  const args = ['load', '--json', '--endpoint', server.url, '--services', '20', '--rate', each]
  args.push('--metrics-rate', each, '--logs-rate', String(rate / 40))
  args.push('--duration', `${seconds}s`, '--seed', String(seed))
  const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', chunk => {
    text += chunk
  })
  return new Promise((resolve, reject) => {
    child.once('exit', code => {
      if (text.startsWith('{'))
        resolve(JSON.parse(text) as LoadReport) // our own process wrote it
      else reject(new Error(`the load ended with code ${code}: ${text}`))
    })
  })
}

interface Asked {
  readonly times: readonly number[]
  readonly failed: number
}

/** Asks until `over` is aborted; resolves with the time each answer took, and how many failed. */
async function ask(url: string, first: number, over: AbortSignal): Promise<Asked> {
  const calls = openToolCalls(url)
  const asked = { times: [] as number[], failed: 0 }
  for (let turn = first; !over.aborted; turn++) {
    const [tool, args] = questions[turn % questions.length] ?? ['get_service_map', {}]
    const started = performance.now()
    try {
      await calls.call(tool, args)
      asked.times.push(performance.now() - started)
    } catch {
      asked.failed++
    }
    await new Promise(resolve => setTimeout(resolve, askEveryMs))
  }
  calls.close()
  return asked
}

export async function runQuarter(server: ServerProcess, load: QuarterLoad): Promise<QuarterFigures> {
  const samples: Sample[] = []
  const sampling = setInterval(() => samples.push(sampleOf(server.pid)), 1_000)
  const over = new AbortController()
  const asking = Promise.all(
    Array.from({ length: agents }, (_, agent) => ask(server.url, agent, over.signal)),
  )
  let report: LoadReport
  try {
    report = await offerLoad(server, load)
  } finally {
    clearInterval(sampling)
    over.abort()
  }
  const asked = await asking
  const times = asked.flatMap(agent => agent.times)
  const failedAnswers = asked.reduce((sum, agent) => sum + agent.failed, 0)
  const median = (of: (sample: Sample) => number): number => quantile(samples.map(of), 0.5)
  const sum = (of: 'acknowledged_items' | 'failed_items'): number =>
    report.signals.reduce((total, signal) => total + signal[of], 0)
  const { latency } = report.signals.find(({ signal }) => signal === 'traces') ?? {}
  return {
    residentMib: median(sample => sample.residentMib),
    descriptors: median(sample => sample.descriptors),
    threads: median(sample => sample.threads),
    maxResidentMib: Math.max(...samples.map(sample => sample.residentMib)),
    answerP50Ms: quantile(times, 0.5),
    answerP99Ms: quantile(times, 0.99),
    failedAnswers,
    ackP50Ms: latency?.p50_ms ?? Number.NaN,
    ackP99Ms: latency?.p99_ms ?? Number.NaN,
    acknowledged: sum('acknowledged_items'),
    failed: sum('failed_items'),
  }
}
