/** Segments of one snapshot through the caches; damage is remembered and answered by null. */
import type { LRUCache } from 'lru-cache'
import { StoreError } from '../errors.ts'
import type { SegmentHeader, StoreSnapshot } from '../model/store.ts'
import type { Block, RecordTable } from '../model/telemetry.ts'
import { hasAttribute, resourceAttributeTag } from '../store/search/attribute-match.ts'
import type { AttributeProbe } from '../store/segment/attribute-filter.ts'
import {
  type DecodedColumns,
  groupPartOf,
  type RowGroup,
  type SegmentLayout,
} from '../store/segment/block-codec.ts'
import type { BloomFilter } from '../store/segment/bloom-filter.ts'
import type { DictionaryReader } from '../store/segment/dictionary-reader.ts'
import { partNames } from '../store/segment/part-names.ts'
import { noSpans, type WantedSpans } from '../store/segment/picked-spans.ts'
import type { PrefixFilter } from '../store/segment/prefix-filter.ts'
import {
  canPickSpans,
  type FoundRecords,
  framePartsOf,
  type Parts,
  readAttributes,
  readColumns,
  readDictionary,
  readLayout,
  readPrefixes,
  readRecords,
  readRecordsWith,
  readSpans,
  readTermBlock,
  readTerms,
  readTraceRows,
  readTraces,
  rowsWithAttribute,
  type WantedWords,
} from '../store/segment/read-segment.ts'
import { type TermDirectory, TermIndex } from '../store/segment/term-index.ts'
import { TraceFilter } from '../store/segment/trace-filter.ts'
import type { TraceIndex } from '../store/segment/trace-index.ts'
import type { LogTerm, TermFrames } from './index-pruning.ts'
import { columnBytes, type ReaderCaches } from './reader-caches.ts'
import { matchingRows } from './trace-rows.ts'

/** Error codes that mean: this segment cannot be read, others can. */
const unreadable = new Set(['corrupt_segment', 'newer_format', 'old_format'])

/** Format in which segments came to have filters of attributes. */
const attributesSince = 4

export class SegmentAccess {
  readonly #snapshot: StoreSnapshot
  readonly #caches: ReaderCaches
  readonly #signal: AbortSignal
  readonly #onDamage: (what: string) => void

  constructor(
    snapshot: StoreSnapshot,
    caches: ReaderCaches,
    signal: AbortSignal,
    onDamage: (what: string) => void,
  ) {
    this.#onDamage = onDamage
    this.#snapshot = snapshot
    this.#caches = caches
    this.#signal = signal
  }

  layout(header: SegmentHeader): Promise<SegmentLayout | null> {
    return this.#cached(header, this.#caches.layouts, header.id, async () => {
      const layout = readLayout(await this.#parts(header, [partNames.columns]))
      if (layout.signal !== header.signal || layout.count !== header.count)
        throw new StoreError('corrupt_segment', 'corrupt segment: its columns are not those of its header')
      return layout
    })
  }

  async columns(
    header: SegmentHeader,
    layout: SegmentLayout,
    group: RowGroup,
  ): Promise<DecodedColumns | null> {
    const key = `${header.id} ${group.number}`
    const known = this.#caches.columns.get(key)
    if (known !== undefined) return known
    return this.#skipDamage(header, async () => {
      const columns = readColumns(layout, group, await this.#parts(header, [groupPartOf(layout, group)]))
      this.#caches.columns.set(key, columns, columnBytes(columns.block, layout))
      return columns
    })
  }

  /** The rows of a trace (16 bytes) in a group; null where there are none, or damage. */
  async traceRows(
    header: SegmentHeader,
    layout: SegmentLayout,
    group: RowGroup,
    id: Uint8Array,
  ): Promise<{ readonly columns: DecodedColumns; readonly rows: readonly number[] } | null> {
    const known = this.#caches.columns.get(`${header.id} ${group.number}`)
    if (known === undefined && canPickSpans(layout)) {
      const columns = await this.#skipDamage(header, async () =>
        readTraceRows(layout, group, await this.#parts(header, [groupPartOf(layout, group)]), id),
      )
      return columns === null ? null : { columns, rows: [...columns.block.flags.keys()] }
    }
    const columns = known ?? (await this.columns(header, layout, group))
    if (columns === null || columns.block.signal !== 'traces') return null
    const rows = matchingRows(columns.block, id)
    return rows.length === 0 ? null : { columns, rows }
  }

  /** Those rows of a group that are wanted, `picked`, or all of them; null where it is damaged. */
  async spans(
    header: SegmentHeader,
    layout: SegmentLayout,
    group: RowGroup,
    wanted: WantedSpans,
  ): Promise<DecodedColumns | null> {
    const known = this.#caches.columns.get(`${header.id} ${group.number}`)
    if (known !== undefined || layout.tables === null || !canPickSpans(layout))
      return known ?? this.columns(header, layout, group)
    if ('keys' in wanted && wanted.keys !== null) {
      const filter = await this.traceFilter(header)
      if (filter !== null && !wanted.keys.some(key => filter.mayHold(key)))
        return { ...noSpans(layout.tables), firstRow: group.firstRow, picked: [] }
    }
    return this.#skipDamage(header, async () =>
      readSpans(layout, group, await this.#parts(header, [groupPartOf(layout, group)]), wanted),
    )
  }

  traceIndex(header: SegmentHeader): Promise<TraceIndex | null> {
    return this.#cached(header, this.#caches.traces, header.id, async () =>
      readTraces(await this.#parts(header, [partNames.traces])),
    )
  }

  /** Kept for all segments, while most indexes are read anew. */
  traceFilter(header: SegmentHeader): Promise<TraceFilter | null> {
    return this.#cached(header, this.#caches.traceFilters, header.id, async () => {
      return new TraceFilter(readTraces(await this.#parts(header, [partNames.traces])))
    })
  }

  /** Frames of the rows that have a word each term finds. */
  async termFrames(
    header: SegmentHeader,
    wanted: readonly LogTerm[],
  ): Promise<{ readonly found: TermFrames; readonly frameCount: number } | null> {
    const { terms } = this.#caches
    const directory = await this.#cached(header, terms, header.id, async () =>
      readTerms(await this.#parts(header, [partNames.terms])),
    )
    if (directory === null) return null
    const found = new Map<LogTerm, Uint8Array | null>()
    for (const term of wanted) {
      const frames =
        directory instanceof TermIndex
          ? directory.framesOf(term.matcher)
          : await this.#framesInBlocks(header, directory, term)
      if (frames === undefined) return null
      found.set(term, frames)
    }
    return { found, frameCount: directory.frameCount }
  }

  /** Undefined where the segment is damaged. */
  async #framesInBlocks(
    header: SegmentHeader,
    directory: TermDirectory,
    { matcher, bytes }: LogTerm,
  ): Promise<Uint8Array | null | undefined> {
    let frames: Uint8Array | null = null
    const { from, to } = directory.blocksOf(bytes.common)
    for (let number = from; number < to; number++) {
      const block = await this.#cached(header, this.#caches.terms, `${header.id} ${number}`, async () =>
        readTermBlock(await this.#parts(header, [partNames.termBlock(number)]), number),
      )
      if (!(block instanceof TermIndex)) return undefined
      const found = block.framesOf(matcher)
      if (frames === null) frames = found
      else if (found !== null) for (const [frame, flag] of found.entries()) frames[frame] ||= flag
    }
    return frames
  }

  prefixFilter(header: SegmentHeader): Promise<PrefixFilter | null> {
    return this.#cached(header, this.#caches.prefixes, header.id, async () =>
      readPrefixes(await this.#parts(header, [partNames.prefixes])),
    )
  }

  /** Which attributes the segment may have. */
  async mayHold(
    header: SegmentHeader,
    probes: readonly AttributeProbe[],
  ): Promise<ReadonlyMap<AttributeProbe, boolean> | null> {
    const found = new Map<AttributeProbe, boolean>()
    if (header.formatVersion < attributesSince) return found
    const listed = await this.#attributeFilter(header, partNames.attributes)
    if (listed === null) return null
    for (const probe of probes) {
      const answer = probe.inListed(listed)
      if (answer !== 'ask values') {
        found.set(probe, answer === 'maybe')
        continue
      }
      const values = await this.#attributeFilter(header, partNames.values)
      if (values === null) return null
      found.set(probe, probe.inValues(values))
    }
    return found
  }

  #attributeFilter(header: SegmentHeader, name: string): Promise<BloomFilter | null> {
    return this.#cached(header, this.#caches.attributes, `${header.id} ${name}`, async () =>
      readAttributes(await this.#parts(header, [name]), name),
    )
  }

  /** A flag for each row of the columns that may have the attribute, itself or its resource. */
  async rowsWith(
    header: SegmentHeader,
    columns: DecodedColumns,
    wanted: AttributeProbe,
  ): Promise<Uint8Array | null> {
    return this.#skipDamage(header, async () => {
      const { block } = columns
      const holds = Uint8Array.from(block.resources, ({ bytes }) =>
        hasAttribute(bytes, resourceAttributeTag, wanted) ? 1 : 0,
      )
      const dictionary = await this.#dictionary(header)
      const parts = await this.#parts(header, framePartsOf(columns, null))
      const flags = rowsWithAttribute(columns, dictionary, parts, wanted)
      for (let row = 0; row < block.count; row++)
        if (holds[block.resource[row] as number] === 1) flags[row] = 1
      return flags
    })
  }

  async #dictionary(header: SegmentHeader): Promise<DictionaryReader> {
    const { dictionaries } = this.#caches
    const known = dictionaries.get(header.id)
    if (known !== undefined) return known
    const dictionary = readDictionary(await this.#parts(header, [partNames.dictionary]))
    dictionaries.set(header.id, dictionary)
    return dictionary
  }

  /** Messages of the rows (all if not given); none of them, all lengths 0, where the segment is damaged. */
  async records(
    header: SegmentHeader,
    columns: DecodedColumns,
    rows?: readonly number[],
  ): Promise<RecordTable> {
    const wanted = rows ?? null
    const loaded = await this.#skipDamage(header, async () => {
      const dictionary = await this.#dictionary(header)
      const parts = await this.#parts(header, framePartsOf(columns, wanted))
      return readRecords(columns, dictionary, parts, wanted)
    })
    return loaded ?? noRecords(columns.block)
  }

  /** The same for those of the rows that may have the words; where the segment is damaged, for all of them. */
  async recordsWith(
    header: SegmentHeader,
    columns: DecodedColumns,
    rows: readonly number[],
    wanted: WantedWords,
  ): Promise<FoundRecords> {
    const found = await this.#skipDamage(header, async () => {
      const dictionary = await this.#dictionary(header)
      const parts = await this.#parts(header, framePartsOf(columns, rows))
      return readRecordsWith(columns, dictionary, parts, rows, wanted)
    })
    return found ?? { rows, records: noRecords(columns.block) }
  }

  #parts(header: SegmentHeader, names: readonly string[]): Promise<Parts> {
    return this.#snapshot.segmentParts(header.id, names, this.#signal)
  }

  async #cached<V extends object>(
    header: SegmentHeader,
    cache: LRUCache<string, V>,
    key: string,
    read: () => Promise<V>,
  ): Promise<V | null> {
    const known = cache.get(key)
    if (known !== undefined) return known
    return this.#skipDamage(header, async () => {
      const value = await read()
      cache.set(key, value)
      return value
    })
  }

  async #skipDamage<V>(header: SegmentHeader, read: () => Promise<V>): Promise<V | null> {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      // Gone by retention so long ago that the store no longer lists it among the removed: nothing is missing.
      if (error.code === 'missing_segment') return null
      if (!unreadable.has(error.code)) throw error
      if (!this.#caches.corrupt.has(header.id)) this.#onDamage(`segment ${header.id}: ${error.message}`)
      this.#caches.corrupt.set(header.id, header)
      return null
    }
  }
}

function noRecords(block: Block): RecordTable {
  return {
    bytes: new Uint8Array(),
    offset: new Uint32Array(block.count),
    length: new Uint32Array(block.count),
  }
}
