/**
 * Everything the engine learns from one tenant's telemetry as it comes: rollup cells and log templates.
 * Deterministic (no clock, no randomness), bounded by its limits, and told as deltas, so that what a range
 * of the inbox added can be stored with exactly that range.
 */
import type { RollupRecord, TemplateRecord } from '../model/store.ts'
import type { Batch, Block, LogBlock, MetricBlock, SpanBlock } from '../model/telemetry.ts'
import { defaultGraphLimits, type FoldedCounts, type GraphLimits } from './graph-limits.ts'
import { LogCounter } from './logs/log-counter.ts'
import { MetricCounter } from './metrics/metric-counter.ts'
import { CellTable } from './rollups/cell-table.ts'
import { type EncodedCells, encodeCells } from './rollups/encode.ts'
import { toRecords } from './rollups/merge.ts'
import { rollupStepSeconds } from './rollups/window.ts'
import { SeriesRegistry } from './series-registry.ts'
import { SpanCounter } from './spans/span-counter.ts'
import type { JoinCounts } from './spans/span-join.ts'
import { TemplateMiner } from './templates/template-miner.ts'

export interface TenantGraphOptions {
  readonly tenant: string
  /** Stored templates of the tenant, in any order; numbering goes on behind the largest. */
  readonly templates: readonly TemplateRecord[]
  readonly limits?: Partial<GraphLimits>
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
  readonly #registry: SeriesRegistry
  readonly #cells = new CellTable()
  readonly #miner: TemplateMiner
  readonly #spans: SpanCounter
  readonly #logs: LogCounter
  readonly #metrics: MetricCounter
  readonly #encoded: EncodedCells[] = []
  #receivedMs = 0
  #cuts = 0

  constructor(options: TenantGraphOptions) {
    this.tenant = options.tenant
    this.#limits = { ...defaultGraphLimits, ...options.limits }
    this.#registry = new SeriesRegistry(this.#limits)
    this.#miner = new TemplateMiner({
      tenant: options.tenant,
      templates: options.templates,
      maxTemplates: this.#limits.templates,
      maxTemplatesPerService: this.#limits.templatesPerService,
    })
    this.#spans = new SpanCounter(this.#registry, this.#cells)
    this.#logs = new LogCounter(this.#registry, this.#cells, this.#miner)
    this.#metrics = new MetricCounter(this.#registry, this.#cells)
  }

  /** How much was folded into `_overflow`, by limit; since the start. */
  get folded(): Readonly<FoldedCounts> {
    return { ...this.#registry.folded, templates: this.#miner.folded }
  }

  /** What the span join met besides joined spans; since the start. */
  get joinCounts(): Readonly<JoinCounts> {
    return this.#spans.counts
  }

  /**
   * Counts one decoded request. `templates` holds the template number of every accepted log row, null for
   * the other signals. `receivedMs` is its receive time.
   */
  ingest(batch: Batch, receivedMs: number): { readonly templates: Uint32Array | null } {
    this.#receivedMs = Math.max(this.#receivedMs, receivedMs)
    const templates = this.#count(batch)
    if (this.#cells.size > this.#limits.openCells) this.#encode()
    return { templates }
  }

  /**
   * What was counted since the last cut. `source` names it, for instance by inbox and positions: record ids
   * derive from it, so it must not be used for anything else. Without one the cuts are numbered.
   */
  cut(source?: string): GraphCut {
    this.#encode()
    const parts = this.#encoded.splice(0)
    const rollups = toRecords(parts, {
      tenant: this.tenant,
      stepSeconds: rollupStepSeconds,
      receivedMs: this.#receivedMs,
      source: source ?? `cut ${this.#cuts++} ${this.#receivedMs}`,
    })
    return { rollups, templates: this.#miner.changed() }
  }

  #encode(): void {
    this.#spans.settle()
    this.#encoded.push(...encodeCells(this.#cells, this.#registry.keys, rollupStepSeconds))
    this.#cells.clear()
  }

  #count(batch: Batch): Uint32Array | null {
    if (isSpans(batch)) this.#spans.add(batch)
    else if (isLogs(batch)) return this.#logs.add(batch)
    else if (isMetrics(batch)) this.#metrics.add(batch.block)
    return null
  }
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
