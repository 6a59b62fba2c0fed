/** `npm run test:disk`: a small file system of its own fills up and is freed again under load. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { compileServer } from '../../scripts/compiled-server.ts'
import { type ServerProcess, startServerProcess } from '../../scripts/server-process.ts'
import { callTool } from '../../src/cli/server-connection.ts'
import { figuresText, readCommandLine, say } from './command.ts'
import { judge, Ledger, storedItems } from './ledger.ts'
import { RetryingClients } from './retrying-clients.ts'
import { fillDisk, freeBytesOf, mebibyte, onSmallDisk } from './small-disk.ts'

const backMs = 10_000
const patienceMs = 60_000

const { numbers } = readCommandLine({
  inOneGo: true,
  usage: 'npm run test:disk -- --times 2',
  description:
    'Mounts a small tmpfs in a mount namespace of its own (`unshare`; with a user namespace where it is not root), lets\na server store there under load, and fills it with another file: first up to what the server keeps free, then to the\nlast byte. The server has to refuse with a time to come back, answer questions meanwhile, and take data again within\nten seconds after the space is back; nothing acknowledged may be missing.',
  options: {
    times: { default: 1, help: 'how often it is filled each way' },
    megabytes: { default: 512, help: 'size of the file system' },
  },
})

interface Filled {
  /** From filling to the first refusal, and from freeing to the next acknowledgement. */
  readonly refusedAfterMs: number
  readonly backAfterMs: number
  readonly freeBytes: number
  readonly refusals: number
  readonly answers: number
}

class DiskTest {
  readonly #mount: string
  readonly #server: ServerProcess
  readonly #ledger: Ledger
  failures: string[] = []

  constructor(mount: string, server: ServerProcess, ledger: Ledger) {
    this.#mount = mount
    this.#server = server
    this.#ledger = ledger
  }

  /** Takes all but `leaveBytes` away, waits for refusals, asks, gives the space back. */
  async fill(leaveBytes: number): Promise<Filled> {
    const filler = join(this.#mount, 'filler')
    await fillDisk(this.#mount, filler, leaveBytes)
    const filledMs = performance.now()
    const refusalsBefore = this.#ledger.refusals
    await this.#until('a refusal', () => this.#ledger.refusals > refusalsBefore + 10)
    const refusedAfterMs = performance.now() - filledMs
    const acknowledged = this.#ledger.acknowledged.size
    let answers = 0
    for (let i = 0; i < 5; i++) {
      if (await this.#asks()) answers++
      await pause(300)
    }
    if (answers < 5)
      this.failures.push(`${5 - answers} of 5 questions were not answered while the disk was full`)
    if (leaveBytes > 0 && freeBytesOf(this.#mount) === 0)
      this.failures.push('the disk was filled to the last byte')
    const freeBytes = freeBytesOf(this.#mount)
    rmSync(filler)
    const freedMs = performance.now()
    const last = this.#ledger.acknowledged.size
    await this.#until('an acknowledgement', () => this.#ledger.acknowledged.size > last)
    const backAfterMs = performance.now() - freedMs
    if (backAfterMs > backMs) this.failures.push(`it came back after ${Math.round(backAfterMs)} ms`)
    say(
      `  ${last - acknowledged} items were acknowledged while it was full; ${Math.round(freeBytes / mebibyte)} MiB were left`,
    )
    return {
      refusedAfterMs,
      backAfterMs,
      freeBytes,
      refusals: this.#ledger.refusals - refusalsBefore,
      answers,
    }
  }

  async #asks(): Promise<boolean> {
    const connection = {
      url: this.#server.url,
      headers: {},
      origin: 'endpoint' as const,
      close: async () => undefined,
    }
    const reply = await callTool(connection, 'get_service_map', {})
    if (reply.failed) say(`  a question was answered with ${reply.json.slice(0, 300)}`)
    return !reply.failed
  }

  async #until(what: string, holds: () => boolean): Promise<void> {
    const startedMs = performance.now()
    while (!holds()) {
      if (performance.now() - startedMs > patienceMs)
        throw new Error(`${what} did not come in ${patienceMs} ms`)
      if (this.#server.child.exitCode !== null) throw new Error('the server ended')
      await pause(20)
    }
  }
}

async function runTest(mount: string): Promise<boolean> {
  const compiled = compileServer()
  const dataDirectory = join(mount, 'data')
  mkdirSync(dataDirectory)
  const ledger = new Ledger()
  const entry = compiled.entry
  const server = await startServerProcess({ dataDirectory, entry })
  try {
    const clients = new RetryingClients(ledger, 2, () => server, 100)
    const test = new DiskTest(mount, server, ledger)
    await pause(3_000)
    for (let time = 0; time < (numbers['times'] ?? 0); time++) {
      for (const [name, leaveBytes] of [
        ['up to what is kept free', 4 * mebibyte],
        ['to the last byte', 0],
      ] as const) {
        say(`${name}: ${figuresText({ ...(await test.fill(leaveBytes)) })}`)
        await pause(2_000)
      }
    }
    await clients.finish()
    const code = await server.stop()
    const verdict = judge(ledger, await storedItems(join(dataDirectory, 'otelcontext.db')))
    const { lost, twice, invented } = verdict
    say(
      `acknowledged ${ledger.acknowledged.size}, lost ${lost.length}, twice ${twice.length}, invented ${invented.length}, refusals without a time ${ledger.refusalsWithoutTime}, cut off ${ledger.requestsCutOff}, exit code ${code}`,
    )
    for (const failure of test.failures) say(`  ${failure}`)
    const wrong = lost.length + twice.length + invented.length + ledger.refusalsWithoutTime
    return wrong === 0 && code === 0 && test.failures.length === 0 && ledger.requestsCutOff === 0
  } finally {
    await server.kill()
    compiled.remove()
  }
}

const held = await onSmallDisk(numbers['megabytes'] ?? 0, runTest)
say(held ? 'full disk: ok' : 'full disk: FAILED')
process.exit(held ? 0 : 1)
