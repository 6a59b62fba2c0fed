/**
 * The parts of stored messages that no column holds, read on demand: a span's attributes, status message,
 * exceptions and links, a data point's exemplars.
 */
import { type Attribute, keyValueAt, valueText } from '../../otlp/any-value.ts'
import { textAt } from '../../otlp/wire/utf8-text.ts'
import {
  cursor,
  doubleAt,
  fixed32At,
  readLength,
  readTag,
  signed64,
  skipValue,
  unsigned64,
} from '../../otlp/wire/varint.ts'

/** Called with the tag and the content of each field; content of a varint or fixed field is its own bytes. */
type Visit = (tag: number, from: number, to: number) => void

function eachField(bytes: Uint8Array, from: number, to: number, visit: Visit): void {
  for (let at = from; at < to; ) {
    const tag = readTag(bytes, at, to)
    const content = cursor.next
    at = skipValue(bytes, content, to, tag & 7)
    const start = (tag & 7) === 2 ? at - readLength(bytes, content, to) : content
    visit(tag, start, at)
  }
}

const bytesTag = (field: number): number => (field << 3) | 2
const fixed64Tag = (field: number): number => (field << 3) | 1

/** trace.proto, Span */
const span = { attributes: bytesTag(9), events: bytesTag(11), links: bytesTag(13), status: bytesTag(15) }
export interface SpanLink {
  readonly traceId: string
  readonly spanId: string
}

export interface SpanDetail {
  readonly attributes: readonly Attribute[]
  readonly statusMessage: string
  /** `type: message` of each exception event, oldest first. */
  readonly exceptions: readonly string[]
  readonly links: readonly SpanLink[]
}

/** Status: message = 2. */
function statusMessageAt(bytes: Uint8Array, from: number, to: number): string {
  let message = ''
  eachField(bytes, from, to, (tag, start, end) => {
    if (tag === bytesTag(2)) message = textAt(bytes, start, end)
  })
  return message
}

/** Event: name = 2, attributes = 3. Null if it is no exception. */
function exceptionAt(bytes: Uint8Array, from: number, to: number): string | null {
  let type = ''
  let message = ''
  let isException = false
  eachField(bytes, from, to, (tag, start, end) => {
    if (tag === bytesTag(2)) isException = textAt(bytes, start, end) === 'exception'
    if (tag !== bytesTag(3)) return
    const { key, value } = keyValueAt(bytes, start, end)
    if (key === 'exception.type') type = valueText(value)
    else if (key === 'exception.message') message = valueText(value)
  })
  return isException ? [type, message].filter(part => part !== '').join(': ') : null
}

/** Link: trace_id = 1, span_id = 2. */
function linkAt(bytes: Uint8Array, from: number, to: number): SpanLink {
  let traceId = ''
  let spanId = ''
  eachField(bytes, from, to, (tag, start, end) => {
    if (tag === bytesTag(1)) traceId = Buffer.from(bytes.subarray(start, end)).toString('hex')
    else if (tag === bytesTag(2)) spanId = Buffer.from(bytes.subarray(start, end)).toString('hex')
  })
  return { traceId, spanId }
}

/** Of a Span message. */
export function spanDetailOf(record: Uint8Array): SpanDetail {
  const attributes: Attribute[] = []
  const exceptions: string[] = []
  const links: SpanLink[] = []
  let statusMessage = ''
  eachField(record, 0, record.length, (tag, from, to) => {
    if (tag === span.attributes) attributes.push(keyValueAt(record, from, to))
    else if (tag === span.status) statusMessage = statusMessageAt(record, from, to)
    else if (tag === span.links) links.push(linkAt(record, from, to))
    else if (tag === span.events) {
      const exception = exceptionAt(record, from, to)
      if (exception !== null) exceptions.push(exception)
    }
  })
  return { attributes, statusMessage, exceptions, links }
}

export interface Exemplar {
  readonly traceId: string
  readonly spanId: string
  readonly timeMs: number
  readonly value: number
}

/** Field of the exemplars in NumberDataPoint, HistogramDataPoint and ExponentialHistogramDataPoint. */
const exemplarFields: Readonly<Record<string, number>> = {
  gauge: 5,
  sum: 5,
  histogram: 8,
  exponential_histogram: 11,
}

/** Exemplar: time = 2, as_double = 3, span_id = 4, trace_id = 5, as_int = 6. */
function exemplarAt(bytes: Uint8Array, from: number, to: number): Exemplar {
  let traceId = ''
  let spanId = ''
  let timeMs = 0
  let value = Number.NaN
  eachField(bytes, from, to, (tag, start, end) => {
    if (tag === fixed64Tag(2)) timeMs = unsigned64(fixed32At(bytes, start), fixed32At(bytes, start + 4)) / 1e6
    else if (tag === fixed64Tag(3)) value = doubleAt(bytes, start)
    else if (tag === fixed64Tag(6)) value = signed64(fixed32At(bytes, start), fixed32At(bytes, start + 4))
    else if (tag === bytesTag(4)) spanId = Buffer.from(bytes.subarray(start, end)).toString('hex')
    else if (tag === bytesTag(5)) traceId = Buffer.from(bytes.subarray(start, end)).toString('hex')
  })
  return { traceId, spanId, timeMs, value }
}

/** Of a data point message of this metric type; those without a trace are left out. */
export function exemplarsOf(record: Uint8Array, type: string): readonly Exemplar[] {
  const field = exemplarFields[type]
  if (field === undefined) return []
  const found: Exemplar[] = []
  eachField(record, 0, record.length, (tag, from, to) => {
    if (tag !== bytesTag(field)) return
    const exemplar = exemplarAt(record, from, to)
    if (exemplar.traceId !== '') found.push(exemplar)
  })
  return found
}

/** Whether an attribute has the value, compared as text; numbers and booleans as JSON writes them. */
export function hasValue(attributes: readonly Attribute[], key: string, wanted: string): boolean {
  return attributes.some(attribute => attribute.key === key && valueText(attribute.value) === wanted)
}
