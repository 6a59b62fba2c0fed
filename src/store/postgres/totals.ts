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

const figures = ['sealed', 'stored', 'merged', 'removed', 'segments', 'bytes'] as const

type Sums = Record<(typeof figures)[number], number>

/** What one transaction adds, summed up so that it is one statement however much there is. */
export class TotalChanges {
  readonly #sums = new Map<string, Sums & { readonly tenant: string; readonly signal: number }>()

  add(tenant: string, signal: number, change: TotalChange): void {
    const key = `${signal} ${tenant}`
    const zero = { sealed: 0, stored: 0, merged: 0, removed: 0, segments: 0, bytes: 0 }
    const sums = this.#sums.get(key) ?? { tenant, signal, ...zero }
    for (const figure of figures) sums[figure] += change[figure] ?? 0
    this.#sums.set(key, sums)
  }

  /** Belongs into the transaction. */
  async write(client: Client): Promise<void> {
    if (this.#sums.size === 0) return
    await client.query(
      `INSERT INTO otelcontext.total AS total (tenant, signal, ${figures.join(', ')})
       SELECT tenant, signal, ${figures.join(', ')} FROM json_to_recordset($1) AS change(tenant text,
         signal smallint, ${figures.map(figure => `${figure} bigint`).join(', ')})
       ON CONFLICT (tenant, signal) DO UPDATE SET
         ${figures.map(figure => `${figure} = total.${figure} + excluded.${figure}`).join(', ')}`,
      [JSON.stringify([...this.#sums.values()])],
    )
  }
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
