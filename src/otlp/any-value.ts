/** opentelemetry.proto.common.v1.AnyValue as a plain value, and as text. */
import { textAt } from './wire/utf8-text.ts'
import {
  cursor,
  decodeError,
  doubleAt,
  maxDepth,
  readLength,
  readTag,
  readVarint,
  signed64,
  skipValue,
} from './wire/varint.ts'

/**
 * A plain attribute value. Integers are numbers where these are exact and bigints beyond; whether a number was
 * sent as integer or double is told only by the record. Null is a value without content.
 */
export type AttributeValue =
  | string
  | number
  | bigint
  | boolean
  | Uint8Array
  | null
  | readonly AttributeValue[]
  | { readonly [key: string]: AttributeValue }

/** Tags of the members of AnyValue, and of key and value of a KeyValue. */
const tags = {
  string: 0x0a,
  bool: 0x10,
  int: 0x18,
  double: 0x21,
  array: 0x2a,
  list: 0x32,
  bytes: 0x3a,
} as const

/** The AnyValue `bytes[from, to)`. Byte strings are views. Throws `decode_error` when it is not well formed. */
export function valueAt(bytes: Uint8Array, from: number, to: number, depth = 0): AttributeValue {
  if (depth > maxDepth) throw decodeError(`more than ${maxDepth} messages inside one another`, from)
  let value: AttributeValue = null
  for (let pos = from; pos < to; ) {
    const tag = readTag(bytes, pos, to)
    const content = cursor.next
    pos = skipValue(bytes, content, to, tag & 7)
    const start = (tag & 7) === 2 ? pos - readLength(bytes, content, to) : content
    switch (tag) {
      case tags.string:
        value = textAt(bytes, start, pos)
        break
      case tags.bool:
        value = readVarint(bytes, content, to) !== 0 || cursor.high !== 0
        break
      case tags.int:
        value = integerAt(bytes, content, to)
        break
      case tags.double:
        value = doubleAt(bytes, content)
        break
      case tags.array:
        value = [...(Array.isArray(value) ? value : []), ...listAt(bytes, start, pos, depth + 1)]
        break
      case tags.list:
        value = recordAt(bytes, start, pos, depth + 1, isRecord(value) ? value : {})
        break
      case tags.bytes:
        value = bytes.subarray(start, pos)
        break
      default:
    }
  }
  return value
}

/** Protobuf merges a map that comes in two parts; so does this. */
function isRecord(value: AttributeValue): value is { readonly [key: string]: AttributeValue } {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  )
}

function integerAt(bytes: Uint8Array, from: number, to: number): number | bigint {
  const low = readVarint(bytes, from, to)
  const number = signed64(low, cursor.high)
  return Number.isSafeInteger(number) ? number : BigInt.asIntN(64, (BigInt(cursor.high) << 32n) | BigInt(low))
}

function listAt(bytes: Uint8Array, from: number, to: number, depth: number): AttributeValue[] {
  const values: AttributeValue[] = []
  for (let pos = from; pos < to; ) {
    const tag = readTag(bytes, pos, to)
    const content = cursor.next
    pos = skipValue(bytes, content, to, tag & 7)
    if (tag === 0x0a) values.push(valueAt(bytes, pos - readLength(bytes, content, to), pos, depth + 1))
  }
  return values
}

function recordAt(
  bytes: Uint8Array,
  from: number,
  to: number,
  depth: number,
  before: { readonly [key: string]: AttributeValue },
): { readonly [key: string]: AttributeValue } {
  // Without a prototype, so that a key named __proto__ is a key.
  const record: { [key: string]: AttributeValue } = Object.assign(Object.create(null), before)
  for (let pos = from; pos < to; ) {
    const tag = readTag(bytes, pos, to)
    const content = cursor.next
    pos = skipValue(bytes, content, to, tag & 7)
    if (tag !== 0x0a) continue
    const pair = keyValueAt(bytes, pos - readLength(bytes, content, to), pos, depth + 1)
    record[pair.key] = pair.value
  }
  return record
}

export interface Attribute {
  readonly key: string
  readonly value: AttributeValue
}

/** The KeyValue `bytes[from, to)`. */
export function keyValueAt(bytes: Uint8Array, from: number, to: number, depth = 0): Attribute {
  let key = ''
  let value: AttributeValue = null
  for (let pos = from; pos < to; ) {
    const tag = readTag(bytes, pos, to)
    const content = cursor.next
    pos = skipValue(bytes, content, to, tag & 7)
    if (tag === 0x0a) key = textAt(bytes, pos - readLength(bytes, content, to), pos)
    else if (tag === 0x12) value = valueAt(bytes, pos - readLength(bytes, content, to), pos, depth + 1)
  }
  return { key, value }
}

/** A value as one line of text: strings as they are, everything else as compact JSON. Null is empty. */
export function valueText(value: AttributeValue): string {
  if (typeof value === 'string') return value
  return value === null ? '' : valueJson(value)
}

/** A value as compact JSON. Integers keep every digit, bytes are base64, NaN and the infinities are strings. */
export function valueJson(value: AttributeValue): string {
  if (value === null) return 'null'
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      return Number.isFinite(value) ? String(value) : `"${value}"`
    case 'bigint':
    case 'boolean':
      return String(value)
    default:
  }
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`
  if (Array.isArray(value)) return `[${value.map(valueJson).join(',')}]`
  return `{${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}:${valueJson(item)}`)
    .join(',')}}`
}
