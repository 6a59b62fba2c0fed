/** The columns of a MetricBlock while it is being filled. */
import type { MetricBlock, MetricEntry, ResourceEntry, ScopeEntry } from '../../model/telemetry.ts'
import { ColumnBuffer, type ColumnPlace } from '../column-buffer.ts'

/** Bytes of one row over all columns. */
export const metricRowBytes: number = 8 * 2 + 4 * 8 + 1

/** What columns point into. */
export interface MetricLists {
  readonly strings: readonly string[]
  readonly resources: readonly ResourceEntry[]
  readonly scopes: readonly ScopeEntry[]
  readonly metrics: readonly MetricEntry[]
}

/** Room at first: a usual request has fewer points. */
const usualPoints = 1024

/** Beyond it room is not kept for the next batch: 3 MB. A multiple of the above by a power of two. */
export const manyPoints = 65_536

export class MetricColumns {
  /** Rows there is room for. */
  capacity: number
  metric: Uint32Array
  timeHi: Uint32Array
  timeLo: Uint32Array
  startHi: Uint32Array
  startLo: Uint32Array
  value: Float64Array
  pointCount: Float64Array
  series: Uint32Array
  resource: Uint32Array
  scope: Uint32Array
  flags: Uint8Array

  /** For points to come, or as they were filled at `place`. */
  constructor(rows: number = usualPoints, place?: ColumnPlace) {
    const buffer = new ColumnBuffer(rows, metricRowBytes, place)
    this.capacity = rows
    this.value = buffer.float64(rows)
    this.pointCount = buffer.float64(rows)
    this.metric = buffer.uint32(rows)
    this.timeHi = buffer.uint32(rows)
    this.timeLo = buffer.uint32(rows)
    this.startHi = buffer.uint32(rows)
    this.startLo = buffer.uint32(rows)
    this.series = buffer.uint32(rows)
    this.resource = buffer.uint32(rows)
    this.scope = buffer.uint32(rows)
    this.flags = buffer.uint8(rows)
  }

  /** Makes room for twice as many rows. */
  grow(): void {
    const wider = new MetricColumns(this.capacity * 2)
    wider.#copy(this, this.capacity)
    Object.assign(this, wider)
  }

  /** The first `count` rows as a block with memory of its own. */
  finish(count: number, lists: MetricLists): MetricBlock {
    const rows = new MetricColumns(count)
    rows.#copy(this, count)
    return rows.block(count, lists)
  }

  /** All rows as a block that shares their memory. */
  block(count: number, lists: MetricLists): MetricBlock {
    const { strings, resources, scopes, metrics } = lists
    return {
      signal: 'metrics',
      count,
      strings,
      resources,
      scopes,
      metrics,
      metric: this.metric,
      timeHi: this.timeHi,
      timeLo: this.timeLo,
      startHi: this.startHi,
      startLo: this.startLo,
      value: this.value,
      pointCount: this.pointCount,
      series: this.series,
      resource: this.resource,
      scope: this.scope,
      flags: this.flags,
    }
  }

  #copy(from: MetricColumns, rows: number): void {
    this.metric.set(from.metric.subarray(0, rows))
    this.timeHi.set(from.timeHi.subarray(0, rows))
    this.timeLo.set(from.timeLo.subarray(0, rows))
    this.startHi.set(from.startHi.subarray(0, rows))
    this.startLo.set(from.startLo.subarray(0, rows))
    this.value.set(from.value.subarray(0, rows))
    this.pointCount.set(from.pointCount.subarray(0, rows))
    this.series.set(from.series.subarray(0, rows))
    this.resource.set(from.resource.subarray(0, rows))
    this.scope.set(from.scope.subarray(0, rows))
    this.flags.set(from.flags.subarray(0, rows))
  }
}
