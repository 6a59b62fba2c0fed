/** Gives the rows of a store of schema 1 the checksums that schema 2 has; part of its migration. */
import type Database from 'better-sqlite3'
import { headerColumns } from '../rows/segment-row.ts'
import { rowChecksum } from './row-checksum.ts'

interface Checked {
  readonly table: string
  /** Of the row in the table, in the order in which they are checked; the first ones name it. */
  readonly columns: string
  readonly key: readonly string[]
  readonly crc: string
}

const checked: readonly Checked[] = [
  { table: 'sealed_position', columns: 'inbox_id, position', key: ['inbox_id'], crc: 'crc' },
  { table: 'segment', columns: headerColumns, key: ['sequence'], crc: 'crc' },
  {
    table: 'rollup',
    columns: 'number, id, tenant, step_seconds, from_ms, to_ms, received_ms',
    key: ['number'],
    crc: 'crc',
  },
  {
    table: 'template',
    columns: 'tenant, number, service, id, first_seen_ms',
    key: ['tenant', 'number'],
    crc: 'identity_crc',
  },
]

/** Belongs into the transaction of the migration. */
export function addChecksums(db: Database.Database): void {
  for (const { table, columns, key, crc } of checked) {
    const where = key.map(column => `${column} = ?`).join(' AND ')
    const update = db.prepare(`UPDATE ${table} SET ${crc} = ? WHERE ${where}`)
    for (const row of db.prepare<[], Record<string, unknown>>(`SELECT ${columns} FROM ${table}`).all())
      update.run(rowChecksum(Object.values(row)), ...key.map(column => row[column]))
  }
  const patterns = db
    .prepare<[], { tenant: string; number: number; pattern: string; severity: number }>(
      'SELECT tenant, number, pattern, severity FROM template',
    )
    .all()
  const update = db.prepare('UPDATE template SET pattern_crc = ? WHERE tenant = ? AND number = ?')
  for (const { tenant, number, pattern, severity } of patterns)
    update.run(rowChecksum([pattern, severity]), tenant, number)
}
