/**
 * The one connection that writes. Work on it comes one after the other; one that broke is replaced with the
 * next piece of work. Nothing is repeated here: whether a lost commit happened is for its caller to look up.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from 'pg'
import { StoreError } from '../../errors.ts'
import type { Clock } from '../../model/time.ts'
import { connect, type Database } from './database.ts'
import { explained } from './explain.ts'

/** "OtCx": whoever holds this lock of the database may write. It goes with the session, however that ends. */
const writerLock = 0x4f744378
/** The session of a process that was killed ends its statement first; one that takes longer is asked again later. */
const lockPatienceMs = 1_000
const lockPollMs = 50
/** After a failed attempt to connect, work fails at once for so long, twice as long each time. */
const firstHoldMs = 100
const lastHoldMs = 2_000
/** What closing leaves to work that is under way. */
const closePatienceMs = 1_000

export interface WriterConnectionOptions {
  readonly lifetimeMs: number
  readonly clock: Clock
  /** Checks and prepares a new connection, once it holds the lock. */
  prepare(client: Client): Promise<void>
}

export class WriterConnection {
  readonly #database: Database
  readonly #options: WriterConnectionOptions
  #client: Client | null = null
  #openedMs = 0
  #queue: Promise<unknown> = Promise.resolve()
  #closed = false
  #holdUntilMs = 0
  #holdMs = 0
  #fault: unknown = null

  constructor(database: Database, options: WriterConnectionOptions) {
    this.#database = database
    this.#options = options
  }

  get shown(): string {
    return this.#database.address.shown
  }

  /** Rejects with StoreError; when `signal` fires, the connection is given up and with it what runs on it. */
  use<T>(work: (client: Client) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const result = this.#queue.then(() => this.#run(work, signal))
    this.#queue = result.catch(() => undefined)
    return result
  }

  /** `work` in a transaction: all of it or nothing. */
  transaction<T>(work: (client: Client) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.use(async client => {
      await client.query('BEGIN')
      const result = await work(client)
      await client.query('COMMIT')
      return result
    }, signal)
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.race([this.#queue, pause(closePatienceMs, undefined, { ref: false })])
    await this.#drop()
  }

  async #run<T>(work: (client: Client) => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted()
    if (this.#closed) throw new StoreError('store_closed', `the writer to ${this.shown} is closed`)
    const client = await this.#connected()
    const giveUp = (): void => void this.#drop()
    signal?.addEventListener('abort', giveUp, { once: true })
    try {
      return await explained(this.shown, () => work(client))
    } catch (error) {
      // One that cannot even roll back is broken, and the server rolls back for it.
      await client.query('ROLLBACK').catch(() => this.#drop())
      // The name may lead to the primary by now.
      if (error instanceof StoreError && error.code === 'store_standby') await this.#drop()
      throw error
    } finally {
      signal?.removeEventListener('abort', giveUp)
    }
  }

  async #connected(): Promise<Client> {
    const { clock, lifetimeMs } = this.#options
    const old = lifetimeMs > 0 && clock.now() - this.#openedMs > lifetimeMs
    if (old) await this.#drop()
    if (this.#client !== null) return this.#client
    if (clock.now() < this.#holdUntilMs) throw this.#fault
    try {
      const client = await explained(this.shown, () => this.#open())
      client.once('end', () => {
        if (this.#client === client) this.#client = null
      })
      this.#client = client
      this.#openedMs = clock.now()
      this.#holdMs = 0
      return client
    } catch (error) {
      this.#fault = error
      this.#holdMs = Math.min(Math.max(this.#holdMs * 2, firstHoldMs), lastHoldMs)
      this.#holdUntilMs = clock.now() + this.#holdMs
      throw error
    }
  }

  async #open(): Promise<Client> {
    const client = await connect(this.#database)
    try {
      await this.#takeLock(client)
      await this.#options.prepare(client)
      return client
    } catch (error) {
      await client.end().catch(() => undefined)
      throw error
    }
  }

  async #takeLock(client: Client): Promise<void> {
    const end = performance.now() + lockPatienceMs
    while (!this.#closed) {
      const { rows } = await client.query<{ readonly taken: boolean }>(
        `SELECT pg_try_advisory_lock(${writerLock}) AS taken`,
      )
      if (rows[0]?.taken === true) return
      if (performance.now() > end) break
      await pause(lockPollMs)
    }
    throw new StoreError(
      'store_owned',
      `${this.shown} is written to by another process; stop that one, or set DB_DSN to another database; it is tried again`,
    )
  }

  async #drop(): Promise<void> {
    const client = this.#client
    this.#client = null
    // Breaks a statement that runs off; waiting for an answer to the farewell may take forever.
    if (client !== null) await Promise.race([client.end().catch(() => undefined), pause(100)])
  }
}
