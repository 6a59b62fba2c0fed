/** Rollups of a tenant in a window, read in pages; their bytes carry a checksum of their own. */
import type { Client, ClientBase } from 'pg'
import type { RollupHead, RollupLimit, RollupPage, RollupRecord } from '../../model/store.ts'
import {
  type RollupRow,
  rollupColumns,
  rollupHeadOf,
  rollupOf,
  rollupsPerRead,
  sortRollups,
} from '../rows/rollup-row.ts'
import { batchesOf, valuesList } from './batches.ts'

/** Oldest first. */
export async function readRollups(
  client: ClientBase,
  tenant: string,
  fromMs: number,
  toMs: number,
  signal?: AbortSignal,
): Promise<readonly RollupRecord[]> {
  const records: RollupRecord[] = []
  let last: RollupRow | undefined
  while (true) {
    signal?.throwIfAborted()
    const { rows } = await client.query<RollupRow>(
      `SELECT ${rollupColumns} FROM otelcontext.rollup
       WHERE tenant = $1 AND to_ms > $2 AND from_ms < $3 AND (to_ms, number) > ($4, $5)
       ORDER BY to_ms, number LIMIT $6`,
      [tenant, fromMs, toMs, last?.to_ms ?? fromMs, last?.number ?? -1, rollupsPerRead],
    )
    for (const row of rows) records.push(rollupOf(row))
    last = rows.at(-1)
    if (rows.length < rollupsPerRead) break
  }
  return sortRollups(records)
}

/** Oldest first, without bytes: a few dozen bytes each. */
export async function readRollupHeads(
  client: ClientBase,
  tenant: string,
  fromMs: number,
  toMs: number,
): Promise<readonly RollupHead[]> {
  const { rows } = await client.query<Omit<RollupRow, 'bytes'>>(
    `SELECT number, id, tenant, step_seconds, from_ms, to_ms, received_ms FROM otelcontext.rollup
     WHERE tenant = $1 AND to_ms > $2 AND from_ms < $3`,
    [tenant, fromMs, toMs],
  )
  return sortRollups(rows.map(rollupHeadOf))
}

/** Of all tenants and one width, by receive time. */
export async function readRollupsReceived(
  client: ClientBase,
  stepSeconds: number,
  fromMs: number,
  toMs: number,
  limit: RollupLimit,
): Promise<readonly RollupRecord[]> {
  const { rows } = await client.query<RollupRow>(
    `SELECT ${rollupColumns} FROM (
       SELECT *, sum(octet_length(bytes)) OVER (ORDER BY received_ms, number) - octet_length(bytes) AS before
       FROM otelcontext.rollup
       WHERE received_ms >= $1 AND received_ms < $2 AND step_seconds = $3
       ORDER BY received_ms, number LIMIT $4
     ) page
     WHERE before < $5
     ORDER BY received_ms, number`,
    [fromMs, toMs, stepSeconds, limit.records, limit.bytes],
  )
  return rows.map(rollupOf)
}

/** Of all tenants behind one in the order in which they were written, for `verify`. */
export async function readRollupPage(client: ClientBase, after: number, limit: number): Promise<RollupPage> {
  const { rows } = await client.query<RollupRow>(
    `SELECT ${rollupColumns} FROM otelcontext.rollup WHERE number > $1 ORDER BY number LIMIT $2`,
    [after, limit],
  )
  return { records: rows.map(rollupOf), last: rows.at(-1)?.number ?? after }
}

/** What is stored already stays as it is. Belongs into a transaction. */
export async function insertRollups(client: Client, rollups: readonly RollupRecord[]): Promise<void> {
  let bytes = 0
  for (const batch of batchesOf(rollups, rollup => rollup.bytes.length)) {
    const { rows } = await client.query<{ readonly bytes: number }>(
      `INSERT INTO otelcontext.rollup (id, tenant, step_seconds, from_ms, to_ms, received_ms, bytes)
       VALUES ${valuesList(batch.length, 7)} ON CONFLICT (id) DO NOTHING RETURNING length(bytes) AS bytes`,
      batch.flatMap(rollup => [
        rollup.id,
        rollup.tenant,
        rollup.stepSeconds,
        rollup.fromMs,
        rollup.toMs,
        rollup.receivedMs,
        rollup.bytes,
      ]),
    )
    for (const row of rows) bytes += row.bytes
  }
  await addBytes(client, bytes)
}

export interface DeletedRollup {
  readonly tenant: string
  readonly step_seconds: number
  readonly from_ms: number
  readonly to_ms: number
  readonly bytes: number
}

/** Deletes where `condition` holds. Belongs into a transaction. */
export async function deleteRollups(
  client: Client,
  condition: string,
  values: readonly unknown[],
): Promise<readonly DeletedRollup[]> {
  const { rows } = await client.query<DeletedRollup>(
    `DELETE FROM otelcontext.rollup WHERE ${condition}
     RETURNING tenant, step_seconds, from_ms, to_ms, length(bytes) AS bytes`,
    [...values],
  )
  await addBytes(
    client,
    rows.reduce((sum, row) => sum - row.bytes, 0),
  )
  return rows
}

/** The sum is kept, because counting it would read a row of each. */
async function addBytes(client: Client, bytes: number): Promise<void> {
  if (bytes !== 0)
    await client.query('UPDATE otelcontext.store SET rollup_bytes = rollup_bytes + $1', [bytes])
}
