/** Points of one metric, gathered into series in time order, with their distributions where asked for. */
import type { Deadline, Scanned, TelemetryReader } from '../../model/reader.ts'
import { type MetricBlock, type MetricEntry, type RecordTable, recordOf } from '../../model/telemetry.ts'
import { type TimeRange, toMs } from '../../model/time.ts'
import { parseSeriesText } from '../../otlp/metrics/series-text.ts'
import { type Distribution, distributionOf } from './distribution.ts'

export interface SeriesQuery {
  readonly name: string
  readonly range: TimeRange
  readonly services?: readonly string[]
  /** Attributes of the point that have to be equal, as text. */
  readonly attributes?: readonly (readonly [key: string, value: string])[]
  /** Loads the messages of histograms and summaries. */
  readonly distributions: boolean
}

export interface SeriesPoint {
  readonly timeMs: number
  /** 0 if not given. */
  readonly startMs: number
  /** As `MetricBlock.value` and `pointCount`. */
  readonly value: number
  readonly count: number
  readonly distribution: Distribution | null
}

export interface MetricSeries {
  readonly metric: MetricEntry
  readonly service: string
  readonly instance: string
  /** Keys sorted. */
  readonly attributes: readonly (readonly [key: string, value: string])[]
  /** Oldest first, one per time. */
  readonly points: readonly SeriesPoint[]
}

export interface SeriesResult {
  /** By service, instance, attributes, type. */
  readonly series: readonly MetricSeries[]
  /** Points left out because there were more than `maxSeries` series or `maxPoints` points. */
  readonly omittedPoints: number
}

/** Enough for every instance of a large service; an answer shows some ten of them. */
export const maxSeries = 2000
/** A day of ten-second points of twenty series. */
export const maxPoints = 200_000

interface Growing {
  readonly metric: MetricEntry
  readonly service: string
  readonly instance: string
  readonly text: string
  readonly points: Map<number, SeriesPoint>
}

/** The series of a metric whose points lie in the range. */
export async function readSeries(
  reader: TelemetryReader,
  query: SeriesQuery,
  deadline: Deadline,
): Promise<SeriesResult> {
  const gathering = new Gathering(query)
  const scan = { range: query.range, ...(query.services === undefined ? {} : { services: query.services }) }
  for await (const scanned of reader.scanMetrics({ ...scan, order: 'oldest_first' })) {
    deadline.check()
    await gathering.read(scanned)
  }
  return gathering.result()
}

class Gathering {
  readonly #query: SeriesQuery
  readonly #series = new Map<string, Growing>()
  #points = 0
  #omitted = 0

  constructor(query: SeriesQuery) {
    this.#query = query
  }

  async read(scanned: Scanned<MetricBlock>): Promise<void> {
    const { block } = scanned
    const rows = this.#rowsOf(block)
    if (rows.length === 0) return
    const needsRecords = this.#query.distributions && rows.some(row => isDistribution(block, row))
    const records = needsRecords ? await scanned.records(rows) : null
    for (const row of rows) this.#add(block, row, records)
  }

  result(): SeriesResult {
    const series = [...this.#series.values()].map(({ metric, service, instance, text, points }) => ({
      key: [service, instance, text, metric.type].join('\n'),
      value: {
        metric,
        service,
        instance,
        attributes: parseSeriesText(text),
        points: [...points.values()].sort((a, b) => a.timeMs - b.timeMs),
      },
    }))
    series.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    return { series: series.map(one => one.value), omittedPoints: this.#omitted }
  }

  #rowsOf(block: MetricBlock): readonly number[] {
    const { name, range, services } = this.#query
    const wantedMetrics = block.metrics.map(metric => metric.name === name)
    if (!wantedMetrics.includes(true)) return []
    const wantedResources = block.resources.map(
      resource => services === undefined || services.includes(resource.service),
    )
    const rows: number[] = []
    for (let row = 0; row < block.count; row++) {
      if (wantedMetrics[block.metric[row] ?? -1] !== true) continue
      if (wantedResources[block.resource[row] ?? -1] !== true) continue
      const timeMs = toMs(block.timeHi[row] ?? 0, block.timeLo[row] ?? 0)
      // A count of 0 and no sum is a point without a recorded value.
      if (timeMs >= range.fromMs && timeMs < range.toMs) rows.push(row)
    }
    return rows
  }

  #add(block: MetricBlock, row: number, records: RecordTable | null): void {
    const metric = block.metrics[block.metric[row] ?? -1]
    const resource = block.resources[block.resource[row] ?? -1]
    if (metric === undefined || resource === undefined) return
    const text = block.strings[block.series[row] ?? 0] ?? ''
    const value = block.value[row] ?? Number.NaN
    const count = block.pointCount[row] ?? 0
    const simple = metric.type === 'gauge' || metric.type === 'sum'
    if (simple && (count === 0 || Number.isNaN(value))) return
    const key = `${metric.type}\n${metric.unit}\n${resource.service}\n${resource.instance}\n${text}`
    const known = this.#series.get(key)
    if (known === undefined && !this.#accepts(text)) return
    if ((known === undefined && this.#series.size >= maxSeries) || this.#points >= maxPoints) {
      this.#omitted++
      return
    }
    const { service, instance } = resource
    const series = known ?? { metric, service, instance, text, points: new Map() }
    if (known === undefined) this.#series.set(key, series)
    const timeMs = toMs(block.timeHi[row] ?? 0, block.timeLo[row] ?? 0)
    if (series.points.has(timeMs)) return
    this.#points++
    series.points.set(timeMs, {
      timeMs,
      startMs: toMs(block.startHi[row] ?? 0, block.startLo[row] ?? 0),
      value,
      count,
      distribution: records === null ? null : distributionIn(metric, recordOf(records, row)),
    })
  }

  #accepts(text: string): boolean {
    const wanted = this.#query.attributes ?? []
    if (wanted.length === 0) return true
    const held = new Map(parseSeriesText(text))
    return wanted.every(([key, value]) => held.get(key) === value)
  }
}

function isDistribution(block: MetricBlock, row: number): boolean {
  const type = block.metrics[block.metric[row] ?? -1]?.type
  return type !== 'gauge' && type !== 'sum'
}

/** Null too where the message was not loaded, as in a damaged segment. */
function distributionIn(metric: MetricEntry, record: Uint8Array): Distribution | null {
  return record.length === 0 ? null : distributionOf(metric.type, record)
}
