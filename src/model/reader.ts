/**
 * What tools and diagnosis may ask of stored and not yet sealed telemetry, always for one tenant and always
 * as of one position. The query worker implements it over a store snapshot and the tail behind it.
 *
 * Every method checks the deadline of its `ReadContext`; what it throws is passed on untouched.
 */
import type { RollupTotals, RollupView, TotalKind } from './rollup.ts'
import type { TemplateRecord } from './store.ts'
import type { LogBlock, MetricBlock, MetricEntry, RecordTable, Signal, SpanBlock } from './telemetry.ts'
import type { TimeRange } from './time.ts'

/** Throws when the caller has given up or the time is over; cheap enough for inner loops every few hundred rows. */
export interface Deadline {
  readonly signal: AbortSignal
  check(): void
}

/**
 * A position in the data. Text form: `<first eight digits of the inbox id>-<position>`, with `.<generation>`
 * behind it unless that is 0.
 */
export interface AsOf {
  readonly inboxId: string
  readonly position: number
  /** How much of the tenant's data had been removed or made coarser; see `Retirements`. */
  readonly generation: number
  /** Receive time of that position, milliseconds. */
  readonly timeMs: number
}

/** Rows of one block that may match; a block covers more than was asked for, so callers filter rows. */
export interface Scanned<B> {
  readonly block: B
  /** Loads the messages of these rows (all if not given); rows outside stay unloaded. */
  records(rows?: readonly number[]): Promise<RecordTable>
  /** Scans with terms: the same of those of the rows whose words may make them match; absent where nothing is known. */
  recordsWith?(
    rows: readonly number[],
  ): Promise<{ readonly rows: readonly number[]; readonly records: RecordTable }>
  /** Receive time of the block's newest item, milliseconds. */
  readonly receivedMs: number
  /** Scans with a condition: rows that may match, ascending; absent where nothing is known, so all may. */
  readonly candidateRows?: readonly number[]
  /** Scans for some rows: the block holds them alone, out of so many, all of which lie in the range; absent where it holds all. */
  readonly pickedFrom?: number
}

export interface ScanQuery {
  readonly range: TimeRange
  /** Exact service names; blocks without any of them are skipped. */
  readonly services?: readonly string[]
  readonly order?: 'newest_first' | 'oldest_first'
  /** Of spans: which rows the scan is for. Blocks in the range then need not hold others, but come even without any. */
  readonly wanted?: WantedRows
  /** Of spans and log records: blocks and rows for which it surely does not hold are skipped. Terms: of logs alone. */
  readonly where?: IndexCondition
}

/** Rows of these services, or of these traces, 16 bytes each. */
export type WantedRows = { readonly services: readonly string[] } | { readonly traceIds: Uint8Array }

/**
 * Something that can be asked of indexes before any record is read. What no index knows does not appear in it:
 * of an `and` it is left out, an `or` with it as a whole.
 */
export type IndexCondition =
  | { readonly type: 'and' | 'or'; readonly conditions: readonly IndexCondition[] }
  /** A folded word that matches a token, as stem or as prefix. */
  | { readonly type: 'term'; readonly term: string }
  /** 32 hex digits. */
  | { readonly type: 'trace'; readonly traceId: string }
  /** An attribute of the item or its resource; the value as text without regard to case. */
  | { readonly type: 'attribute'; readonly key: string; readonly value: string }

/** Points of one block, counted. */
export interface CountedPoints {
  /** All that the block names, whether or not points of the range are among its points. */
  readonly metrics: readonly Omit<MetricEntry, 'bytes'>[]
  /** In the order of their first rows. */
  readonly counts: readonly PointCount[]
}

export interface PointCount {
  /** Index into `metrics`. */
  readonly metric: number
  readonly service: string
  /** At least 1. */
  readonly points: number
  /** Index times, milliseconds. */
  readonly oldestMs: number
  readonly newestMs: number
}

export interface TraceRows {
  readonly traceId: string
  /** Whole rows of the trace, in blocks; duplicates (trace, span, start) already merged, with their number. */
  readonly parts: readonly {
    readonly block: SpanBlock
    readonly rows: readonly number[]
    readonly records: RecordTable
  }[]
  readonly duplicates: number
}

/** What answers about a window are based on. */
export interface Coverage {
  readonly perSignal: readonly SignalCoverage[]
  /** Positions acknowledged but not yet visible here. */
  readonly lagPositions: number
  readonly lagMs: number
  /** Segments that failed their checksum and were skipped, with the items they held. */
  readonly corruptSegments: number
  readonly corruptItems: number
  /** Requests, of any tenant, that were acknowledged and could not be read back since the engine's start. */
  readonly lostRequests: number
  /** Some names of the tenant no longer fitted into graph and rollups and are counted as `_overflow`. */
  readonly overflowing: boolean
  /** Oldest index time kept, milliseconds; null when nothing is stored. */
  readonly oldestMs: number | null
  readonly newestMs: number | null
}

export interface SignalCoverage {
  readonly signal: Signal
  /** Upper bound of stored items whose blocks touch the window. */
  readonly items: number
  readonly oldestMs: number | null
  readonly newestMs: number | null
}

/** Counters of the ingest path since start, for `diagnose_ingest` and coverage; cumulative. */
export interface IngestCounter {
  readonly tenant: string
  readonly signal: Signal
  readonly transport: string
  readonly requests: number
  readonly accepted: number
  readonly rejected: number
  readonly duplicates: number
  readonly refusedRetry: number
  readonly invalid: number
  /** Milliseconds, 0 if never. */
  readonly lastAcceptedMs: number
  readonly lastProblem: string
}

export interface TelemetryReader {
  readonly tenant: string
  readonly asOf: AsOf
  /** Milliseconds; the clock of this call, the same for all of it. */
  readonly nowMs: number
  scanSpans(query: ScanQuery): AsyncIterable<Scanned<SpanBlock>>
  scanLogs(query: ScanQuery): AsyncIterable<Scanned<LogBlock>>
  scanMetrics(query: ScanQuery): AsyncIterable<Scanned<MetricBlock>>
  /**
   * The points of the range, of all services where none are named, block after block as `scanMetrics` has them, newest first.
   * Much cheaper, because what lies in the range as a whole is counted once.
   */
  countPoints(query: Pick<ScanQuery, 'range' | 'services'>): AsyncIterable<CountedPoints>
  /** Full trace ids that start with `prefix` (8 to 32 hex digits), at most `limit`, sorted. */
  findTraces(prefix: string, limit: number): Promise<readonly string[]>
  /** All stored spans of a trace, whatever their time. Null if there is none. */
  trace(traceId: string): Promise<TraceRows | null>
  rollups(range: TimeRange, stepSeconds?: 10 | 60 | 600): Promise<RollupView>
  /**
   * What `rollups` would give, added up over all its windows: a view whose one window is as wide as all of
   * them, of the kinds asked for and no others. Much cheaper where no single window matters.
   */
  totals(range: TimeRange, stepSeconds: 10 | 60 | 600, kinds: readonly TotalKind[]): Promise<RollupTotals>
  templates(): Promise<readonly TemplateRecord[]>
  coverage(range: TimeRange): Promise<Coverage>
  /** Newest position whose items have a time inside the range; decides `as_of_superseded`. */
  newestPosition(range: TimeRange): Promise<number>
  /** Whether data of the range went or became coarser after that generation; also true if that is not known any more. */
  retiredSince(generation: number, range: TimeRange): Promise<boolean>
  ingestCounters(): Promise<readonly IngestCounter[]>
}
