/** What a stored LogRecord holds beyond its columns. Every function throws `decode_error` for a malformed record. */
import { type AttributeValue, valueAt, valueText } from '../any-value.ts'
import { stringStart } from '../wire/attribute-scan.ts'
import { ByteWriter } from '../wire/byte-writer.ts'
import { forEachField } from '../wire/field-walk.ts'
import { textAt } from '../wire/utf8-text.ts'
import { cursor, readLength, readTag, skipValue } from '../wire/varint.ts'

const bodyTag = 0x2a

/** Where the body of a record lies; shared like the reader's cursor. */
const body = { from: 0, to: 0 }

/**
 * Finds the body; how often it occurs. More than once is legal in protobuf, where the parts are then merged,
 * but no encoder does it.
 */
function findBody(record: Uint8Array): number {
  let found = 0
  for (let pos = 0; pos < record.length; ) {
    const tag = readTag(record, pos, record.length)
    const content = cursor.next
    pos = skipValue(record, content, record.length, tag & 7)
    if (tag !== bodyTag) continue
    found++
    body.from = pos - readLength(record, content, record.length)
    body.to = pos
  }
  return found
}

/** The body as text: strings as they are, everything else as compact JSON, empty if there is none. */
export function logBodyText(record: Uint8Array): string {
  if (findBody(record) === 1) {
    const start = stringStart(record, body.from, body.to)
    if (start >= 0) return textAt(record, start, body.to)
  }
  return valueText(logBody(record))
}

/** The body as a plain value; null if there is none. */
export function logBody(record: Uint8Array): AttributeValue {
  const found = findBody(record)
  if (found === 0) return null
  if (found === 1) return valueAt(record, body.from, body.to)
  const merged = new ByteWriter()
  forEachField(record, field => {
    if (field.number === bodyTag >>> 3 && field.wireType === 2) merged.raw(field.content())
  })
  return valueAt(merged.view(), 0, merged.length)
}

export interface LogDetails {
  readonly severityText: string
  /** Nanoseconds since the epoch, 0 if not given. */
  readonly timeNs: bigint
  readonly observedTimeNs: bigint
  /** Bits of the proto's LogRecordFlags. */
  readonly flags: number
  readonly droppedAttributes: number
}

export function logDetails(record: Uint8Array): LogDetails {
  const details = { severityText: '', timeNs: 0n, observedTimeNs: 0n, flags: 0, droppedAttributes: 0 }
  forEachField(record, field => {
    if (field.number === 1) details.timeNs = field.nanoseconds()
    else if (field.number === 3) details.severityText = textAt(record, field.from, field.to)
    else if (field.number === 7) details.droppedAttributes = field.uint32()
    else if (field.number === 8) details.flags = field.fixed32()
    else if (field.number === 11) details.observedTimeNs = field.nanoseconds()
  })
  return details
}
