/** Whether a segment is what its header and its own parts say of each other, every byte of it read. */
import { StoreError } from '../../errors.ts'
import type { SegmentHeader } from '../../model/store.ts'
import type { Block } from '../../model/telemetry.ts'
import { toMs } from '../../model/time.ts'
import { formatVersion } from '../../store/part.ts'
import type { DecodedColumns } from '../../store/segment/block-codec.ts'
import { partNames } from '../../store/segment/part-names.ts'
import {
  framePartsOf,
  type Parts,
  readBlock,
  readDictionary,
  readRecords,
  readTerms,
  readTraces,
} from '../../store/segment/read-segment.ts'
import { mayHoldTrace } from '../../store/segment/trace-index.ts'

/** Names of all parts of a segment. */
export function partsOf(header: SegmentHeader, columns: DecodedColumns): readonly string[] {
  return [
    partNames.columns,
    partNames.dictionary,
    ...(header.signal === 'metrics' ? [] : [partNames.traces]),
    ...(header.signal === 'logs' ? [partNames.terms, partNames.prefixes] : []),
    ...framePartsOf(columns.block, null),
  ]
}

/** The first thing that is wrong, or null. `fetch` reads parts by name and throws StoreError. */
export async function checkSegment(
  header: SegmentHeader,
  fetch: (names: readonly string[]) => Promise<Parts>,
): Promise<string | null> {
  try {
    if (header.formatVersion > formatVersion)
      return `format ${header.formatVersion} is newer than ${formatVersion}, the newest this version reads`
    const first = await fetch([partNames.columns])
    const columns = readBlock(first)
    const parts = await fetch(partsOf(header, columns))
    return headerProblem(header, columns.block, parts) ?? contentProblem(header, columns, parts)
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

function contentProblem(header: SegmentHeader, columns: DecodedColumns, parts: Parts): string | null {
  const records = readRecords(columns, readDictionary(parts), parts, null)
  if (columns.block.count > 0 && records.bytes.length === 0) return 'its messages are empty'
  if (header.signal === 'logs') readTerms(parts).check()
  const { block } = columns
  if (block.signal === 'metrics') return null
  const index = readTraces(parts)
  for (let row = 0; row < block.count; row++) {
    const id = block.traceId.subarray(row * 16, row * 16 + 16)
    if (id.some(byte => byte !== 0) && !mayHoldTrace(index, id)) return 'a trace is not in its trace index'
  }
  return null
}
