/** What a query worker keeps between calls, every part of it bounded by bytes. */
import { LRUCache } from 'lru-cache'
import type { KnownCells } from '../graph/rollups/known-cells.ts'
import type { SizedRollupView } from '../graph/rollups/rollup-view.ts'
import type { CountedPoints } from '../model/reader.ts'
import type { Retirements, RollupRecord, SegmentHeader } from '../model/store.ts'
import type { TailEntry } from '../model/tail.ts'
import type { Batch, Block } from '../model/telemetry.ts'
import { countedBytes } from '../store/metrics/point-counts.ts'
import type { SegmentLayout } from '../store/segment/block-codec.ts'
import type { BloomFilter } from '../store/segment/bloom-filter.ts'
import type { DictionaryReader } from '../store/segment/dictionary-reader.ts'
import type { PrefixFilter } from '../store/segment/prefix-filter.ts'
import type { TermDirectory, TermIndex } from '../store/segment/term-index.ts'
import type { TraceFilter } from '../store/segment/trace-filter.ts'
import type { TraceIndex } from '../store/segment/trace-index.ts'
import { ColumnCache } from './column-cache.ts'
import type { TenantNames } from './known-sections.ts'
import type { KeptTotals } from './rollup-totals.ts'
import { SegmentHeaders } from './segment-headers.ts'

/**
 * MiB of each cache where all of them have `defaultCacheBytes`; with more or less, as much more or less. A cache fills only
 * while such questions are asked.
 */
const sizes = {
  layouts: 3,
  // 260 groups of rows, of the 300 that a diagnosis reads.
  columns: 20,
  dictionaries: 5,
  // 1.75 bytes a trace in a segment: of ten million spans, and of five million log records of a trace each.
  traceFilters: 12,
  traces: 2,
  // Of 10,000 points with forty pairs of metric and service 5 kB: eight million such points.
  pointCounts: 4,
  // The words of 250,000 log records.
  terms: 9,
  // Filters for the words of five million log records.
  prefixes: 9,
  // Of what repeats, for all segments of ten million items; of ids, for the newest.
  attributes: 5,
  entries: 9,
  // Ninety minutes of a thousand services with ten thousand edges, as they are stored, and decoded.
  rollups: 12,
  sections: 36,
  // All series of a tenant at its bounds; see `maxNames`.
  names: 16,
  // The last few ranges asked about.
  totals: 16,
  views: 13,
}

const sizesInAll = Object.values(sizes).reduce((sum, size) => sum + size, 0)

/** The most that a thread can fill, with questions of every kind about more data than fits. */
export const defaultCacheBytes: number = sizesInAll * 1024 * 1024

/** Segments known to be damaged; beyond it the oldest are found damaged again. */
const maxCorrupt = 10_000
/** Tenants whose retirements are kept at hand. */
const maxTenants = 100

/** A series name in memory, about. */
const nameBytes = 150

export interface DecodedEntry {
  readonly batch: Batch
  readonly minTimeMs: number
  readonly maxTimeMs: number
}

/** A view of rollups, and the records it was made of; `bytes` as of the last reader that let go of it. */
export interface KeptRollupView {
  readonly ids: readonly string[]
  readonly view: SizedRollupView
  readonly bytes: number
}

export interface ReaderCaches {
  readonly headers: SegmentHeaders
  /** Opening a view and following the headers happens one call at a time; this is the end of the queue. */
  opening: Promise<unknown>
  readonly layouts: LRUCache<string, SegmentLayout>
  readonly columns: ColumnCache
  readonly dictionaries: LRUCache<string, DictionaryReader>
  /** Of what was found lately. */
  readonly traces: LRUCache<string, TraceIndex>
  readonly traceFilters: LRUCache<string, TraceFilter>
  /** All points of a segment of metrics. */
  readonly pointCounts: LRUCache<string, CountedPoints>
  /** Directories by segment, blocks by segment and number. */
  readonly terms: LRUCache<string, TermDirectory | TermIndex>
  readonly prefixes: LRUCache<string, PrefixFilter>
  /** By segment and part. */
  readonly attributes: LRUCache<string, BloomFilter>
  readonly entries: LRUCache<TailEntry, DecodedEntry>
  readonly rollups: LRUCache<string, RollupRecord>
  readonly names: LRUCache<string, TenantNames>
  /** Counts up whenever a tenant's names are learnt anew; `sections` of others outlive the names that they go by. */
  namesGeneration: number
  readonly sections: LRUCache<string, KnownCells>
  readonly totals: LRUCache<KeptTotals, KeptTotals>
  readonly views: LRUCache<string, KeptRollupView>
  readonly corrupt: LRUCache<string, SegmentHeader>
  /**
   * Items that the books of the store say a tenant has and no header names, by tenant; counted once, when the
   * headers are read for the first time. Null before.
   */
  missingItems: ReadonlyMap<string, number> | null
  /** By tenant, with the sequence of the headers they were read at. */
  readonly retirements: LRUCache<string, { readonly sequence: number; readonly retirements: Retirements }>
}

/** `maxBytes` is for all of them together, apart from headers: about 400 bytes a segment. */
export function createReaderCaches(maxBytes: number = defaultCacheBytes): ReaderCaches {
  const bytesOf = (name: keyof typeof sizes): number => (maxBytes * sizes[name]) / sizesInAll
  const bounded = <K extends object | string, V extends object>(
    name: keyof typeof sizes,
    sizeOf: (value: V) => number,
  ): LRUCache<K, V> => boundedByBytes(bytesOf(name), sizeOf)
  return {
    headers: new SegmentHeaders(),
    opening: Promise.resolve(),
    layouts: bounded('layouts', ({ tables }) => (tables === null ? 100 : tableBytes(tables))),
    columns: new ColumnCache(bytesOf('columns')),
    dictionaries: bounded('dictionaries', dictionary => dictionary.byteLength),
    traceFilters: bounded('traceFilters', filter => filter.byteLength),
    traces: bounded(
      'traces',
      index => index.prefixes.byteLength + index.hashes.byteLength + (index.groups?.byteLength ?? 0),
    ),
    pointCounts: bounded('pointCounts', countedBytes),
    terms: bounded('terms', index => index.byteLength),
    prefixes: bounded('prefixes', filter => filter.byteLength),
    attributes: bounded('attributes', filter => filter.byteLength),
    entries: bounded('entries', entry => blockBytes(entry.batch.block)),
    rollups: bounded('rollups', record => record.bytes.length),
    sections: bounded('sections', section => section.bytes),
    names: bounded('names', ({ names }) => names.size * nameBytes),
    namesGeneration: 0,
    totals: bounded('totals', kept => kept.bytes),
    views: bounded('views', kept => kept.bytes),
    // By size, because a bound by number is allocated whole at once.
    corrupt: new LRUCache({ maxSize: maxCorrupt, sizeCalculation: () => 1 }),
    missingItems: null,
    retirements: new LRUCache({ max: maxTenants }),
  }
}

/**
 * What stays when memory is scarce: small, and dear to make again. Filters of traces take 2.6 MiB for ten million spans and
 * are made of all indexes there are, .1 to .3 s of processor time, before the next trace is found; counts of points take half a
 * MiB for a million of them, and are made of columns of a hundred times their size, .1 s of processor time.
 */
const lasting: ReadonlySet<keyof typeof sizes> = new Set(['traceFilters', 'pointCounts'])

/** Gives up what was used least lately until each cache holds `share`, 0 to 1, of what it holds now. */
export function shrinkCaches(caches: ReaderCaches, share: number): void {
  for (const name of Object.keys(sizes) as (keyof typeof sizes)[]) {
    if (lasting.has(name)) continue
    const cache = caches[name]
    const most = cache.calculatedSize * share
    while (cache.calculatedSize > most) cache.pop()
  }
}

function boundedByBytes<K extends object | string, V extends object>(
  maxBytes: number,
  sizeOf: (value: V) => number,
): LRUCache<K, V> {
  return new LRUCache({ maxSize: Math.floor(maxBytes), sizeCalculation: value => 128 + sizeOf(value) })
}

/** Columns by the width of their rows; texts and tables by twice their length. */
function blockBytes(block: Block): number {
  const metrics = block.signal === 'metrics' ? block.metrics : []
  const { strings, resources, scopes } = block
  return rowBytes(block) + tableBytes({ strings, resources, scopes, metrics })
}

function rowBytes({ signal, count }: Block): number {
  return count * { traces: 75, logs: 54, metrics: 46 }[signal]
}

/** Groups of one segment share the tables of their layout, where it has them. */
export function columnBytes(block: Block, { tables }: SegmentLayout): number {
  return tables === null ? blockBytes(block) : rowBytes(block)
}

function tableBytes(tables: NonNullable<SegmentLayout['tables']>): number {
  let bytes = 0
  for (const text of tables.strings) bytes += 2 * text.length + 24
  for (const resource of tables.resources) bytes += resource.bytes.length + 300
  for (const scope of tables.scopes) bytes += scope.bytes.length + 100
  for (const metric of tables.metrics) bytes += metric.bytes.length + 300
  return bytes
}
