/** The columns of a MetricBlock while it is being filled. */
import type { MetricBlock, MetricEntry, ResourceEntry, ScopeEntry } from '../../model/telemetry.ts'

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
    this.metric = new Uint32Array(rows)
    this.timeHi = new Uint32Array(rows)
    this.timeLo = new Uint32Array(rows)
    this.startHi = new Uint32Array(rows)
    this.startLo = new Uint32Array(rows)
    this.value = new Float64Array(rows)
    this.pointCount = new Float64Array(rows)
    this.series = new Uint32Array(rows)
    this.resource = new Uint32Array(rows)
    this.scope = new Uint32Array(rows)
    this.flags = new Uint8Array(rows)
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
      metric: this.metric.subarray(0, count),
      timeHi: this.timeHi.subarray(0, count),
      timeLo: this.timeLo.subarray(0, count),
      startHi: this.startHi.subarray(0, count),
      startLo: this.startLo.subarray(0, count),
      value: this.value.subarray(0, count),
      pointCount: this.pointCount.subarray(0, count),
      series: this.series.subarray(0, count),
      resource: this.resource.subarray(0, count),
      scope: this.scope.subarray(0, count),
      flags: this.flags.subarray(0, count),
    }
  }
}
