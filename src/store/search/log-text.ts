/**
 * The searchable text of a log record: all text in its body, whatever its type, its event name, and the type
 * and message of an exception it carries in attributes. Read straight from the LogRecord message (logs.proto:
 * body = 5, attributes = 6, event_name = 12) and the AnyValue in it (common.proto).
 */

/** AnyValues nest no deeper than this in what the receiver takes. */
const maxDepth = 64

const exceptionKeys = new Set(['exception.type', 'exception.message'])

/** Where texts go: those of the message as ranges of its UTF-8 bytes, numbers as they are written. */
export interface TextSink {
  range(from: number, to: number): void
  text(value: string): void
}

/** Hands each piece of text of the record to `sink`. Malformed messages end quietly: they were judged on receipt. */
export function eachTextRange(record: Uint8Array, sink: TextSink): void {
  const walk = new Walk(record)
  for (let at = 0; at < record.length; ) {
    at = walk.field(at, record.length)
    if (at < 0) return
    const { tag, from, to } = walk
    if (tag === 0x2a) valueTexts(record, from, to, sink, 0)
    else if (tag === 0x62) sink.range(from, to)
    else if (tag === 0x32) exceptionText(record, from, to, sink)
  }
}

/** The body as one text: a string as it is, anything else its texts separated by spaces. */
export function logBodyText(record: Uint8Array): string {
  const texts: string[] = []
  const sink: TextSink = {
    range: (from, to) => texts.push(textOf(record, from, to)),
    text: value => texts.push(value),
  }
  const walk = new Walk(record)
  for (let at = 0; at >= 0 && at < record.length; ) {
    at = walk.field(at, record.length)
    if (at >= 0 && walk.tag === 0x2a) valueTexts(record, walk.from, walk.to, sink, 0)
  }
  return texts.join(' ')
}

function exceptionText(record: Uint8Array, from: number, to: number, sink: TextSink): void {
  const walk = new Walk(record)
  let wanted = false
  for (let at = from; at < to; ) {
    at = walk.field(at, to)
    if (at < 0) return
    if (walk.tag === 0x0a) {
      const length = walk.to - walk.from
      wanted = length >= 14 && length <= 17 && exceptionKeys.has(textOf(record, walk.from, walk.to))
    } else if (walk.tag === 0x12 && wanted) valueTexts(record, walk.from, walk.to, sink, 0)
  }
}

/** AnyValue: string_value = 1, bool 2, int 3, double 4, array_value = 5, kvlist_value = 6, bytes 7. */
function valueTexts(record: Uint8Array, from: number, to: number, sink: TextSink, depth: number): void {
  if (depth > maxDepth) return
  const walk = new Walk(record)
  for (let at = from; at < to; ) {
    at = walk.field(at, to)
    if (at < 0) return
    const { tag, from: start, to: end } = walk
    if (tag === 0x0a) sink.range(start, end)
    else if (tag === 0x18) sink.text(String(walk.value))
    else if (tag === 0x2a || tag === 0x32) membersOf(record, start, end, tag === 0x32, sink, depth + 1)
  }
}

/** ArrayValue.values = 1 (AnyValue), KeyValueList.values = 1 (KeyValue: key = 1, value = 2). */
function membersOf(
  record: Uint8Array,
  from: number,
  to: number,
  keyed: boolean,
  sink: TextSink,
  depth: number,
): void {
  const walk = new Walk(record)
  for (let at = from; at < to; ) {
    at = walk.field(at, to)
    if (at < 0) return
    if (walk.tag !== 0x0a) continue
    if (!keyed) {
      valueTexts(record, walk.from, walk.to, sink, depth)
      continue
    }
    const pair = new Walk(record)
    const end = walk.to
    for (let inner = walk.from; inner < end; ) {
      inner = pair.field(inner, end)
      if (inner < 0) return
      if (pair.tag === 0x0a) sink.range(pair.from, pair.to)
      else if (pair.tag === 0x12) valueTexts(record, pair.from, pair.to, sink, depth)
    }
  }
}

function textOf(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8')
}

/** One field after the other; `field` returns where the next begins, or -1. */
class Walk {
  tag = 0
  from = 0
  to = 0
  /** Of a varint field. */
  value = 0
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  field(start: number, end: number): number {
    let at = this.#varint(start, end)
    if (at < 0) return -1
    this.tag = this.value
    const wire = this.tag & 7
    this.from = at
    if (wire === 0) {
      at = this.#varint(at, end)
      this.to = at
      return at
    }
    if (wire === 2) {
      at = this.#varint(at, end)
      if (at < 0) return -1
      this.from = at
      this.to = at + this.value
    } else if (wire === 1) this.to = at + 8
    else if (wire === 5) this.to = at + 4
    else return -1
    return this.to <= end ? this.to : -1
  }

  #varint(start: number, end: number): number {
    let value = 0
    let scale = 1
    for (let at = start; at < end && at < start + 10; at++) {
      const byte = this.#bytes[at] as number
      value += (byte & 127) * scale
      scale *= 128
      if (byte < 128) {
        this.value = value
        return at + 1
      }
    }
    return -1
  }
}
