/** Metric series of both windows as plain values, whatever kind of point they came as. */
import type { RollupSeries, RollupView } from '../../model/rollup.ts'
import { type MetricRole, metricRole } from './metric-meaning.ts'

export interface SeriesId {
  readonly service: string
  readonly metric: string
  readonly instance: string
  readonly attributes: string
}

export interface MetricSeries {
  readonly id: SeriesId
  readonly role: MetricRole
  readonly unit: string
  /** One value per rollup window that has points: mean of a gauge, rate per second of a counter. */
  readonly values: readonly number[]
  /** Points of a distribution per second, where the metric is one; else empty. */
  readonly rates: readonly number[]
  /** Start of each value's window, milliseconds. */
  readonly timesMs: readonly number[]
}

/** Series with a role, by key; `key` is the same in every window. */
export function metricSeries(view: RollupView): ReadonlyMap<string, MetricSeries> {
  const found = new Map<string, MetricSeries>()
  for (const series of view.series('metric')) {
    const [service = '', metric = '', instance = '', attributes = '', unit = '', type = ''] = series.key
    const role = metricRole(metric)
    if (role === 'none') continue
    const points = valuesOf(series, view, type)
    if (points.values.length === 0) continue
    const id = { service, metric, instance, attributes }
    found.set(`${service}\n${metric}\n${instance}\n${attributes}`, { id, role, unit, ...points })
  }
  return found
}

type Points = Pick<MetricSeries, 'values' | 'rates' | 'timesMs'>

function valuesOf(series: RollupSeries, view: RollupView, type: string): Points {
  const values: number[] = []
  const rates: number[] = []
  const timesMs: number[] = []
  const distribution = type !== 'gauge' && type !== 'sum'
  for (let i = 0; i < view.length; i++) {
    const count = series.count[i] ?? 0
    if (count <= 0) continue
    const sum = series.sum[i] ?? 0
    const value = type === 'sum' ? sum / view.stepSeconds : sum / count
    if (!Number.isFinite(value)) continue
    values.push(value)
    if (distribution) rates.push(count / view.stepSeconds)
    timesMs.push(view.fromMs + i * view.stepSeconds * 1000)
  }
  return { values, rates, timesMs }
}
