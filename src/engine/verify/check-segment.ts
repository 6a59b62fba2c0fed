/** Whether a segment is what its header and its own parts say of each other, every byte of it read. */
import { StoreError } from '../../errors.ts'
import type { SegmentHeader } from '../../model/store.ts'
import type { Block } from '../../model/telemetry.ts'
import { toMs } from '../../model/time.ts'
import { formatVersion } from '../../store/part.ts'
import type { DecodedColumns, SegmentLayout } from '../../store/segment/block-codec.ts'
import { partNames } from '../../store/segment/part-names.ts'
import {
  columnPartsOf,
  framePartsOf,
  type Parts,
  readBlock,
  readDictionary,
  readLayout,
  readRecords,
  readTermBlock,
  readTerms,
  readTraces,
} from '../../store/segment/read-segment.ts'
import { TermIndex } from '../../store/segment/term-index.ts'
import { hasGroup, hashOfTrace, traceGroups } from '../../store/segment/trace-index.ts'

/** Names of all parts of a segment; `terms` is null where there are no log records. */
export function partsOf(
  header: SegmentHeader,
  layout: SegmentLayout,
  columns: DecodedColumns,
  terms: ReturnType<typeof readTerms> | null,
): readonly string[] {
  return [
    ...columnPartsOf(layout),
    partNames.dictionary,
    ...(header.signal === 'metrics' ? [] : [partNames.traces]),
    ...(layout.tables === null || header.signal === 'metrics'
      ? []
      : [partNames.attributes, partNames.values]),
    ...(terms === null ? [] : [partNames.terms, partNames.prefixes, ...termBlocksOf(terms)]),
    ...framePartsOf(columns, null),
  ]
}

function termBlocksOf(terms: ReturnType<typeof readTerms>): readonly string[] {
  if (terms instanceof TermIndex) return []
  return Array.from({ length: terms.blocks }, (_, block) => partNames.termBlock(block))
}

/** The first thing that is wrong, or null. `fetch` reads parts by name and throws StoreError. */
export async function checkSegment(
  header: SegmentHeader,
  fetch: (names: readonly string[]) => Promise<Parts>,
): Promise<string | null> {
  try {
    if (header.formatVersion > formatVersion)
      return `format ${header.formatVersion} is newer than ${formatVersion}, the newest this version reads`
    const layout = readLayout(await fetch([partNames.columns]))
    const columns = readBlock(await fetch(columnPartsOf(layout)))
    const terms = header.signal === 'logs' ? readTerms(await fetch([partNames.terms])) : null
    const parts = await fetch(partsOf(header, layout, columns, terms))
    if (terms !== null) checkTerms(terms, parts)
    return (
      headerProblem(header, columns.block, parts) ??
      groupProblem(layout, columns.block) ??
      contentProblem(layout, columns, parts)
    )
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    return error.message.replace(/^corrupt segment: /, '')
  }
}

function headerProblem(header: SegmentHeader, block: Block, parts: Parts): string | null {
  if (block.signal !== header.signal) return `its columns are of ${block.signal}, not of ${header.signal}`
  if (block.count !== header.count)
    return `its columns hold ${block.count} items, its header says ${header.count}`
  const bytes = [...parts.values()].reduce((sum, part) => sum + part.length, 0)
  if (bytes !== header.byteLength)
    return `its parts have ${bytes} bytes, its header says ${header.byteLength}`
  const high = block.signal === 'traces' ? block.startHi : block.timeHi
  const low = block.signal === 'traces' ? block.startLo : block.timeLo
  for (let row = 0; row < block.count; row++) {
    const time = toMs(high[row] ?? 0, low[row] ?? 0)
    if (time < header.minTimeMs || time > header.maxTimeMs)
      return 'a row lies outside of the times of its header'
  }
  const services = new Set([...block.resource].map(entry => block.resources[entry]?.service ?? ''))
  const { services: named } = header
  if (named !== null && [...services].some(service => !named.includes(service)))
    return 'a row is of a service that its header does not name'
  return null
}

function checkTerms(terms: ReturnType<typeof readTerms>, parts: Parts): void {
  if (terms instanceof TermIndex) terms.check()
  else terms.check(Array.from({ length: terms.blocks }, (_, block) => readTermBlock(parts, block)))
}

function groupProblem(layout: SegmentLayout, block: Block): string | null {
  const high = block.signal === 'traces' ? block.startHi : block.timeHi
  const low = block.signal === 'traces' ? block.startLo : block.timeLo
  for (const { firstRow, count, minTimeMs, maxTimeMs } of layout.groups)
    for (let row = firstRow; row < firstRow + count; row++) {
      const time = toMs(high[row] ?? 0, low[row] ?? 0)
      if (time < minTimeMs || time > maxTimeMs) return 'a row lies outside of the times of its group'
    }
  return null
}

function contentProblem(layout: SegmentLayout, columns: DecodedColumns, parts: Parts): string | null {
  const records = readRecords(columns, readDictionary(parts), parts, null)
  if (columns.block.count > 0 && records.bytes.length === 0) return 'its messages are empty'
  const { block } = columns
  if (block.signal === 'metrics') return null
  const index = readTraces(parts)
  for (let row = 0; row < block.count; row++) {
    const id = block.traceId.subarray(row * 16, row * 16 + 16)
    if (id.every(byte => byte === 0)) continue
    const group = Math.floor(row / layout.rowsPerGroup)
    if (!hasGroup(traceGroups(index, hashOfTrace(id)), group)) return 'a trace is not in its trace index'
  }
  return null
}
