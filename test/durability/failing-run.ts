/**
 * The process whose writes and syncs are made to fail: `node failing-run.ts DIRECTORY`. It sends requests until
 * each is acknowledged, or none has been for a while, reads the store all along, says what it saw as one line of
 * JSON, and is killed. A request that is acknowledged is noted by one write to `acknowledged`.
 */
import { openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createLogger } from '../../src/logger.ts'
import { openSqliteReader } from '../../src/store/sqlite/store-reader.ts'
import { spanRequest } from '../engine/requests.ts'
import { startSmallEngine } from './small-engine.ts'

export interface FailingRunReport {
  readonly started: boolean
  /** What it said if it did not start. */
  readonly message: string
  readonly acknowledged: number
  readonly refused: number
  /** Refusals during which an alarm was up. */
  readonly alarmed: number
  readonly reads: number
  readonly failedReads: number
  /** Sealing reported a fault of the store. */
  readonly storeFaults: number
}

const requests = 14
const items = 3
/** Recovery is tried every second, so a single fault is over by then. */
const attempts = 14
const attemptMs = 150
const sealLimits = { items: 6, bytes: 1024 * 1024, ageMs: 50 }

const directory = process.argv[2] ?? ''
const notes = openSync(join(directory, 'acknowledged'), 'w')
const report = {
  started: false,
  message: '',
  acknowledged: 0,
  refused: 0,
  alarmed: 0,
  reads: 0,
  failedReads: 0,
  storeFaults: 0,
}

try {
  const logger = createLogger('SILENT')
  const engine = await startSmallEngine({ directory, synchronous: 'FULL', sealLimits, logger })
  report.started = true
  const store = openSqliteReader(join(directory, 'store.db'))

  async function send(seed: number): Promise<boolean> {
    const timeMs = Date.now()
    const body = spanRequest({ seed, spans: items, timeMs })
    for (let attempt = 0; attempt < attempts; attempt++) {
      const result = await engine.admission.submit({
        signal: 'traces',
        transport: 'http',
        encoding: 'protobuf',
        compression: 'none',
        body: [body.slice()],
        tenant: 'default',
        principal: 'sender',
        peer: '127.0.0.1',
        receivedAtMs: timeMs,
        maxBytes: 1024 * 1024,
      })
      if (result.outcome === 'accepted') {
        writeSync(notes, `${seed} ${items}\n`)
        report.acknowledged++
        return true
      }
      if (result.outcome !== 'retry') throw new Error(`a sound request was ${result.outcome}`)
      report.refused++
      const { alarm } = await engine.figures()
      if (alarm !== null) report.alarmed++
      await pause(attemptMs)
    }
    return false
  }

  async function read(): Promise<void> {
    report.reads++
    try {
      const snapshot = await store.snapshot()
      await snapshot.segmentChanges(0)
      await snapshot.release()
    } catch {
      report.failedReads++
    }
  }

  for (let seed = 1; seed <= requests; seed++) {
    const taken = await send(seed)
    await read()
    if (!taken) break
    await pause(20)
  }
  await pause(200)
  const { engine: figures } = await engine.figures()
  if (figures?.storeFault !== null && figures?.storeFault !== undefined) report.storeFaults++
} catch (error) {
  report.message = error instanceof Error ? error.message : String(error)
}
writeSync(1, `${JSON.stringify(report)}\n`)
process.kill(process.pid, 'SIGKILL')
