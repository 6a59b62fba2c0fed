/** What was ever sealed per tenant and signal, and what became of it, kept in the transactions that change it. */
import type Database from 'better-sqlite3'
import type { StorageReport, StoredCount } from '../../model/store.ts'
import {
  type SignalTotalRow,
  storageOf,
  storedCountOf,
  type TotalChange,
  type TotalRow,
} from '../rows/total-row.ts'

export function addToTotals(
  db: Database.Database,
  tenant: string,
  signal: number,
  { sealed = 0, stored = 0, merged = 0, removed = 0, segments = 0, bytes = 0 }: TotalChange,
): void {
  db.prepare(
    `INSERT INTO total (tenant, signal, sealed, stored, merged, removed, segments, bytes)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (tenant, signal) DO UPDATE SET sealed = sealed + excluded.sealed,
       stored = stored + excluded.stored, merged = merged + excluded.merged,
       removed = removed + excluded.removed, segments = segments + excluded.segments,
       bytes = bytes + excluded.bytes`,
  ).run(tenant, signal, sealed, stored, merged, removed, segments, bytes)
}

export function readTotals(db: Database.Database): readonly StoredCount[] {
  return db
    .prepare<[], TotalRow>(
      'SELECT tenant, signal, sealed, stored, merged, removed, bytes FROM total ORDER BY tenant, signal',
    )
    .all()
    .map(storedCountOf)
}

/** Pages of the file, and the segments in it per signal. */
export function readStorage(db: Database.Database): StorageReport {
  const totals = db
    .prepare<[], SignalTotalRow>(
      `SELECT signal, sum(segments) AS segments, sum(stored) AS items, sum(bytes) AS bytes FROM total
       GROUP BY signal ORDER BY signal`,
    )
    .all()
  const pageBytes = Number(db.pragma('page_size', { simple: true }))
  return storageOf(totals, {
    bytes: Number(db.pragma('page_count', { simple: true })) * pageBytes,
    freeBytes: Number(db.pragma('freelist_count', { simple: true })) * pageBytes,
  })
}
