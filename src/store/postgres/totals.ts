/** What was ever sealed per tenant and signal, and what became of it, kept in the transactions that change it. */
import type { Client, ClientBase } from 'pg'
import type { StorageReport, StoredCount } from '../../model/store.ts'
import {
  type SignalTotalRow,
  storageOf,
  storedCountOf,
  type TotalChange,
  type TotalRow,
} from '../rows/total-row.ts'

/** A row of `segment` with its index entries, about. */
const headerBytes = 500

export async function addToTotals(
  client: Client,
  tenant: string,
  signal: number,
  { sealed = 0, stored = 0, merged = 0, removed = 0, segments = 0, bytes = 0 }: TotalChange,
): Promise<void> {
  await client.query({
    name: 'add to totals',
    text: `INSERT INTO otelcontext.total AS total (tenant, signal, sealed, stored, merged, removed, segments, bytes)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
           ON CONFLICT (tenant, signal) DO UPDATE SET sealed = total.sealed + excluded.sealed,
             stored = total.stored + excluded.stored, merged = total.merged + excluded.merged,
             removed = total.removed + excluded.removed, segments = total.segments + excluded.segments,
             bytes = total.bytes + excluded.bytes`,
    values: [tenant, signal, sealed, stored, merged, removed, segments, bytes],
  })
}

export async function readTotals(client: ClientBase): Promise<readonly StoredCount[]> {
  const { rows } = await client.query<TotalRow>(
    `SELECT tenant, signal, sealed, stored, merged, removed, bytes FROM otelcontext.total
     ORDER BY tenant, signal`,
  )
  return rows.map(storedCountOf)
}

/**
 * Bytes of what is stored. What removals leave behind is not counted: the server uses it again by itself, and
 * its files would not shrink for anything that is removed here.
 */
export async function readStorage(client: ClientBase): Promise<StorageReport> {
  const { rows } = await client.query<SignalTotalRow>(
    `SELECT signal, sum(segments)::bigint AS segments, sum(stored)::bigint AS items, sum(bytes)::bigint AS bytes
     FROM otelcontext.total GROUP BY signal ORDER BY signal`,
  )
  const rollups = await client.query<{ readonly bytes: number }>(
    'SELECT rollup_bytes AS bytes FROM otelcontext.store',
  )
  const segments = rows.reduce((sum, row) => sum + row.bytes + row.segments * headerBytes, 0)
  return storageOf(rows, { bytes: segments + (rollups.rows[0]?.bytes ?? 0), freeBytes: 0 })
}
