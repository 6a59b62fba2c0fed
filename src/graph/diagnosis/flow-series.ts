/**
 * Requests, seconds and failures per service and step of time, from metrics alone: what flows along call
 * edges when there are no spans.
 */
import type { MetricSeries } from './metric-series.ts'
import { quantileOf, sortedCopy } from './robust.ts'

/** Columns of one service over the steps of a grid; NaN where nothing was reported. */
export interface ServiceFlow {
  readonly requests: Float64Array
  /** Mean seconds of a request. */
  readonly latency: Float64Array
  /** Share of requests that failed. */
  readonly failing: Float64Array
}

export interface FlowGrid {
  readonly fromMs: number
  readonly stepMs: number
  readonly length: number
}

/** A grid as wide as the usual distance between points, so that every step holds a point of each series. */
export function gridOf(series: ReadonlyMap<string, MetricSeries>, fromMs: number, toMs: number): FlowGrid {
  const gaps: number[] = []
  for (const one of series.values()) {
    for (let i = 1; i < one.timesMs.length; i++) gaps.push((one.timesMs[i] ?? 0) - (one.timesMs[i - 1] ?? 0))
  }
  const usual = gaps.length === 0 ? toMs - fromMs : quantileOf(sortedCopy(gaps), 0.5)
  const stepMs = Math.max(1000, usual)
  return { fromMs, stepMs, length: Math.max(1, Math.ceil((toMs - fromMs) / stepMs)) }
}

/** Flows of every service that reports a latency, an availability, errors or requests. */
export function serviceFlows(
  series: ReadonlyMap<string, MetricSeries>,
  grid: FlowGrid,
): ReadonlyMap<string, ServiceFlow> {
  const parts = new Map<string, Parts>()
  for (const one of series.values()) {
    const own = parts.get(one.id.service) ?? emptyParts(grid.length)
    if (addSeries(own, one, grid)) parts.set(one.id.service, own)
  }
  return new Map([...parts].map(([service, own]) => [service, flowOf(own, grid.length)]))
}

interface Mean {
  readonly sum: Float64Array
  readonly count: Float64Array
}

interface Parts {
  readonly requests: Mean
  readonly latency: Mean
  readonly availability: Mean
  readonly errors: Mean
}

function emptyMean(length: number): Mean {
  return { sum: new Float64Array(length), count: new Float64Array(length) }
}

function emptyParts(length: number): Parts {
  return {
    requests: emptyMean(length),
    latency: emptyMean(length),
    availability: emptyMean(length),
    errors: emptyMean(length),
  }
}

function addSeries(parts: Parts, series: MetricSeries, grid: FlowGrid): boolean {
  const { role } = series
  const into =
    role === 'latency'
      ? parts.latency
      : role === 'availability'
        ? parts.availability
        : role === 'errors'
          ? parts.errors
          : role === 'requests'
            ? parts.requests
            : null
  if (into === null) return false
  const scale = scaleOf(series)
  for (const [i, timeMs] of series.timesMs.entries()) {
    const step = Math.floor((timeMs - grid.fromMs) / grid.stepMs)
    if (step < 0 || step >= grid.length) continue
    const rate = series.rates[i]
    if (role === 'latency' && rate !== undefined) {
      add(parts.requests, step, rate)
      // Means of several series are weighted by their requests.
      into.sum[step] = (into.sum[step] ?? 0) + (series.values[i] ?? 0) * scale * rate
      into.count[step] = (into.count[step] ?? 0) + rate
    } else {
      add(into, step, (series.values[i] ?? 0) * scale)
    }
  }
  return true
}

function add(mean: Mean, step: number, value: number): void {
  mean.sum[step] = (mean.sum[step] ?? 0) + value
  mean.count[step] = (mean.count[step] ?? 0) + 1
}

/** Seconds for times, shares for percentages. */
function scaleOf(series: MetricSeries): number {
  if (series.role === 'latency') return series.unit === 'ms' ? 0.001 : series.unit === 'us' ? 1e-6 : 1
  return series.unit === '%' ? 0.01 : 1
}

function flowOf(parts: Parts, length: number): ServiceFlow {
  const requests = new Float64Array(length).fill(Number.NaN)
  const latency = new Float64Array(length).fill(Number.NaN)
  const failing = new Float64Array(length).fill(Number.NaN)
  for (let i = 0; i < length; i++) {
    const mean = (part: Mean) =>
      (part.count[i] ?? 0) > 0 ? (part.sum[i] ?? 0) / (part.count[i] ?? 1) : Number.NaN
    requests[i] = mean(parts.requests)
    latency[i] = mean(parts.latency)
    const availability = mean(parts.availability)
    const errors = mean(parts.errors)
    if (Number.isFinite(availability)) failing[i] = Math.max(0, 1 - availability)
    else if (Number.isFinite(errors)) failing[i] = errors / Math.max(errors, requests[i] || errors, 1e-9)
  }
  return { requests, latency, failing }
}
