/** Rollup records of any size: logs of so many services were counted in every window of a range. */
import { CellTable } from '../../src/graph/rollups/cell-table.ts'
import { encodeCells } from '../../src/graph/rollups/encode.ts'
import { toRecords } from '../../src/graph/rollups/merge.ts'
import { sectionsOf } from '../../src/graph/rollups/merge-slices.ts'
import { kindNumber, SeriesKeys } from '../../src/graph/rollups/series-keys.ts'
import type { RollupRecord } from '../../src/model/store.ts'

export interface LogCounts {
  readonly services: number
  /** Windows of ten seconds; the last one is not among them. */
  readonly from: number
  readonly to: number
  readonly source: string
  readonly tenant?: string
  readonly receivedMs?: number
}

/** One record for each block. */
export function logCountRecords(counts: LogCounts): readonly RollupRecord[] {
  const { services, from, to, source, tenant = 't', receivedMs = 0 } = counts
  const table = new CellTable()
  const series = new SeriesKeys()
  for (let service = 0; service < services; service++) {
    const number = series.add(kindNumber('severity'), [`service ${service}`, 'info'])
    for (let window = from; window < to; window++)
      table.add(table.cell(number, window), 1 + (service % 3), 0, 0)
  }
  return toRecords(encodeCells(table, series, 10), { tenant, stepSeconds: 10, receivedMs, source })
}

/** Log records counted in all of them. */
export function loggedTotal(records: readonly RollupRecord[]): number {
  let total = 0
  for (const record of records)
    for (const { decoded } of sectionsOf(record)) for (const count of decoded.cells.count) total += count
  return total
}
