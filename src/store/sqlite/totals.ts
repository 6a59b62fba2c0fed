/** What was ever sealed per tenant and signal, and what became of it, kept in the transactions that change it. */
import type Database from 'better-sqlite3'
import type { StorageReport, StoredCount } from '../../model/store.ts'
import { signalOf } from './segment-row.ts'

interface TotalRow {
  readonly tenant: string
  readonly signal: number
  readonly sealed: number
  readonly stored: number
  readonly merged: number
  readonly removed: number
  readonly bytes: number
}

/** What is added to the figures of a tenant and signal; what is not named stays. */
export interface TotalChange {
  readonly sealed?: number
  readonly stored?: number
  readonly merged?: number
  readonly removed?: number
  readonly segments?: number
  readonly bytes?: number
}

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
    .map(({ tenant, signal, sealed, stored, merged, removed, bytes }) => ({
      tenant,
      signal: signalOf(signal),
      items: sealed,
      stored,
      merged,
      removed,
      bytes,
    }))
}

/** Pages of the file, and the segments in it per signal. */
export function readStorage(db: Database.Database): StorageReport {
  const totals = db
    .prepare<[], { signal: number; segments: number; items: number; bytes: number }>(
      `SELECT signal, sum(segments) AS segments, sum(stored) AS items, sum(bytes) AS bytes FROM total
       GROUP BY signal ORDER BY signal`,
    )
    .all()
  const pageBytes = Number(db.pragma('page_size', { simple: true }))
  return {
    bytes: Number(db.pragma('page_count', { simple: true })) * pageBytes,
    freeBytes: Number(db.pragma('freelist_count', { simple: true })) * pageBytes,
    segments: totals.reduce((sum, row) => sum + row.segments, 0),
    perSignal: totals.map(row => ({ signal: signalOf(row.signal), items: row.items, bytes: row.bytes })),
  }
}
