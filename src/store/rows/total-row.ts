/** What was ever sealed of a tenant and signal, and what became of it, as a row of the `total` table. */
import type { StorageReport, StoredCount } from '../../model/store.ts'
import { signalOf } from './segment-row.ts'

export interface TotalRow {
  readonly tenant: string
  readonly signal: number
  readonly sealed: number
  readonly stored: number
  readonly merged: number
  readonly removed: number
  readonly bytes: number
}

/** What is added to the figures of a tenant and signal; what is not named stays. */
export interface TotalChange {
  readonly sealed?: number
  readonly stored?: number
  readonly merged?: number
  readonly removed?: number
  readonly segments?: number
  readonly bytes?: number
}

/** Figures of one signal, all tenants together. */
export interface SignalTotalRow {
  readonly signal: number
  readonly segments: number
  readonly items: number
  readonly bytes: number
}

export function storedCountOf(row: TotalRow): StoredCount {
  const { tenant, signal, sealed, stored, merged, removed, bytes } = row
  return { tenant, signal: signalOf(signal), items: sealed, stored, merged, removed, bytes }
}

export function storageOf(
  rows: readonly SignalTotalRow[],
  size: { readonly bytes: number; readonly freeBytes: number },
): StorageReport {
  return {
    ...size,
    segments: rows.reduce((sum, row) => sum + row.segments, 0),
    perSignal: rows.map(row => ({ signal: signalOf(row.signal), items: row.items, bytes: row.bytes })),
  }
}
