/** Rollup records added up, into the same or a coarser width; sketches stay sketches. */
import { createHash } from 'node:crypto'
import type { RollupRecord } from '../../model/store.ts'
import { CellTable } from './cell-table.ts'
import { type CellColumns, keysOf, openBlock } from './decode.ts'
import { type EncodedCells, encodeCells } from './encode.ts'
import { kindShapes, SeriesKeys } from './series-keys.ts'

/**
 * Cells that are merged before they are written as a record of their own, some 35 MB of tables: records that each span
 * hours, as an import leaves them, have millions together.
 */
const maxMergeCells = 2 ** 18

/**
 * The records of each tenant as fewer ones with windows of `stepSeconds`. The sum does not depend on how
 * records are grouped or ordered (bit for bit while sums stay whole nanoseconds below 2^53; sums of metric
 * values to rounding). Ids derive from the ids that went in, so doing it twice writes the same records.
 * Throws InvalidInputError never, StoreError `corrupt_rollup` for a damaged record, and RangeError for a
 * record that is coarser than `stepSeconds`.
 */
export function mergeRollups(records: readonly RollupRecord[], stepSeconds: number): RollupRecord[] {
  const byTenant = new Map<string, RollupRecord[]>()
  for (const record of records) {
    const group = byTenant.get(record.tenant)
    if (group === undefined) byTenant.set(record.tenant, [record])
    else group.push(record)
  }
  return [...byTenant.keys()]
    .sort()
    .flatMap(tenant => mergeTenant(tenant, byTenant.get(tenant) ?? [], stepSeconds))
}

function mergeTenant(tenant: string, records: readonly RollupRecord[], stepSeconds: number): RollupRecord[] {
  const ordered = records.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
  const source = `merge ${stepSeconds} ${ordered.map(record => record.id).join(' ')}`
  const receivedMs = ordered.reduce((latest, record) => Math.max(latest, record.receivedMs), 0)
  const table = new CellTable()
  const series = new SeriesKeys()
  const parts: EncodedCells[] = []
  for (const record of ordered) {
    if (table.size > maxMergeCells) {
      parts.push(...encodeCells(table, series, stepSeconds))
      table.clear()
    }
    addRecord(table, series, record, stepSeconds)
  }
  parts.push(...encodeCells(table, series, stepSeconds))
  return toRecords(parts, { tenant, stepSeconds, receivedMs, source })
}

/** Adds every cell of a record; windows are those of `stepSeconds`. */
export function addRecord(
  table: CellTable,
  series: SeriesKeys,
  record: RollupRecord,
  stepSeconds: number,
): void {
  const block = openBlock(record.bytes)
  const factor = stepSeconds / block.stepSeconds
  if (!Number.isInteger(factor)) {
    throw new RangeError(`rollup windows of ${block.stepSeconds} s do not fit into ${stepSeconds} s`)
  }
  for (const [kind] of kindShapes.entries()) {
    const decoded = block.section(kind)
    if (decoded !== undefined) addCells({ table, series, kind, factor }, keysOf(decoded), decoded.cells)
  }
}

interface Target {
  readonly table: CellTable
  readonly series: SeriesKeys
  readonly kind: number
  /** How many windows of the source make one of the target. */
  readonly factor: number
}

function addCells(target: Target, keys: readonly (readonly string[])[], cells: CellColumns): void {
  for (const [s, key] of keys.entries()) {
    const number = target.series.add(target.kind, key)
    for (let row = cells.first[s] ?? 0; row < (cells.first[s + 1] ?? 0); row++) {
      addRow(target, number, Math.floor((cells.window[row] ?? 0) / target.factor), cells, row)
    }
  }
}

function addRow(target: Target, series: number, window: number, cells: CellColumns, row: number): void {
  const { table } = target
  const cell = table.cell(series, window)
  if (kindShapes[target.kind]?.cells === 'value') {
    table.addPoints(cell, {
      count: cells.count[row] ?? 0,
      resets: cells.errors[row] ?? 0,
      sum: cells.sum[row] ?? 0,
      last: cells.self[row] ?? 0,
      lastMs: cells.lastMs[row] ?? 0,
      min: cells.paired[row] ?? 0,
      max: cells.max[row] ?? 0,
    })
    return
  }
  table.add(cell, cells.count[row] ?? 0, cells.errors[row] ?? 0, cells.sum[row] ?? 0)
  table.addSelf(cell, cells.self[row] ?? 0)
  table.addPaired(cell, cells.paired[row] ?? 0)
  for (let at = cells.bucketFirst[row] ?? 0; at < (cells.bucketFirst[row + 1] ?? 0); at++) {
    table.buckets.add(cell, cells.buckets[at] ?? 0, cells.bucketCounts[at] ?? 0)
  }
}

export interface RecordOrigin {
  readonly tenant: string
  readonly stepSeconds: number
  readonly receivedMs: number
  /** What the cells count, unique among all origins; ids derive from it. */
  readonly source: string
}

/** Encoded blocks as records; the same origin and order give the same ids. */
export function toRecords(parts: readonly EncodedCells[], origin: RecordOrigin): RollupRecord[] {
  return parts.map((part, index) => ({
    id: createHash('sha256')
      .update(JSON.stringify([origin.tenant, origin.source, origin.stepSeconds, index, part.fromMs]))
      .digest('hex')
      .slice(0, 32),
    tenant: origin.tenant,
    stepSeconds: origin.stepSeconds,
    fromMs: part.fromMs,
    toMs: part.toMs,
    receivedMs: origin.receivedMs,
    bytes: part.bytes,
  }))
}
