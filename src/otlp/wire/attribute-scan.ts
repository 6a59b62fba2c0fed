/** Finds key and value of an opentelemetry.proto.common.v1.KeyValue and checks the value to the bottom. */
import { anyValueName } from '../fields/common-fields.ts'
import { type MessageShape, shapeNamed } from '../fields/message-shape.ts'
import { textAt } from './utf8-text.ts'
import { validateMessage } from './validate-message.ts'
import { cursor, doubleAt, readLength, readTag, readVarint, signed64, skipValue } from './varint.ts'

const anyValueShape: MessageShape = shapeNamed(anyValueName)

/** Where the last scanned attribute lies; shared like `cursor`. The value is an AnyValue message. */
export const attribute: { keyFrom: number; keyTo: number; valueFrom: number; valueTo: number } = {
  keyFrom: 0,
  keyTo: 0,
  valueFrom: 0,
  valueTo: 0,
}

/**
 * Reads the KeyValue `bytes[from, to)` into `attribute`. Throws when it is not well formed. A key or value that
 * comes twice counts as its last occurrence here; the record keeps both.
 */
export function scanAttribute(bytes: Uint8Array, from: number, to: number, depth: number): void {
  // What encoders send: key and value, each shorter than 128 bytes.
  const keyFrom = from + 2
  const keyLength = bytes[from + 1] ?? 0
  const valueFrom = keyFrom + keyLength + 2
  if (
    valueFrom <= to &&
    bytes[from] === 0x0a &&
    keyLength < 0x80 &&
    bytes[valueFrom - 2] === 0x12 &&
    bytes[valueFrom - 1] === to - valueFrom &&
    to - valueFrom < 0x80
  ) {
    attribute.keyFrom = keyFrom
    attribute.keyTo = keyFrom + keyLength
    attribute.valueFrom = valueFrom
    attribute.valueTo = to
    checkValue(bytes, valueFrom, to, depth + 1)
    return
  }
  scanUnusual(bytes, from, to, depth)
}

function scanUnusual(bytes: Uint8Array, from: number, to: number, depth: number): void {
  let keyFrom = from
  let keyTo = from
  let valueFrom = from
  let valueTo = from
  let pos = from
  while (pos < to) {
    const tag = readTag(bytes, pos, to)
    if (tag !== 0x0a && tag !== 0x12) {
      pos = skipValue(bytes, cursor.next, to, tag & 7)
      continue
    }
    const length = readLength(bytes, cursor.next, to)
    const start = cursor.next
    pos = start + length
    if (tag === 0x0a) {
      keyFrom = start
      keyTo = pos
    } else {
      valueFrom = start
      valueTo = pos
      checkValue(bytes, start, pos, depth + 1)
    }
  }
  attribute.keyFrom = keyFrom
  attribute.keyTo = keyTo
  attribute.valueFrom = valueFrom
  attribute.valueTo = valueTo
}

/** Throws unless `bytes[from, to)` is a well-formed AnyValue. */
export function checkValue(bytes: Uint8Array, from: number, to: number, depth: number): void {
  const length = to - from
  if (length === 0) return
  const tag = bytes[from]
  // A string, a bool, an integer, a double: each filling the value.
  if (tag === 0x0a) {
    const text = bytes[from + 1] ?? 0
    const more = bytes[from + 2] ?? 0
    if (text < 0x80 ? text === length - 2 : more < 0x80 && (text & 0x7f) + more * 0x80 === length - 3) return
  } else if (tag === 0x10 || tag === 0x18) {
    if (isShortVarint(bytes, from + 1, to)) return
  } else if (tag === 0x21 && length === 9) return
  validateMessage(anyValueShape, bytes, from, to, depth)
}

/** Whether the bytes are exactly one varint, of at most nine bytes: those need no look at the 64th bit. */
function isShortVarint(bytes: Uint8Array, from: number, to: number): boolean {
  if (from >= to || to - from > 9) return false
  for (let at = from; at < to - 1; at++) if ((bytes[at] ?? 0) < 0x80) return false
  return (bytes[to - 1] ?? 0) < 0x80
}

/** Where the string in the AnyValue `bytes[from, to)` starts, `to` being its end; -1 if it is not simply one. */
export function stringStart(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < 2 || bytes[from] !== 0x0a) return -1
  const length = readVarint(bytes, from + 1, to)
  return cursor.high === 0 && length === to - cursor.next ? cursor.next : -1
}

/**
 * The AnyValue `bytes[from, to)` as one number: integers, doubles and digits in a string. NaN for all else.
 */
export function numberAt(bytes: Uint8Array, from: number, to: number): number {
  const text = stringStart(bytes, from, to)
  if (text >= 0) return text === to ? Number.NaN : Number(textAt(bytes, text, to))
  if (to - from < 2) return Number.NaN
  const tag = bytes[from]
  if (tag === 0x21 && to - from === 9) return doubleAt(bytes, from + 1)
  if (tag !== 0x18) return Number.NaN
  const low = readVarint(bytes, from + 1, to)
  return signed64(low, cursor.high)
}

/** The well-formed AnyValue `bytes[from, to)` as text if it is a string or integer, else empty. */
export function shortTextAt(bytes: Uint8Array, from: number, to: number): string {
  const start = stringStart(bytes, from, to)
  if (start >= 0) return textAt(bytes, start, to)
  const number = numberAt(bytes, from, to)
  return Number.isNaN(number) ? '' : String(number)
}
