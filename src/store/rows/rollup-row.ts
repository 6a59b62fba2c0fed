/** A rollup record as a row of the `rollup` table. */
import type { RollupHead, RollupRecord } from '../../model/store.ts'

export interface RollupRow {
  readonly number: number
  readonly id: string
  readonly tenant: string
  readonly step_seconds: number
  readonly from_ms: number
  readonly to_ms: number
  readonly received_ms: number
  readonly bytes: Buffer
}

export const rollupColumns = 'number, id, tenant, step_seconds, from_ms, to_ms, received_ms, bytes'

/** Rows per statement: at 100 kB each, a statement stays below 20 ms. */
export const rollupsPerRead = 64

export function rollupOf(row: RollupRow): RollupRecord {
  return { ...rollupHeadOf(row), bytes: row.bytes }
}

export function rollupHeadOf(row: Omit<RollupRow, 'bytes'>): RollupHead {
  return {
    id: row.id,
    tenant: row.tenant,
    stepSeconds: row.step_seconds,
    fromMs: row.from_ms,
    toMs: row.to_ms,
    receivedMs: row.received_ms,
  }
}

/** Oldest first; the same order on every store. */
export function sortRollups<R extends RollupHead>(records: R[]): readonly R[] {
  return records.sort((a, b) => a.fromMs - b.fromMs || (a.id < b.id ? -1 : 1))
}
