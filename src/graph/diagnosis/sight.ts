/**
 * What an answer could have seen: silence about a service means something only if its requests are enough, on both
 * sides, for a fault of it to show.
 */
import type { MetricSeries } from './metric-series.ts'
import type { Names } from './names.ts'
import { forEachServiceTrace } from './service-traces.ts'
import type { TraceSet } from './trace-set.ts'
import { riseEvidence } from './two-sample.ts'

export interface Sight {
  /** Services with requests, or in their absence with metric series, in either window. */
  readonly services: number
  /** Those among them of which a fault of half of the requests would not have shown. */
  readonly blind: number
}

/** Evidence in nats that a fault of half of the requests has to amount to: 1 in 20 by chance. */
export const visibleNats = 3
/** Values of a metric series, on both sides, from which a shift of it can be seen. */
const minValues = 3

interface Sides {
  readonly window: { readonly set: TraceSet }
  readonly baseline: { readonly set: TraceSet }
  readonly windowSeries: ReadonlyMap<string, MetricSeries>
  readonly baselineSeries: ReadonlyMap<string, MetricSeries>
}

export function sightOf(evidence: Sides): Sight {
  const { window, baseline } = evidence
  if (window.set.spans + baseline.set.spans === 0) return sightOfMetrics(evidence)
  const now = tracesPerService(window.set)
  const before = tracesPerService(baseline.set)
  const services = new Set([...now.keys(), ...before.keys()])
  let blind = 0
  for (const service of services) {
    const traces = now.get(service) ?? 0
    if (riseEvidence(traces / 2, traces, 0, before.get(service) ?? 0) < visibleNats) blind++
  }
  return { services: services.size, blind }
}

/** Traces with an entry of the service. */
function tracesPerService(set: TraceSet): ReadonlyMap<number, number> {
  const traces = new Map<number, number>()
  forEachServiceTrace(set, service => traces.set(service, (traces.get(service) ?? 0) + 1))
  return traces
}

/**
 * Services whose spans the baseline holds, too many for chance to leave none, and the window does not: they have stopped,
 * or stopped reporting, or nobody asks them any more. By name.
 */
export function silentServices(window: TraceSet, baseline: TraceSet, names: Names): readonly string[] {
  if (window.traces === 0) return []
  const now = tracesPerService(window)
  return [...tracesPerService(baseline)]
    .filter(([service, before]) => {
      const gone = riseEvidence(window.traces, window.traces, baseline.traces - before, baseline.traces)
      return !now.has(service) && gone >= visibleNats
    })
    .map(([service]) => names.text(service))
    .sort()
}

function sightOfMetrics({ windowSeries, baselineSeries }: Sides): Sight {
  const services = new Set<string>()
  const seen = new Set<string>()
  for (const series of [...windowSeries.values(), ...baselineSeries.values()]) services.add(series.id.service)
  for (const [key, { id, values }] of windowSeries) {
    const before = baselineSeries.get(key)?.values.length ?? 0
    if (Math.min(values.length, before) >= minValues) seen.add(id.service)
  }
  return { services: services.size, blind: services.size - seen.size }
}
