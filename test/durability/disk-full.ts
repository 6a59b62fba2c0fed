/** `npm run test:disk`: a small file system of its own fills up and is freed again under load. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type ServerProcess, startServerProcess } from '../../scripts/server-process.ts'
import { callTool } from '../../src/cli/server-connection.ts'
import { figuresText, readCommandLine, say } from './command.ts'
import { compileServer } from './compiled-server.ts'
import { judge, Ledger, storedItems } from './ledger.ts'
import { RetryingClients } from './retrying-clients.ts'

const mebibyte = 1024 * 1024
const thisFile = fileURLToPath(import.meta.url)
/** Set in the process that has mounts of its own. */
const insideVariable = 'DISK_TEST_INSIDE'
const backMs = 10_000
const patienceMs = 60_000

const { numbers } = readCommandLine({
  usage: 'npm run test:disk -- --times 2',
  description:
    'Mounts a small tmpfs in a mount namespace of its own (`unshare`; with a user namespace where it is not root), lets\na server store there under load, and fills it with another file: first up to what the server keeps free, then to the\nlast byte. The server has to refuse with a time to come back, answer questions meanwhile, and take data again within\nten seconds after the space is back; nothing acknowledged may be missing.',
  options: {
    times: { default: 1, help: 'how often it is filled each way' },
    megabytes: { default: 512, help: 'size of the file system' },
  },
})

/** Runs this command again where it may mount; returns its exit code. */
function runInside(): number {
  const root = process.getuid?.() === 0
  const arguments_ = [root ? '-m' : '-rm', '--', process.execPath, thisFile, ...process.argv.slice(2)]
  const run = spawnSync('unshare', arguments_, {
    stdio: 'inherit',
    env: { ...process.env, [insideVariable]: '1' },
  })
  if (run.error !== undefined) say(`disk test: \`unshare\` cannot be run: ${run.error.message}`)
  return run.status ?? 1
}

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

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#mount)
    return bavail * bsize
  }

  /** Takes all but `leaveBytes` away, waits for refusals, asks, gives the space back. */
  async fill(leaveBytes: number): Promise<Filled> {
    const filler = join(this.#mount, 'filler')
    await this.#write(filler, leaveBytes)
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
    if (leaveBytes > 0 && this.freeBytes === 0) this.failures.push('the disk was filled to the last byte')
    const { freeBytes } = this
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

  async #write(file: string, leaveBytes: number): Promise<void> {
    const handle = await open(file, 'w')
    const piece = Buffer.alloc(mebibyte, 1)
    try {
      for (let bytes = mebibyte; bytes >= 4096; ) {
        if (this.freeBytes - bytes < leaveBytes) bytes /= 2
        else await handle.write(piece, 0, bytes)
      }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
    } finally {
      await handle.close()
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

async function runTest(): Promise<boolean> {
  const compiled = compileServer()
  const mount = mkdtempSync(join(tmpdir(), 'disk-full-'))
  const size = `size=${numbers['megabytes']}m`
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', mount], { encoding: 'utf8' })
  if (mounted.status !== 0) {
    say(`disk test: a tmpfs cannot be mounted: ${mounted.stderr}`)
    return false
  }
  say(`a tmpfs of ${numbers['megabytes']} MiB, mounted in a namespace of its own`)
  const dataDirectory = join(mount, 'data')
  mkdirSync(dataDirectory)
  const ledger = new Ledger()
  const entry = join(compiled.directory, 'bin/otelcontext.js')
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
    spawnSync('umount', [mount])
    if (existsSync(mount)) rmSync(mount, { recursive: true, force: true })
  }
}

if (process.env[insideVariable] === undefined) process.exit(runInside())
const held = await runTest()
say(held ? 'full disk: ok' : 'full disk: FAILED')
process.exit(held ? 0 : 1)
