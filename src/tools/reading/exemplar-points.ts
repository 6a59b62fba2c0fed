/** Data points whose exemplars name a trace: the way from a metric to a trace and back. */
import type { Deadline, TelemetryReader } from '../../model/reader.ts'
import { recordOf } from '../../model/telemetry.ts'
import type { TimeRange } from '../../model/time.ts'
import { type Exemplar, exemplarsOf } from './record-fields.ts'

export interface ExemplarPoint extends Exemplar {
  readonly service: string
  readonly metric: string
  readonly unit: string
  readonly series: string
}

export interface ExemplarQuery {
  readonly range: TimeRange
  readonly services?: readonly string[]
  readonly metric?: string
  readonly traceId?: string
  readonly limit: number
}

/** Points read for one question at most: exemplars stand in the records, which are dear to load. */
const maxPoints = 50_000

/** Exemplars that match, newest first, at most `limit`. */
export async function findExemplars(
  reader: TelemetryReader,
  query: ExemplarQuery,
  deadline: Deadline,
): Promise<readonly ExemplarPoint[]> {
  const found: ExemplarPoint[] = []
  let points = 0
  const scan = { range: query.range, ...(query.services === undefined ? {} : { services: query.services }) }
  for await (const scanned of reader.scanMetrics({ ...scan, order: 'newest_first' })) {
    deadline.check()
    const { block } = scanned
    const rows: number[] = []
    for (let row = 0; row < block.count; row++) {
      const metric = block.metrics[block.metric[row] ?? 0]
      if (query.metric === undefined || metric?.name === query.metric) rows.push(row)
    }
    if (rows.length === 0) continue
    points += rows.length
    const records = await scanned.records(rows)
    for (const row of rows) {
      const metric = block.metrics[block.metric[row] ?? 0]
      if (metric === undefined) continue
      for (const exemplar of exemplarsOf(recordOf(records, row), metric.type)) {
        if (query.traceId !== undefined && exemplar.traceId !== query.traceId) continue
        found.push({
          ...exemplar,
          service: block.resources[block.resource[row] ?? 0]?.service ?? '',
          metric: metric.name,
          unit: metric.unit,
          series: block.strings[block.series[row] ?? 0] ?? '',
        })
      }
    }
    if (points >= maxPoints) break
  }
  return found.sort((a, b) => b.timeMs - a.timeMs || (a.traceId < b.traceId ? -1 : 1)).slice(0, query.limit)
}
