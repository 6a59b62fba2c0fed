/**
 * Everything a tool may ask of one tenant's telemetry, stored or not sealed yet, as of one position.
 *
 * A read pins the tail, opens a store snapshot, reads the sealed position P in it and takes from the tail
 * what lies behind P: every item is then in exactly one of the two. Headers are followed inside the same
 * snapshot, one read at a time, so that they never show a segment the snapshot does not hold.
 */
import { StoreError } from '../errors.ts'
import { openOnce } from '../graph/rollups/open-once.ts'
import { rollupView, viewWindows } from '../graph/rollups/rollup-view.ts'
import type {
  AsOf,
  CountedPoints,
  Coverage,
  Deadline,
  IngestCounter,
  Scanned,
  ScanQuery,
  SignalCoverage,
  TelemetryReader,
  TraceRows,
} from '../model/reader.ts'
import type { RollupTotals, RollupView, TotalKind } from '../model/rollup.ts'
import type {
  Retirements,
  RollupHead,
  RollupRecord,
  StoreReader,
  StoreSnapshot,
  TemplateRecord,
} from '../model/store.ts'
import type { TailEntry } from '../model/tail.ts'
import {
  type Block,
  type LogBlock,
  type MetricBlock,
  type Signal,
  type SpanBlock,
  signals,
} from '../model/telemetry.ts'
import type { TimeRange } from '../model/time.ts'
import { KnownSections } from './known-sections.ts'
import { PointCountScan } from './point-count-scan.ts'
import type { ReaderCaches } from './reader-caches.ts'
import { type KeptTotals, readTotals, sameIds, type TotalsSource } from './rollup-totals.ts'
import { RowScan } from './row-scan.ts'
import { SegmentAccess } from './segment-access.ts'
import { type HeaderList, newestReceivedMs } from './segment-headers.ts'
import { newestHeader, type StoredView, storedView } from './stored-view.ts'
import type { Tail, TailPin, TailView } from './tail.ts'
import { touches } from './time-overlap.ts'
import { TraceSearch } from './trace-search.ts'
import { UnsealedItems } from './unsealed-items.ts'

export interface ReaderOptions {
  readonly store: StoreReader
  readonly tail: Tail
  readonly tenant: string
  readonly deadline: Deadline
  /** The clock of this call, milliseconds. */
  readonly nowMs: number
  readonly caches: ReaderCaches
  /** Of all tenants; the reader hands out its own tenant's. */
  readonly ingestCounters: () => Promise<readonly IngestCounter[]>
  /** The receiver's limit on attribute values, bytes. */
  readonly attributeMaxBytes?: number
  /** Hears of damage when it is met first; lower case, names what is damaged. */
  readonly onDamage?: (what: string) => void
}

export type OpenReader = TelemetryReader & { release(): Promise<void> }

/** Opens a consistent view; `release` must be called. Rejects with StoreError when the store cannot be read. */
export function openTelemetryReader(options: ReaderOptions): Promise<OpenReader> {
  const { caches } = options
  const opened = caches.opening.then(() => open(options))
  caches.opening = opened.catch(() => undefined)
  return opened
}

async function open(options: ReaderOptions): Promise<OpenReader> {
  const { store, tail, deadline } = options
  deadline.check()
  const pin = tail.pin()
  let snapshot: StoreSnapshot | null = null
  try {
    snapshot = await store.snapshot(deadline.signal)
    const stored = await storedView(options, snapshot)
    const inboxId = tail.inboxId || newestHeader(stored.headers)?.inboxId || ''
    const sealed = inboxId === '' ? 0 : await snapshot.sealedPosition(inboxId)
    return new SnapshotReader(options, { snapshot, pin }, stored, pin.take(sealed), inboxId)
  } catch (error) {
    pin.release()
    await snapshot?.release()
    throw error
  }
}

class SnapshotReader implements OpenReader {
  readonly tenant: string
  readonly asOf: AsOf
  readonly nowMs: number
  readonly #options: ReaderOptions
  readonly #snapshot: StoreSnapshot
  readonly #pin: TailPin
  readonly #headers: Readonly<Record<Signal, HeaderList>>
  readonly #retirements: Retirements
  readonly #tail: TailView
  readonly #entries: readonly TailEntry[]
  readonly #unsealed: UnsealedItems
  readonly #rows: RowScan
  readonly #points: PointCountScan
  readonly #traces: TraceSearch
  readonly #sections: KnownSections
  /** Sums of this reader's, given back when it is released. */
  readonly #totals: KeptTotals[] = []
  /** Keys of kept views that were asked: they may have grown by it. */
  readonly #views = new Set<string>()
  /** Ids; each counts once however often it was met. */
  readonly #corruptRollups = new Set<string>()

  constructor(
    options: ReaderOptions,
    { snapshot, pin }: { readonly snapshot: StoreSnapshot; readonly pin: TailPin },
    { headers, retirements }: StoredView,
    tail: TailView,
    inboxId: string,
  ) {
    this.#options = options
    this.#snapshot = snapshot
    this.#pin = pin
    this.#headers = headers
    this.#retirements = retirements
    this.#tail = tail
    this.tenant = options.tenant
    this.nowMs = options.nowMs
    this.#entries = tail.entries.filter(entry => entry.tenant === options.tenant)
    const { caches, deadline, onDamage = () => undefined } = options
    caches.columns.begin()
    const access = new SegmentAccess(snapshot, caches, deadline.signal, onDamage)
    this.#unsealed = new UnsealedItems(this.#entries, options)
    const parts = { headers, access, unsealed: this.#unsealed, deadline, caches }
    this.#rows = new RowScan(parts)
    this.#points = new PointCountScan(parts, caches)
    this.#traces = new TraceSearch(parts)
    this.#sections = new KnownSections(options.tenant, caches)
    const { generation } = retirements
    this.asOf = { inboxId, position: tail.position, generation, timeMs: this.#newestReceivedMs() }
  }

  async *scanSpans(query: ScanQuery): AsyncGenerator<Scanned<SpanBlock>> {
    for await (const scanned of this.#rows.scan('traces', query)) if (isSpans(scanned)) yield scanned
  }

  async *scanLogs(query: ScanQuery): AsyncGenerator<Scanned<LogBlock>> {
    for await (const scanned of this.#rows.scan('logs', query)) if (isLogs(scanned)) yield scanned
  }

  async *scanMetrics(query: ScanQuery): AsyncGenerator<Scanned<MetricBlock>> {
    for await (const scanned of this.#rows.scan('metrics', query)) if (isMetrics(scanned)) yield scanned
  }

  countPoints(query: Pick<ScanQuery, 'range' | 'services'>): AsyncIterable<CountedPoints> {
    return this.#points.scan(query)
  }

  findTraces(prefix: string, limit: number): Promise<readonly string[]> {
    return this.#traces.find(prefix, limit)
  }

  trace(traceId: string): Promise<TraceRows | null> {
    return this.#traces.trace(traceId)
  }

  async rollups(range: TimeRange, stepSeconds: 10 | 60 | 600 = 10): Promise<RollupView> {
    const { caches, deadline } = this.#options
    deadline.check()
    const heads = await this.#snapshot.rollupHeads(this.tenant, range.fromMs, range.toMs, deadline.signal)
    const present = [...(heads ?? []), ...this.#unsealedRollups(range)]
    const ids = present.map(head => head.id)
    // Ranges that round to the same windows have the same view.
    const { step, first, last } = viewWindows(present, range, stepSeconds)
    const key = [this.tenant, step, first, last].join(' ')
    const kept = heads === null ? undefined : caches.views.get(key)
    if (kept !== undefined && sameIds(kept.ids, ids)) {
      this.#views.add(key)
      return kept.view
    }
    const records = await this.#rollupRecords(range, heads)
    const view = rollupView(records, range, stepSeconds, this.#sections)
    // What is damaged has to be noticed by every answer.
    if (heads !== null && this.#corruptRollups.size === 0) {
      caches.views.set(key, { ids, view, bytes: view.bytes })
      this.#views.add(key)
    }
    return view
  }

  #unsealedRollups(range: TimeRange): readonly RollupRecord[] {
    return this.#tail.rollups.filter(
      record => record.tenant === this.tenant && record.fromMs < range.toMs && record.toMs > range.fromMs,
    )
  }

  async totals(
    range: TimeRange,
    stepSeconds: 10 | 60 | 600,
    kinds: readonly TotalKind[],
  ): Promise<RollupTotals> {
    const { deadline, caches } = this.#options
    deadline.check()
    const { fromMs, toMs } = range
    const stored = await this.#snapshot.rollupHeads(this.tenant, fromMs, toMs, deadline.signal)
    const unsealed = this.#unsealedRollups(range)
    const source: TotalsSource = {
      tenant: this.tenant,
      sections: this.#sections,
      free: caches.totals.values(),
      taken: this.#totals,
      take: kept => void caches.totals.delete(kept),
      heads: [...(stored ?? []), ...unsealed],
      load: async part => {
        const records = await this.#rollupRecords(part, null)
        const inPart = records.filter(record => record.fromMs < part.toMs && record.toMs > part.fromMs)
        return this.#corruptRollups.size > 0 ? null : inPart
      },
    }
    const totals = stored === null ? null : await readTotals(source, range, stepSeconds, kinds)
    if (totals !== null) return totals
    const view = await this.rollups(range, stepSeconds)
    return { view, windows: view.length, windowSeconds: view.stepSeconds }
  }

  /** Sealed records that have been read before, where all of them have; what is kept could be read. */
  #keptRecords(heads: readonly RollupHead[] | null): readonly RollupRecord[] | null {
    if (heads === null) return null
    const records: RollupRecord[] = []
    for (const { id } of heads) {
      const known = this.#options.caches.rollups.get(id)
      if (known === undefined) return null
      records.push(known)
    }
    return records
  }

  /** Those that can be read, sealed ones first. `heads` are those of sealed ones in the range; null if damaged. */
  async #rollupRecords(
    range: TimeRange,
    heads: readonly RollupHead[] | null,
  ): Promise<readonly RollupRecord[]> {
    const { deadline } = this.#options
    deadline.check()
    const stored =
      this.#keptRecords(heads) ??
      (await this.#snapshot.rollups(this.tenant, range.fromMs, range.toMs, deadline.signal))
    const records: RollupRecord[] = []
    for (const record of stored) {
      const known = this.#options.caches.rollups.get(record.id)
      if (known !== undefined) records.push(known)
      else if (this.#isReadable(record)) {
        this.#options.caches.rollups.set(record.id, record)
        records.push(record)
      }
    }
    for (const record of this.#tail.rollups)
      if (record.tenant === this.tenant && this.#isReadable(record)) records.push(record)
    return records
  }

  async templates(): Promise<readonly TemplateRecord[]> {
    const byNumber = new Map<number, TemplateRecord>()
    for (const template of await this.#snapshot.templates(this.tenant, this.#options.deadline.signal))
      byNumber.set(template.number, template)
    for (const template of this.#tail.templates)
      if (template.tenant === this.tenant) byNumber.set(template.number, template)
    return [...byNumber.values()].sort((a, b) => a.number - b.number)
  }

  async coverage(range: TimeRange): Promise<Coverage> {
    const perSignal = signals.map(signal => this.#signalCoverage(signal, range))
    const corrupt = signals
      .flatMap(signal => this.#headers[signal])
      .filter(header => this.#options.caches.corrupt.has(header.id) && touches(header, range))
    const { headers, missingItems } = this.#options.caches
    const missing = missingItems?.get(this.tenant) ?? 0
    const lagPositions = this.#tail.missingPositions + this.#tail.positionsWithoutRollups
    return {
      perSignal,
      lagPositions,
      lagMs: lagPositions === 0 ? 0 : Math.max(0, this.#tail.newestMs - this.asOf.timeMs),
      corruptSegments:
        corrupt.length +
        headers.damaged +
        this.#corruptRollups.size +
        (headers.damaged === 0 && missing > 0 ? 1 : 0),
      corruptItems: corrupt.reduce((sum, header) => sum + header.count, missing),
      lostRequests: this.#options.tail.lostPositions,
      overflowing: this.#options.tail.isOverflowing(this.tenant),
      oldestMs: extreme(
        perSignal.map(one => one.oldestMs),
        Math.min,
      ),
      newestMs: extreme(
        perSignal.map(one => one.newestMs),
        Math.max,
      ),
    }
  }

  async newestPosition(range: TimeRange): Promise<number> {
    let newest = 0
    for (const signal of signals) {
      for (const header of this.#headers[signal])
        if (touches(header, range)) newest = Math.max(newest, header.toPosition)
      for (const { index, entry } of this.#unsealed.indexes(signal))
        if (touches(index, range)) newest = Math.max(newest, entry.position)
    }
    return newest
  }

  async retiredSince(generation: number, range: TimeRange): Promise<boolean> {
    const { since, list } = this.#retirements
    if (generation < since) return true
    const later = list.filter(one => one.generation > generation)
    if (later.some(one => one.fromMs < range.toMs && one.toMs >= range.fromMs)) return true
    // An answer about times before the oldest data names that data.
    const { oldestMs } = await this.coverage(range)
    return later.length > 0 && (oldestMs === null || range.toMs <= oldestMs)
  }

  async ingestCounters(): Promise<readonly IngestCounter[]> {
    const all = await this.#options.ingestCounters()
    return all.filter(counter => counter.tenant === this.tenant)
  }

  async release(): Promise<void> {
    const { totals, views } = this.#options.caches
    for (const key of this.#views) {
      const kept = views.get(key)
      if (kept !== undefined && kept.bytes !== kept.view.bytes)
        views.set(key, { ...kept, bytes: kept.view.bytes })
    }
    for (const kept of this.#totals.splice(0)) totals.set(kept, kept)
    this.#pin.release()
    await this.#snapshot.release()
  }

  #signalCoverage(signal: Signal, range: TimeRange): SignalCoverage {
    let items = 0
    let oldestMs = Number.POSITIVE_INFINITY
    let newestMs = Number.NEGATIVE_INFINITY
    const add = (times: { readonly minTimeMs: number; readonly maxTimeMs: number }, count: number): void => {
      if (touches(times, range)) items += count
      oldestMs = Math.min(oldestMs, times.minTimeMs)
      newestMs = Math.max(newestMs, times.maxTimeMs)
    }
    for (const header of this.#headers[signal]) add(header, header.count)
    for (const { index } of this.#unsealed.indexes(signal)) add(index, index.count)
    const empty = newestMs === Number.NEGATIVE_INFINITY
    return { signal, items, oldestMs: empty ? null : oldestMs, newestMs: empty ? null : newestMs }
  }

  /** Of this tenant's own data, so that the same position gives the same time before and after sealing. */
  #newestReceivedMs(): number {
    let newest = 0
    for (const signal of signals) newest = Math.max(newest, newestReceivedMs(this.#headers[signal]))
    for (const entry of this.#entries) newest = Math.max(newest, entry.receivedMs)
    return newest
  }

  #isReadable(record: RollupRecord): boolean {
    try {
      openOnce(record)
      return true
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      this.#corruptRollups.add(record.id)
      this.#options.onDamage?.(`rollup ${record.id}: ${error.message}`)
      return false
    }
  }
}

function extreme(values: readonly (number | null)[], pick: (a: number, b: number) => number): number | null {
  let result: number | null = null
  for (const value of values) if (value !== null) result = result === null ? value : pick(result, value)
  return result
}

function isSpans(scanned: Scanned<Block>): scanned is Scanned<SpanBlock> {
  return scanned.block.signal === 'traces'
}

function isLogs(scanned: Scanned<Block>): scanned is Scanned<LogBlock> {
  return scanned.block.signal === 'logs'
}

function isMetrics(scanned: Scanned<Block>): scanned is Scanned<MetricBlock> {
  return scanned.block.signal === 'metrics'
}
