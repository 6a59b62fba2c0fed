/** The columns of a SpanBlock while it is being filled. */
import type { ResourceEntry, ScopeEntry, SpanBlock } from '../../model/telemetry.ts'

export class SpanColumns {
  readonly traceId: Uint8Array
  readonly spanId: Uint8Array
  readonly parentSpanId: Uint8Array
  readonly startHi: Uint32Array
  readonly startLo: Uint32Array
  readonly endHi: Uint32Array
  readonly endLo: Uint32Array
  readonly kind: Uint8Array
  readonly status: Uint8Array
  readonly name: Uint32Array
  readonly httpStatus: Uint16Array
  readonly errorType: Uint32Array
  readonly peer: Uint32Array
  readonly peerKind: Uint8Array
  readonly links: Uint8Array
  readonly resource: Uint32Array
  readonly scope: Uint32Array
  readonly flags: Uint8Array

  constructor(rows: number) {
    this.traceId = new Uint8Array(rows * 16)
    this.spanId = new Uint8Array(rows * 8)
    this.parentSpanId = new Uint8Array(rows * 8)
    this.startHi = new Uint32Array(rows)
    this.startLo = new Uint32Array(rows)
    this.endHi = new Uint32Array(rows)
    this.endLo = new Uint32Array(rows)
    this.kind = new Uint8Array(rows)
    this.status = new Uint8Array(rows)
    this.name = new Uint32Array(rows)
    this.httpStatus = new Uint16Array(rows)
    this.errorType = new Uint32Array(rows)
    this.peer = new Uint32Array(rows)
    this.peerKind = new Uint8Array(rows)
    this.links = new Uint8Array(rows)
    this.resource = new Uint32Array(rows)
    this.scope = new Uint32Array(rows)
    this.flags = new Uint8Array(rows)
  }

  finish(
    count: number,
    strings: readonly string[],
    resources: readonly ResourceEntry[],
    scopes: readonly ScopeEntry[],
  ): SpanBlock {
    return {
      signal: 'traces',
      count,
      strings,
      resources,
      scopes,
      traceId: this.traceId.subarray(0, count * 16),
      spanId: this.spanId.subarray(0, count * 8),
      parentSpanId: this.parentSpanId.subarray(0, count * 8),
      startHi: this.startHi.subarray(0, count),
      startLo: this.startLo.subarray(0, count),
      endHi: this.endHi.subarray(0, count),
      endLo: this.endLo.subarray(0, count),
      kind: this.kind.subarray(0, count),
      status: this.status.subarray(0, count),
      name: this.name.subarray(0, count),
      httpStatus: this.httpStatus.subarray(0, count),
      errorType: this.errorType.subarray(0, count),
      peer: this.peer.subarray(0, count),
      peerKind: this.peerKind.subarray(0, count),
      links: this.links.subarray(0, count),
      resource: this.resource.subarray(0, count),
      scope: this.scope.subarray(0, count),
      flags: this.flags.subarray(0, count),
    }
  }
}
