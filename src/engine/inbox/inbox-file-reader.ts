/** The reading side of the inbox file, for the engine: rows it was not handed because it was behind, or after a start. */
import Database from 'better-sqlite3'
import { type Signal, signals } from '../../model/telemetry.ts'
import type { InboxCounter } from './inbox-counter.ts'
import { entryColumns, readCounters, readInboxId, readLastPosition } from './inbox-database.ts'
import type { StoredRow } from './inbox-row.ts'

export interface InboxBalance {
  readonly counters: readonly InboxCounter[]
  /** Items behind a position. */
  readonly waiting: readonly { readonly tenant: string; readonly signal: Signal; readonly items: number }[]
}

export class InboxFileReader {
  readonly inboxId: string
  readonly #database: Database.Database
  readonly #select: Database.Statement

  constructor(file: string) {
    this.#database = new Database(file, { readonly: true, timeout: 1_000 })
    this.inboxId = readInboxId(this.#database)
    this.#select = this.#database.prepare(
      `SELECT ${entryColumns} FROM entry WHERE position BETWEEN ? AND ? ORDER BY position LIMIT ?`,
    )
  }

  /** Newest position ever committed, also when its row is gone. */
  lastPosition(): number {
    return readLastPosition(this.#database)
  }

  /** Positions after `position` that were given up. */
  buriedAfter(position: number): readonly number[] {
    return this.#database
      .prepare('SELECT position FROM buried WHERE position > ?')
      .pluck()
      .all(position)
      .map(Number)
  }

  /**
   * Figures of every tenant and signal, and with them, from the same moment, the items behind `position` that
   * were not given up. Null if more than `maxRows` rows would have to be counted.
   */
  balanceAfter(position: number, maxRows: number): InboxBalance | null {
    return this.#database.transaction((): InboxBalance | null => {
      if (readLastPosition(this.#database) - position > maxRows) return null
      const counters = readCounters(this.#database)
      const waiting = this.#database
        .prepare(
          `SELECT tenant, signal, sum(items) AS items FROM entry
           WHERE position > ? AND position NOT IN (SELECT position FROM buried) GROUP BY tenant, signal`,
        )
        .all(position)
        .map(row => {
          // Columns named in the statement; sum over NOT NULL.
          const sum = row as { readonly tenant: string; readonly signal: number; readonly items: number }
          return { ...sum, signal: signals[sum.signal] ?? 'traces' }
        })
      return { counters, waiting }
    })()
  }

  /** Rows of `[from, to]`, as stored and unchecked, oldest first, until `maxBytes` are exceeded. */
  read(from: number, to: number, maxBytes: number): readonly StoredRow[] {
    const rows: StoredRow[] = []
    let bytes = 0
    for (const row of this.#select.iterate(from, to, 256)) {
      const stored = row as StoredRow // columns named in the statement, NOT NULL in the table
      rows.push(stored)
      bytes += stored.body.length
      if (bytes >= maxBytes) break
    }
    return rows
  }

  close(): void {
    this.#database.close()
  }
}
