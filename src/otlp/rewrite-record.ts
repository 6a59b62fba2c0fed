/**
 * The stored form of an item that cannot be kept as sent: attribute values over the limit are cut and marked,
 * ids of wrong length are left out. Everything else is copied byte for byte.
 */
import { keyValueName } from './fields/common-fields.ts'
import type { FieldShape, MessageShape } from './fields/message-shape.ts'
import { spanMessage } from './fields/trace-fields.ts'
import { ByteWriter } from './wire/byte-writer.ts'
import { utf8CutEnd } from './wire/utf8-text.ts'
import { cursor, readLength, readTag, skipValue } from './wire/varint.ts'

/**
 * Attribute added beside those that were cut: a map from their keys to the bytes they had as sent. Applies to
 * the list of attributes it stands in (of a span, event, link, log record, point, resource or scope).
 */
export const truncatedAttributeKey: string = 'otelcontext.truncated'

export interface RewriteOutcome {
  readonly truncated: boolean
  readonly droppedIds: boolean
}

interface Cut {
  readonly key: Uint8Array
  readonly bytes: number
}

/** Fields of AnyValue that can be long. */
const anyValueField = { string: 1, array: 5, list: 6, bytes: 7 } as const

class Rewriter {
  truncated = false
  droppedIds = false
  readonly #limit: number
  readonly #bytes: Uint8Array
  readonly #out: ByteWriter

  constructor(bytes: Uint8Array, limit: number, out: ByteWriter) {
    this.#bytes = bytes
    this.#limit = limit
    this.#out = out
  }

  message(shape: MessageShape, from: number, to: number): void {
    const bytes = this.#bytes
    const cuts: Cut[] = []
    let attributesTag = 0
    let pos = from
    while (pos < to) {
      const start = pos
      const tag = readTag(bytes, pos, to)
      const content = cursor.next
      pos = skipValue(bytes, content, to, tag & 7)
      const field = (tag & 7) === 2 ? shape.byNumber[tag >>> 3] : undefined
      if (field === undefined) {
        this.#out.raw(bytes, start, pos)
        continue
      }
      const valueFrom = pos - readLength(bytes, content, to)
      if (this.#isBadId(shape, field, valueFrom, pos)) {
        this.droppedIds = true
      } else if (field.spec.typeName === keyValueName) {
        attributesTag = tag
        this.#attribute(tag, valueFrom, pos, cuts)
      } else if (field.spec.repeated && field.message !== null) {
        this.#out.varint32(tag)
        const begun = this.#out.beginLength(2)
        this.message(field.message, valueFrom, pos)
        this.#out.endLength(begun, 2)
      } else {
        this.#out.raw(bytes, start, pos)
      }
    }
    if (cuts.length > 0) this.#mark(attributesTag, cuts)
  }

  /** A span's own ids are judged before; it would not be here. */
  #isBadId(shape: MessageShape, field: FieldShape, from: number, to: number): boolean {
    const { idBytes } = field.spec
    if (idBytes === 0 || from === to || shape.name === spanMessage.name) return false
    return !isUsableId(this.#bytes, from, to - from, idBytes)
  }

  #attribute(tag: number, from: number, to: number, cuts: Cut[]): void {
    const out = this.#out
    if (to - from <= this.#limit) {
      out.bytesField(tag >>> 3, this.#bytes, from, to)
      return
    }
    out.varint32(tag)
    const begun = out.beginLength(3)
    let key: Uint8Array = new Uint8Array(0)
    let cutBytes = 0
    let pos = from
    while (pos < to) {
      const start = pos
      const inner = readTag(this.#bytes, pos, to)
      const content = cursor.next
      pos = skipValue(this.#bytes, content, to, inner & 7)
      if (inner === 0x0a) key = this.#bytes.subarray(pos - readLength(this.#bytes, content, to), pos)
      if (inner === 0x12) {
        const valueFrom = pos - readLength(this.#bytes, content, to)
        out.varint32(inner)
        const value = out.beginLength(3)
        cutBytes += this.#value(valueFrom, pos)
        out.endLength(value, 3)
      } else {
        out.raw(this.#bytes, start, pos)
      }
    }
    out.endLength(begun, 3)
    if (cutBytes > 0) cuts.push({ key, bytes: cutBytes })
  }

  /** Copies an AnyValue, cut to the limit; returns the bytes of what was cut, as sent, or 0. */
  #value(from: number, to: number): number {
    let cutBytes = 0
    let pos = from
    while (pos < to) {
      const start = pos
      const tag = readTag(this.#bytes, pos, to)
      const content = cursor.next
      pos = skipValue(this.#bytes, content, to, tag & 7)
      const valueFrom = (tag & 7) === 2 ? pos - readLength(this.#bytes, content, to) : pos
      if (pos - valueFrom <= this.#limit) {
        this.#out.raw(this.#bytes, start, pos)
        continue
      }
      cutBytes += pos - valueFrom
      this.truncated = true
      this.#out.bytesField(tag >>> 3, this.#bytes, valueFrom, this.#cutEnd(tag >>> 3, valueFrom, pos))
    }
    return cutBytes
  }

  #cutEnd(field: number, from: number, to: number): number {
    if (field === anyValueField.string) return utf8CutEnd(this.#bytes, from, to, this.#limit)
    if (field === anyValueField.bytes) return from + this.#limit
    // Lists and maps keep their leading elements as long as these fit.
    let end = from
    for (let pos = from; pos < to; ) {
      const tag = readTag(this.#bytes, pos, to)
      pos = skipValue(this.#bytes, cursor.next, to, tag & 7)
      if (pos - from > this.#limit) break
      end = pos
    }
    return end
  }

  #mark(tag: number, cuts: readonly Cut[]): void {
    const out = this.#out
    const entries = new ByteWriter()
    for (const cut of cuts) {
      const entry = new ByteWriter()
      entry.bytesField(1, cut.key)
      const size = new ByteWriter()
      size.varint32(0x18)
      size.varint32(cut.bytes)
      entry.bytesField(2, size.view())
      entries.bytesField(1, entry.view())
    }
    const value = new ByteWriter()
    value.bytesField(anyValueField.list, entries.view())
    const marker = new ByteWriter()
    marker.bytesField(1, new TextEncoder().encode(truncatedAttributeKey))
    marker.bytesField(2, value.view())
    out.bytesField(tag >>> 3, marker.view())
  }
}

/**
 * Appends the well-formed message `bytes[from, to)` to `out`, with attribute values over `limit` bytes cut and
 * bad ids of links, log records and exemplars left out.
 */
export function rewriteRecord(
  shape: MessageShape,
  bytes: Uint8Array,
  range: { readonly from: number; readonly to: number },
  limit: number,
  out: ByteWriter,
): RewriteOutcome {
  const rewriter = new Rewriter(bytes, limit, out)
  rewriter.message(shape, range.from, range.to)
  return rewriter
}

/** Whether an id has its length and a bit that is not zero. */
export function isUsableId(bytes: Uint8Array, from: number, length: number, wanted: number): boolean {
  if (length !== wanted) return false
  for (let i = 0; i < length; i++) if (bytes[from + i] !== 0) return true
  return false
}
