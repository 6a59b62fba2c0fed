/**
 * Everything a tool may ask of one tenant's telemetry, stored or not sealed yet, as of one position.
 *
 * A read pins the tail, opens a store snapshot, reads the sealed position P in it and takes from the tail
 * what lies behind P: every item is then in exactly one of the two. Headers are followed inside the same
 * snapshot, one read at a time, so that they never show a segment the snapshot does not hold.
 */
import pLimit from 'p-limit'
import { StoreError } from '../errors.ts'
import { openOnce } from '../graph/rollups/open-once.ts'
import { rollupView, viewWindows } from '../graph/rollups/rollup-view.ts'
import type {
  AsOf,
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
  SegmentHeader,
  StoreReader,
  StoreSnapshot,
  TemplateRecord,
} from '../model/store.ts'
import type { EntryIndex, TailEntry } from '../model/tail.ts'
import {
  type Block,
  type LogBlock,
  type MetricBlock,
  type Signal,
  type SpanBlock,
  signals,
} from '../model/telemetry.ts'
import type { TimeRange } from '../model/time.ts'
import type { AttributeProbe } from '../store/segment/attribute-filter.ts'
import type { DecodedColumns, RowGroup, SegmentLayout } from '../store/segment/block-codec.ts'
import { type TraceFilter, traceKey } from '../store/segment/trace-filter.ts'
import {
  allGroups,
  hasGroup,
  mayHoldPrefix,
  prefixOf,
  type TraceIndex,
  traceGroups,
} from '../store/segment/trace-index.ts'
import { IndexPruning, rowsOfFrames } from './index-pruning.ts'
import { KnownSections } from './known-sections.ts'
import type { DecodedEntry, ReaderCaches } from './reader-caches.ts'
import { type KeptTotals, readTotals, sameIds, type TotalsSource } from './rollup-totals.ts'
import { ScanOrder } from './scan-order.ts'
import { SegmentAccess } from './segment-access.ts'
import type { HeaderList } from './segment-headers.ts'
import { newestHeader, type StoredView, storedView } from './stored-view.ts'
import type { Tail, TailPin, TailView } from './tail.ts'
import { decodedEntry, isOf } from './tail-blocks.ts'
import { matchingRows, mergeTraceParts, type TracePart } from './trace-rows.ts'

/** The receiver's ATTRIBUTE_MAX_BYTES where nothing else is said. */
const defaultAttributeMaxBytes = 65_536
/** Index parts read at once; on SQLite they come one after the other, on Postgres they overlap. */
const fanOut = 8
/** What a view and its series take in memory to what is stored, about; sections are counted where they are kept. */
const viewPerStored = 3

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

/** A block that can be loaded, and what is known of it before. */
interface Source {
  readonly minTimeMs: number
  readonly maxTimeMs: number
  /** What it consists of, or rows. Null: nothing to see in it, or damaged. */
  load(): Promise<Scanned<Block> | readonly Source[] | null>
}

type EntryExtent = Pick<EntryIndex, 'count' | 'minTimeMs' | 'maxTimeMs'>

interface TraceLookUp {
  readonly mayHold: (filter: TraceFilter) => boolean
  readonly groupsOf: (index: TraceIndex) => number
}

interface GroupRead {
  readonly header: SegmentHeader
  readonly layout: SegmentLayout
  readonly group: RowGroup
  readonly pruning: IndexPruning | undefined
  /** All if not given. */
  readonly rows: readonly number[] | undefined
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
  readonly #access: SegmentAccess
  readonly #sections: KnownSections
  /** Sums of this reader's, given back when it is released. */
  readonly #totals: KeptTotals[] = []
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
    this.#access = new SegmentAccess(snapshot, caches, deadline.signal, onDamage)
    this.#sections = new KnownSections(options.tenant, caches)
    const { generation } = retirements
    this.asOf = { inboxId, position: tail.position, generation, timeMs: this.#newestReceivedMs() }
  }

  async *scanSpans(query: ScanQuery): AsyncGenerator<Scanned<SpanBlock>> {
    for await (const scanned of this.#scan('traces', query)) if (isSpans(scanned)) yield scanned
  }

  async *scanLogs(query: ScanQuery): AsyncGenerator<Scanned<LogBlock>> {
    for await (const scanned of this.#scan('logs', query)) if (isLogs(scanned)) yield scanned
  }

  async *scanMetrics(query: ScanQuery): AsyncGenerator<Scanned<MetricBlock>> {
    for await (const scanned of this.#scan('metrics', query)) if (isMetrics(scanned)) yield scanned
  }

  async findTraces(prefix: string, limit: number): Promise<readonly string[]> {
    const wanted = prefix.toLowerCase()
    if (!/^[0-9a-f]{8,32}$/.test(wanted)) return []
    const first = prefixOf(Buffer.from(wanted.slice(0, 8), 'hex'), 0)
    const found = new Set<string>()
    const collect = (block: Block): void => {
      if (block.signal !== 'traces') return
      let last = ''
      for (let row = 0; row < block.count; row++) {
        if (prefixOf(block.traceId, row * 16) !== first) continue
        const id = Buffer.from(block.traceId.subarray(row * 16, row * 16 + 16)).toString('hex')
        if (id !== last && id.startsWith(wanted)) found.add(id)
        last = id
      }
    }
    const segments = await this.#segmentsWhere('traces', {
      mayHold: filter => filter.mayHoldPrefix(first),
      groupsOf: index => (mayHoldPrefix(index, first) ? allGroups : 0),
    })
    for (const { header, groups } of segments)
      for await (const { block } of this.#groups(header, groups)) collect(block)
    for (const { decoded } of this.#tailBlocks('traces')) collect(decoded.batch.block)
    return [...found].sort().slice(0, limit)
  }

  async trace(traceId: string): Promise<TraceRows | null> {
    const wanted = traceId.toLowerCase()
    if (!/^[0-9a-f]{32}$/.test(wanted)) return null
    const id = new Uint8Array(Buffer.from(wanted, 'hex'))
    const parts: TracePart[] = []
    const key = traceKey(id)
    const { hash } = key
    const segments = await this.#segmentsWhere('traces', {
      mayHold: filter => filter.mayHold(key),
      groupsOf: index => traceGroups(index, hash),
    })
    for (const { header, groups } of segments)
      for await (const columns of this.#groups(header, groups)) {
        if (columns.block.signal !== 'traces') continue
        const rows = matchingRows(columns.block, id)
        if (rows.length === 0) continue
        parts.push({ block: columns.block, rows, records: await this.#access.records(header, columns, rows) })
      }
    const mayHold = ({ index }: TailEntry): boolean => index?.traces?.includes(hash) ?? true
    for (const { decoded } of this.#tailBlocks('traces', mayHold)) {
      const { block, records } = decoded.batch
      if (block.signal !== 'traces') continue
      const rows = matchingRows(block, id)
      if (rows.length > 0) parts.push({ block, rows, records })
    }
    return parts.length === 0 ? null : mergeTraceParts(wanted, parts)
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
    if (kept !== undefined && sameIds(kept.ids, ids)) return kept.view
    const records = await this.#rollupRecords(range, heads)
    const view = rollupView(records, range, stepSeconds, this.#sections)
    // What is damaged has to be noticed by every answer.
    if (heads !== null && this.#corruptRollups.size === 0) {
      const bytes = records.reduce((sum, record) => sum + record.bytes.length, 0)
      caches.views.set(key, { ids, view, bytes: bytes * viewPerStored })
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
      for (const { index, entry } of this.#tailIndexes(signal))
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
    const { totals } = this.#options.caches
    for (const kept of this.#totals.splice(0)) totals.set(kept, kept)
    this.#pin.release()
    await this.#snapshot.release()
  }

  async *#scan(signal: Signal, query: ScanQuery): AsyncGenerator<Scanned<Block>> {
    const pruning = query.where === undefined ? undefined : new IndexPruning(query.where)
    const { deadline } = this.#options
    const sources: Source[] = []
    for (const header of this.#headers[signal])
      if (touches(header, query.range) && mayHoldService(header, query.services))
        sources.push(this.#segmentSource(header, query.range, pruning))
    const mayTouch = ({ index }: TailEntry): boolean => index === undefined || touches(index, query.range)
    for (const { decoded, entry } of this.#tailBlocks(signal, mayTouch))
      if (touches(decoded, query.range)) sources.push(tailSource(decoded, entry, query.services))
    const order = new ScanOrder(sources, query.order !== 'oldest_first')
    for (let source = order.next(); source !== undefined; source = order.next()) {
      deadline.check()
      const loaded = await source.load()
      if (loaded === null) continue
      if ('block' in loaded) yield loaded
      else order.add(loaded)
    }
  }

  /** Groups of rows, those that may hold what was asked for. */
  #segmentSource(header: SegmentHeader, range: TimeRange, pruning: IndexPruning | undefined): Source {
    return {
      minTimeMs: header.minTimeMs,
      maxTimeMs: header.maxTimeMs,
      load: async () => {
        const frames = pruning === undefined ? undefined : await this.#frames(header, pruning)
        const layout = frames === null ? null : await this.#access.layout(header)
        if (layout === null) return null
        const sources: Source[] = []
        for (const group of layout.groups) {
          const minTimeMs = Math.max(header.minTimeMs, group.minTimeMs)
          const maxTimeMs = Math.min(header.maxTimeMs, group.maxTimeMs)
          if (!touches({ minTimeMs, maxTimeMs }, range)) continue
          const rows = frames ? rowsOfFrames(frames, group.firstRow, group.count) : undefined
          if (rows?.length === 0) continue
          sources.push({
            minTimeMs,
            maxTimeMs,
            load: () => this.#group({ header, layout, group, pruning, rows }),
          })
        }
        return sources
      },
    }
  }

  async #group({ header, layout, group, pruning, rows }: GroupRead): Promise<Scanned<Block> | null> {
    const columns = await this.#access.columns(header, layout, group)
    if (columns === null) return null
    const candidates = await this.#candidateRows(header, columns, pruning, rows)
    if (candidates?.length === 0) return null
    const words = pruning?.words
    return {
      block: columns.block,
      records: wanted => this.#access.records(header, columns, wanted),
      ...(words === undefined || words === null
        ? {}
        : { recordsWith: wanted => this.#access.recordsWith(header, columns, wanted, words) }),
      receivedMs: header.maxReceivedMs,
      ...(candidates === undefined ? {} : { candidateRows: candidates }),
    }
  }

  /** Of `rows` (all if not given) those whose attributes allow it. */
  async #candidateRows(
    header: SegmentHeader,
    columns: DecodedColumns,
    pruning: IndexPruning | undefined,
    rows: readonly number[] | undefined,
  ): Promise<readonly number[] | undefined> {
    if (pruning === undefined || pruning.attributes.length === 0) return rows
    const rowsWith = new Map<AttributeProbe, Uint8Array>()
    for (const probe of pruning.attributes) {
      this.#options.deadline.check()
      const flags = await this.#access.rowsWith(header, columns, probe)
      if (flags === null) return []
      rowsWith.set(probe, flags)
    }
    const flags = pruning.rows(columns.block.count, rowsWith)
    return (rows ?? [...flags.keys()]).filter(row => flags[row] === 1)
  }

  /** A flag for each frame that may hold a row that is asked for; undefined for all, null for none. */
  async #frames(header: SegmentHeader, pruning: IndexPruning): Promise<Uint8Array | undefined | null> {
    const traces = pruning.hasTraces ? await this.#access.traceFilter(header) : null
    if (pruning.hasTraces && traces === null) return null
    const attributes =
      pruning.attributes.length === 0 ? new Map() : await this.#access.mayHold(header, pruning.attributes)
    if (attributes === null) return null
    // Kept for all segments, while the words themselves are read anew for most of them.
    const filter = pruning.terms.length === 0 ? null : await this.#access.prefixFilter(header)
    const asked = { filter, traces, attributes }
    if ((pruning.terms.length > 0 && filter === null) || !pruning.mayHold(asked)) return null
    if (filter === null) return undefined
    const possible = pruning.terms.filter(term => filter.mayHold(term.bytes))
    const terms = await this.#access.termFrames(header, possible)
    if (terms === null) return null
    const frames = pruning.frames(asked, terms.found, terms.frameCount)
    return frames.includes(1) ? frames : null
  }

  /** Columns of the groups with these bits. */
  async *#groups(header: SegmentHeader, bits: number): AsyncGenerator<DecodedColumns> {
    const layout = await this.#access.layout(header)
    for (const group of layout?.groups ?? []) {
      if (layout === null || !hasGroup(bits, group.number)) continue
      this.#options.deadline.check()
      const columns = await this.#access.columns(header, layout, group)
      if (columns !== null) yield columns
    }
  }

  /** Segments in which `groupsOf` finds bits of groups, and these; asked only where `mayHold` lets it. */
  async #segmentsWhere(
    signal: Signal,
    { mayHold, groupsOf }: TraceLookUp,
  ): Promise<readonly { readonly header: SegmentHeader; readonly groups: number }[]> {
    const { caches, deadline } = this.#options
    const limit = pLimit(fanOut)
    const found: { readonly header: SegmentHeader; readonly groups: number }[] = []
    const look = async (header: SegmentHeader): Promise<void> => {
      deadline.check()
      const filter = await this.#access.traceFilter(header)
      if (filter === null || !mayHold(filter)) return
      const index = await this.#access.traceIndex(header)
      const groups = index === null ? 0 : groupsOf(index)
      if (groups !== 0) found.push({ header, groups })
    }
    const looks: Promise<void>[] = []
    for (const header of this.#headers[signal]) {
      const known = caches.traceFilters.get(header.id)
      if (known === undefined || mayHold(known)) looks.push(limit(() => look(header)))
    }
    await Promise.all(looks)
    return found.sort(({ header: a }, { header: b }) => a.minTimeMs - b.minTimeMs || (a.id < b.id ? -1 : 1))
  }

  *#tailBlocks(
    signal: Signal,
    wanted: (entry: TailEntry) => boolean = () => true,
  ): Generator<{ readonly decoded: DecodedEntry; readonly entry: TailEntry }> {
    const { caches, deadline, attributeMaxBytes = defaultAttributeMaxBytes } = this.#options
    for (const entry of this.#entries) {
      if (!isOf(entry, this.tenant, signal) || !wanted(entry)) continue
      deadline.check()
      const decoded = decodedEntry(entry, caches, attributeMaxBytes)
      if (decoded !== null && decoded.batch.block.count > 0) yield { decoded, entry }
    }
  }

  /** What entries with items say of themselves; decoded only where the engine has not said it. */
  *#tailIndexes(signal: Signal): Generator<{ readonly index: EntryExtent; readonly entry: TailEntry }> {
    for (const entry of this.#entries)
      if (isOf(entry, this.tenant, signal) && entry.index !== undefined && entry.index.count > 0)
        yield { index: entry.index, entry }
    for (const { decoded, entry } of this.#tailBlocks(signal, one => one.index === undefined))
      yield { index: { ...decoded, count: decoded.batch.block.count }, entry }
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
    for (const { index } of this.#tailIndexes(signal)) add(index, index.count)
    const empty = newestMs === Number.NEGATIVE_INFINITY
    return { signal, items, oldestMs: empty ? null : oldestMs, newestMs: empty ? null : newestMs }
  }

  /** Of this tenant's own data, so that the same position gives the same time before and after sealing. */
  #newestReceivedMs(): number {
    let newest = 0
    for (const signal of signals)
      for (const header of this.#headers[signal]) newest = Math.max(newest, header.maxReceivedMs)
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

function tailSource(
  decoded: DecodedEntry,
  entry: TailEntry,
  services: readonly string[] | undefined,
): Source {
  const { block, records } = decoded.batch
  const wanted = services === undefined || block.resources.some(one => services.includes(one.service))
  const scanned = { block, records: async () => records, receivedMs: entry.receivedMs }
  return { ...decoded, load: async () => (wanted ? scanned : null) }
}

function touches(
  times: { readonly minTimeMs: number; readonly maxTimeMs: number },
  range: TimeRange,
): boolean {
  return times.minTimeMs < range.toMs && times.maxTimeMs >= range.fromMs
}

function mayHoldService(header: SegmentHeader, services: readonly string[] | undefined): boolean {
  const held = header.services
  return services === undefined || held === null || services.some(service => held.includes(service))
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
