/**
 * The writing side of the inbox file; one connection, in the inbox worker. Methods between `begin` and `commit`
 * belong to one transaction. Throws SQLite's own errors.
 */

import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import type Database from 'better-sqlite3'
import { type Signal, signals } from '../../model/telemetry.ts'
import { emptyCounter, type InboxCounter, rowSize } from './inbox-counter.ts'
import {
  entryColumns,
  explainOpening,
  type InboxFileOptions,
  openInboxDatabase,
  readCounters,
  readInboxId,
  readLastPosition,
  readSecret,
} from './inbox-database.ts'
import { encodeRow, type InboxRow } from './inbox-row.ts'
import type { Burial, InboxStorage, InboxWriter, SeenRequest } from './inbox-storage.ts'

/** The real thing: a SQLite file and the file system it lies on. */
export function inboxStorage(options: InboxFileOptions): InboxStorage {
  return {
    open: () => InboxFile.open(options),
    diskSpace() {
      const { bavail, blocks, bsize } = statfsSync(dirname(options.file))
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
    },
  }
}

export class InboxFile implements InboxWriter {
  readonly inboxId: string
  readonly secret: Uint8Array
  readonly #database: Database.Database
  readonly #insert: Database.Statement
  readonly #remember: Database.Statement
  readonly #count: Database.Statement
  readonly #sealed: Database.Statement
  readonly #remove: Database.Statement
  #lastPosition: number
  #lastSequence: number
  #committedPosition: number

  /** Throws ConfigurationError as `openInboxDatabase` does. */
  static open(options: InboxFileOptions): InboxFile {
    const database = openInboxDatabase(options)
    try {
      return new InboxFile(database)
    } catch (error) {
      database.close()
      throw explainOpening(error, options.file)
    }
  }

  private constructor(database: Database.Database) {
    this.#database = database
    this.inboxId = readInboxId(this.#database)
    this.secret = readSecret(this.#database)
    this.#insert = this.#database.prepare(
      `INSERT INTO entry (${entryColumns}, size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#remember = this.#database.prepare('INSERT INTO seen VALUES (?, ?, ?, ?, ?)')
    this.#count = this.#database.prepare(
      `INSERT INTO counter VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, signal) DO UPDATE SET
         accepted = accepted + excluded.accepted, deduplicated = deduplicated + excluded.deduplicated,
         buried = buried + excluded.buried, rows = rows + excluded.rows,
         items = items + excluded.items, bytes = bytes + excluded.bytes`,
    )
    this.#sealed = this.#database.prepare(
      `SELECT position, tenant, signal, items, size FROM entry
       WHERE position <= ? AND position NOT IN (SELECT position FROM buried WHERE kept) ORDER BY position LIMIT ?`,
    )
    this.#remove = this.#database.prepare(
      `DELETE FROM entry WHERE position BETWEEN ? AND ?
       AND position NOT IN (SELECT position FROM buried WHERE kept)`,
    )
    this.#lastPosition = readLastPosition(this.#database)
    this.#lastSequence = this.#readNumber('SELECT max(sequence) FROM seen')
    this.#committedPosition = this.#lastPosition
  }

  get lastPosition(): number {
    return this.#committedPosition
  }

  begin(): void {
    this.#database.exec('BEGIN IMMEDIATE')
  }

  insert(row: Omit<InboxRow, 'position'>): number {
    const position = this.#lastPosition + 1
    const stored = encodeRow({ ...row, position })
    this.#insert.run(
      position,
      stored.format,
      stored.crc,
      stored.tenant,
      stored.signal,
      stored.received_ms,
      stored.encoding,
      stored.compression,
      stored.raw_bytes,
      stored.items,
      stored.refusals,
      stored.body,
      rowSize(stored.body.length),
    )
    this.#lastPosition = position
    return position
  }

  remember(seen: SeenRequest): void {
    this.#lastSequence++
    this.#remember.run(this.#lastSequence, seen.receivedMs, seen.accepted, seen.rejected, seen.hash)
  }

  count(added: InboxCounter): void {
    this.#count.run(
      added.tenant,
      signals.indexOf(added.signal),
      added.accepted,
      added.deduplicated,
      added.buried,
      added.rows,
      added.items,
      added.bytes,
    )
  }

  commit(): void {
    this.#database.exec('COMMIT')
    this.#committedPosition = this.#lastPosition
  }

  rollback(): void {
    if (this.#database.inTransaction) this.#database.exec('ROLLBACK')
    this.#lastPosition = this.#committedPosition
  }

  trim(
    position: number,
    limit: number,
  ): { readonly removed: readonly InboxCounter[]; readonly done: boolean } {
    const rows = this.#sealed.all(position, limit).map(readTrimRow)
    const first = rows[0]
    const last = rows.at(-1)
    if (first === undefined || last === undefined) return { removed: [], done: true }
    this.#remove.run(first.position, last.position)
    const removed = sumRemoved(rows)
    for (const counter of removed) this.count(counter)
    return { removed, done: rows.length < limit }
  }

  bury(burial: Burial): boolean {
    const added = this.#database
      .prepare('INSERT OR IGNORE INTO buried VALUES (?, ?, ?)')
      .run(burial.position, burial.kept ? 1 : 0, burial.reason)
    if (added.changes === 0) return false
    this.count({
      ...emptyCounter(burial.tenant, burial.signal),
      buried: burial.items,
    })
    return true
  }

  forgetSeen(beforeMs: number): void {
    this.#database
      .prepare(
        `DELETE FROM seen WHERE received_ms < ? AND sequence <=
           (SELECT coalesce(min(sequence), 0) + 20000 FROM seen)`,
      )
      .run(beforeMs)
  }

  *seenSince(fromMs: number, limit: number): Generator<SeenRequest> {
    const rows = this.#database
      .prepare(
        'SELECT received_ms, accepted, rejected, hash FROM seen WHERE received_ms >= ? AND sequence > ? ORDER BY sequence',
      )
      .iterate(fromMs, this.#lastSequence - limit)
    for (const row of rows) {
      // Columns of our own table, NOT NULL.
      const seen = row as { received_ms: number; accepted: number; rejected: number; hash: Uint8Array }
      const { accepted, rejected, hash } = seen
      yield { receivedMs: seen.received_ms, accepted, rejected, hash }
    }
  }

  counters(): readonly InboxCounter[] {
    return readCounters(this.#database)
  }

  keptRows(): number {
    return this.#readNumber('SELECT count(*) FROM buried WHERE kept')
  }

  close(): void {
    this.#database.close()
  }

  #readNumber(sql: string): number {
    return Number(this.#database.prepare(sql).pluck().get() ?? 0)
  }
}

interface TrimRow {
  readonly position: number
  readonly tenant: string
  readonly signal: Signal
  readonly items: number
  readonly size: number
}

/** A damaged row may hold anything, NULL included; it goes like the others, and its figures with it. */
function readTrimRow(row: unknown): TrimRow {
  const { position, tenant, signal, items, size } = row as Record<keyof TrimRow, unknown> // columns named in the statement
  return {
    position: Number(position),
    tenant: String(tenant),
    signal: signals[Number(signal)] ?? 'traces',
    items: Math.round(Number(items)) || 0,
    size: Math.round(Number(size)) || 0,
  }
}

function sumRemoved(rows: readonly TrimRow[]): readonly InboxCounter[] {
  const sums = new Map<string, InboxCounter>()
  for (const row of rows) {
    const key = `${row.signal} ${row.tenant}`
    const sum = sums.get(key) ?? emptyCounter(row.tenant, row.signal)
    sums.set(key, {
      ...sum,
      rows: sum.rows - 1,
      items: sum.items - row.items,
      bytes: sum.bytes - row.size,
    })
  }
  return [...sums.values()]
}
