/** Reading the parts of a segment that a store has handed out; checksums were checked there. */
import { StoreError } from '../../errors.ts'
import type { Block, RecordTable } from '../../model/telemetry.ts'
import { partContent } from '../part.ts'
import { type DecodedColumns, readColumns } from './block-codec.ts'
import { ByteReader } from './bytes.ts'
import { readCompressed } from './compression.ts'
import { corruptSegment } from './corrupt.ts'
import { DictionaryReader } from './dictionary-reader.ts'
import { partNames } from './part-names.ts'
import { PrefixFilter } from './prefix-filter.ts'
import { decodeRecords, framesOf } from './record-frames.ts'
import { TermIndex } from './term-index.ts'
import { readTraceIndex, type TraceIndex } from './trace-index.ts'

export type Parts = ReadonlyMap<string, Uint8Array>

/** The block and what `readRecords` needs besides. Throws StoreError `corrupt_segment`. */
export function readBlock(parts: Parts): DecodedColumns {
  return guarded(() => readColumns(contentOf(parts, partNames.columns)))
}

export function readDictionary(parts: Parts): DictionaryReader {
  return guarded(
    () => new DictionaryReader(readCompressed(new ByteReader(contentOf(parts, partNames.dictionary)))),
  )
}

export function readTraces(parts: Parts): TraceIndex {
  return guarded(() => readTraceIndex(contentOf(parts, partNames.traces)))
}

export function readTerms(parts: Parts): TermIndex {
  return guarded(() => new TermIndex(readCompressed(new ByteReader(contentOf(parts, partNames.terms)))))
}

export function readPrefixes(parts: Parts): PrefixFilter {
  return guarded(() => new PrefixFilter(contentOf(parts, partNames.prefixes)))
}

/** Names of the frame parts that hold these rows (all if null). */
export function framePartsOf(block: Block, rows: readonly number[] | null): readonly string[] {
  return framesOf(rows, block).map(partNames.frame)
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
  return guarded(() => {
    const frames = new Map<number, Uint8Array>()
    for (const frame of framesOf(rows, columns.block))
      frames.set(frame, readCompressed(new ByteReader(contentOf(parts, partNames.frame(frame)))))
    return decodeRecords(columns.block, columns.held, dictionary, frames, rows)
  })
}

function contentOf(parts: Parts, name: string): Uint8Array {
  const part = parts.get(name)
  if (part === undefined) throw corruptSegment(`its part ${name} is missing`)
  return partContent(part)
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
