/** The columns of a SpanBlock while it is being filled. */
import type { ResourceEntry, ScopeEntry, SpanBlock } from '../../model/telemetry.ts'
import { ColumnBuffer, type ColumnPlace, firstOf } from '../column-buffer.ts'

/** Bytes of one row over all columns. */
export const spanRowBytes: number = 16 + 8 + 8 + 4 * 9 + 2 + 5

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

  /** The ids in words of four bytes, however they stand in the buffer. */
  readonly #traceIds: DataView
  readonly #spanIds: DataView
  readonly #parentIds: DataView

  /** For `rows` spans to come, or as they were filled at `place`. */
  constructor(rows: number, place?: ColumnPlace) {
    const buffer = new ColumnBuffer(rows, spanRowBytes, place)
    this.startHi = buffer.uint32(rows)
    this.startLo = buffer.uint32(rows)
    this.endHi = buffer.uint32(rows)
    this.endLo = buffer.uint32(rows)
    this.name = buffer.uint32(rows)
    this.errorType = buffer.uint32(rows)
    this.peer = buffer.uint32(rows)
    this.resource = buffer.uint32(rows)
    this.scope = buffer.uint32(rows)
    this.httpStatus = buffer.uint16(rows)
    this.traceId = buffer.uint8(rows * 16)
    this.spanId = buffer.uint8(rows * 8)
    this.parentSpanId = buffer.uint8(rows * 8)
    this.#traceIds = dataView(this.traceId)
    this.#spanIds = dataView(this.spanId)
    this.#parentIds = dataView(this.parentSpanId)
    this.kind = buffer.uint8(rows)
    this.status = buffer.uint8(rows)
    this.peerKind = buffer.uint8(rows)
    this.links = buffer.uint8(rows)
    this.flags = buffer.uint8(rows)
  }

  /** Copies the 16 bytes of `from` at `at`. */
  setTraceId(row: number, from: DataView, at: number): void {
    const into = this.#traceIds
    into.setInt32(row * 16, from.getInt32(at))
    into.setInt32(row * 16 + 4, from.getInt32(at + 4))
    into.setInt32(row * 16 + 8, from.getInt32(at + 8))
    into.setInt32(row * 16 + 12, from.getInt32(at + 12))
  }

  /** Copies the 8 bytes of `from` at `at`. */
  setSpanId(row: number, from: DataView, at: number): void {
    this.#spanIds.setInt32(row * 8, from.getInt32(at))
    this.#spanIds.setInt32(row * 8 + 4, from.getInt32(at + 4))
  }

  /** Copies the 8 bytes of `from` at `at`. */
  setParentSpanId(row: number, from: DataView, at: number): void {
    this.#parentIds.setInt32(row * 8, from.getInt32(at))
    this.#parentIds.setInt32(row * 8 + 4, from.getInt32(at + 4))
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
      traceId: firstOf(this.traceId, count * 16),
      spanId: firstOf(this.spanId, count * 8),
      parentSpanId: firstOf(this.parentSpanId, count * 8),
      startHi: firstOf(this.startHi, count),
      startLo: firstOf(this.startLo, count),
      endHi: firstOf(this.endHi, count),
      endLo: firstOf(this.endLo, count),
      kind: firstOf(this.kind, count),
      status: firstOf(this.status, count),
      name: firstOf(this.name, count),
      httpStatus: firstOf(this.httpStatus, count),
      errorType: firstOf(this.errorType, count),
      peer: firstOf(this.peer, count),
      peerKind: firstOf(this.peerKind, count),
      links: firstOf(this.links, count),
      resource: firstOf(this.resource, count),
      scope: firstOf(this.scope, count),
      flags: firstOf(this.flags, count),
    }
  }
}

function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
