/** The reading side of the inbox file, for the engine: rows it was not handed because it was behind, or after a start. */
import Database from 'better-sqlite3'
import { signals } from '../../model/telemetry.ts'
import { isDamage, readAround } from '../../store/sqlite/damage.ts'
import { entryColumns, readCounters, readInboxId, readLastPosition } from './inbox-database.ts'
import type { StoredRow } from './inbox-row.ts'
import type { InboxBalance, InboxReader } from './inbox-storage.ts'

/** Rows looked for at once where pages are damaged; of ordinary ones a few megabytes. */
const stretchRows = 64

/** Pages of cache in kibibytes: every row is read once. */
const cacheKib = 512

export class InboxFileReader implements InboxReader {
  readonly inboxId: string
  readonly #database: Database.Database
  readonly #select: Database.Statement

  constructor(file: string) {
    this.#database = new Database(file, { readonly: true, timeout: 1_000 })
    this.#database.pragma(`cache_size = -${cacheKib}`)
    this.inboxId = readInboxId(this.#database)
    this.#select = this.#database.prepare(
      `SELECT ${entryColumns} FROM entry WHERE position BETWEEN ? AND ? ORDER BY position LIMIT ?`,
    )
  }

  lastPosition(): number {
    return readLastPosition(this.#database)
  }

  buriedAfter(position: number): readonly number[] {
    return this.#database
      .prepare('SELECT position FROM buried WHERE position > ?')
      .pluck()
      .all(position)
      .map(Number)
  }

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

  read(from: number, to: number, maxBytes: number): readonly StoredRow[] {
    try {
      const rows: StoredRow[] = []
      let bytes = 0
      for (const row of this.#select.iterate(from, to, 256)) {
        const stored = shapeRow(row as StoredRow) // columns named in the statement
        rows.push(stored)
        bytes += stored.body.length
        if (bytes >= maxBytes) break
      }
      return rows
    } catch (error) {
      if (!isDamage(error)) throw error
      return this.#readAroundDamage(from, to)
    }
  }

  /** The rows of the first stretch with one that can be read; what is missing before it is lost. */
  #readAroundDamage(from: number, to: number): readonly StoredRow[] {
    const rows: StoredRow[] = []
    const some = this.#database.prepare<[number, number], StoredRow>(
      `SELECT ${entryColumns} FROM entry WHERE position BETWEEN ? AND ? ORDER BY position`,
    )
    for (let start = from; start <= to && rows.length === 0; start += stretchRows)
      readAround(some, start, Math.min(to, start + stretchRows - 1), row => rows.push(shapeRow(row)))
    return rows
  }

  close(): void {
    this.#database.close()
  }
}

/** On a damaged page a column may hold anything, NULL included; the checksum then tells what it is worth. */
function shapeRow(row: StoredRow): StoredRow {
  const { body, tenant, refusals } = row
  if (body instanceof Uint8Array && typeof tenant === 'string') return row
  return {
    ...row,
    tenant: String(tenant),
    refusals: refusals === null ? null : String(refusals),
    body: body instanceof Uint8Array ? body : new Uint8Array(),
  }
}
