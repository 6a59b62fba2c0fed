/** Segments of one snapshot through the caches; damage is remembered and answered by null. */
import type { LRUCache } from 'lru-cache'
import { StoreError } from '../errors.ts'
import type { SegmentHeader, StoreSnapshot } from '../model/store.ts'
import type { Block, RecordTable } from '../model/telemetry.ts'
import type { DecodedColumns } from '../store/segment/block-codec.ts'
import { partNames } from '../store/segment/part-names.ts'
import type { PrefixFilter } from '../store/segment/prefix-filter.ts'
import {
  framePartsOf,
  type Parts,
  readBlock,
  readDictionary,
  readPrefixes,
  readRecords,
  readTerms,
  readTraces,
} from '../store/segment/read-segment.ts'
import type { TermIndex } from '../store/segment/term-index.ts'
import type { TraceIndex } from '../store/segment/trace-index.ts'
import type { ReaderCaches } from './reader-caches.ts'

/** Error codes that mean: this segment cannot be read, others can. */
const unreadable = new Set(['corrupt_segment', 'newer_format', 'old_format'])

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

  columns(header: SegmentHeader): Promise<DecodedColumns | null> {
    return this.#cached(header, this.#caches.columns, async () => {
      const columns = readBlock(await this.#parts(header, [partNames.columns]))
      if (columns.block.signal !== header.signal || columns.block.count !== header.count)
        throw new StoreError('corrupt_segment', 'corrupt segment: its columns are not those of its header')
      return columns
    })
  }

  traceIndex(header: SegmentHeader): Promise<TraceIndex | null> {
    return this.#cached(header, this.#caches.traces, async () =>
      readTraces(await this.#parts(header, [partNames.traces])),
    )
  }

  termIndex(header: SegmentHeader): Promise<TermIndex | null> {
    return this.#cached(header, this.#caches.terms, async () =>
      readTerms(await this.#parts(header, [partNames.terms])),
    )
  }

  prefixFilter(header: SegmentHeader): Promise<PrefixFilter | null> {
    return this.#cached(header, this.#caches.prefixes, async () =>
      readPrefixes(await this.#parts(header, [partNames.prefixes])),
    )
  }

  /** Messages of the rows (all if not given); none of them, all lengths 0, where the segment is damaged. */
  async records(
    header: SegmentHeader,
    columns: DecodedColumns,
    rows?: readonly number[],
  ): Promise<RecordTable> {
    const wanted = rows ?? null
    const loaded = await this.#skipDamage(header, async () => {
      const known = this.#caches.dictionaries.get(header.id)
      const frames = framePartsOf(columns.block, wanted)
      const parts = await this.#parts(
        header,
        known === undefined ? [partNames.dictionary, ...frames] : frames,
      )
      const dictionary = known ?? readDictionary(parts)
      if (known === undefined) this.#caches.dictionaries.set(header.id, dictionary)
      return readRecords(columns, dictionary, parts, wanted)
    })
    return loaded ?? noRecords(columns.block)
  }

  #parts(header: SegmentHeader, names: readonly string[]): Promise<Parts> {
    return this.#snapshot.segmentParts(header.id, names, this.#signal)
  }

  async #cached<V extends object>(
    header: SegmentHeader,
    cache: LRUCache<string, V>,
    read: () => Promise<V>,
  ): Promise<V | null> {
    const known = cache.get(header.id)
    if (known !== undefined) return known
    return this.#skipDamage(header, async () => {
      const value = await read()
      cache.set(header.id, value)
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
