/** Rollups of a tenant in a window, read in short statements; their bytes carry a checksum of their own. */
import type Database from 'better-sqlite3'
import type { RollupRecord } from '../../model/store.ts'
import { type RollupRow, rollupColumns, rollupOf, rollupsPerRead, sortRollups } from '../rows/rollup-row.ts'

/** Oldest first. */
export function readRollups(
  db: Database.Database,
  tenant: string,
  fromMs: number,
  toMs: number,
  signal?: AbortSignal,
): readonly RollupRecord[] {
  const page = db.prepare<[string, number, number, number, number, number], RollupRow>(
    `SELECT ${rollupColumns} FROM rollup
     WHERE tenant = ? AND to_ms > ? AND from_ms < ? AND (to_ms, number) > (?, ?)
     ORDER BY to_ms, number LIMIT ?`,
  )
  const records: RollupRecord[] = []
  let last: RollupRow | undefined
  while (true) {
    signal?.throwIfAborted()
    const rows = page.all(tenant, fromMs, toMs, last?.to_ms ?? fromMs, last?.number ?? -1, rollupsPerRead)
    for (const row of rows) records.push(rollupOf(row))
    last = rows.at(-1)
    if (rows.length < rollupsPerRead) break
  }
  return sortRollups(records)
}

/** Of all tenants and one width, by receive time; walks the index and reads the bytes of matching rows only. */
export function readRollupsReceived(
  db: Database.Database,
  stepSeconds: number,
  fromMs: number,
  toMs: number,
  limit: number,
): readonly RollupRecord[] {
  return db
    .prepare<[number, number, number, number], RollupRow>(
      `SELECT ${rollupColumns} FROM rollup
       WHERE received_ms >= ? AND received_ms < ? AND step_seconds = ?
       ORDER BY received_ms, number LIMIT ?`,
    )
    .all(fromMs, toMs, stepSeconds, limit)
    .map(rollupOf)
}
