/** What a stored Span holds beyond its columns. Every function throws `decode_error` for a malformed record. */
import type { Attribute } from '../any-value.ts'
import { attributesTagged } from '../attributes.ts'
import { forEachField } from '../wire/field-walk.ts'
import { textAt } from '../wire/utf8-text.ts'

export interface SpanEvent {
  /** Nanoseconds since the epoch. */
  readonly timeNs: bigint
  readonly name: string
  readonly attributes: readonly Attribute[]
  readonly droppedAttributes: number
}

export interface SpanLink {
  /** Lower-case hexadecimal; empty where a bad id was left out. */
  readonly traceId: string
  readonly spanId: string
  readonly traceState: string
  readonly flags: number
  readonly attributes: readonly Attribute[]
  readonly droppedAttributes: number
}

/** What else is on the span itself. */
export interface SpanDetails {
  readonly traceState: string
  readonly statusMessage: string
  /** Bits of the proto's SpanFlags. */
  readonly flags: number
  readonly droppedAttributes: number
  readonly droppedEvents: number
  readonly droppedLinks: number
}

/** Field numbers of Span. */
const spanFields = {
  traceState: 3,
  droppedAttributes: 10,
  events: 11,
  droppedEvents: 12,
  links: 13,
  droppedLinks: 14,
  status: 15,
  flags: 16,
} as const

export function spanDetails(span: Uint8Array): SpanDetails {
  const details = {
    traceState: '',
    statusMessage: '',
    flags: 0,
    droppedAttributes: 0,
    droppedEvents: 0,
    droppedLinks: 0,
  }
  forEachField(span, field => {
    switch (field.number) {
      case spanFields.traceState:
        details.traceState = textAt(span, field.from, field.to)
        break
      case spanFields.droppedAttributes:
        details.droppedAttributes = field.uint32()
        break
      case spanFields.droppedEvents:
        details.droppedEvents = field.uint32()
        break
      case spanFields.droppedLinks:
        details.droppedLinks = field.uint32()
        break
      case spanFields.flags:
        details.flags = field.fixed32()
        break
      case spanFields.status:
        details.statusMessage = messageOfStatus(field.content()) ?? details.statusMessage
        break
      default:
    }
  })
  return details
}

function messageOfStatus(status: Uint8Array): string | null {
  let message: string | null = null
  forEachField(status, field => {
    if (field.number === 2) message = textAt(status, field.from, field.to)
  })
  return message
}

/** The span's events, in the order they were sent. */
export function spanEvents(span: Uint8Array): readonly SpanEvent[] {
  const events: SpanEvent[] = []
  forEachField(span, field => {
    if (field.number === spanFields.events && field.wireType === 2) events.push(eventOf(field.content()))
  })
  return events
}

function eventOf(event: Uint8Array): SpanEvent {
  let timeNs = 0n
  let name = ''
  let droppedAttributes = 0
  forEachField(event, field => {
    if (field.number === 1) timeNs = field.nanoseconds()
    else if (field.number === 2) name = textAt(event, field.from, field.to)
    else if (field.number === 4) droppedAttributes = field.uint32()
  })
  return { timeNs, name, attributes: attributesTagged(event, 0x1a), droppedAttributes }
}

/** The span's links, in the order they were sent. */
export function spanLinks(span: Uint8Array): readonly SpanLink[] {
  const links: SpanLink[] = []
  forEachField(span, field => {
    if (field.number === spanFields.links && field.wireType === 2) links.push(linkOf(field.content()))
  })
  return links
}

function linkOf(link: Uint8Array): SpanLink {
  const parts = { traceId: '', spanId: '', traceState: '', droppedAttributes: 0, flags: 0 }
  forEachField(link, field => {
    if (field.number === 1) parts.traceId = field.hex()
    else if (field.number === 2) parts.spanId = field.hex()
    else if (field.number === 3) parts.traceState = textAt(link, field.from, field.to)
    else if (field.number === 5) parts.droppedAttributes = field.uint32()
    else if (field.number === 6) parts.flags = field.fixed32()
  })
  return { ...parts, attributes: attributesTagged(link, 0x22) }
}
