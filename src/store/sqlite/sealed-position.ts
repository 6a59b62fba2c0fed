/** How far an inbox is sealed: the one number whose loss would store data twice or lose it. */
import type Database from 'better-sqlite3'
import { isDamage } from './damage.ts'
import { prepared } from './prepared.ts'
import { rowChecksum } from './row-checksum.ts'
import { readHeaders } from './segment-reading.ts'

/**
 * 0 for an inbox that was never seen. A damaged row is made up for by the newest position any segment of the
 * inbox holds: what was sealed behind it held nothing that a segment would have kept.
 */
export function readSealedPosition(db: Database.Database, inboxId: string): number {
  try {
    const row = prepared<[string], { position: number; crc: number }>(
      db,
      'SELECT position, crc FROM sealed_position WHERE inbox_id = ?',
    ).get(inboxId)
    if (row === undefined) return 0
    if (row.crc === rowChecksum([inboxId, row.position])) return row.position
  } catch (error) {
    if (!isDamage(error)) throw error
  }
  const { headers } = readHeaders(db, 0, Number.MAX_SAFE_INTEGER)
  return headers
    .filter(header => header.inboxId === inboxId)
    .reduce((newest, header) => Math.max(newest, header.toPosition), 0)
}

export function writeSealedPosition(db: Database.Database, inboxId: string, position: number): void {
  db.prepare(
    `INSERT INTO sealed_position (inbox_id, position, crc) VALUES (?, ?, ?)
     ON CONFLICT (inbox_id) DO UPDATE SET position = excluded.position, crc = excluded.crc`,
  ).run(inboxId, position, rowChecksum([inboxId, position]))
}
