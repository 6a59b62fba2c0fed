/** Reading the parts of a segment that a store has handed out; checksums were checked there. */
import { StoreError } from '../../errors.ts'
import type { RecordTable } from '../../model/telemetry.ts'
import { partContent, partVersion } from '../part.ts'
import { readAttributeFilter } from './attribute-filter.ts'
import { attributeRows, type WantedAttribute } from './attribute-rows.ts'
import {
  type DecodedColumns,
  groupPartOf,
  readLayout as layoutOf,
  type RowGroup,
  readGroup,
  type SegmentLayout,
} from './block-codec.ts'
import type { BloomFilter } from './bloom-filter.ts'
import { ByteReader } from './bytes.ts'
import { readCompressed } from './compression.ts'
import { corruptSegment } from './corrupt.ts'
import { DictionaryReader } from './dictionary-reader.ts'
import { partNames } from './part-names.ts'
import { readSpansOfTrace, readWantedSpans, type WantedSpans } from './picked-spans.ts'
import { PrefixFilter } from './prefix-filter.ts'
import { decodeRecords, framesOf } from './record-frames.ts'
import { joinedColumns, joinedRows } from './row-range.ts'
import { TermDirectory, TermIndex } from './term-index.ts'
import { readTraceIndex, type TraceIndex } from './trace-index.ts'
import type { WordRows } from './word-rows.ts'

export type Parts = ReadonlyMap<string, Uint8Array>

/** What of it is where. Throws StoreError `corrupt_segment`. */
export function readLayout(parts: Parts): SegmentLayout {
  return guarded(() => {
    const part = partOf(parts, partNames.columns)
    return layoutOf(partContent(part), partVersion(part))
  })
}

/** The columns of a group, and what `readRecords` needs besides; `groupPartOf` names its part. */
export function readColumns(layout: SegmentLayout, group: RowGroup, parts: Parts): DecodedColumns {
  return guarded(() => readGroup(layout, group, contentOf(parts, groupPartOf(layout, group))))
}

/** Whether some rows can be read alone: spans in groups. */
export function canPickSpans(layout: SegmentLayout): boolean {
  return layout.signal === 'traces' && layout.tables !== null
}

/** The rows of one trace (16 bytes) of a group, where `canPickSpans`; null if there are none. */
export function readTraceRows(
  layout: SegmentLayout,
  group: RowGroup,
  parts: Parts,
  traceId: Uint8Array,
): DecodedColumns | null {
  return guarded(() => readSpansOfTrace(layout, group, contentOf(parts, groupPartOf(layout, group)), traceId))
}

/** The rows that are wanted of a group, if only none, where `canPickSpans`. */
export function readSpans(
  layout: SegmentLayout,
  group: RowGroup,
  parts: Parts,
  wanted: WantedSpans,
): DecodedColumns {
  return guarded(() => readWantedSpans(layout, group, contentOf(parts, groupPartOf(layout, group)), wanted))
}

/** All columns in one block; `parts` holds those `columnPartsOf` names. */
export function readBlock(parts: Parts): DecodedColumns {
  const layout = readLayout(parts)
  const groups = layout.groups.map(group => readColumns(layout, group, parts))
  if (groups.length === 0) throw corruptSegment('it has no rows')
  return {
    block: joinedRows(groups.map(({ block }) => block)),
    held: joinedColumns(groups.map(({ held }) => held)),
    firstRow: 0,
  }
}

/** The same through `fetch`, which reads parts by name; with all messages. */
export async function fetchSegment(
  fetch: (names: readonly string[]) => Promise<Parts>,
): Promise<{ readonly columns: DecodedColumns; readonly records: RecordTable }> {
  const layout = readLayout(await fetch([partNames.columns]))
  const columns = readBlock(await fetch(columnPartsOf(layout)))
  const parts = await fetch([partNames.dictionary, ...framePartsOf(columns, null)])
  return { columns, records: readRecords(columns, readDictionary(parts), parts, null) }
}

export function columnPartsOf(layout: SegmentLayout): readonly string[] {
  return [...new Set([partNames.columns, ...layout.groups.map(group => groupPartOf(layout, group))])]
}

export function readDictionary(parts: Parts): DictionaryReader {
  return guarded(
    () => new DictionaryReader(readCompressed(new ByteReader(contentOf(parts, partNames.dictionary)))),
  )
}

export function readTraces(parts: Parts): TraceIndex {
  return guarded(() => readTraceIndex(contentOf(parts, partNames.traces)))
}

/** Words of segments of formats 2 and 3 stand in `terms` itself. */
export function readTerms(parts: Parts): TermDirectory | TermIndex {
  return guarded(() => {
    const part = partOf(parts, partNames.terms)
    const content = readCompressed(new ByteReader(partContent(part)))
    return partVersion(part) < termBlocksSince ? new TermIndex(content) : new TermDirectory(content)
  })
}

/** Format in which words came to lie in blocks. */
const termBlocksSince = 4

export function readTermBlock(parts: Parts, block: number): TermIndex {
  return guarded(
    () => new TermIndex(readCompressed(new ByteReader(contentOf(parts, partNames.termBlock(block))))),
  )
}

export function readPrefixes(parts: Parts): PrefixFilter {
  return guarded(() => new PrefixFilter(contentOf(parts, partNames.prefixes)))
}

/** `name` is one of the two filters of attributes. */
export function readAttributes(parts: Parts, name: string): BloomFilter {
  return guarded(() => readAttributeFilter(contentOf(parts, name)))
}

/** Flags of the rows whose own attributes may have the value; `parts` as for `readRecords` of all rows. */
export function rowsWithAttribute(
  columns: DecodedColumns,
  dictionary: DictionaryReader,
  parts: Parts,
  wanted: WantedAttribute,
): Uint8Array {
  return guarded(() => attributeRows(columns, dictionary, framesIn(columns, parts, null), wanted))
}

/** Names of the frame parts that hold these rows (all if null). */
export function framePartsOf(columns: DecodedColumns, rows: readonly number[] | null): readonly string[] {
  return framesOf(rows, columns).map(partNames.frame)
}

/**
 * The OTLP messages of `rows` (all if null), equal to those sealed field by field; other rows have length 0.
 * `parts` holds the frames that `framePartsOf` names.
 */
export function readRecords(
  columns: DecodedColumns,
  dictionary: DictionaryReader,
  parts: Parts,
  rows: readonly number[] | null,
): RecordTable {
  return guarded(() => decodeRecords(columns, dictionary, framesIn(columns, parts, rows), rows))
}

/** Rows and their messages, as `readRecords` gives them. */
export interface FoundRecords {
  readonly rows: readonly number[]
  readonly records: RecordTable
}

/** Of `rows` those whose words, a bit for each of `words`, are enough; `parts` as for `readRecords`. */
export function readRecordsWith(
  columns: DecodedColumns,
  dictionary: DictionaryReader,
  parts: Parts,
  rows: readonly number[],
  { words, suffices }: WantedWords,
): FoundRecords {
  return guarded(() => {
    const frames = framesIn(columns, parts, rows)
    const masks = words.masks(columns, dictionary, frames)
    const found = rows.filter(row => suffices(masks[row] as number))
    const needed = new Set(framesOf(found, columns))
    const wanted = new Map([...frames].filter(([frame]) => needed.has(frame)))
    return { rows: found, records: decodeRecords(columns, dictionary, wanted, found) }
  })
}

export interface WantedWords {
  readonly words: WordRows
  readonly suffices: (mask: number) => boolean
}

function framesIn(
  columns: DecodedColumns,
  parts: Parts,
  rows: readonly number[] | null,
): ReadonlyMap<number, Uint8Array> {
  const frames = new Map<number, Uint8Array>()
  for (const frame of framesOf(rows, columns))
    frames.set(frame, readCompressed(new ByteReader(contentOf(parts, partNames.frame(frame)))))
  return frames
}

function contentOf(parts: Parts, name: string): Uint8Array {
  return partContent(partOf(parts, name))
}

function partOf(parts: Parts, name: string): Uint8Array {
  const part = parts.get(name)
  if (part === undefined) throw corruptSegment(`its part ${name} is missing`)
  return part
}

/** Whatever damage makes of the bytes, the caller sees one kind of error. */
function guarded<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof StoreError) throw error
    throw corruptSegment('it cannot be decoded', error)
  }
}
