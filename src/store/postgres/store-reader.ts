/** The reading side of the store on Postgres: consistent views over a pool of its own. */
import { LRUCache } from 'lru-cache'
import { Pool, type PoolClient } from 'pg'
import { StoreError } from '../../errors.ts'
import type {
  Retirements,
  RollupHead,
  RollupPage,
  RollupRecord,
  SegmentChanges,
  SegmentHeader,
  StoredCount,
  StoreReader,
  StoreSnapshot,
  TemplateRecord,
} from '../../model/store.ts'
import type { PostgresLocation } from '../../model/store-location.ts'
import { checkPart } from '../part.ts'
import { headerColumns, headerOf, type SegmentRow } from '../rows/segment-row.ts'
import { copyOut } from './copy-out.ts'
import {
  checkIdentity,
  connectTimeoutMs,
  type Database,
  databaseAt,
  prepareSession,
  type SessionLimits,
} from './database.ts'
import { explained } from './explain.ts'
import { readRetirements } from './retirement-rows.ts'
import { readRollupHeads, readRollupPage, readRollups } from './rollup-rows.ts'
import { readTemplates } from './template-rows.ts'
import { readTotals } from './totals.ts'

/** Reads are key lookups and pages; an export may think for a while between two of them. */
const limits: SessionLimits = { statementMs: 10_000, lockMs: 2_000, idleMs: 120_000 }
/** Connections nobody has used for so long are closed. */
const idleTimeoutMs = 60_000
/** Headers per statement; at 300 bytes each about 10 ms. */
const headersPerRead = 2_000
/** Segments whose parts' places are remembered: about 3 kB each. */
const maxPlaces = 2_000

interface PartPlaces {
  readonly sequence: number
  readonly signal: number
  readonly day: number
  /** Offset and length by name. */
  readonly parts: ReadonlyMap<string, readonly [offset: number, length: number]>
}

/** The schema must have been made by a writer before the first snapshot. Throws StoreError `bad_dsn`. */
export function openPostgresReader(location: PostgresLocation): StoreReader {
  return new PostgresStoreReader(location)
}

class PostgresStoreReader implements StoreReader {
  readonly #database: Database
  readonly #pool: Pool
  readonly #prepared = new WeakSet<PoolClient>()
  readonly #places = new LRUCache<string, PartPlaces>({ max: maxPlaces })
  #closed = false

  constructor(location: PostgresLocation) {
    this.#database = databaseAt(location.dsn, limits)
    this.#pool = new Pool({
      ...this.#database.config,
      max: location.readConnections,
      idleTimeoutMillis: idleTimeoutMs,
      connectionTimeoutMillis: connectTimeoutMs,
      maxLifetimeSeconds: Math.ceil(location.connectionLifetimeMs / 1_000),
      allowExitOnIdle: true,
    })
    // Connections that break while nobody uses them leave the pool; in use, what runs on them fails.
    this.#pool.on('error', () => undefined)
    this.#pool.on('connect', client => client.on('error', () => undefined))
  }

  async snapshot(signal?: AbortSignal): Promise<StoreSnapshot> {
    const { shown } = this.#database.address
    while (true) {
      signal?.throwIfAborted()
      if (this.#closed) throw new StoreError('store_closed', `the reader of ${shown} is closed`)
      const client = await explained(shown, () => this.#take(signal))
      const known = this.#prepared.has(client)
      try {
        const sequence = await explained(shown, () => interruptible(this.#begin(client), signal))
        return new PostgresSnapshot({ shown, client, sequence, places: this.#places })
      } catch (error) {
        client.release(true)
        // A server that was restarted leaves its old connections in the pool; each of them fails once.
        if (known && error instanceof StoreError && error.code === 'store_unreachable') continue
        throw error
      }
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#pool.end()
  }

  async #take(signal?: AbortSignal): Promise<PoolClient> {
    const taking = this.#pool.connect()
    try {
      return await interruptible(taking, signal)
    } catch (error) {
      // Given up while waiting: what comes in the end goes back.
      taking.then(
        client => client.release(),
        () => undefined,
      )
      throw error
    }
  }

  async #begin(client: PoolClient): Promise<number> {
    if (!this.#prepared.has(client)) {
      await prepareSession(client, limits)
      await checkIdentity(client, this.#database.address.shown)
      this.#prepared.add(client)
    }
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    // The first query of the transaction fixes what this view sees.
    const { rows } = await client.query<{ readonly sequence: number }>(
      'SELECT sequence FROM otelcontext.store',
    )
    return rows[0]?.sequence ?? 0
  }
}

interface SnapshotParts {
  readonly shown: string
  readonly client: PoolClient
  readonly sequence: number
  /** Of segments, which never change; shared by all views. */
  readonly places: LRUCache<string, PartPlaces>
}

class PostgresSnapshot implements StoreSnapshot {
  readonly #shown: string
  readonly #client: PoolClient
  readonly #sequence: number
  readonly #places: LRUCache<string, PartPlaces>
  #queue: Promise<unknown> = Promise.resolve()
  #released = false
  /** Something on it did not end as it should: the connection is not used again. */
  #broken = false

  constructor(parts: SnapshotParts) {
    this.#shown = parts.shown
    this.#client = parts.client
    this.#sequence = parts.sequence
    this.#places = parts.places
  }

  async sealedPosition(inboxId: string): Promise<number> {
    return this.#read(async client => {
      const { rows } = await client.query<{ readonly position: number }>(
        'SELECT position FROM otelcontext.sealed_position WHERE inbox_id = $1',
        [inboxId],
      )
      return rows[0]?.position ?? 0
    })
  }

  async segmentChanges(afterSequence: number, signal?: AbortSignal): Promise<SegmentChanges> {
    return this.#read(async client => {
      const added: SegmentHeader[] = []
      let last = afterSequence
      while (true) {
        signal?.throwIfAborted()
        const { rows } = await client.query<SegmentRow>(
          `SELECT ${headerColumns} FROM otelcontext.segment WHERE sequence > $1 ORDER BY sequence LIMIT $2`,
          [last, headersPerRead],
        )
        for (const row of rows) added.push(headerOf(row))
        last = rows.at(-1)?.sequence ?? last
        if (rows.length < headersPerRead) break
      }
      // A reader that knows nothing yet has nothing to remove.
      if (afterSequence === 0) return { sequence: this.#sequence, added, removed: [] }
      const { rows } = await client.query<{ readonly id: string }>(
        'SELECT id FROM otelcontext.removal WHERE sequence > $1 ORDER BY sequence',
        [afterSequence],
      )
      return { sequence: this.#sequence, added, removed: rows.map(row => row.id) }
    }, signal)
  }

  async segmentParts(
    id: string,
    parts: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.#read(async client => {
      const known = this.#places.get(id)
      const found = known === undefined ? null : await readParts(client, id, known, parts)
      if (found !== null) return found
      const places = await this.#readPlaces(client, id)
      const read = await readParts(client, id, places, parts)
      if (read === null) throw new StoreError('missing_segment', `segment ${id} is not stored any more`)
      return read
    }, signal)
  }

  async rollups(
    tenant: string,
    fromMs: number,
    toMs: number,
    signal?: AbortSignal,
  ): Promise<readonly RollupRecord[]> {
    return this.#read(client => readRollups(client, tenant, fromMs, toMs, signal), signal)
  }

  async rollupHeads(
    tenant: string,
    fromMs: number,
    toMs: number,
    signal?: AbortSignal,
  ): Promise<readonly RollupHead[]> {
    return this.#read(client => readRollupHeads(client, tenant, fromMs, toMs), signal)
  }

  async templates(tenant: string, signal?: AbortSignal): Promise<readonly TemplateRecord[]> {
    return this.#read(client => readTemplates(client, tenant), signal)
  }

  async rollupPage(after: number, limit: number): Promise<RollupPage> {
    return this.#read(client => readRollupPage(client, after, limit))
  }

  async sealedCounts(): Promise<readonly StoredCount[]> {
    return this.#read(readTotals)
  }

  async retirements(tenant: string): Promise<Retirements> {
    return this.#read(client => readRetirements(client, tenant))
  }

  async release(): Promise<void> {
    if (this.#released) return
    this.#released = true
    try {
      // What waits behind the running statement finds the view released.
      if (!this.#broken) await this.#queue
      if (!this.#broken) await this.#client.query('COMMIT')
    } catch {
      this.#broken = true
    }
    this.#client.release(this.#broken)
  }

  async #readPlaces(client: PoolClient, id: string): Promise<PartPlaces> {
    const { rows } = await client.query<{
      readonly sequence: number
      readonly signal: number
      readonly day: number
      readonly parts: string
    }>('SELECT sequence, signal, day, parts FROM otelcontext.segment WHERE id = $1', [id])
    const row = rows[0]
    if (row === undefined) throw new StoreError('missing_segment', `segment ${id} is not stored any more`)
    const places = { ...row, parts: placesOf(row.parts) }
    this.#places.set(id, places)
    return places
  }

  /** One piece of work after the other: the driver takes one statement at a time. */
  #next<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const result = this.#queue.then(() => {
      // What was given up, or found the connection broken, has ended it for those behind as well.
      if (this.#released) throw released()
      if (this.#broken) throw new StoreError('store_unreachable', `${this.#shown} was lost`)
      return work(this.#client)
    })
    this.#queue = result.catch(() => undefined)
    return result
  }

  async #read<T>(work: (client: PoolClient) => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted()
    if (this.#released) throw released()
    try {
      return await explained(this.#shown, () => interruptible(this.#next(work), signal))
    } catch (error) {
      // Of our own refusals the connection knows nothing; anything else leaves it in the middle of something.
      if (!(error instanceof StoreError) || error.cause !== undefined) this.#broken = true
      throw error
    }
  }
}

function released(): StoreError {
  return new StoreError('snapshot_released', 'this view of the store was released')
}

/** Null if the bytes are not there. */
async function readParts(
  client: PoolClient,
  id: string,
  places: PartPlaces,
  names: readonly string[],
): Promise<ReadonlyMap<string, Uint8Array> | null> {
  const wanted = names.map(name => {
    const place = places.parts.get(name)
    if (place === undefined) throw new StoreError('corrupt_segment', `segment ${id} has no part ${name}`)
    return place
  })
  // Joined from this side, so that one row of bytes is looked up once; `substring` counts from 1.
  const numbers = [places.signal, places.day, places.sequence, ...wanted.flat()]
  if (!numbers.every(Number.isSafeInteger))
    throw new StoreError('corrupt_segment', `segment ${id} has places that are no numbers`)
  const first = wanted.map(([offset]) => offset + 1)
  const size = wanted.map(([, length]) => length)
  const rows = await copyOut(
    client,
    `SELECT substring(d.bytes FROM p.first FOR p.size)
     FROM otelcontext.segment_data d, unnest('{${first}}'::int[], '{${size}}'::int[])
       WITH ORDINALITY AS p(first, size, place)
     WHERE d.signal = ${places.signal} AND d.day = ${places.day} AND d.sequence = ${places.sequence}
     ORDER BY p.place`,
  )
  if (rows.length < names.length) return null
  const found = new Map<string, Uint8Array>()
  for (const [at, name] of names.entries()) {
    const bytes = rows[at] ?? null
    if (bytes === null || bytes.length !== wanted[at]?.[1])
      throw new StoreError('corrupt_segment', `segment ${id} lost its part ${name}`)
    checkPart(bytes)
    found.set(name, bytes)
  }
  return found
}

/** `name:length` in order of their bytes, separated by one space. */
function placesOf(text: string): PartPlaces['parts'] {
  const places = new Map<string, readonly [number, number]>()
  let offset = 0
  for (const entry of text.split(' ')) {
    const split = entry.lastIndexOf(':')
    const length = Number(entry.slice(split + 1))
    places.set(entry.slice(0, split), [offset, length])
    offset += length
  }
  return places
}

/** Rejects as soon as the signal fires, whatever becomes of `work`. */
async function interruptible<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  const { promise, reject } = Promise.withResolvers<never>()
  const giveUp = (): void => reject(signal.reason)
  signal.addEventListener('abort', giveUp, { once: true })
  if (signal.aborted) giveUp()
  work.catch(() => undefined)
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}
