/** Which metrics there are in a window. */
import type { Deadline, TelemetryReader } from '../../model/reader.ts'
import type { MetricType } from '../../model/telemetry.ts'
import type { TimeRange } from '../../model/time.ts'

export interface MetricSummary {
  readonly name: string
  readonly type: MetricType
  readonly unit: string
  readonly description: string
  /** 0 unspecified, 1 delta, 2 cumulative. */
  readonly temporality: number
  readonly monotonic: boolean
  /** Sorted, at most `maxServicesPerMetric`. */
  readonly services: readonly string[]
  readonly points: number
  readonly newestMs: number
}

export interface CatalogQuery {
  readonly range: TimeRange
  readonly services?: readonly string[]
  /** Part of the name, without regard to case. */
  readonly contains?: string
}

/** Names kept at most; further ones are counted, not listed. */
const maxMetrics = 10_000
const maxServicesPerMetric = 256

export interface Catalog {
  /** By name, then type. */
  readonly metrics: readonly MetricSummary[]
  /** Points of metrics beyond the limit. */
  readonly unlistedPoints: number
}

interface Growing {
  readonly summary: Omit<MetricSummary, 'services' | 'points' | 'newestMs'>
  readonly services: Set<string>
  points: number
  newestMs: number
}

/** Reads no messages. One name under two types or units is two metrics. */
export async function listMetrics(
  reader: TelemetryReader,
  query: CatalogQuery,
  deadline: Deadline,
): Promise<Catalog> {
  const found = new Map<string, Growing>()
  const part = query.contains?.toLowerCase() ?? ''
  let unlistedPoints = 0
  const scan = { range: query.range, ...(query.services === undefined ? {} : { services: query.services }) }
  for await (const { metrics, counts } of reader.countPoints(scan)) {
    deadline.check()
    const entries = metrics.map(({ name, type, unit, description, temporality, monotonic }) => {
      if (!name.toLowerCase().includes(part)) return null
      const key = `${name}\n${type}\n${unit}`
      const known = found.get(key)
      if (known !== undefined) return known
      if (found.size >= maxMetrics) return undefined
      const summary = { name, type, unit, description, temporality, monotonic }
      const made: Growing = { summary, services: new Set(), points: 0, newestMs: 0 }
      found.set(key, made)
      return made
    })
    for (const { metric, service, points, newestMs } of counts) {
      const entry = entries[metric]
      if (entry === undefined) unlistedPoints += points
      if (entry === undefined || entry === null) continue
      entry.points += points
      entry.newestMs = Math.max(entry.newestMs, newestMs)
      if (entry.services.size < maxServicesPerMetric) entry.services.add(service)
    }
  }
  const metrics = [...found.values()]
    .filter(entry => entry.points > 0)
    .map(({ summary, services, points, newestMs }) => ({
      ...summary,
      services: [...services].sort(),
      points,
      newestMs,
    }))
    .sort((a, b) => compare(a.name, b.name) || compare(a.type, b.type) || compare(a.unit, b.unit))
  return { metrics, unlistedPoints }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
