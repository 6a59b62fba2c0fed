/** Which times of which tenant lost data or detail, numbered in the order in which it happened. */
import type { Client, ClientBase } from 'pg'
import type { Retirements } from '../../model/store.ts'
import { maxRetirements, type RetirementRow, type Retiring, retirementsOf } from '../rows/retiring.ts'
import { takeSequences } from './sequences.ts'

/** Belongs into the transaction. */
export async function writeRetirements(client: Client, retiring: Retiring): Promise<void> {
  const { ranges } = retiring
  if (ranges.length === 0) return
  const generations = await takeSequences(client, ranges.length)
  for (const [at, { tenant, fromMs, toMs }] of ranges.entries())
    await client.query(
      'INSERT INTO otelcontext.retirement (generation, tenant, from_ms, to_ms) VALUES ($1, $2, $3, $4)',
      [generations[at], tenant, fromMs, toMs],
    )
  await client.query(
    `DELETE FROM otelcontext.retirement WHERE generation <
       (SELECT generation FROM otelcontext.retirement ORDER BY generation DESC LIMIT 1 OFFSET $1)`,
    [maxRetirements],
  )
}

export async function readRetirements(client: ClientBase, tenant: string): Promise<Retirements> {
  const { rows } = await client.query<RetirementRow>(
    'SELECT generation, from_ms, to_ms FROM otelcontext.retirement WHERE tenant = $1 ORDER BY generation',
    [tenant],
  )
  const all = await client.query<{ readonly count: number; readonly oldest: number }>(
    'SELECT count(*) AS count, coalesce(min(generation), 0) AS oldest FROM otelcontext.retirement',
  )
  return retirementsOf(rows, all.rows[0] ?? { count: 0, oldest: 0 })
}
