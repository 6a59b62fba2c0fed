/** Which times of which tenant lost data or detail, numbered in the order in which it happened. */
import type Database from 'better-sqlite3'
import type { Retirement, Retirements } from '../../model/store.ts'

/** Remembered of all tenants together: a week of one a minute. What is older counts as possibly affected. */
const maxRetirements = 10_000

interface RetirementRow {
  readonly generation: number
  readonly from_ms: number
  readonly to_ms: number
}

/** What one transaction retires: one range per tenant, however many records it takes away. */
export class Retiring {
  readonly #ranges = new Map<string, { fromMs: number; toMs: number }>()

  add(tenant: string, fromMs: number, toMs: number): void {
    const known = this.#ranges.get(tenant)
    if (known === undefined) this.#ranges.set(tenant, { fromMs, toMs })
    else {
      known.fromMs = Math.min(known.fromMs, fromMs)
      known.toMs = Math.max(known.toMs, toMs)
    }
  }

  /** Belongs into the transaction. `nextSequence` numbers segments and their removals too. */
  write(db: Database.Database, nextSequence: () => number): void {
    if (this.#ranges.size === 0) return
    const insert = db.prepare(
      'INSERT INTO retirement (generation, tenant, from_ms, to_ms) VALUES (?, ?, ?, ?)',
    )
    for (const [tenant, { fromMs, toMs }] of this.#ranges) insert.run(nextSequence(), tenant, fromMs, toMs)
    db.prepare(
      `DELETE FROM retirement WHERE generation <
         (SELECT generation FROM retirement ORDER BY generation DESC LIMIT 1 OFFSET ?)`,
    ).run(maxRetirements)
  }
}

export function readRetirements(db: Database.Database, tenant: string): Retirements {
  const rows = db
    .prepare<[string], RetirementRow>(
      'SELECT generation, from_ms, to_ms FROM retirement WHERE tenant = ? ORDER BY generation',
    )
    .all(tenant)
  const { count, oldest } = db
    .prepare<[], { count: number; oldest: number }>(
      'SELECT count(*) AS count, coalesce(min(generation), 0) AS oldest FROM retirement',
    )
    .get() ?? { count: 0, oldest: 0 }
  return {
    generation: rows.at(-1)?.generation ?? 0,
    since: count <= maxRetirements ? 0 : oldest - 1,
    list: rows.map(retirementOf),
  }
}

function retirementOf(row: RetirementRow): Retirement {
  return { generation: row.generation, fromMs: row.from_ms, toMs: row.to_ms }
}
