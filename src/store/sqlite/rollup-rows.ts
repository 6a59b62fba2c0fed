/** Rollups of a tenant in a window, read in short statements; their bytes carry a checksum of their own. */
import type Database from 'better-sqlite3'
import type { RollupRecord } from '../../model/store.ts'

interface RollupRow {
  readonly number: number
  readonly id: string
  readonly tenant: string
  readonly step_seconds: number
  readonly from_ms: number
  readonly to_ms: number
  readonly received_ms: number
  readonly bytes: Buffer
}

/** Rows per statement: at 100 kB each, a statement stays below 20 ms. */
const rowsPerRead = 64

/** Oldest first. */
export function readRollups(
  db: Database.Database,
  tenant: string,
  fromMs: number,
  toMs: number,
  signal?: AbortSignal,
): readonly RollupRecord[] {
  const page = db.prepare<[string, number, number, number, number, number], RollupRow>(
    `SELECT number, id, tenant, step_seconds, from_ms, to_ms, received_ms, bytes FROM rollup
     WHERE tenant = ? AND to_ms > ? AND from_ms < ? AND (to_ms, number) > (?, ?)
     ORDER BY to_ms, number LIMIT ?`,
  )
  const records: RollupRecord[] = []
  let last: RollupRow | undefined
  while (true) {
    signal?.throwIfAborted()
    const rows = page.all(tenant, fromMs, toMs, last?.to_ms ?? fromMs, last?.number ?? -1, rowsPerRead)
    for (const row of rows) records.push(recordOf(row))
    last = rows.at(-1)
    if (rows.length < rowsPerRead) break
  }
  records.sort((a, b) => a.fromMs - b.fromMs || (a.id < b.id ? -1 : 1))
  return records
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
      `SELECT number, id, tenant, step_seconds, from_ms, to_ms, received_ms, bytes FROM rollup
       WHERE received_ms >= ? AND received_ms < ? AND step_seconds = ?
       ORDER BY received_ms, number LIMIT ?`,
    )
    .all(fromMs, toMs, stepSeconds, limit)
    .map(recordOf)
}

function recordOf(row: RollupRow): RollupRecord {
  return {
    id: row.id,
    tenant: row.tenant,
    stepSeconds: row.step_seconds,
    fromMs: row.from_ms,
    toMs: row.to_ms,
    receivedMs: row.received_ms,
    bytes: row.bytes,
  }
}
