/**
 * Everything the engine learns from one tenant's telemetry as it comes: rollup cells and log templates.
 * Deterministic (no clock, no randomness), bounded by its limits, and told as deltas, so that what a range
 * of the inbox added can be stored with exactly that range.
 */
import type { Overflow } from '../model/overflow.ts'
import type { RollupRecord, TemplateRecord } from '../model/store.ts'
import type { Batch, Block, LineMarks, LogBlock, MetricBlock, SpanBlock } from '../model/telemetry.ts'
import { CardinalityBudget, type CardinalityShare } from './cardinality-budget.ts'
import { defaultGraphLimits, type FoldedCounts, type GraphLimits, noFolds } from './graph-limits.ts'
import { LogCounter } from './logs/log-counter.ts'
import { MetricCounter } from './metrics/metric-counter.ts'
import { OffenderTable } from './offenders.ts'
import { CellTable } from './rollups/cell-table.ts'
import { type EncodedCells, encodeCells } from './rollups/encode.ts'
import { toRecords } from './rollups/merge.ts'
import { rollupStepSeconds } from './rollups/window.ts'
import { SeriesRegistry } from './series-registry.ts'
import { SpanCounter } from './spans/span-counter.ts'
import type { JoinCounts } from './spans/span-join.ts'
import { TemplateMiner } from './templates/template-miner.ts'

/** How long names are remembered when there are too many of them. */
const relearnMs = 3_600_000
/** Offenders named per bound. */
const offendersShown = 3

export interface TenantGraphOptions {
  readonly tenant: string
  /** Stored templates of the tenant, in any order; numbering goes on behind the largest. */
  readonly templates: readonly TemplateRecord[]
  readonly limits?: Partial<GraphLimits>
  /** Shared with the other tenants; one of its own if not given. */
  readonly budget?: CardinalityBudget
}

export interface Counted {
  readonly templates: Uint32Array | null
  readonly lines: LineMarks | null
}

export interface GraphCut {
  /** Cells counted since the last cut; adding up all cuts gives the whole. */
  readonly rollups: RollupRecord[]
  /** Templates that are new or have a new pattern since the last cut. */
  readonly templates: TemplateRecord[]
}

export class TenantGraph {
  readonly tenant: string
  readonly #limits: GraphLimits
  readonly #cells = new CellTable()
  readonly #miner: TemplateMiner
  #registry: SeriesRegistry
  #spans: SpanCounter
  #logs: LogCounter
  #metrics: MetricCounter
  readonly #share: CardinalityShare
  readonly #offenders = new OffenderTable()
  readonly #foldedBefore = noFolds()
  readonly #joinedBefore: JoinCounts = { duplicates: 0, evicted: 0, malformed: 0 }
  #learnedMs = 0
  readonly #encoded: EncodedCells[] = []
  #receivedMs = 0
  #cuts = 0

  constructor(options: TenantGraphOptions) {
    this.tenant = options.tenant
    this.#limits = { ...defaultGraphLimits, ...options.limits }
    this.#share = (options.budget ?? new CardinalityBudget()).join()
    this.#registry = new SeriesRegistry(this.#limits, this.#share, this.#offenders)
    this.#miner = new TemplateMiner({
      tenant: options.tenant,
      templates: options.templates,
      maxTemplates: this.#limits.templates,
      maxTemplatesPerService: this.#limits.templatesPerService,
      share: this.#share,
      onFold: service => this.#offenders.note('templates', service),
    })
    this.#spans = new SpanCounter(this.#registry, this.#cells)
    this.#logs = new LogCounter(this.#registry, this.#cells, this.#miner)
    this.#metrics = new MetricCounter(this.#registry, this.#cells)
  }

  /** How much was folded into `_overflow`, by limit; since the start. */
  get folded(): Readonly<FoldedCounts> {
    return { ...sumOf(this.#foldedBefore, this.#registry.folded), templates: this.#miner.folded }
  }

  /** Bounds that were reached since the start, and by whom. */
  overflows(): readonly Overflow[] {
    return Object.entries(this.folded)
      .filter(([, count]) => count > 0)
      .map(([limit, count]) => ({
        tenant: this.tenant,
        signal: limit === 'templates' ? 'logs' : limit === 'metricSeries' ? 'metrics' : 'traces',
        limit,
        count,
        offenders: this.#offenders.top(limit, offendersShown),
      }))
  }

  /** Gives its share of the names of all tenants back; the graph counts nothing any more. */
  leave(): void {
    this.#share.leave()
  }

  /** What the span join met besides joined spans; since the start. */
  get joinCounts(): Readonly<JoinCounts> {
    return sumOf(this.#joinedBefore, this.#spans.counts)
  }

  /**
   * Counts one decoded request. `templates` holds the template number of every accepted log row, `lines` what was
   * found in it; null for the other signals. `receivedMs` is its receive time.
   */
  ingest(batch: Batch, receivedMs: number): Counted {
    this.#receivedMs = Math.max(this.#receivedMs, receivedMs)
    if (this.#learnedMs === 0) this.#learnedMs = receivedMs
    const counted = this.#count(batch)
    if (this.#cells.size > this.#limits.openCells) this.#encode()
    return counted
  }

  /**
   * What was counted since the last cut. `source` names it, for instance by inbox and positions: record ids
   * derive from it, so it must not be used for anything else. Without one the cuts are numbered.
   */
  cut(source?: string): GraphCut {
    const cut = this.soFar(source ?? `cut ${this.#cuts++} ${this.#receivedMs}`)
    this.forget()
    return cut
  }

  /** The same without ending anything: the next cut holds it too, but for the templates. */
  soFar(source: string): GraphCut {
    this.#spans.settle()
    const parts = [...this.#encoded, ...encodeCells(this.#cells, this.#registry.keys, rollupStepSeconds)]
    const rollups = toRecords(parts, {
      tenant: this.tenant,
      stepSeconds: rollupStepSeconds,
      receivedMs: this.#receivedMs,
      source,
    })
    return { rollups, templates: this.#miner.changed() }
  }

  /** Ends a cut: what `soFar` told last is not told again. Nothing may have been counted since. */
  forget(): void {
    this.#encoded.length = 0
    this.#cells.clear()
    if (this.#receivedMs - this.#learnedMs >= relearnMs) this.#relearn()
  }

  /** Forgets names when some did not fit, so that a flood of names an hour ago does not fold today's. */
  #relearn(): void {
    this.#learnedMs = this.#receivedMs
    if (Object.values(this.#registry.folded).every(count => count === 0)) return
    Object.assign(this.#foldedBefore, sumOf(this.#foldedBefore, this.#registry.folded))
    Object.assign(this.#joinedBefore, sumOf(this.#joinedBefore, this.#spans.counts))
    this.#share.giveBack(['templates'])
    this.#registry = new SeriesRegistry(this.#limits, this.#share, this.#offenders)
    this.#spans = new SpanCounter(this.#registry, this.#cells)
    this.#logs = new LogCounter(this.#registry, this.#cells, this.#miner)
    this.#metrics = new MetricCounter(this.#registry, this.#cells)
  }

  #encode(): void {
    this.#spans.settle()
    this.#encoded.push(...encodeCells(this.#cells, this.#registry.keys, rollupStepSeconds))
    this.#cells.clear()
  }

  #count(batch: Batch): Counted {
    if (isSpans(batch)) this.#spans.add(batch)
    else if (isLogs(batch)) return this.#logs.add(batch)
    else if (isMetrics(batch)) this.#metrics.add(batch.block)
    return nothingCounted
  }
}

const nothingCounted: Counted = { templates: null, lines: null }

function sumOf<K extends string>(
  a: Readonly<Record<K, number>>,
  b: Readonly<Record<K, number>>,
): Record<K, number> {
  const sum: Record<K, number> = { ...a }
  for (const key in sum) sum[key] += b[key]
  return sum
}

function isSpans(batch: Batch<Block>): batch is Batch<SpanBlock> {
  return batch.block.signal === 'traces'
}

function isLogs(batch: Batch<Block>): batch is Batch<LogBlock> {
  return batch.block.signal === 'logs'
}

function isMetrics(batch: Batch<Block>): batch is Batch<MetricBlock> {
  return batch.block.signal === 'metrics'
}
