/** Whether a message has an attribute, read from its bytes. */
import { keyValueAt, valueText } from '../../otlp/any-value.ts'
import { cursor, readLength, readTag, skipValue } from '../../otlp/wire/varint.ts'

/** Tag of the attributes of a Resource. */
export const resourceAttributeTag = 0x0a

export interface WantedAttribute {
  readonly key: string
  /** As text, without regard to case. */
  readonly value: string
}

/** Repeated KeyValue fields with this tag, in a LogRecord or a Resource message. */
export function hasAttribute(message: Uint8Array, attributeTag: number, wanted: WantedAttribute): boolean {
  const value = wanted.value.toLowerCase()
  const key = Buffer.from(wanted.key, 'utf8')
  for (let at = 0; at < message.length; ) {
    const tag = readTag(message, at, message.length)
    const content = cursor.next
    at = skipValue(message, content, message.length, tag & 7)
    if (tag !== attributeTag) continue
    const from = at - readLength(message, content, message.length)
    if (isOtherKey(message, from, at, key)) continue
    const attribute = keyValueAt(message, from, at)
    if (attribute.key === wanted.key && valueText(attribute.value).toLowerCase() === value) return true
  }
  return false
}

/** A KeyValue whose key stands first, as it does in nearly all, and is another one. */
function isOtherKey(message: Uint8Array, from: number, to: number, key: Uint8Array): boolean {
  if (to - from < 2 || message[from] !== 0x0a) return false
  const length = message[from + 1] as number
  if (length > 127 || from + 2 + length > to) return false
  if (length !== key.length) return message[from + 2 + length] === 0x12
  for (let at = 0; at < length; at++)
    if (message[from + 2 + at] !== key[at]) return message[from + 2 + length] === 0x12
  return false
}
