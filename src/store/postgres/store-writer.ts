/** The writing side of the store on Postgres; one per database, on the engine's thread. */
import { randomUUID } from 'node:crypto'
import type { Client } from 'pg'
import { StoreError } from '../../errors.ts'
import type {
  RemovedSegments,
  RollupLimit,
  RollupRecord,
  RollupReplacement,
  Seal,
  SegmentRecord,
  SegmentReplacement,
  StorageReport,
  StoreWriter,
  TemplateRecord,
} from '../../model/store.ts'
import type { PostgresLocation } from '../../model/store-location.ts'
import type { Signal } from '../../model/telemetry.ts'
import { type Clock, systemClock } from '../../model/time.ts'
import { Retiring } from '../rows/retiring.ts'
import { countsOf, headerColumns, headerOf, type SegmentRow, signalNumber } from '../rows/segment-row.ts'
import { checkDurability, connectionsInUse, databaseAt, type SessionLimits } from './database.ts'
import { passes } from './explain.ts'
import { migrate } from './migrate.ts'
import { Partitions } from './partitions.ts'
import { writeRetirements } from './retirement-rows.ts'
import { deleteRollups, insertRollups, readRollups, readRollupsReceived } from './rollup-rows.ts'
import { dayOf } from './schema.ts'
import { deleteSegments, insertSegments, unstored } from './segment-rows.ts'
import { takeSequences } from './sequences.ts'
import { readTemplates, upsertTemplates } from './template-rows.ts'
import { readStorage, TotalChanges } from './totals.ts'
import { WriterConnection } from './writer-connection.ts'

/** Removals remembered for readers; one that is further behind meets missing segments and skips them. */
const maxRemovals = 100_000
/** Rows looked at to tell how far retention is behind; beyond it the figure is a lower bound. */
const maxRowsCounted = 5_000

/** A seal of 16 MiB takes a second on a slow disk; beyond these the connection is given up and the seal repeated. */
const limits: SessionLimits = { statementMs: 30_000, lockMs: 10_000, idleMs: 60_000 }

/**
 * Opens the database and makes or migrates its schema. Rejects with StoreError, one sentence with the remedy; one
 * that `passes` may be gone when it is tried again.
 */
export async function openPostgresWriter(
  location: PostgresLocation,
  clock: Clock = systemClock,
): Promise<StoreWriter> {
  const writer = new PostgresStoreWriter(location, clock)
  try {
    await writer.open()
    return writer
  } catch (error) {
    await writer.close()
    throw error
  }
}

class PostgresStoreWriter implements StoreWriter {
  readonly #connection: WriterConnection
  readonly #partitions: Partitions | null
  readonly #clock: Clock
  readonly #maxConnections: number
  /** Tells this process from others that have written there. */
  readonly #name = randomUUID()
  #opened = false
  /** What this process knows to be committed, by inbox. */
  readonly #committed = new Map<string, number>()

  constructor(location: PostgresLocation, clock: Clock) {
    const database = databaseAt(location.dsn, limits)
    this.#clock = clock
    this.#maxConnections = location.maxConnections
    this.#partitions = location.partitioning === 'daily' ? new Partitions(location.lookaheadDays) : null
    this.#connection = new WriterConnection(database, {
      lifetimeMs: location.connectionLifetimeMs,
      clock,
      prepare: client => this.#prepare(client, location),
    })
  }

  async open(): Promise<void> {
    await this.#connection.use(async () => undefined)
    this.#opened = true
  }

  async commitSeal(seal: Seal, signal?: AbortSignal): Promise<void> {
    const { inboxId, position } = seal.position
    await this.#write(
      seal.segments,
      async (client, sequences) => {
        if (position <= (await this.#storedPosition(client, inboxId))) return
        const totals = new TotalChanges()
        await this.#insert(client, seal.segments, sequences, totals)
        await insertRollups(client, seal.rollups)
        await upsertTemplates(client, seal.templates)
        for (const { tenant, signal: of, items } of seal.counts)
          totals.add(tenant, signalNumber(of), { sealed: items })
        await totals.write(client)
        await client.query(
          `INSERT INTO otelcontext.sealed_position (inbox_id, position) VALUES ($1, $2)
         ON CONFLICT (inbox_id) DO UPDATE SET position = excluded.position`,
          [inboxId, position],
        )
      },
      signal,
    )
    this.#committed.set(inboxId, Math.max(position, this.#committed.get(inboxId) ?? 0))
  }

  async sealedPosition(inboxId: string): Promise<number> {
    return this.#connection.use(client => this.#storedPosition(client, inboxId))
  }

  async allTemplates(): Promise<readonly TemplateRecord[]> {
    return this.#connection.use(client => readTemplates(client, null))
  }

  async replaceRollups(change: RollupReplacement): Promise<void> {
    await this.#connection.transaction(async client => {
      const narrowest = Math.min(...change.add.map(rollup => rollup.stepSeconds))
      const retiring = new Retiring()
      for (const row of await deleteRollups(client, 'id = ANY($1)', [change.remove]))
        if (row.step_seconds < narrowest) retiring.add(row.tenant, row.from_ms, row.to_ms)
      await insertRollups(client, change.add)
      await writeRetirements(client, retiring)
    })
  }

  async rollups(tenant: string, fromMs: number, toMs: number): Promise<readonly RollupRecord[]> {
    return this.#connection.use(client => readRollups(client, tenant, fromMs, toMs))
  }

  async rollupsReceived(
    stepSeconds: number,
    fromMs: number,
    toMs: number,
    limit: RollupLimit,
  ): Promise<readonly RollupRecord[]> {
    return this.#connection.use(client => readRollupsReceived(client, stepSeconds, fromMs, toMs, limit))
  }

  async tenants(): Promise<readonly string[]> {
    return this.#connection.use(async client => {
      const { rows } = await client.query<{ readonly tenant: string }>(
        'SELECT DISTINCT tenant FROM otelcontext.total ORDER BY tenant',
      )
      return rows.map(row => row.tenant)
    })
  }

  async replaceSegments(change: SegmentReplacement): Promise<boolean> {
    const added = change.add.length
    return this.#write([...change.add, ...change.remove], async (client, sequences) => {
      const { rows } = await client.query<SegmentRow>(
        `SELECT ${headerColumns} FROM otelcontext.segment WHERE id = ANY($1) ORDER BY sequence`,
        [change.remove],
      )
      if (rows.length < new Set(change.remove).size) return false
      const totals = new TotalChanges()
      await deleteSegments(client, rows, { sequences: sequences.slice(added), withBytes: true, totals })
      const inserted = await this.#insert(client, change.add, sequences, totals)
      const left = new Map<string, { readonly row: SegmentRow; items: number }>()
      for (const row of rows) {
        const group = left.get(`${row.signal} ${row.tenant}`)
        if (group === undefined) left.set(`${row.signal} ${row.tenant}`, { row, items: row.count })
        else group.items += row.count
      }
      for (const { header } of inserted) {
        const group = left.get(`${signalNumber(header.signal)} ${header.tenant}`)
        if (group !== undefined) group.items -= header.count
      }
      const retiring = new Retiring()
      for (const { row, items } of left.values()) {
        if (items === 0) continue
        totals.add(row.tenant, row.signal, { merged: items })
        for (const { tenant, min_time_ms, max_time_ms } of rows)
          if (tenant === row.tenant) retiring.add(tenant, min_time_ms, max_time_ms)
      }
      await totals.write(client)
      await writeRetirements(client, retiring)
      return true
    })
  }

  async removeSegments(
    signal: Signal,
    beforeMs: number,
    limit: number,
    tenant?: string,
  ): Promise<RemovedSegments> {
    const removed = await this.#connection.transaction(async client => {
      const { rows } = await client.query<SegmentRow>(
        `SELECT ${headerColumns} FROM otelcontext.segment WHERE signal = $1 AND max_received_ms < $2
           AND ($3::text IS NULL OR tenant = $3) ORDER BY max_received_ms, sequence LIMIT $4`,
        [signalNumber(signal), beforeMs, tenant ?? null, limit],
      )
      if (rows.length === 0) return []
      // With partitions the bytes go with their day.
      const sequences = await takeSequences(client, rows.length)
      const totals = new TotalChanges()
      await deleteSegments(client, rows, { sequences, withBytes: this.#partitions === null, totals })
      const retiring = new Retiring()
      for (const row of rows) {
        totals.add(row.tenant, row.signal, { removed: row.count })
        retiring.add(row.tenant, row.min_time_ms, row.max_time_ms)
      }
      await totals.write(client)
      await writeRetirements(client, retiring)
      await client.query(
        'DELETE FROM otelcontext.removal WHERE sequence <= (SELECT max(sequence) FROM otelcontext.removal) - $1',
        [maxRemovals],
      )
      return rows.map(headerOf)
    })
    if (this.#partitions !== null) await this.#turnPartitions(this.#partitions, signal, beforeMs)
    return { segments: removed.length, counts: countsOf(removed) }
  }

  async rowsBehind(signal: Signal, beforeMs: number): Promise<number> {
    return this.#connection.use(async client => {
      const { rows } = await client.query<{ readonly items: number }>(
        `SELECT coalesce(sum(count), 0)::bigint AS items FROM
           (SELECT count FROM otelcontext.segment WHERE signal = $1 AND max_received_ms < $2 LIMIT $3) AS behind`,
        [signalNumber(signal), beforeMs, maxRowsCounted],
      )
      return rows[0]?.items ?? 0
    })
  }

  async removeRollups(beforeMs: number, limit: number): Promise<number> {
    return this.#connection.transaction(async client => {
      const rows = await deleteRollups(
        client,
        `number IN
           (SELECT number FROM otelcontext.rollup WHERE received_ms < $1 ORDER BY received_ms LIMIT $2)`,
        [beforeMs, limit],
      )
      const retiring = new Retiring()
      for (const row of rows) retiring.add(row.tenant, row.from_ms, row.to_ms)
      await writeRetirements(client, retiring)
      return rows.length
    })
  }

  async reclaimSpace(): Promise<boolean> {
    return false
  }

  async storageReport(): Promise<StorageReport> {
    const partitions = this.#partitions === null ? {} : { partitions: this.#partitions.figures() }
    return this.#connection.use(async client => {
      const connections = { inUse: await connectionsInUse(client), max: this.#maxConnections }
      return { ...(await readStorage(client)), connections, ...partitions }
    })
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  async #prepare(client: Client, location: PostgresLocation): Promise<void> {
    const { shown } = this.#connection
    await checkDurability(client, shown)
    await migrate(client, { shown, migrate: location.migrate, partitioning: location.partitioning })
    await this.#refuseTaken(client)
    if (this.#partitions === null) return
    await this.#partitions.read(client)
    await this.#partitions.lookAhead(client, this.#clock.now())
  }

  /** Another process that wrote since has given out numbers of templates that this one would give out again. */
  async #refuseTaken(client: Client): Promise<void> {
    if (!this.#opened) {
      await client.query('UPDATE otelcontext.store SET writer = $1', [this.#name])
      return
    }
    const { rows } = await client.query<{ readonly writer: string }>('SELECT writer FROM otelcontext.store')
    if (rows[0]?.writer !== this.#name)
      throw new StoreError(
        'store_taken',
        `${this.#connection.shown} was written to by another process meanwhile; the engine starts again from what that one stored`,
      )
  }

  /**
   * A transaction that adds and removes segments, with a sequence for each. Taking the sequences locks their row,
   * so whatever a connection that was lost still commits is seen by `work`.
   */
  async #write<T>(
    segments: readonly unknown[],
    work: (client: Client, sequences: readonly number[]) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    try {
      const result = await this.#connection.transaction(
        async client => work(client, await takeSequences(client, segments.length)),
        signal,
      )
      this.#partitions?.settle(true)
      return result
    } catch (error) {
      this.#partitions?.settle(false)
      throw error
    }
  }

  async #storedPosition(client: Client, inboxId: string): Promise<number> {
    const { rows } = await client.query<{ readonly position: number }>(
      'SELECT position FROM otelcontext.sealed_position WHERE inbox_id = $1',
      [inboxId],
    )
    const position = rows[0]?.position ?? 0
    const committed = this.#committed.get(inboxId) ?? 0
    if (position < committed)
      throw new StoreError(
        'store_behind',
        `${this.#connection.shown} holds this inbox up to position ${position} and had acknowledged ${committed}: a failover lost the rest; what INBOX_KEEP_SEALED kept is stored again after a restart`,
      )
    this.#committed.set(inboxId, position)
    return position
  }

  /** Returns what was not stored before. */
  async #insert(
    client: Client,
    segments: readonly SegmentRecord[],
    sequences: readonly number[],
    totals: TotalChanges,
  ): Promise<readonly SegmentRecord[]> {
    const numbered = segments.map((segment, at) => ({ segment, sequence: sequences[at] ?? 0 }))
    const fresh = await unstored(client, numbered)
    if (this.#partitions !== null)
      for (const { header } of fresh.map(one => one.segment))
        await this.#partitions.ensure(client, signalNumber(header.signal), dayOf(header.maxReceivedMs))
    await insertSegments(client, fresh, totals)
    return fresh.map(one => one.segment)
  }

  /** Drops what is over and makes what is to come; a lock that readers hold is waited for with the next run. */
  async #turnPartitions(partitions: Partitions, signal: Signal, beforeMs: number): Promise<void> {
    const names = await this.#connection.use(async client => {
      await partitions.lookAhead(client, this.#clock.now())
      return partitions.expired(client, signalNumber(signal), beforeMs)
    })
    for (const name of names) {
      try {
        await this.#connection.transaction(client => partitions.drop(client, name))
        partitions.forget(name)
      } catch (error) {
        if (passes(error)) return
        throw error
      }
    }
  }
}
