/** The columns of a LogBlock while it is being filled. */
import type { LogBlock, ResourceEntry, ScopeEntry } from '../../model/telemetry.ts'
import { ColumnBuffer, type ColumnPlace, firstOf } from '../column-buffer.ts'

/** Bytes of one row over all columns. */
export const logRowBytes: number = 16 + 8 + 4 * 5 + 2

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

  /** For `rows` log records to come, or as they were filled at `place`. */
  constructor(rows: number, place?: ColumnPlace) {
    const buffer = new ColumnBuffer(rows, logRowBytes, place)
    this.timeHi = buffer.uint32(rows)
    this.timeLo = buffer.uint32(rows)
    this.eventName = buffer.uint32(rows)
    this.resource = buffer.uint32(rows)
    this.scope = buffer.uint32(rows)
    this.traceId = buffer.uint8(rows * 16)
    this.spanId = buffer.uint8(rows * 8)
    this.severity = buffer.uint8(rows)
    this.flags = buffer.uint8(rows)
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
      traceId: firstOf(this.traceId, count * 16),
      spanId: firstOf(this.spanId, count * 8),
      timeHi: firstOf(this.timeHi, count),
      timeLo: firstOf(this.timeLo, count),
      severity: firstOf(this.severity, count),
      eventName: firstOf(this.eventName, count),
      template: new Uint32Array(count),
      resource: firstOf(this.resource, count),
      scope: firstOf(this.scope, count),
      flags: firstOf(this.flags, count),
    }
  }
}
