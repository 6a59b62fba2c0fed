/** The reading side of the store on SQLite: consistent views over read-only connections. */
import type Database from 'better-sqlite3'
import { StoreError } from '../../errors.ts'
import type {
  Retirements,
  RollupHead,
  RollupPage,
  RollupRecord,
  SegmentChanges,
  StoredCount,
  StoreReader,
  StoreSnapshot,
  TemplateRecord,
} from '../../model/store.ts'
import { explained, openForReading } from './database.ts'
import { prepared } from './prepared.ts'
import { readRetirements } from './retirement-rows.ts'
import { readRollupHeads, readRollupPage, readRollups } from './rollup-rows.ts'
import { readSealedPosition } from './sealed-position.ts'
import { readHeaders, readParts } from './segment-reading.ts'
import { readTemplates } from './template-rows.ts'
import { readTotals } from './totals.ts'

/** Connections kept open between snapshots; each costs its page cache, and more calls rarely overlap. */
const maxIdle = 4

/** The file must have been made by a writer before the first snapshot. */
export function openSqliteReader(file: string): StoreReader {
  return new SqliteStoreReader(file)
}

class SqliteStoreReader implements StoreReader {
  readonly #file: string
  readonly #idle: Database.Database[] = []
  #closed = false

  constructor(file: string) {
    this.#file = file
  }

  async snapshot(signal?: AbortSignal): Promise<StoreSnapshot> {
    signal?.throwIfAborted()
    if (this.#closed) throw new StoreError('store_closed', `the reader of ${this.#file} is closed`)
    const db = this.#idle.pop() ?? openForReading(this.#file)
    return new SqliteSnapshot(this.#file, db, () => this.#giveBack(db))
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const db of this.#idle.splice(0)) db.close()
  }

  #giveBack(db: Database.Database): void {
    if (this.#closed || this.#idle.length >= maxIdle) db.close()
    else this.#idle.push(db)
  }
}

class SqliteSnapshot implements StoreSnapshot {
  readonly #file: string
  readonly #db: Database.Database
  readonly #giveBack: () => void
  readonly #sequence: number
  #released = false

  constructor(file: string, db: Database.Database, giveBack: () => void) {
    this.#file = file
    this.#db = db
    this.#giveBack = giveBack
    // The first statement after BEGIN fixes what this view sees.
    this.#sequence = explained(file, () => {
      db.exec('BEGIN')
      const counter = prepared<[], { sequence: number }>(db, 'SELECT sequence FROM counter')
      return counter.get()?.sequence ?? 0
    })
  }

  async sealedPosition(inboxId: string): Promise<number> {
    return this.#read(db => readSealedPosition(db, inboxId))
  }

  async segmentChanges(afterSequence: number, signal?: AbortSignal): Promise<SegmentChanges> {
    // Most calls come while nothing was sealed. A reader that knows nothing yet asks whatever the counter says.
    if (afterSequence > 0 && afterSequence >= this.#sequence)
      return { sequence: this.#sequence, added: [], removed: [] }
    return this.#read(db => {
      const { headers: added, damaged } = readHeaders(db, afterSequence, this.#sequence, signal)
      // A reader that knows nothing yet has nothing to remove.
      const removed =
        afterSequence === 0
          ? []
          : prepared<[number], { id: string }>(
              db,
              'SELECT id FROM removal WHERE sequence > ? ORDER BY sequence',
            )
              .all(afterSequence)
              .map(row => row.id)
      return { sequence: this.#sequence, added, removed, ...(damaged === 0 ? {} : { damaged }) }
    })
  }

  async segmentParts(
    id: string,
    parts: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, Uint8Array>> {
    signal?.throwIfAborted()
    return this.#read(db => readParts(db, id, parts, signal))
  }

  async rollups(
    tenant: string,
    fromMs: number,
    toMs: number,
    signal?: AbortSignal,
  ): Promise<readonly RollupRecord[]> {
    return this.#read(db => readRollups(db, tenant, fromMs, toMs, signal))
  }

  async rollupHeads(
    tenant: string,
    fromMs: number,
    toMs: number,
    signal?: AbortSignal,
  ): Promise<readonly RollupHead[] | null> {
    return this.#read(db => readRollupHeads(db, tenant, fromMs, toMs, signal))
  }

  async templates(tenant: string, signal?: AbortSignal): Promise<readonly TemplateRecord[]> {
    signal?.throwIfAborted()
    return this.#read(db => readTemplates(db, tenant))
  }

  async rollupPage(after: number, limit: number): Promise<RollupPage> {
    return this.#read(db => readRollupPage(db, after, limit))
  }

  async sealedCounts(): Promise<readonly StoredCount[]> {
    return this.#read(readTotals)
  }

  async retirements(tenant: string): Promise<Retirements> {
    return this.#read(db => readRetirements(db, tenant))
  }

  async release(): Promise<void> {
    if (this.#released) return
    this.#released = true
    explained(this.#file, () => this.#db.exec('COMMIT'))
    this.#giveBack()
  }

  #read<T>(work: (db: Database.Database) => T): T {
    if (this.#released) throw new StoreError('snapshot_released', 'this view of the store was released')
    return explained(this.#file, () => work(this.#db))
  }
}
