/** Which times of which tenant lost data or detail, numbered in the order in which it happened. */
import type Database from 'better-sqlite3'
import type { Retirements } from '../../model/store.ts'
import { maxRetirements, type RetirementRow, type Retiring, retirementsOf } from '../rows/retiring.ts'
import { prepared } from './prepared.ts'

/** Belongs into the transaction. `nextSequence` numbers segments and their removals too. */
export function writeRetirements(
  db: Database.Database,
  retiring: Retiring,
  nextSequence: () => number,
): void {
  const { ranges } = retiring
  if (ranges.length === 0) return
  const insert = db.prepare('INSERT INTO retirement (generation, tenant, from_ms, to_ms) VALUES (?, ?, ?, ?)')
  for (const { tenant, fromMs, toMs } of ranges) insert.run(nextSequence(), tenant, fromMs, toMs)
  db.prepare(
    `DELETE FROM retirement WHERE generation <
       (SELECT generation FROM retirement ORDER BY generation DESC LIMIT 1 OFFSET ?)`,
  ).run(maxRetirements)
}

export function readRetirements(db: Database.Database, tenant: string): Retirements {
  const rows = prepared<[string], RetirementRow>(
    db,
    'SELECT generation, from_ms, to_ms FROM retirement WHERE tenant = ? ORDER BY generation',
  ).all(tenant)
  const all = db
    .prepare<[], { count: number; oldest: number }>(
      'SELECT count(*) AS count, coalesce(min(generation), 0) AS oldest FROM retirement',
    )
    .get() ?? { count: 0, oldest: 0 }
  return retirementsOf(rows, all)
}
