/** Points by metric and service, block after block; those of a segment that lies in the range are counted once. */
import type { CountedPoints, ScanQuery } from '../model/reader.ts'
import type { SegmentHeader } from '../model/store.ts'
import type { MetricBlock } from '../model/telemetry.ts'
import type { TimeRange } from '../model/time.ts'
import { countPoints, liesIn } from '../store/metrics/point-counts.ts'
import type { ReaderCaches } from './reader-caches.ts'
import { mayHoldService, mayTouch, type ScannedParts } from './row-scan.ts'
import { ScanOrder } from './scan-order.ts'
import { touches } from './time-overlap.ts'

interface Source {
  readonly minTimeMs: number
  readonly maxTimeMs: number
  /** Null: nothing to see in it, or damaged. */
  load(): Promise<CountedPoints | null>
}

export class PointCountScan {
  readonly #parts: ScannedParts
  readonly #caches: ReaderCaches

  constructor(parts: ScannedParts, caches: ReaderCaches) {
    this.#parts = parts
    this.#caches = caches
  }

  async *scan({ range, services }: Pick<ScanQuery, 'range' | 'services'>): AsyncGenerator<CountedPoints> {
    const { headers, unsealed, deadline } = this.#parts
    const sources: Source[] = []
    for (const header of headers.metrics)
      if (touches(header, range) && mayHoldService(header, services))
        sources.push({ ...header, load: () => this.#ofSegment(header, range) })
    for (const { decoded } of unsealed.blocks('metrics', mayTouch(range))) {
      const { block } = decoded.batch
      if (block.signal === 'metrics' && touches(decoded, range))
        sources.push({ ...decoded, load: async () => countPoints(block, range) })
    }
    const order = new ScanOrder(sources, true)
    for (let source = order.next(); source !== undefined; source = order.next()) {
      deadline.check()
      const counted = await source.load()
      if (counted !== null) yield services === undefined ? counted : onlyOf(counted, services)
    }
  }

  async #ofSegment(header: SegmentHeader, range: TimeRange): Promise<CountedPoints | null> {
    const known = this.#caches.pointCounts.get(header.id)
    if (known !== undefined && liesIn(known, range)) return known
    const block = await this.#blockOf(header)
    if (block === null) return null
    const all = known ?? countPoints(block, null)
    if (known === undefined) this.#caches.pointCounts.set(header.id, all)
    return liesIn(all, range) ? all : countPoints(block, range)
  }

  /** Points lie in one group. */
  async #blockOf(header: SegmentHeader): Promise<MetricBlock | null> {
    const { access } = this.#parts
    const layout = await access.layout(header)
    const group = layout?.groups[0]
    if (layout === null || group === undefined) return null
    const columns = await access.columns(header, layout, group)
    return columns?.block.signal === 'metrics' ? columns.block : null
  }
}

function onlyOf({ metrics, counts }: CountedPoints, services: readonly string[]): CountedPoints {
  return { metrics, counts: counts.filter(({ service }) => services.includes(service)) }
}
