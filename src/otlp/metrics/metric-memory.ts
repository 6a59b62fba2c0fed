/** What the decoder of a thread remembers of earlier requests: metrics, series, and how their points are laid out. */
import type { MetricEntry } from '../../model/telemetry.ts'
import type { ByteTableLimits } from '../wire/byte-table.ts'
import { TextInterner, ValueCache } from '../wire/interner.ts'
import { MetricColumns, manyPoints } from './metric-columns.ts'
import { makeMetricEntry } from './metric-entry.ts'
import { type KnownMetric, MetricHeads } from './metric-heads.ts'
import { PointForms } from './point-forms.ts'
import { seriesTextAt } from './series-text.ts'

/** Series seen again and again are found by the bytes of their attributes: enough for a busy receiver. */
const seriesLimits: ByteTableLimits = { entries: 65_536, arenaBytes: 8_388_608 }

const metricLimits: ByteTableLimits = { entries: 4096, arenaBytes: 1_048_576 }

export class MetricMemory {
  readonly series: TextInterner = new TextInterner({
    limits: seriesLimits,
    make: seriesTextAt,
    ambiguous: true,
  })
  readonly heads: MetricHeads = new MetricHeads()
  readonly forms: PointForms = new PointForms()
  /** Of the batch at hand while it is being decoded. */
  columns: MetricColumns = new MetricColumns()
  #metrics = metricCacheFor(0)
  #attributeMaxBytes = -1
  #batch = 0
  #entries: MetricEntry[] = []

  /** Starts a batch. What is full begins anew, and with it whatever refers to it. */
  begin(attributeMaxBytes: number): void {
    const changed = attributeMaxBytes !== this.#attributeMaxBytes
    if (changed) {
      this.#attributeMaxBytes = attributeMaxBytes
      this.#metrics = metricCacheFor(attributeMaxBytes)
    }
    if (changed || this.series.crowded || this.heads.crowded || this.forms.crowded) {
      this.heads.clear()
      this.forms.clear()
    }
    if (this.columns.capacity > manyPoints) this.columns = new MetricColumns()
    this.series.begin()
    this.#metrics.trim()
    this.#batch++
    this.#entries = []
  }

  /** Metrics of this batch, by number. */
  get entries(): readonly MetricEntry[] {
    return this.#entries
  }

  /** The metric whose message without points is given. Throws when that is not well formed. */
  metricOf(head: Uint8Array): KnownMetric {
    return this.#metrics.get(head, 0, head.length)
  }

  numberOf(metric: KnownMetric): number {
    if (metric.batch !== this.#batch) {
      metric.batch = this.#batch
      metric.number = this.#entries.push(metric.entry) - 1
    }
    return metric.number
  }
}

function metricCacheFor(attributeMaxBytes: number): ValueCache<KnownMetric> {
  return new ValueCache(metricLimits, (bytes, from, to) => ({
    ...makeMetricEntry(bytes.subarray(from, to), attributeMaxBytes),
    batch: 0,
    number: 0,
  }))
}
