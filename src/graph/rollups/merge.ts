/** Rollup records added up, into the same or a coarser width; sketches stay sketches. */
import { createHash } from 'node:crypto'
import type { RollupRecord } from '../../model/store.ts'
import { windowsPerBlock } from './cell-order.ts'
import { type EncodedCells, workOf } from './encode.ts'
import { mergeSlices, type SliceLimits, sectionsOf, shareOfDecoding, sliceLimits } from './merge-slices.ts'
import { openOnce } from './open-once.ts'
import { finish, type Pieces } from './pieces.ts'

/** Records of one tenant whose windows of `stepSeconds` lie in one block, oldest block first; tenants by name. */
export function groupsOf(records: readonly RollupRecord[], stepSeconds: number): readonly RollupRecord[][] {
  const blockMs = stepSeconds * 1000 * windowsPerBlock
  const groups = new Map<string, RollupRecord[]>()
  for (const record of records.toSorted(byTenantAndTime)) {
    const key = `${Math.floor(record.fromMs / blockMs)} ${record.tenant}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [record])
    else group.push(record)
  }
  return [...groups.values()]
}

function byTenantAndTime(a: RollupRecord, b: RollupRecord): number {
  return a.tenant === b.tenant ? a.fromMs - b.fromMs : a.tenant < b.tenant ? -1 : 1
}

/**
 * The records of each tenant as fewer ones with windows of `stepSeconds`. The sum does not depend on how
 * records are grouped or ordered (bit for bit while sums stay whole nanoseconds below 2^53; sums of metric
 * values to rounding). Ids derive from the ids that went in, so doing it twice writes the same records.
 * Throws InvalidInputError never, StoreError `corrupt_rollup` for a damaged record, and RangeError for a
 * record that is coarser than `stepSeconds`.
 */
export function mergeRollups(records: readonly RollupRecord[], stepSeconds: number): RollupRecord[] {
  return groupsOf(records, stepSeconds).flatMap(group => finish(mergeGroup(group, stepSeconds)))
}

/**
 * Of a group, those that are to be merged into records of the same width. What is half as large as a record gets, and
 * shares no time with another, would only be written anew.
 */
export function* worthMerging(
  group: readonly RollupRecord[],
  limits: SliceLimits = sliceLimits,
): Pieces<readonly RollupRecord[]> {
  const worth: RollupRecord[] = []
  for (const record of group) {
    const overlaps = ({ fromMs, toMs }: RollupRecord): boolean => fromMs < record.toMs && record.fromMs < toMs
    if (group.some(other => other !== record && overlaps(other)) || !(yield* isHalfFull(record, limits)))
      worth.push(record)
  }
  return worth.length < 2 ? [] : worth
}

/** Below it there is no need to count: neither so many cells nor so many counts fit into it. */
const smallBytes = 2 ** 18

function* isHalfFull(record: RollupRecord, limits: SliceLimits): Pieces<boolean> {
  if (openOnce(record).rawBytes < smallBytes) return false
  let cells = 0
  let buckets = 0
  for (const { decoded } of sectionsOf(record)) {
    cells += decoded.cells.window.length
    buckets += decoded.cells.buckets.length
  }
  yield workOf(cells, buckets) * shareOfDecoding
  return cells * 2 >= limits.cells || buckets * 2 >= limits.buckets
}

/** The same for one of `groupsOf`; stops every few milliseconds. How much it was is `workOf`. */
export function* mergeGroup(
  group: readonly RollupRecord[],
  stepSeconds: number,
  limits: SliceLimits = sliceLimits,
): Pieces<RollupRecord[]> {
  const ordered = group.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
  const source = `merge ${stepSeconds} ${ordered.map(record => record.id).join(' ')}`
  const receivedMs = ordered.reduce((latest, record) => Math.max(latest, record.receivedMs), 0)
  const parts = yield* mergeSlices(ordered, stepSeconds, limits)
  return toRecords(parts, { tenant: ordered[0]?.tenant ?? '', stepSeconds, receivedMs, source })
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
