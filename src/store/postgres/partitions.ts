/** Partitions of the segment bytes, one per signal and day of receipt: made in advance, dropped whole. */
import type { Client } from 'pg'
import { signals } from '../../model/telemetry.ts'
import { dayOf, partitionName } from './schema.ts'

/** Dropping locks the table against readers; one that cannot have the lock at once is tried with the next run. */
const dropLockMs = 250

interface Partition {
  readonly name: string
  readonly signal: number
  readonly day: number
}

/** What is known to exist; a store without partitions has no use for it. */
export class Partitions {
  readonly #lookaheadDays: number
  readonly #known = new Map<string, Partition>()
  /** Made in a transaction that is not committed. */
  #made: Partition[] = []
  #dropped = 0

  constructor(lookaheadDays: number) {
    this.#lookaheadDays = lookaheadDays
  }

  /** Dropped by this process, and there now. */
  figures(): { readonly active: number; readonly dropped: number } {
    return { active: this.#known.size, dropped: this.#dropped }
  }

  /** Looks up what there is; with every new connection, since another process may have been at it. */
  async read(client: Client): Promise<void> {
    const { rows } = await client.query<{ readonly name: string }>(
      `SELECT c.relname AS name FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
       WHERE inhparent = 'otelcontext.segment_data'::regclass`,
    )
    this.#known.clear()
    for (const { name } of rows) {
      const partition = parsePartition(name)
      if (partition !== null) this.#known.set(name, partition)
    }
  }

  /** Inside a transaction, for the segments it writes; `settle` says how it ended. */
  async ensure(client: Client, signal: number, day: number): Promise<void> {
    const name = partitionName(signal, day)
    if (this.#known.has(name) || this.#made.some(one => one.name === name)) return
    await client.query(
      `CREATE TABLE IF NOT EXISTS otelcontext.${name} PARTITION OF otelcontext.segment_data
       FOR VALUES FROM (${signal}, ${day}) TO (${signal}, ${day + 1})`,
    )
    this.#made.push({ name, signal, day })
  }

  settle(committed: boolean): void {
    if (committed) for (const partition of this.#made) this.#known.set(partition.name, partition)
    this.#made = []
  }

  /** Makes those of today and the days to come, so that no seal waits for one. */
  async lookAhead(client: Client, nowMs: number): Promise<void> {
    for (let ahead = 0; ahead <= this.#lookaheadDays; ahead++)
      for (const signal of signals.keys()) await this.ensure(client, signal, dayOf(nowMs) + ahead)
    this.settle(true)
  }

  /** Partitions of the signal that end before `beforeMs` and hold nothing that is still listed. */
  async expired(client: Client, signal: number, beforeMs: number): Promise<readonly string[]> {
    const old = [...this.#known.values()].filter(
      one => one.signal === signal && one.day + 1 <= dayOf(beforeMs),
    )
    const empty: string[] = []
    for (const { name, day } of old) {
      const { rows } = await client.query<{ readonly used: boolean }>(
        `SELECT EXISTS (SELECT FROM otelcontext.segment WHERE signal = $1
           AND max_received_ms >= $2::float8 * 86400000 AND max_received_ms < ($2::float8 + 1) * 86400000) AS used`,
        [signal, day],
      )
      if (rows[0]?.used === false) empty.push(name)
    }
    return empty.sort()
  }

  /** Rejects with `store_busy` while readers hold the table. */
  async drop(client: Client, name: string): Promise<void> {
    await client.query(`SET LOCAL lock_timeout = ${dropLockMs}`)
    await client.query(`DROP TABLE IF EXISTS otelcontext.${name}`)
  }

  forget(name: string): void {
    if (this.#known.delete(name)) this.#dropped++
  }
}

function parsePartition(name: string): Partition | null {
  const match = /^segment_data_(\w+)_(\d{4,})(\d{2})(\d{2})$/.exec(name)
  const names: readonly string[] = signals
  const signal = names.indexOf(match?.[1] ?? '')
  if (match === null || signal < 0) return null
  return { name, signal, day: dayOf(Date.UTC(Number(match[2]), Number(match[3]) - 1, Number(match[4]))) }
}
