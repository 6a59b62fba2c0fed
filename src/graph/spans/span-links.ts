/** Targets of a span's links, read from its message (trace.proto: Span.links = 13, Link.trace_id 1, span_id 2). */
import { cursor, readLength, readTag, skipValue } from '../../otlp/wire/varint.ts'

const linkTag = (13 << 3) | 2
const traceIdTag = (1 << 3) | 2
const spanIdTag = (2 << 3) | 2

/** Links of one span that are followed: a batch consumer of more is counted by its first ones. */
export const maxLinksPerSpan = 128

/**
 * Calls `found` with the offsets of trace id (16 bytes) and span id (8 bytes) of each link, in `span` itself.
 * A link whose ids have another length is passed over: the receiver has flagged it.
 */
export function eachSpanLink(span: Uint8Array, found: (traceAt: number, spanAt: number) => void): void {
  let links = 0
  for (let pos = 0; pos < span.length && links < maxLinksPerSpan; ) {
    const tag = readTag(span, pos, span.length)
    const content = cursor.next
    pos = skipValue(span, content, span.length, tag & 7)
    if (tag !== linkTag) continue
    const from = pos - readLength(span, content, span.length)
    links++
    let traceAt = -1
    let spanAt = -1
    for (let at = from; at < pos; ) {
      const field = readTag(span, at, pos)
      const value = cursor.next
      at = skipValue(span, value, pos, field & 7)
      if (field === traceIdTag && readLength(span, value, pos) === 16) traceAt = at - 16
      else if (field === spanIdTag && readLength(span, value, pos) === 8) spanAt = at - 8
    }
    if (traceAt >= 0 && spanAt >= 0) found(traceAt, spanAt)
  }
}
