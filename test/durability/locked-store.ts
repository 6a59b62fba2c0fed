/** `npm run test:locked`: another process holds the store's write lock; ingest goes on, and nothing is lost. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { compileServer } from '../../scripts/compiled-server.ts'
import { type ServerProcess, startServerProcess } from '../../scripts/server-process.ts'
import { figuresText, readCommandLine, say } from './command.ts'
import { judge, Ledger, storedItems } from './ledger.ts'
import { RetryingClients } from './retrying-clients.ts'

const probe = fileURLToPath(new URL('./event-loop-probe.ts', import.meta.url))
/** What a sender may see of it at most; the goal of the event loop's delay is the specification's. */
const maxGapMs = 5_000
const maxDelayP99Ms = 50
const catchUpMs = 60_000

const { numbers } = readCommandLine({
  inOneGo: true,
  usage: 'npm run test:locked -- --seconds 60',
  description:
    "Holds the write lock of the store's file from another process while clients send. Requests go on being acknowledged\ninto the inbox, the main thread's event loop is held up for less than 50 ms at the 99th percentile, and after the lock\nis gone everything acknowledged is sealed, once.",
  options: {
    seconds: { default: 60, help: 'how long the lock is held' },
    clients: { default: 1, help: 'senders of each of seven kinds' },
    pause: { default: 20, help: 'milliseconds a sender rests between two requests' },
  },
})

interface Delay {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly samples: number
}

/** What the probe measured since the last call. */
async function takeDelays(file: string): Promise<Delay> {
  const delay = JSON.parse(readFileSync(file, 'utf8')) as Delay // written by our own probe
  rmSync(file)
  await pause(600)
  return delay
}

async function run(server: ServerProcess, dataDirectory: string, probeFile: string): Promise<boolean> {
  const ledger = new Ledger()
  const clients = new RetryingClients(
    ledger,
    numbers['clients'] ?? 1,
    () => server,
    50,
    numbers['pause'] ?? 0,
  )
  await pause(2_000)
  await takeDelays(probeFile)
  await pause(5_000)
  const calm = await takeDelays(probeFile)
  const databaseFile = join(dataDirectory, 'otelcontext.db')
  const lock = new Database(databaseFile)
  lock.exec('BEGIN IMMEDIATE')
  const lockedMs = Date.now()
  const before = ledger.acknowledged.size
  ledger.longestGapMs = 0
  ledger.refusals = 0
  for (let left = numbers['seconds'] ?? 0; left > 0; left -= 10) {
    await pause(Math.min(10, left) * 1_000)
    say(
      `locked for ${Math.round((Date.now() - lockedMs) / 1_000)} s: ${ledger.acknowledged.size - before} items acknowledged`,
    )
  }
  const during = ledger.acknowledged.size - before
  const { longestGapMs, refusals } = ledger
  const locked = await takeDelays(probeFile)
  const unlockedMs = Date.now()
  lock.exec('ROLLBACK')
  lock.close()
  await clients.finish()
  const sealedAfterMs = await untilSealed(databaseFile, ledger, unlockedMs)
  const code = await server.stop()
  const { lost, twice, invented } = judge(ledger, await storedItems(databaseFile))
  const wrong = lost.length + twice.length + invented.length
  const items = { during, refusals, longestGapMs, sealedAfterMs }
  const verdict = { lost: lost.length, twice: twice.length, invented: invented.length, exitCode: code ?? -1 }
  say(`items acknowledged ${figuresText({ ...items, ...verdict })}`)
  say(`event loop delay, ms: before ${figuresText({ ...calm })}; locked ${figuresText({ ...locked })}`)
  return (
    wrong === 0 &&
    during > 0 &&
    code === 0 &&
    longestGapMs < maxGapMs &&
    !(locked.p99Ms >= maxDelayP99Ms) &&
    sealedAfterMs < catchUpMs
  )
}

/** How long sealing took to catch up after the lock was gone, milliseconds. */
async function untilSealed(databaseFile: string, ledger: Ledger, unlockedMs: number): Promise<number> {
  for (;;) {
    const stored = await storedItems(databaseFile)
    const waited = Date.now() - unlockedMs
    if (stored.size >= ledger.acknowledged.size || waited > catchUpMs) return waited
    await pause(250)
  }
}

const directory = mkdtempSync(join(tmpdir(), 'locked-store-'))
const compiled = compileServer()
let held = false
try {
  const dataDirectory = join(directory, 'data')
  const probeFile = join(directory, 'event-loop')
  const server = await startServerProcess({
    dataDirectory,
    entry: compiled.entry,
    environment: { NODE_OPTIONS: `--import ${probe}`, EVENT_LOOP_FILE: probeFile },
  })
  try {
    held = await run(server, dataDirectory, probeFile)
  } finally {
    await server.kill()
  }
} finally {
  compiled.remove()
  rmSync(directory, { recursive: true, force: true })
}
say(held ? 'locked store: ok' : 'locked store: FAILED')
process.exit(held ? 0 : 1)
