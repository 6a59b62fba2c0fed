/** Summarises metric points per series and window, and turns service-graph metrics into call edges. */
import type { MetricBlock, MetricEntry, ResourceEntry } from '../../model/telemetry.ts'
import { toMs } from '../../model/time.ts'
import { parseSeriesText } from '../../otlp/metrics/series-text.ts'
import { overflowName } from '../graph-limits.ts'
import type { CellTable } from '../rollups/cell-table.ts'
import { kindNumber } from '../rollups/series-keys.ts'
import { rollupWindowMs } from '../rollups/window.ts'
import type { SeriesRegistry } from '../series-registry.ts'
import { connection } from '../spans/span-row.ts'
import { CumulativeSeries, type Increase } from './cumulative-series.ts'
import { SeriesShortcuts } from './series-shortcuts.ts'

const metricKind = kindNumber('metric')
const cumulative = 2

/** Names the Collector's service graph connector gives its counters. */
const graphRequests = 'traces_service_graph_request_total'
const graphFailures = 'traces_service_graph_request_failed_total'

interface MetricSeries {
  /** Number of its rollup series. */
  readonly series: number
  readonly shape: 'value' | 'increase' | 'distribution'
  /** Null when points already are increases. */
  readonly history: CumulativeSeries | null
  /** Edge the series counts, -1 for none. */
  readonly edge: number
  readonly countsFailures: boolean
}

export class MetricCounter {
  readonly #registry: SeriesRegistry
  readonly #cells: CellTable
  readonly #series = new Map<string, MetricSeries>()
  readonly #shortcuts = new SeriesShortcuts<MetricSeries>()
  /** The point at hand; one object for all, because they come by the million. */
  readonly #point = { timeMs: 0, startMs: 0, value: 0, count: 0, reset: false }

  constructor(registry: SeriesRegistry, cells: CellTable) {
    this.#registry = registry
    this.#cells = cells
  }

  add(block: MetricBlock): void {
    const refused = new Set<number>()
    for (let i = 0; i < block.count; i++) {
      const count = block.pointCount[i] ?? 0
      const value = block.value[i] ?? Number.NaN
      // Neither a point that says "no value" nor one that is not a number can be added up.
      if (count === 0 && !Number.isFinite(value)) continue
      const timeMs = toMs(block.timeHi[i] ?? 0, block.timeLo[i] ?? 0)
      const series = this.#find(block, i, refused)
      if (series === null) {
        this.#overflow(block, i, timeMs)
        continue
      }
      const startMs = toMs(block.startHi[i] ?? 0, block.startLo[i] ?? 0)
      if (series.shape === 'value') {
        if (count > 0 && Number.isFinite(value)) this.#tell(series.series, timeMs, 1, value, value)
      } else this.#increase(series, timeMs, startMs, Number.isFinite(value) ? value : 0, count)
    }
  }

  /** The series of row `i`, null past the limit; `refused` holds what was past it in this block. */
  #find(block: MetricBlock, i: number, refused: Set<number>): MetricSeries | null {
    const resource = block.resource[i] ?? 0
    const metric = block.metric[i] ?? 0
    const text = block.series[i] ?? 0
    const from = block.resources[resource]
    const entry = block.metrics[metric]
    if (from === undefined || entry === undefined) return null
    const attributes = block.strings[text] ?? ''
    const short = this.#shortcuts.find(from, entry, attributes)
    if (short !== undefined) return short
    const place = (resource * block.metrics.length + metric) * block.strings.length + text
    if (refused.has(place)) return null
    const series = this.#resolve(from, entry, attributes)
    if (series === null) refused.add(place)
    else this.#shortcuts.add(from, entry, attributes, series)
    return series
  }

  #resolve(from: ResourceEntry, entry: MetricEntry, attributes: string): MetricSeries | null {
    const shape = shapeOf(entry)
    const type = shape === 'value' ? 'gauge' : entry.type
    const identity = [from.service, from.namespace, from.instance, from.version, from.process]
    const parts = [...identity, from.region, from.environment, entry.name, attributes, entry.unit, type]
    const text = parts.join('\u0000')
    const known = this.#series.get(text)
    if (known !== undefined) return known
    const { limits } = this.#registry
    if (!this.#registry.mayAdd('metricSeries', this.#series.size, limits.metricSeries)) {
      this.#registry.fold('metricSeries', `${from.service} ${entry.name}`)
      return null
    }
    const service = this.#registry.serviceName(this.#registry.service(from.service))
    const key = [service, entry.name, from.instance, attributes, entry.unit, type]
    const stepwise = shape !== 'value' && entry.temporality === cumulative
    const series: MetricSeries = {
      series: this.#registry.keys.add(metricKind, key),
      shape,
      history: stepwise ? new CumulativeSeries() : null,
      edge: this.#edgeOf(entry.name, attributes),
      countsFailures: entry.name === graphFailures,
    }
    this.#series.set(text, series)
    this.#registry.added('metricSeries')
    return series
  }

  #edgeOf(name: string, attributes: string): number {
    if (name !== graphRequests && name !== graphFailures) return -1
    const pairs = new Map(parseSeriesText(attributes))
    const client = pairs.get('client')
    const server = pairs.get('server')
    if (client === undefined || server === undefined || client === server) return -1
    const caller = this.#registry.service(client)
    return this.#registry.edge(caller, this.#registry.service(server), connection.metric, false)
  }

  #increase(series: MetricSeries, timeMs: number, startMs: number, value: number, count: number): void {
    const plain = series.shape === 'increase'
    const step = this.#step(series, timeMs, startMs, value, plain ? 0 : count)
    if (series.edge >= 0) this.#call(series, step?.timeMs ?? timeMs, step?.value ?? 0)
    if (plain) this.#tell(series.series, timeMs, 1, 0, value)
    if (step === null) return
    if (step.reset) this.#reset(series.series, step.timeMs)
    if (plain) this.#cells.add(this.#cellOf(series.series, step.timeMs), 0, 0, step.value)
    else if (step.count > 0)
      this.#tell(series.series, step.timeMs, step.count, step.value, step.value / step.count)
  }

  /** The increase that a point reveals, null if it reveals none. */
  #step(
    { history }: MetricSeries,
    timeMs: number,
    startMs: number,
    value: number,
    count: number,
  ): Increase | null {
    const point = this.#point
    point.timeMs = timeMs
    point.startMs = startMs
    point.value = value
    point.count = count
    return history === null ? point : history.add(point)
  }

  /** An edge is known from its first point on, though the first one reveals no increase. */
  #call(series: MetricSeries, timeMs: number, calls: number): void {
    const cell = this.#cellOf(series.edge, timeMs)
    const amount = Math.max(0, calls)
    if (series.countsFailures) this.#cells.add(cell, 0, amount, 0)
    else this.#cells.add(cell, amount, 0, 0)
  }

  #reset(series: number, timeMs: number): void {
    this.#cells.add(this.#cellOf(series, timeMs), 0, 1, 0)
  }

  /** `count` points or observations of this sum; `value` is one of them, or their mean. */
  #tell(series: number, timeMs: number, count: number, sum: number, value: number): void {
    const cell = this.#cellOf(series, timeMs)
    if (Number.isNaN(value)) this.#cells.add(cell, count, 0, sum)
    else this.#cells.addPoint(cell, timeMs, value, count, sum)
  }

  #cellOf(series: number, timeMs: number): number {
    return this.#cells.cell(series, Math.floor(timeMs / rollupWindowMs))
  }

  #overflow(block: MetricBlock, i: number, timeMs: number): void {
    const service = this.#registry.service(block.resources[block.resource[i] ?? 0]?.service ?? '')
    const key = [this.#registry.serviceName(service), overflowName, '', '', '', 'gauge']
    this.#tell(this.#registry.keys.add(metricKind, key), timeMs, 1, 0, 0)
  }
}

/** Histograms and summaries are distributions; of sums only the growing ones have increases that mean something. */
function shapeOf(entry: MetricEntry): MetricSeries['shape'] {
  if (entry.type === 'gauge') return 'value'
  if (entry.type !== 'sum') return 'distribution'
  return entry.monotonic || entry.temporality !== cumulative ? 'increase' : 'value'
}
