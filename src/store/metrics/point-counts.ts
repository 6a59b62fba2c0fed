/** How many points a block has of which metric and service: all that a list of metrics says of it. */
import type { CountedPoints, PointCount } from '../../model/reader.ts'
import type { MetricBlock } from '../../model/telemetry.ts'
import { type TimeRange, toMs } from '../../model/time.ts'

interface Growing extends PointCount {
  points: number
  oldestMs: number
  newestMs: number
}

/** Of the points in the range, or of all. */
export function countPoints(block: MetricBlock, range: TimeRange | null): CountedPoints {
  const { fromMs, toMs: endMs } = range ?? {
    fromMs: Number.NEGATIVE_INFINITY,
    toMs: Number.POSITIVE_INFINITY,
  }
  const services = [...new Set(block.resources.map(({ service }) => service))]
  const serviceOf = block.resources.map(({ service }) => services.indexOf(service))
  const found = new Map<number, Growing>()
  let lastKey = -1
  let last: Growing | undefined
  for (let row = 0; row < block.count; row++) {
    const timeMs = toMs(block.timeHi[row] as number, block.timeLo[row] as number)
    if (timeMs < fromMs || timeMs >= endMs) continue
    const metric = block.metric[row] as number
    const service = serviceOf[block.resource[row] as number] as number
    const key = metric * services.length + service
    // Points of a series stand together.
    if (key !== lastKey || last === undefined) {
      last = found.get(key)
      lastKey = key
    }
    if (last === undefined) {
      last = { metric, service: services[service] as string, points: 0, oldestMs: timeMs, newestMs: timeMs }
      found.set(key, last)
    }
    last.points++
    if (timeMs < last.oldestMs) last.oldestMs = timeMs
    if (timeMs > last.newestMs) last.newestMs = timeMs
  }
  const metrics = block.metrics.map(({ bytes: _, ...entry }) => entry)
  return { metrics, counts: [...found.values()] }
}

/** Whether all points lie in the range. */
export function liesIn({ counts }: CountedPoints, { fromMs, toMs: endMs }: TimeRange): boolean {
  return counts.every(({ oldestMs, newestMs }) => oldestMs >= fromMs && newestMs < endMs)
}

/** In memory, about. */
export function countedBytes({ metrics, counts }: CountedPoints): number {
  let bytes = counts.length * 100
  for (const { name, unit, description } of metrics)
    bytes += 150 + 2 * (name.length + unit.length + description.length)
  return bytes
}
