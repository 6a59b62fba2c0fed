/** Requests of metric points: gauges, cumulative counters and delta histograms of every service in turn. */
import type { SignalPlan } from './load-profile.ts'
import { groupByService, stringValue } from './otlp-json.ts'
import type { TemplateSource } from './request-template.ts'
import { counterPerRound } from './request-template.ts'
import type { TrafficParts } from './trace-requests.ts'

/** Of ten series four are gauges, four counters, two histograms. */
const seriesKinds = 10
const bounds = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000]
const temporalities = { delta: 1, cumulative: 2 } as const

interface Series {
  readonly service: number
  readonly number: number
}

/** In the order in which they are sent; each series has a point every so often, at least one in a round. */
export function metricRequests(parts: TrafficParts, plan: SignalPlan): readonly TemplateSource[] {
  const { profile, calls } = parts
  const all: Series[] = calls.services.flatMap((_, service) =>
    Array.from({ length: profile.metricSeries }, (__, number) => ({ service, number })),
  )
  const steps = Math.max(1, Math.round(plan.items / all.length))
  const requests: TemplateSource[] = []
  const slices = Math.max(1, Math.ceil(all.length / profile.batch))
  for (let step = 0; step < steps; step++) {
    for (let slice = 0; slice < slices; slice++) {
      const series = all.slice(slice * profile.batch, (slice + 1) * profile.batch)
      const at = (step + (slice + 1) / slices) / steps
      requests.push(requestOf(parts, series, step / steps, at, plan))
    }
  }
  return requests
}

function requestOf(
  parts: TrafficParts,
  series: readonly Series[],
  share: number,
  at: number,
  plan: SignalPlan,
): TemplateSource {
  const endNs = BigInt(Math.round(share * plan.spanMs * 1e6))
  const items = series.map(one => ({ service: one.service, json: metricOf(parts, one, share, endNs) }))
  const json = JSON.stringify({
    resourceMetrics: groupByService(parts.calls, items).map(({ resource, items: metrics }) => ({
      resource,
      scopeMetrics: [{ scope: { name: 'otelcontext.load', version: '1' }, metrics }],
    })),
  })
  return { signal: 'metrics', items: series.length, at, json }
}

function metricOf({ marks, random }: TrafficParts, { number }: Series, share: number, endNs: bigint): object {
  const kind = number % seriesKinds
  const time = marks.time(endNs + BigInt(random.below(1_000)))
  const attributes = [
    stringValue('http.route', `/api/v1/resource${Math.floor(number / seriesKinds)}/{id}`),
    stringValue('pool', `pool-${number}`),
  ]
  if (kind < 4) {
    const point = { timeUnixNano: time, attributes, asDouble: Math.round(random.skewed() * 1_024) / 1_024 }
    return { name: `load.level.${kind}`, unit: '1', gauge: { dataPoints: [point] } }
  }
  if (kind < 8) {
    // It grows within the round as well, by less than from round to round.
    const value = Math.floor(share * counterPerRound * 0.9) + random.below(100)
    const point = { timeUnixNano: time, attributes, asInt: marks.counter(value) }
    const sum = {
      aggregationTemporality: temporalities.cumulative,
      isMonotonic: true,
      dataPoints: [point],
    }
    return { name: `load.requests.${kind}`, unit: '{request}', sum }
  }
  const counts = [...bounds, 0].map((_, place) => random.below(place < 6 ? 40 : 4))
  const point = {
    startTimeUnixNano: marks.time(endNs),
    timeUnixNano: time,
    attributes,
    count: String(counts.reduce((sum, count) => sum + count, 0)),
    sum: Math.round(random.skewed() * 8_192) / 16,
    bucketCounts: counts.map(String),
    explicitBounds: bounds,
  }
  const histogram = { aggregationTemporality: temporalities.delta, dataPoints: [point] }
  return { name: `load.duration.${kind}`, unit: 'ms', histogram }
}
