/**
 * Clients send without pause while the primary of a pair of Postgres servers dies and its streaming standby takes over, as
 * often as asked for; each time the new primary gets a new standby. The server keeps one address, as behind a floating one.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { CompiledServer } from '../../scripts/compiled-server.ts'
import { dsnOf, locationOf, type PostgresServer, startPostgres } from '../../scripts/postgres-server.ts'
import type { ServerProcess } from '../../scripts/server-process.ts'
import { seededChoice } from '../seeded-choice.ts'
import { judge, Ledger, storedItems } from './ledger.ts'
import { untilSealed } from './postgres-restarts-run.ts'
import { RetryingClients } from './retrying-clients.ts'
import { standBy } from './standby.ts'

export interface FailoverRunOptions {
  readonly server: CompiledServer
  readonly seed: number
  readonly failovers: number
  /** From one to the next, milliseconds. */
  readonly everyMs: number
  /** So long before each failover the standby is cut off, and commits do not wait for it, milliseconds; 0: they wait. */
  readonly lateMs: number
}

export interface FailoverFigures {
  readonly failovers: number
  readonly acknowledged: number
  /** Items acknowledged from the death of a primary until the standby was one, in the failover with the fewest. */
  readonly minAcknowledgedWhileAway: number
  /** Of the primaries' logs, what the standbys did not have. */
  readonly bytesBehind: number
  readonly lost: number
  readonly twice: number
  readonly invented: number
  readonly deadLetters: number
  readonly maxPromotionMs: number
  readonly maxCatchUpMs: number
}

/** More than a checkpoint's worth of log, so that a standby is never too late for it. */
const settings = { wal_keep_size: '512MB' }
const standbyPatienceMs = 60_000
/** Longer than any standby is late here. */
const keepSealed = '10m'

export async function runFailovers(options: FailoverRunOptions): Promise<FailoverFigures> {
  const choice = seededChoice(options.seed)
  const directory = mkdtempSync(join(tmpdir(), 'failovers-'))
  const dataDirectory = join(directory, 'data')
  const first = await startPostgres(settings)
  let primary = first
  let standby = await standbyOf(primary, options.lateMs)
  const address = await FloatingAddress.of(primary.port)
  const environment = {
    DB_DRIVER: 'postgres',
    DB_DSN: dsnOf(address.port, 'postgres'),
    INBOX_KEEP_SEALED: keepSealed,
  }
  const ledger = new Ledger()
  let server: ServerProcess | null = null
  let fewest = Number.POSITIVE_INFINITY
  let maxPromotionMs = 0
  let bytesBehind = 0
  try {
    server = await standBy(options.server, { dataDirectory, environment }).start()
    const clients = new RetryingClients(ledger, 1, () => server)
    for (let failover = 0; failover < options.failovers; failover++) {
      await pause(options.everyMs * (0.6 + 0.8 * choice.next()))
      if (options.lateMs > 0) await cutOff(standby)
      await pause(options.lateMs)
      const before = ledger.acknowledged.size
      const diedMs = performance.now()
      bytesBehind += await bytesBetween(standby, primary)
      await primary.stop('immediate')
      address.moveTo(standby.port)
      // Half of the time it is found as what it still is, which takes no writes.
      if (choice.chance(0.5)) await pause(1_000 * choice.next())
      await standby.promote()
      maxPromotionMs = Math.max(maxPromotionMs, performance.now() - diedMs)
      fewest = Math.min(fewest, ledger.acknowledged.size - before)
      primary = standby
      standby = await standbyOf(primary, options.lateMs)
    }
    await clients.finish()
    const maxCatchUpMs = await untilSealed(server)
    const code = await server.stop()
    if (code !== 0) throw new Error(`seed ${options.seed}: the server ended with code ${code}`)
    const verdict = judge(ledger, await storedItems(locationOf(primary.dsn('postgres'))))
    return {
      failovers: options.failovers,
      acknowledged: ledger.acknowledged.size,
      minAcknowledgedWhileAway: fewest,
      bytesBehind,
      lost: verdict.lost.length,
      twice: verdict.twice.length,
      invented: verdict.invented.length,
      deadLetters: readdirSync(join(dataDirectory, 'dlq')).length,
      maxPromotionMs,
      maxCatchUpMs,
    }
  } finally {
    await server?.kill()
    address.close()
    await first.remove()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** One that streams, and that commits wait for unless it may be late. */
async function standbyOf(primary: PostgresServer, lateMs: number): Promise<PostgresServer> {
  const standby = await primary.startStandby()
  const names = lateMs > 0 ? '' : '*'
  await primary.run(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`)
  await primary.run('SELECT pg_reload_conf()')
  const wanted = lateMs > 0 ? 'async' : 'sync'
  const startedMs = performance.now()
  while (performance.now() - startedMs < standbyPatienceMs) {
    const states = await primary.run('SELECT sync_state FROM pg_stat_replication')
    if (states.some(state => state['sync_state'] === wanted)) return standby
    await pause(100)
  }
  throw new Error(`no ${wanted} standby in ${standbyPatienceMs} ms`)
}

async function cutOff(standby: PostgresServer): Promise<void> {
  await standby.run("ALTER SYSTEM SET primary_conninfo = ''")
  await standby.run('SELECT pg_reload_conf()')
}

/** Bytes of log that a primary has and its standby has not. */
async function bytesBetween(standby: PostgresServer, primary: PostgresServer): Promise<number> {
  const [has] = await standby.run('SELECT pg_last_wal_receive_lsn()::text AS lsn')
  const lsn = String(has?.['lsn'])
  const [row] = await primary.run(
    `SELECT greatest(pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '${lsn}'), 0)::float8 AS bytes`,
  )
  return Number(row?.['bytes'])
}

/** An address that leads to one server at a time; connections to the one before are cut. */
class FloatingAddress {
  readonly #listener: Server
  readonly #sockets = new Set<Socket>()
  #target: number

  private constructor(target: number) {
    this.#target = target
    this.#listener = createServer(near => {
      const far = connect(this.#target, '127.0.0.1')
      for (const socket of [near, far]) {
        this.#sockets.add(socket)
        socket.on('error', () => undefined)
        socket.on('close', () => {
          this.#sockets.delete(socket)
          near.destroy()
          far.destroy()
        })
      }
      near.pipe(far).pipe(near)
    })
  }

  static async of(target: number): Promise<FloatingAddress> {
    const address = new FloatingAddress(target)
    await new Promise<void>(resolve => address.#listener.listen(0, '127.0.0.1', resolve))
    return address
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port // a TCP server that listens
  }

  moveTo(target: number): void {
    this.#target = target
    for (const socket of this.#sockets) socket.destroy()
  }

  close(): void {
    this.#listener.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}
