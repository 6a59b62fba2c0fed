/** A metric over a window in steps: values, rates and quantiles, per group of series. */
import type { Deadline, TelemetryReader } from '../../model/reader.ts'
import type { MetricEntry } from '../../model/telemetry.ts'
import type { TimeRange } from '../../model/time.ts'
import { type CounterPoint, cumulativeGrowth, isReset } from './counter.ts'
import { DistributionSum } from './distribution.ts'
import { type MetricSeries, readSeries, type SeriesPoint } from './metric-series.ts'

/**
 * How the points of a step become one figure:
 * - `avg` `min` `max` `last`: over the values of a gauge or a sum that may fall; for histograms `avg` is the
 *   growth of the sum over the growth of the count, `min` and `max` those the points name
 * - `sum`: values of series added up, each by its average in the step; of delta sums all values
 * - `increase` `rate`: growth of a counter, or of the count of a histogram; `rate` per second
 * - `quantile`: of a histogram or summary, `q`
 */
export type Aggregation = 'avg' | 'min' | 'max' | 'last' | 'sum' | 'increase' | 'rate' | 'quantile'

export interface MetricQuery {
  readonly name: string
  readonly range: TimeRange
  readonly stepMs: number
  readonly services?: readonly string[]
  readonly attributes?: readonly (readonly [key: string, value: string])[]
  /** What stays apart: `service`, `instance`, or attribute keys. Without any, one group of all series. */
  readonly groupBy: readonly string[]
  readonly aggregation: Aggregation
  /** For `quantile`, 0 to 1. */
  readonly q?: number
}

export interface MetricGroup {
  /** One value per `groupBy`; empty where a series has no such attribute. */
  readonly key: readonly string[]
  readonly series: number
  /** One per step; NaN where there is no data. */
  readonly values: Float64Array
}

export interface MetricAnswer {
  /** Null when nothing has this name in the window. */
  readonly metric: MetricEntry | null
  readonly fromMs: number
  readonly stepMs: number
  /** By key. */
  readonly groups: readonly MetricGroup[]
  readonly omittedPoints: number
  /** Counter resets seen. */
  readonly resets: number
}

/** Steps of one answer at most; the caller widens the step. */
export const maxSteps = 11_000
/** How far back the point before the window is looked for: most exporters send every minute or more often. */
const lookBackMs = 5 * 60_000

/** Reads and aggregates; steps start at `range.fromMs`. Throws RangeError beyond `maxSteps`. */
export async function queryMetric(
  reader: TelemetryReader,
  query: MetricQuery,
  deadline: Deadline,
): Promise<MetricAnswer> {
  const { range, stepMs, name, services, attributes } = query
  const steps = Math.ceil((range.toMs - range.fromMs) / stepMs)
  if (!(steps <= maxSteps)) throw new RangeError(`${steps} steps are over the limit of ${maxSteps}`)
  const { series, omittedPoints } = await readSeries(
    reader,
    {
      name,
      range: { fromMs: range.fromMs - lookBackMs, toMs: range.toMs },
      ...(services === undefined ? {} : { services }),
      ...(attributes === undefined ? {} : { attributes }),
      distributions: query.aggregation === 'quantile' || ['min', 'max'].includes(query.aggregation),
    },
    deadline,
  )
  return { ...aggregateSeries(series, query), omittedPoints }
}

/** The pure part of `queryMetric`; series may have points up to `lookBackMs` before the window. */
export function aggregateSeries(
  series: readonly MetricSeries[],
  query: MetricQuery,
): Omit<MetricAnswer, 'omittedPoints'> {
  const steps = Math.max(0, Math.ceil((query.range.toMs - query.range.fromMs) / query.stepMs))
  const groups = new Map<string, { key: readonly string[]; series: number; steps: StepSums[] }>()
  let resets = 0
  for (const one of series) {
    if (!one.points.some(point => point.timeMs >= query.range.fromMs)) continue
    const key = query.groupBy.map(part => groupPart(one, part))
    const text = JSON.stringify(key)
    const group = groups.get(text) ?? { key, series: 0, steps: [] }
    resets += addSeries(group.steps, one, query, steps)
    group.series++
    groups.set(text, group)
  }
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return {
    metric: series[0]?.metric ?? null,
    fromMs: query.range.fromMs,
    stepMs: query.stepMs,
    resets,
    groups: sorted.map(([, group]) => ({
      key: group.key,
      series: group.series,
      values: Float64Array.from({ length: steps }, (_, step) => figureOf(group.steps[step], query)),
    })),
  }
}

function groupPart(series: MetricSeries, part: string): string {
  if (part === 'service') return series.service
  if (part === 'instance') return series.instance
  return series.attributes.find(([key]) => key === part)?.[1] ?? ''
}

/** What one step of one group has gathered. */
interface StepSums {
  points: number
  total: number
  min: number
  max: number
  lastMs: number
  last: number
  /** Sum over series of their average in this step. */
  sumOfAverages: number
  /** Growth of all series added up; of histograms that of their counts. */
  growth: number
  /** The time growth is known for, of the series that knows most. */
  coveredMs: number
  /** Of histograms and summaries alone. */
  growthOfSum: number
  growthOfCount: number
  buckets: DistributionSum | null
  quantiles: number[]
}

function emptyStep(): StepSums {
  return {
    points: 0,
    total: 0,
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
    lastMs: Number.NEGATIVE_INFINITY,
    last: Number.NaN,
    sumOfAverages: 0,
    growth: 0,
    coveredMs: 0,
    growthOfSum: 0,
    growthOfCount: 0,
    buckets: null,
    quantiles: [],
  }
}

function stepAt(steps: StepSums[], index: number): StepSums {
  const known = steps[index]
  if (known !== undefined) return known
  const made = emptyStep()
  steps[index] = made
  return made
}

/** Returns the number of resets. */
function addSeries(steps: StepSums[], series: MetricSeries, query: MetricQuery, count: number): number {
  addValues(steps, series, query, count)
  if (query.aggregation === 'quantile' && series.metric.type === 'summary') {
    addSummaries(steps, series, query, count)
    return 0
  }
  return countsGrowth(series, query.aggregation) ? addGrowth(steps, series, query, count) : 0
}

function countsGrowth(series: MetricSeries, aggregation: Aggregation): boolean {
  const { type, monotonic } = series.metric
  if (type === 'gauge') return false
  if (type === 'sum') return monotonic || aggregation === 'increase' || aggregation === 'rate'
  return true
}

function stepIndex(timeMs: number, query: MetricQuery, count: number): number {
  const index = Math.floor((timeMs - query.range.fromMs) / query.stepMs)
  return timeMs >= query.range.toMs || index >= count ? -1 : index
}

function addValues(steps: StepSums[], series: MetricSeries, query: MetricQuery, count: number): void {
  const averages = new Map<number, { sum: number; points: number }>()
  const isDistribution = series.metric.type !== 'gauge' && series.metric.type !== 'sum'
  for (const point of series.points) {
    const index = stepIndex(point.timeMs, query, count)
    if (index < 0) continue
    const step = stepAt(steps, index)
    step.points++
    step.total += point.value
    step.min = Math.min(step.min, lowestOf(point, isDistribution))
    step.max = Math.max(step.max, highestOf(point, isDistribution))
    if (point.timeMs >= step.lastMs) {
      step.lastMs = point.timeMs
      step.last = point.value
    }
    const average = averages.get(index) ?? { sum: 0, points: 0 }
    average.sum += point.value
    average.points++
    averages.set(index, average)
  }
  const isDelta = series.metric.temporality === 1
  for (const [index, { sum, points }] of averages)
    stepAt(steps, index).sumOfAverages += isDelta ? sum : sum / points
}

function lowestOf(point: SeriesPoint, isDistribution: boolean): number {
  if (!isDistribution) return point.value
  return defined(point.distribution?.min, Number.POSITIVE_INFINITY)
}

function highestOf(point: SeriesPoint, isDistribution: boolean): number {
  if (!isDistribution) return point.value
  return defined(point.distribution?.max, Number.NEGATIVE_INFINITY)
}

function defined(value: number | undefined, otherwise: number): number {
  return value === undefined || Number.isNaN(value) ? otherwise : value
}

function addSummaries(steps: StepSums[], series: MetricSeries, query: MetricQuery, count: number): void {
  for (const point of series.points) {
    const index = stepIndex(point.timeMs, query, count)
    const found = point.distribution?.quantiles.find(([q]) => Math.abs(q - (query.q ?? 0.5)) < 1e-9)
    if (index >= 0 && found !== undefined) stepAt(steps, index).quantiles.push(found[1])
  }
}

function addGrowth(steps: StepSums[], series: MetricSeries, query: MetricQuery, count: number): number {
  const isDelta = series.metric.temporality === 1
  const covered = new Map<number, number>()
  let previous: SeriesPoint | undefined
  let resets = 0
  for (const point of series.points) {
    const before = isDelta ? undefined : previous
    const counted = counterOf(series, point)
    const growth = isDelta
      ? counted.value
      : cumulativeGrowth(
          before === undefined ? undefined : counterOf(series, before),
          counted,
          query.range.fromMs - lookBackMs,
        )
    const reset = before !== undefined && isReset(counterOf(series, before), counted)
    if (reset && point.timeMs >= query.range.fromMs) resets++
    const began = isDelta || before === undefined || reset ? point.startMs : before.timeMs
    const since = began > 0 && began < point.timeMs ? began : (previous?.timeMs ?? point.timeMs)
    previous = point
    if (!Number.isNaN(growth))
      spread(steps, covered, { series, since, point, before, reset, growth, query, count })
  }
  for (const [index, coveredMs] of covered) {
    const step = stepAt(steps, index)
    step.coveredMs = Math.max(step.coveredMs, coveredMs)
  }
  return resets
}

function counterOf(series: MetricSeries, point: SeriesPoint): CounterPoint {
  const value = series.metric.type === 'sum' ? point.value : point.count
  return { timeMs: point.timeMs, startMs: point.startMs, value }
}

interface Growth {
  readonly series: MetricSeries
  readonly since: number
  readonly point: SeriesPoint
  readonly before: SeriesPoint | undefined
  readonly reset: boolean
  readonly growth: number
  readonly query: MetricQuery
  readonly count: number
}

/** Gives every step its share of the growth by the time they have in common. */
function spread(steps: StepSums[], covered: Map<number, number>, growth: Growth): void {
  const cover = (index: number, ms: number): void => {
    covered.set(index, (covered.get(index) ?? 0) + ms)
  }
  const { since, point, query, count } = growth
  const length = point.timeMs - since
  const first = Math.max(0, Math.floor((since - query.range.fromMs) / query.stepMs))
  const last = Math.min(count - 1, Math.ceil((point.timeMs - query.range.fromMs) / query.stepMs) - 1)
  if (length <= 0) {
    const index = stepIndex(point.timeMs, query, count)
    if (index < 0) return
    addShare(stepAt(steps, index), growth, 1)
    cover(index, query.stepMs)
    return
  }
  for (let index = first; index <= last; index++) {
    const from = Math.max(since, query.range.fromMs + index * query.stepMs)
    const to = Math.min(point.timeMs, query.range.fromMs + (index + 1) * query.stepMs)
    if (to <= from) continue
    addShare(stepAt(steps, index), growth, (to - from) / length)
    cover(index, to - from)
  }
}

function addShare(step: StepSums, growth: Growth, share: number): void {
  const { point, before, reset, series } = growth
  step.growth += growth.growth * share
  if (series.metric.type === 'sum') return
  step.growthOfCount += growth.growth * share
  const base = reset ? undefined : before
  const sum = point.value - (base?.value ?? 0)
  if (!Number.isNaN(sum)) step.growthOfSum += sum * share
  const { distribution } = point
  if (distribution === null || distribution.counts.length === 0) return
  step.buckets ??= new DistributionSum()
  const earlier = base?.distribution ?? null
  const comparable = earlier !== null && sameBounds(earlier.bounds, distribution.bounds)
  const counts = comparable
    ? distribution.counts.map((count, bucket) => count - (earlier.counts[bucket] ?? 0))
    : differenceByBound(distribution, earlier)
  step.buckets.add(distribution, counts, share)
}

function sameBounds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((bound, at) => bound === b[at])
}

/** Counts less what the same bound had before; exponential points may have gained buckets. */
function differenceByBound(
  now: { readonly bounds: readonly number[]; readonly counts: readonly number[] },
  before: { readonly bounds: readonly number[]; readonly counts: readonly number[] } | null,
): readonly number[] {
  if (before === null) return now.counts
  const held = new Map(before.bounds.map((bound, at) => [bound, before.counts[at] ?? 0]))
  return now.counts.map((count, at) => count - (held.get(now.bounds[at] ?? Number.POSITIVE_INFINITY) ?? 0))
}

function figureOf(step: StepSums | undefined, query: MetricQuery): number {
  if (step === undefined) return Number.NaN
  switch (query.aggregation) {
    case 'increase':
      return step.coveredMs > 0 ? step.growth : Number.NaN
    case 'rate':
      return step.coveredMs > 0 ? step.growth / (step.coveredMs / 1000) : Number.NaN
    case 'quantile':
      return quantileOf(step, query.q ?? 0.5)
    case 'avg':
      if (step.growthOfCount > 0) return step.growthOfSum / step.growthOfCount
      return step.points > 0 ? step.total / step.points : Number.NaN
    case 'sum':
      return step.points > 0 ? step.sumOfAverages : Number.NaN
    case 'min':
      return Number.isFinite(step.min) ? step.min : Number.NaN
    case 'max':
      return Number.isFinite(step.max) ? step.max : Number.NaN
    case 'last':
      return step.last
  }
}

/** Quantiles of summaries cannot be added up: the largest is the one nobody is worse than. */
function quantileOf(step: StepSums, q: number): number {
  if (step.buckets !== null) return step.buckets.quantile(q)
  return step.quantiles.length > 0 ? Math.max(...step.quantiles) : Number.NaN
}
