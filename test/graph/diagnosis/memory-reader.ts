/**
 * A TelemetryReader over requests held in memory: the real decoders, the real graph and rollups, no store.
 * What it leaves out: lag, corruption and ingest counters, which need a process.
 */

import { rollupView } from '../../../src/graph/rollups/rollup-view.ts'
import { TenantGraph } from '../../../src/graph/tenant-graph.ts'
import type {
  AsOf,
  CountedPoints,
  Coverage,
  Scanned,
  ScanQuery,
  TelemetryReader,
  TraceRows,
} from '../../../src/model/reader.ts'
import type { RollupTotals, RollupView } from '../../../src/model/rollup.ts'
import type { RollupRecord, TemplateRecord } from '../../../src/model/store.ts'
import {
  type Batch,
  type Block,
  type LogBlock,
  type MetricBlock,
  type Signal,
  type SpanBlock,
  signals,
} from '../../../src/model/telemetry.ts'
import { type TimeRange, toMs } from '../../../src/model/time.ts'
import { decodeBatch } from '../../../src/otlp/decode-batch.ts'
import { transcodeJson } from '../../../src/otlp/json/transcode-json.ts'
import { countPoints } from '../../../src/store/metrics/point-counts.ts'

interface Held {
  readonly batch: Batch
  readonly receivedMs: number
}

export class MemoryReader implements TelemetryReader {
  readonly tenant: string = 'default'
  readonly asOf: AsOf = { inboxId: '00'.repeat(16), position: 1, generation: 0, timeMs: 0 }
  readonly nowMs: number
  readonly #held: Held[] = []
  readonly #graph = new TenantGraph({ tenant: 'default', templates: [] })
  readonly #rollups: RollupRecord[] = []
  readonly #templates = new Map<number, TemplateRecord>()
  #dirty = false

  constructor(nowMs: number) {
    this.nowMs = nowMs
  }

  /** Takes one export request as OTLP/JSON. */
  add(signal: Signal, request: object): void {
    const bytes = transcodeJson(signal, Buffer.from(JSON.stringify(request)))
    const batch = decodeBatch(signal, bytes, { receivedMs: this.nowMs, attributeMaxBytes: 65_536 })
    const { templates } = this.#graph.ingest(batch, this.nowMs)
    if (batch.block.signal === 'logs' && templates !== null) batch.block.template.set(templates)
    this.#held.push({ batch, receivedMs: this.nowMs })
    this.#dirty = true
  }

  async *scanSpans(query: ScanQuery): AsyncGenerator<Scanned<SpanBlock>> {
    for (const held of this.#matching('traces', query)) {
      if (held.batch.block.signal === 'traces') yield scannedOf(held, held.batch.block)
    }
  }

  async *scanLogs(query: ScanQuery): AsyncGenerator<Scanned<LogBlock>> {
    for (const held of this.#matching('logs', query)) {
      if (held.batch.block.signal === 'logs') yield scannedOf(held, held.batch.block)
    }
  }

  async *scanMetrics(query: ScanQuery): AsyncGenerator<Scanned<MetricBlock>> {
    for (const held of this.#matching('metrics', query)) {
      if (held.batch.block.signal === 'metrics') yield scannedOf(held, held.batch.block)
    }
  }

  async *countPoints(query: ScanQuery): AsyncGenerator<CountedPoints> {
    const { range, services } = query
    for await (const { block } of this.scanMetrics(query)) {
      const { metrics, counts } = countPoints(block, range)
      yield { metrics, counts: counts.filter(({ service }) => services?.includes(service) ?? true) }
    }
  }

  async findTraces(): Promise<readonly string[]> {
    return []
  }

  async trace(traceId: string): Promise<TraceRows | null> {
    const parts = this.#held.flatMap(({ batch: { block, records } }) => {
      if (block.signal !== 'traces') return []
      const ids = Buffer.from(block.traceId.buffer, block.traceId.byteOffset, block.traceId.byteLength)
      const idOf = (row: number) => ids.toString('hex', row * 16, row * 16 + 16)
      const rows = Array.from({ length: block.count }, (_, row) => row).filter(row => idOf(row) === traceId)
      return rows.length === 0 ? [] : [{ block, rows, records }]
    })
    return parts.length === 0 ? null : { traceId, parts, duplicates: 0 }
  }

  async rollups(range: TimeRange, stepSeconds: 10 | 60 | 600 = 10): Promise<RollupView> {
    this.#cut()
    return rollupView(this.#rollups, range, stepSeconds)
  }

  /** Not added up: every sum over its windows is the same. */
  async totals(range: TimeRange, stepSeconds: 10 | 60 | 600): Promise<RollupTotals> {
    const view = await this.rollups(range, stepSeconds)
    return { view, windows: view.length, windowSeconds: view.stepSeconds }
  }

  async templates(): Promise<readonly TemplateRecord[]> {
    this.#cut()
    return [...this.#templates.values()].sort((a, b) => a.number - b.number)
  }

  async coverage(range: TimeRange): Promise<Coverage> {
    return {
      perSignal: signals.map(signal => ({
        signal,
        items: this.#matching(signal, { range }).reduce((sum, held) => sum + held.batch.block.count, 0),
        oldestMs: null,
        newestMs: null,
      })),
      lagPositions: 0,
      lagMs: 0,
      corruptSegments: 0,
      corruptItems: 0,
      lostRequests: 0,
      overflowing: false,
      oldestMs: null,
      newestMs: null,
    }
  }

  async retiredSince(): Promise<boolean> {
    return false
  }

  async newestPosition(): Promise<number> {
    return 1
  }

  async ingestCounters(): Promise<readonly []> {
    return []
  }

  #cut(): void {
    if (!this.#dirty) return
    const { rollups, templates } = this.#graph.cut()
    this.#rollups.push(...rollups)
    for (const template of templates) this.#templates.set(template.number, template)
    this.#dirty = false
  }

  #matching(signal: Signal, { range, services }: ScanQuery): readonly Held[] {
    return this.#held.filter(({ batch: { block } }) => {
      if (block.signal !== signal) return false
      if (services !== undefined && !block.resources.some(one => services.includes(one.service))) return false
      return timesOf(block).some(timeMs => timeMs >= range.fromMs && timeMs < range.toMs)
    })
  }
}

function scannedOf<B extends Block>(held: Held, block: B): Scanned<B> {
  return { block, receivedMs: held.receivedMs, records: async () => held.batch.records }
}

const times = new WeakMap<Block, readonly number[]>()

/** Index times of a block, milliseconds. */
function timesOf(block: Block): readonly number[] {
  const known = times.get(block)
  if (known !== undefined) return known
  const hi = block.signal === 'traces' ? block.startHi : block.timeHi
  const lo = block.signal === 'traces' ? block.startLo : block.timeLo
  const found = Array.from({ length: block.count }, (_, i) => toMs(hi[i] ?? 0, lo[i] ?? 0))
  times.set(block, found)
  return found
}
