/** The columns of a MetricBlock while it is being filled. */
import type { MetricBlock, MetricEntry, ResourceEntry, ScopeEntry } from '../../model/telemetry.ts'
import { ColumnBuffer, firstOf } from '../column-buffer.ts'

/** Bytes of one row over all columns. */
const rowBytes = 8 * 2 + 4 * 8 + 1

export class MetricColumns {
  readonly metric: Uint32Array
  readonly timeHi: Uint32Array
  readonly timeLo: Uint32Array
  readonly startHi: Uint32Array
  readonly startLo: Uint32Array
  readonly value: Float64Array
  readonly pointCount: Float64Array
  readonly series: Uint32Array
  readonly resource: Uint32Array
  readonly scope: Uint32Array
  readonly flags: Uint8Array

  constructor(rows: number) {
    const buffer = new ColumnBuffer(rows, rowBytes)
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

  finish(
    count: number,
    lists: {
      readonly strings: readonly string[]
      readonly resources: readonly ResourceEntry[]
      readonly scopes: readonly ScopeEntry[]
      readonly metrics: readonly MetricEntry[]
    },
  ): MetricBlock {
    return {
      signal: 'metrics',
      count,
      ...lists,
      metric: firstOf(this.metric, count),
      timeHi: firstOf(this.timeHi, count),
      timeLo: firstOf(this.timeLo, count),
      startHi: firstOf(this.startHi, count),
      startLo: firstOf(this.startLo, count),
      value: firstOf(this.value, count),
      pointCount: firstOf(this.pointCount, count),
      series: firstOf(this.series, count),
      resource: firstOf(this.resource, count),
      scope: firstOf(this.scope, count),
      flags: firstOf(this.flags, count),
    }
  }
}
