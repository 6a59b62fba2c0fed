/**
 * Rollups as rows, read in short statements. Their bytes carry a checksum of their own, which whoever opens them
 * checks; a record whose other columns are damaged, or whose page is, comes with no bytes at all, so that it is
 * noticed in the same place.
 */
import type Database from 'better-sqlite3'
import type { RollupHead, RollupLimit, RollupPage, RollupRecord } from '../../model/store.ts'
import { type RollupRow, rollupHeadOf, rollupOf, rollupsPerRead, sortRollups } from '../rows/rollup-row.ts'
import { isDamage, readAround } from './damage.ts'
import { prepared } from './prepared.ts'
import { isSound, rowChecksum } from './row-checksum.ts'

type CheckedRow = RollupRow & { readonly crc: number }

/** `crc` is the last but one, because `bytes` have a checksum of their own. */
const columns = 'number, id, tenant, step_seconds, from_ms, to_ms, received_ms, crc, bytes'
const columnsWithoutBytes = 'number, id, tenant, step_seconds, from_ms, to_ms, received_ms, crc'

const noBytes = Buffer.alloc(0)

/** Oldest first. */
export function readRollups(
  db: Database.Database,
  tenant: string,
  fromMs: number,
  toMs: number,
  signal?: AbortSignal,
): readonly RollupRecord[] {
  const records = readIndexed(db, tenant, fromMs, toMs, signal) ?? readUnindexed(db, tenant, fromMs, toMs)
  return sortRollups(records)
}

/** Rows per statement without bytes: about five milliseconds. */
const headsPerRead = 2_000

/** Oldest first, without bytes; null where damage is in the way. */
export function readRollupHeads(
  db: Database.Database,
  tenant: string,
  fromMs: number,
  toMs: number,
  signal?: AbortSignal,
): readonly RollupHead[] | null {
  const page = prepared<[string, number, number, number, number, number], Omit<CheckedRow, 'bytes'>>(
    db,
    `SELECT ${columnsWithoutBytes} FROM rollup
     WHERE tenant = ? AND to_ms > ? AND from_ms < ? AND (to_ms, number) > (?, ?)
     ORDER BY to_ms, number LIMIT ?`,
  )
  const heads: RollupHead[] = []
  let last: Omit<CheckedRow, 'bytes'> | undefined
  try {
    while (true) {
      signal?.throwIfAborted()
      const rows = page.all(tenant, fromMs, toMs, last?.to_ms ?? fromMs, last?.number ?? -1, headsPerRead)
      if (!rows.every(isSound)) return null
      for (const row of rows) heads.push(rollupHeadOf(row))
      last = rows.at(-1)
      if (rows.length < headsPerRead) return sortRollups(heads)
    }
  } catch (error) {
    if (!isDamage(error)) throw error
    return null
  }
}

/** Null where damage is in the way. */
function readIndexed(
  db: Database.Database,
  tenant: string,
  fromMs: number,
  toMs: number,
  signal?: AbortSignal,
): RollupRecord[] | null {
  const page = prepared<[string, number, number, number, number, number], CheckedRow>(
    db,
    `SELECT ${columns} FROM rollup
     WHERE tenant = ? AND to_ms > ? AND from_ms < ? AND (to_ms, number) > (?, ?)
     ORDER BY to_ms, number LIMIT ?`,
  )
  const records: RollupRecord[] = []
  let last: CheckedRow | undefined
  try {
    while (true) {
      signal?.throwIfAborted()
      const rows = page.all(tenant, fromMs, toMs, last?.to_ms ?? fromMs, last?.number ?? -1, rollupsPerRead)
      for (const row of rows) records.push(recordOf(row))
      last = rows.at(-1)
      if (rows.length < rollupsPerRead) return records
    }
  } catch (error) {
    if (!isDamage(error)) throw error
    return null
  }
}

/** Slow: walks all rows, but reads the bytes of those asked for only. */
function readUnindexed(db: Database.Database, tenant: string, fromMs: number, toMs: number): RollupRecord[] {
  const records: RollupRecord[] = []
  const selectBytes = db.prepare<[number], { bytes: Buffer }>('SELECT bytes FROM rollup WHERE number = ?')
  const bytesOf = (number: number): Buffer => {
    try {
      return selectBytes.get(number)?.bytes ?? noBytes
    } catch (error) {
      if (!isDamage(error)) throw error
      return noBytes
    }
  }
  const some = db.prepare<[number, number], Omit<CheckedRow, 'bytes'>>(
    `SELECT ${columnsWithoutBytes} FROM rollup NOT INDEXED WHERE number BETWEEN ? AND ? ORDER BY number`,
  )
  const lost = readAround(some, 0, lastNumber(db), row => {
    if (row.tenant !== tenant || row.to_ms <= fromMs || row.from_ms >= toMs) return
    records.push(recordOf({ ...row, bytes: bytesOf(row.number) }))
  })
  for (let at = 0; at < lost; at++)
    records.push({
      id: `unreadable ${at}`,
      tenant,
      stepSeconds: 10,
      fromMs,
      toMs,
      receivedMs: 0,
      bytes: noBytes,
    })
  return records
}

/** Of the newest rollup, or more. */
function lastNumber(db: Database.Database): number {
  try {
    return db.prepare<[], number>('SELECT max(number) FROM rollup').pluck().get() ?? 0
  } catch (error) {
    if (!isDamage(error)) throw error
    return 2 ** 31
  }
}

/** Of all tenants and one width, by receive time; walks the index and reads the bytes of matching rows only. */
export function readRollupsReceived(
  db: Database.Database,
  stepSeconds: number,
  fromMs: number,
  toMs: number,
  limit: RollupLimit,
): readonly RollupRecord[] {
  const rows = db
    .prepare<[number, number, number, number], CheckedRow>(
      `SELECT ${columns} FROM rollup
       WHERE received_ms >= ? AND received_ms < ? AND step_seconds = ?
       ORDER BY received_ms, number LIMIT ?`,
    )
    .iterate(fromMs, toMs, stepSeconds, limit.records)
  const records: RollupRecord[] = []
  let bytes = 0
  for (const row of rows) {
    records.push(recordOf(row))
    bytes += row.bytes.length
    if (bytes >= limit.bytes) break
  }
  return records
}

/** Rollups of all tenants behind one in the order in which they were written, for `verify`. */
export function readRollupPage(db: Database.Database, after: number, limit: number): RollupPage {
  const rows = db
    .prepare<[number, number], CheckedRow>(
      `SELECT ${columns} FROM rollup NOT INDEXED WHERE number > ? ORDER BY number LIMIT ?`,
    )
    .all(after, limit)
  return { records: rows.map(recordOf), last: rows.at(-1)?.number ?? after }
}

export function insertRollup(db: Database.Database, rollup: RollupRecord): void {
  const { id, tenant, stepSeconds, fromMs, toMs, receivedMs, bytes } = rollup
  const known = db.prepare<[string], { number: number }>('SELECT number FROM rollup WHERE id = ?').get(id)
  if (known !== undefined) return
  const number = (db.prepare<[], number | null>('SELECT max(number) FROM rollup').pluck().get() ?? 0) + 1
  const row = [number, id, tenant, stepSeconds, fromMs, toMs, receivedMs]
  db.prepare(`INSERT INTO rollup (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
    ...row,
    rowChecksum(row),
    bytes,
  )
}

function recordOf(row: CheckedRow): RollupRecord {
  const { bytes, ...checked } = row
  return { ...rollupOf(row), bytes: isSound(checked) && bytes instanceof Uint8Array ? bytes : noBytes }
}
