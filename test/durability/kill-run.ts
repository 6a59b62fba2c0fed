/**
 * One series of kills on one data directory: clients send without pause, the server is killed at random moments,
 * also while it starts, and after each kill its files are looked at before the next server may touch them.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { CompiledServer } from '../../scripts/compiled-server.ts'
import type { ServerProcess } from '../../scripts/server-process.ts'
import { seededChoice } from '../seeded-choice.ts'
import { FileAudit } from './file-audit.ts'
import { judgeFiles, Ledger } from './ledger.ts'
import { RetryingClients } from './retrying-clients.ts'
import { type Standby, standBy } from './standby.ts'

export interface KillRunOptions {
  readonly server: CompiledServer
  readonly seed: number
  readonly kills: number
  readonly onKill?: (done: number) => void
}

export interface KillFigures {
  readonly kills: number
  readonly killsWhileStarting: number
  readonly acknowledged: number
  /** Requests on their way when the server died. */
  readonly cutOff: number
  readonly seals: number
  /** Of the acknowledged, at the end in the inbox alone. */
  readonly unsealed: number
  readonly lost: number
  readonly twice: number
  readonly invented: number
  readonly deadLetters: number
  /** Slowest start to accepting, milliseconds, code already loaded. */
  readonly maxStartMs: number
}

/** Seals come two seconds after data; every fifth server lives long enough for one, and dies about then. */
const sealMs = { from: 2_200, spread: 800 }
const shortMs = { from: 0, spread: 500 }
/** Opening files and starting workers takes about so long: kills within it, one in five, meet every step of a start. */
const startMs = 300

export async function runKills(options: KillRunOptions): Promise<KillFigures> {
  const choice = seededChoice(options.seed)
  const directory = mkdtempSync(join(tmpdir(), 'kill-'))
  const dataDirectory = join(directory, 'data')
  const ledger = new Ledger()
  let server: ServerProcess | null = null
  let next: Standby = standBy(options.server, { dataDirectory })
  const clients = new RetryingClients(ledger, 2, () => server)
  const audit = new FileAudit(ledger, dataDirectory, join(directory, 'copy'))
  let killsWhileStarting = 0
  let maxStartMs = 0
  try {
    for (let round = 0; round < options.kills; round++) {
      const current = next
      next = standBy(options.server, { dataDirectory })
      const atMs = performance.now()
      const starting = current.start()
      if (round % 5 === 2) {
        await pause(choice.next() * startMs)
        await current.kill()
        killsWhileStarting++
      } else {
        server = await starting
        // The first one had no time to load its code.
        if (round > 0) maxStartMs = Math.max(maxStartMs, performance.now() - atMs)
        const life = round % 5 === 4 ? sealMs : shortMs
        await pause(life.from + choice.next() * life.spread)
        await server.kill()
        server = null
      }
      audit.copy()
      options.onKill?.(round + 1)
    }
    server = await next.start()
    await clients.finish()
    const code = await server.stop()
    if (code !== 0) throw new Error(`seed ${options.seed}: the last server ended with code ${code}`)
    await audit.done()
    const whole = await judgeFiles(ledger, dataDirectory)
    return {
      kills: options.kills,
      killsWhileStarting,
      acknowledged: ledger.acknowledged.size,
      cutOff: ledger.requestsCutOff,
      seals: audit.seals,
      unsealed: whole.unsealed,
      lost: whole.lost.length + audit.lost,
      twice: whole.twice.length + audit.twice,
      invented: whole.invented.length + audit.invented,
      deadLetters: readdirSync(join(dataDirectory, 'dlq')).length,
      maxStartMs,
    }
  } finally {
    await next.kill()
    await server?.kill()
    rmSync(directory, { recursive: true, force: true })
  }
}
