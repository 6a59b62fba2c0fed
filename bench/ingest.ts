/**
 * `npm run bench:ingest [-- --smoke] [-- --seconds N]`: spans per CPU-second acknowledged durably, and bytes a span on
 * disk, beside two baselines in the same run. CPU is that of the server process alone, from the first request until
 * everything sent is sealed, as the operating system counts it.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startServerProcess } from '../scripts/server-process.ts'
import { type Body, makeBodies, spansPerRequest, withFreshIds } from './ingest/span-load.ts'

const { values: options } = parseArgs({
  options: { smoke: { type: 'boolean' }, seconds: { type: 'string' }, json: { type: 'boolean' } },
})
const seconds = Number(options.seconds ?? (options.smoke === true ? 2 : 10))
const connections = 8
// Compiled code, not its compilation, is measured: the optimizing compiler is busy for the first seconds of load.
const warmUpSeconds = options.smoke === true ? 0.5 : 8
const bodyCount = 200

interface Subject {
  readonly pid: number
  readonly url: string
  /** Resolves once everything acknowledged is where it stays. */
  settled(): Promise<void>
  /** Ends it and says how many bytes it left on disk. */
  finish(): Promise<number>
}

interface Figures {
  readonly name: string
  readonly spans: number
  readonly spans_per_s: number
  readonly spans_per_cpu_s: number
  readonly bytes_per_span: number
  readonly ack_p50_ms: number
  readonly ack_p99_ms: number
}

const ticksPerSecond = 100 // USER_HZ, fixed in Linux's interface

function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

async function startBaseline(mode: 'naive' | 'rows'): Promise<Subject> {
  const directory = mkdtempSync(join(tmpdir(), `otelcontext-bench-${mode}-`))
  const file = join(directory, 'spans.db')
  const script = fileURLToPath(new URL('./ingest/baseline-server.ts', import.meta.url))
  const child = spawn(process.execPath, [script, mode, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
  const line = await new Promise<string>(resolve =>
    createInterface({ input: child.stdout }).once('line', resolve),
  )
  const { port } = JSON.parse(line) as { readonly port: number } // printed by the script
  return {
    pid: child.pid ?? 0,
    url: `http://127.0.0.1:${port}`,
    settled: async () => undefined,
    finish: async () => {
      child.kill('SIGTERM')
      await exited
      const bytes = statSync(file).size
      rmSync(directory, { recursive: true })
      return bytes
    },
  }
}

async function startOurs(): Promise<Subject> {
  const directory = mkdtempSync(join(tmpdir(), 'otelcontext-bench-ours-'))
  const server = await startServerProcess({ dataDirectory: directory })
  return {
    pid: server.pid,
    url: server.otlpHttpUrl,
    settled: async () => {
      for (let attempt = 0; attempt < 600; attempt++) {
        const report = await (await fetch(`${server.url}/ready`)).text()
        if (/"unsealed_positions":0\b/.test(report)) return
        await new Promise(resolve => setTimeout(resolve, 100))
      }
      throw new Error('not everything was sealed after 60 s')
    },
    finish: async () => {
      await server.stop()
      const bytes = readdirSync(directory)
        .filter(name => name.startsWith('otelcontext.db'))
        .reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
      rmSync(directory, { recursive: true })
      return bytes
    },
  }
}

function post(url: string, agent: Agent, body: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${url}/v1/traces`,
      {
        method: 'POST',
        agent,
        headers: { 'content-type': 'application/x-protobuf', 'content-length': body.length },
      },
      response => {
        response.resume()
        response.once('end', () => resolve(response.statusCode ?? 0))
      },
    )
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}

/** Closed loop on `connections` sockets for `forSeconds`; refused requests are sent again and count once. */
async function offer(
  url: string,
  bodies: readonly Body[],
  forSeconds: number,
): Promise<{ spans: number; acks: number[] }> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const until = performance.now() + forSeconds * 1_000
  const acks: number[] = []
  let next = 0
  let spans = 0
  const worker = async (): Promise<void> => {
    while (performance.now() < until) {
      const body = bodies[next++ % bodies.length]
      if (body === undefined) return
      const mask = BigInt(Math.floor(Math.random() * 2 ** 32)) * 4294967296n + BigInt(next)
      const bytes = withFreshIds(body, mask)
      const started = performance.now()
      const status = await post(url, agent, bytes)
      if (status === 200) {
        acks.push(performance.now() - started)
        spans += spansPerRequest
      } else if (status === 429 || status === 503) {
        await new Promise(resolve => setTimeout(resolve, 50))
      } else throw new Error(`${url} answered ${status}`)
    }
  }
  await Promise.all(Array.from({ length: connections }, worker))
  agent.destroy()
  return { spans, acks }
}

async function measure(name: string, start: () => Promise<Subject>): Promise<Figures> {
  const subject = await start()
  const bodies = makeBodies(bodyCount, Date.now())
  const warm = await offer(subject.url, bodies, warmUpSeconds)
  await subject.settled()
  const cpuBefore = cpuSecondsOf(subject.pid)
  const { spans, acks } = await offer(subject.url, bodies, seconds)
  await subject.settled()
  const cpu = cpuSecondsOf(subject.pid) - cpuBefore
  const bytes = await subject.finish()
  const sorted = acks.toSorted((a, b) => a - b)
  const at = (share: number): number =>
    Math.round((sorted[Math.floor(sorted.length * share)] ?? 0) * 100) / 100
  return {
    name,
    spans,
    spans_per_s: Math.round(spans / seconds),
    spans_per_cpu_s: Math.round(spans / cpu),
    bytes_per_span: Math.round(bytes / (spans + warm.spans)),
    ack_p50_ms: at(0.5),
    ack_p99_ms: at(0.99),
  }
}

const naive = await measure('A: protobufjs, a transaction a request, rows', () => startBaseline('naive'))
const rows = await measure('B: our decoder, group commit, rows', () => startBaseline('rows'))
const ours = await measure('otelcontext: everything behind it', startOurs)
const ratio = (a: number, b: number): number => Math.round((a / b) * 100) / 100
const report = {
  machine: { cpus: cpus().length, model: cpus()[0]?.model ?? '', node: process.version },
  seconds,
  results: [naive, rows, ours],
  ratios: {
    throughput_to_a: ratio(ours.spans_per_cpu_s, naive.spans_per_cpu_s),
    throughput_to_b: ratio(ours.spans_per_cpu_s, rows.spans_per_cpu_s),
    bytes_to_b: ratio(ours.bytes_per_span, rows.bytes_per_span),
  },
}
if (options.json === true) console.log(JSON.stringify(report, null, 2))
else {
  console.log(
    `${report.machine.cpus} x ${report.machine.model}, Node ${report.machine.node}, ${seconds} s each`,
  )
  console.table(Object.fromEntries(report.results.map(({ name, ...figures }) => [name, figures])))
  console.log('ratios:', report.ratios)
}
