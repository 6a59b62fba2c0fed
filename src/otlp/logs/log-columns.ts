/** The columns of a LogBlock while it is being filled. */
import type { LogBlock, ResourceEntry, ScopeEntry } from '../../model/telemetry.ts'

export class LogColumns {
  readonly traceId: Uint8Array
  readonly spanId: Uint8Array
  readonly timeHi: Uint32Array
  readonly timeLo: Uint32Array
  readonly severity: Uint8Array
  readonly eventName: Uint32Array
  readonly resource: Uint32Array
  readonly scope: Uint32Array
  readonly flags: Uint8Array

  constructor(rows: number) {
    this.traceId = new Uint8Array(rows * 16)
    this.spanId = new Uint8Array(rows * 8)
    this.timeHi = new Uint32Array(rows)
    this.timeLo = new Uint32Array(rows)
    this.severity = new Uint8Array(rows)
    this.eventName = new Uint32Array(rows)
    this.resource = new Uint32Array(rows)
    this.scope = new Uint32Array(rows)
    this.flags = new Uint8Array(rows)
  }

  finish(
    count: number,
    strings: readonly string[],
    resources: readonly ResourceEntry[],
    scopes: readonly ScopeEntry[],
  ): LogBlock {
    return {
      signal: 'logs',
      count,
      strings,
      resources,
      scopes,
      traceId: this.traceId.subarray(0, count * 16),
      spanId: this.spanId.subarray(0, count * 8),
      timeHi: this.timeHi.subarray(0, count),
      timeLo: this.timeLo.subarray(0, count),
      severity: this.severity.subarray(0, count),
      eventName: this.eventName.subarray(0, count),
      template: new Uint32Array(count),
      resource: this.resource.subarray(0, count),
      scope: this.scope.subarray(0, count),
      flags: this.flags.subarray(0, count),
    }
  }
}
