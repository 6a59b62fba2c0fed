/**
 * Clients send without pause while the Postgres behind the server is restarted, crashed, frozen and kept away, and now and
 * then the server is killed as well and has to start without it.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { CompiledServer } from '../../scripts/compiled-server.ts'
import { locationOf, type PostgresServer, startPostgres } from '../../scripts/postgres-server.ts'
import type { ServerProcess } from '../../scripts/server-process.ts'
import { seededChoice } from '../seeded-choice.ts'
import { judge, Ledger, storedItems } from './ledger.ts'
import { RetryingClients } from './retrying-clients.ts'
import { standBy } from './standby.ts'

export interface RestartRunOptions {
  readonly server: CompiledServer
  readonly seed: number
  readonly cycles: number
  /** From one stop of Postgres to the next. */
  readonly everyMs: number
  /** How long it stays away, and at most beyond that. */
  readonly leastMs: number
  readonly awayMs: number
}

export interface RestartFigures {
  readonly cycles: number
  /** Of the server, half of them with Postgres there, half while it was away until after the next start. */
  readonly serverKills: number
  readonly acknowledged: number
  /** Items acknowledged while Postgres was away, in the cycle with the fewest. */
  readonly minAcknowledgedWhileAway: number
  readonly lost: number
  readonly twice: number
  readonly invented: number
  readonly deadLetters: number
  /** Slowest return to a store that holds everything, after the last restart, milliseconds. */
  readonly maxCatchUpMs: number
}

/** Shut down, crashed, or hanging without a word. */
const faults = ['fast', 'immediate', 'frozen'] as const
const catchUpPatienceMs = 60_000

export async function runRestarts(options: RestartRunOptions): Promise<RestartFigures> {
  const choice = seededChoice(options.seed)
  const directory = mkdtempSync(join(tmpdir(), 'restarts-'))
  const dataDirectory = join(directory, 'data')
  const postgres = await startPostgres()
  const environment = { DB_DRIVER: 'postgres', DB_DSN: postgres.dsn('postgres') }
  const start = (): Promise<ServerProcess> => standBy(options.server, { dataDirectory, environment }).start()
  const ledger = new Ledger()
  let server: ServerProcess | null = null
  let serverKills = 0
  let fewest = Number.POSITIVE_INFINITY
  try {
    server = await start()
    const clients = new RetryingClients(ledger, 1, () => server)
    for (let cycle = 0; cycle < options.cycles; cycle++) {
      const endMs = performance.now() + options.everyMs
      await pause(choice.next() * options.everyMs * 0.4)
      if (cycle % 5 === 1) {
        await server.kill()
        server = null
        server = await start()
        serverKills++
      }
      const before = ledger.acknowledged.size
      const fault = faults[choice.below(faults.length)] ?? 'fast'
      if (fault === 'frozen') postgres.freeze()
      else await postgres.stop(fault)
      if (cycle % 5 === 3) {
        await server.kill()
        server = null
        server = await start()
        serverKills++
      }
      await pause(options.leastMs + choice.next() * options.awayMs)
      fewest = Math.min(fewest, ledger.acknowledged.size - before)
      if (fault === 'frozen') postgres.thaw()
      else await postgres.start()
      await pause(Math.max(0, endMs - performance.now()))
    }
    await clients.finish()
    const maxCatchUpMs = await untilSealed(server)
    const code = await server.stop()
    if (code !== 0) throw new Error(`seed ${options.seed}: the server ended with code ${code}`)
    const verdict = await judgeStore(ledger, postgres)
    return {
      cycles: options.cycles,
      serverKills,
      acknowledged: ledger.acknowledged.size,
      minAcknowledgedWhileAway: fewest,
      lost: verdict.lost.length,
      twice: verdict.twice.length,
      invented: verdict.invented.length,
      deadLetters: readdirSync(join(dataDirectory, 'dlq')).length,
      maxCatchUpMs,
    }
  } finally {
    await server?.kill()
    await postgres.remove()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function judgeStore(ledger: Ledger, postgres: PostgresServer): Promise<ReturnType<typeof judge>> {
  return judge(ledger, await storedItems(locationOf(postgres.dsn('postgres'))))
}

interface Ready {
  readonly checks: Readonly<Record<string, { readonly figures: Readonly<Record<string, unknown>> }>>
}

/** Waits until nothing is left to seal; returns how long that took. */
export async function untilSealed(server: ServerProcess): Promise<number> {
  const startedMs = performance.now()
  while (performance.now() - startedMs < catchUpPatienceMs) {
    const response = await fetch(`${server.url}/ready`)
    const { checks } = (await response.json()) as Ready // our own report
    if (checks['sealing']?.figures['unsealed_positions'] === 0) return performance.now() - startedMs
    await pause(50)
  }
  throw new Error(`sealing did not catch up within ${catchUpPatienceMs} ms`)
}
