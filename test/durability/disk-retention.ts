/** `npm run test:retention`: a disk filled by somebody else to the last byte, and retention that makes room on it. */
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { compileServer } from '../../scripts/compiled-server.ts'
import { type ServerProcess, startServerProcess } from '../../scripts/server-process.ts'
import { callTool } from '../../src/cli/server-connection.ts'
import { spanRequest } from '../engine/requests.ts'
import { accountedSpans } from './accounted-spans.ts'
import { figuresText, readCommandLine, say } from './command.ts'
import { fillDisk, freeBytesOf, mebibyte, onSmallDisk } from './small-disk.ts'

const spansPerRequest = 500
/** Larger than the disk, so that the disk is what bounds the store. */
const budgetMb = 10_000
/** Retention looks every minute, and every six seconds once the disk is full. */
const patienceMs = 180_000

const { numbers } = readCommandLine({
  inOneGo: true,
  usage: 'npm run test:retention -- --megabytes 400',
  description:
    "Mounts a small tmpfs, lets a server with a disk budget store there, and fills the rest to the last byte with a file\nthat stays. Retention has to remove the oldest segments, with the ballast where removing itself finds no room, so that\ndata is taken again without anybody's help; questions are answered meanwhile, and every acknowledged span is stored or\ncounted as removed.",
  options: {
    megabytes: { default: 400, help: 'size of the file system' },
    stored: {
      default: 100,
      help: 'mebibytes the store holds before it is filled; more than inbox and ballast, or nothing is removed',
    },
  },
})

class Run {
  readonly #mount: string
  readonly #server: ServerProcess
  readonly #database: string
  readonly #ballast: string
  readonly events: string[]
  #seed = 0
  acknowledged = 0
  refused = 0
  refusedWithoutTime = 0
  answers = 0
  questions = 0

  constructor(mount: string, server: ServerProcess, dataDirectory: string, events: string[]) {
    this.#mount = mount
    this.#server = server
    this.#database = join(dataDirectory, 'otelcontext.db')
    this.#ballast = join(dataDirectory, 'ballast')
    this.events = events
  }

  /** True if it was stored. */
  async send(): Promise<boolean> {
    const body = new Uint8Array(
      spanRequest({ seed: ++this.#seed, spans: spansPerRequest, timeMs: Date.now() }),
    )
    const headers = { 'content-type': 'application/x-protobuf' }
    const url = `${this.#server.otlpHttpUrl}/v1/traces`
    const response = await fetch(url, { method: 'POST', headers, body })
    await response.arrayBuffer()
    if (response.status === 200) {
      this.acknowledged += spansPerRequest
      return true
    }
    this.refused++
    if (response.headers.get('retry-after') === null) this.refusedWithoutTime++
    return false
  }

  async ask(): Promise<void> {
    const connection = { url: this.#server.url, headers: {}, close: async () => undefined }
    this.questions++
    const reply = await callTool({ ...connection, origin: 'endpoint' }, 'get_service_map', {})
    if (reply.failed) say(`  a question was answered with ${reply.json.slice(0, 300)}`)
    else this.answers++
  }

  async storeUntil(bytes: number): Promise<void> {
    // What is sealed lies in the log until it is moved.
    const files = [this.#database, `${this.#database}-wal`]
    const size = (): number => files.reduce((sum, file) => sum + statSync(file).size, 0)
    while (size() < bytes) if (!(await this.send())) await pause(100)
    // Made by the first run of retention, a minute after the start.
    while (!existsSync(this.#ballast)) await pause(200)
    say('filling the disk')
  }

  /** Sends and asks until refused, and then until taken again; returns how long the refusals lasted. */
  async sitOut(): Promise<number> {
    await fillDisk(this.#mount, join(this.#mount, 'filler'), 0)
    const filledMs = performance.now()
    while (await this.send()) this.#checkTime(filledMs, 'a refusal')
    const refusedMs = performance.now()
    say('refused')
    for (;;) {
      await this.ask()
      if (await this.send()) return performance.now() - refusedMs
      this.#checkTime(refusedMs, 'room')
      await pause(500)
    }
  }

  #checkTime(sinceMs: number, what: string): void {
    if (performance.now() - sinceMs < patienceMs) return
    throw new Error(`${what} did not come in ${patienceMs} ms; the log: ${this.events.join(' ')}`)
  }
}

async function runTest(mount: string): Promise<boolean> {
  const compiled = compileServer()
  const dataDirectory = join(mount, 'data')
  mkdirSync(dataDirectory)
  const events: string[] = []
  const server = await startServerProcess({
    dataDirectory,
    entry: compiled.entry,
    environment: { DATA_DISK_BUDGET_MB: String(budgetMb) },
    onLog: line => events.push(/"event":"(\w+)"/.exec(line)?.[1] ?? ''),
  })
  try {
    const run = new Run(mount, server, dataDirectory, events)
    await run.storeUntil((numbers['stored'] ?? 0) * mebibyte)
    const refusedForMs = await run.sitOut()
    const freeMb = freeBytesOf(mount) / mebibyte
    const code = await server.stop()
    const { kept, removed } = await accountedSpans(dataDirectory)
    const ballast = events.filter(event => event === 'ballast_released').length
    const removals = events.filter(event => event === 'retention_budget').length
    const { acknowledged, refused, refusedWithoutTime, questions, answers } = run
    say(figuresText({ acknowledged, kept, removed, refused, refusedWithoutTime, questions, answers }))
    say(figuresText({ refusedForMs, freeMb, ballastReleased: ballast, removals, exitCode: code ?? -1 }))
    const whole = kept + removed === acknowledged && removed > 0
    return whole && removals > 0 && refusedWithoutTime === 0 && answers === questions && code === 0
  } finally {
    await server.kill()
    compiled.remove()
  }
}

const held = await onSmallDisk(numbers['megabytes'] ?? 0, runTest)
say(held ? 'retention on a full disk: ok' : 'retention on a full disk: FAILED')
process.exit(held ? 0 : 1)
