/** A protobuf message as a plain object in the JSON mapping of OTLP, along its field table. */
import type { FieldShape, MessageShape } from '../fields/message-shape.ts'
import { textAt } from '../wire/utf8-text.ts'
import {
  cursor,
  decodeError,
  doubleAt,
  fixed32At,
  maxDepth,
  readLength,
  readTag,
  readVarint,
  skipValue,
} from '../wire/varint.ts'

/** 64-bit integers are decimal text, ids hexadecimal, other bytes base64, enums integers; defaults are absent. */
export type PlainValue = string | number | boolean | readonly PlainValue[] | PlainMessage

export interface PlainMessage {
  [jsonName: string]: PlainValue
}

/**
 * The message `bytes` as JSON would have it. Unknown fields are left out. Throws `decode_error` when it is not
 * well formed.
 */
export function decodePlain(shape: MessageShape, bytes: Uint8Array): PlainMessage {
  const message: PlainMessage = {}
  decodeInto(message, shape, bytes, 0, bytes.length, 1)
  return message
}

function decodeInto(
  message: PlainMessage,
  shape: MessageShape,
  bytes: Uint8Array,
  from: number,
  to: number,
  depth: number,
): void {
  if (depth > maxDepth) throw decodeError(`more than ${maxDepth} messages inside one another`, from)
  for (let pos = from; pos < to; ) {
    const tag = readTag(bytes, pos, to)
    const content = cursor.next
    pos = skipValue(bytes, content, to, tag & 7)
    const field = shape.byNumber[tag >>> 3]
    if (field === undefined) continue
    const packed = field.packable && (tag & 7) === 2
    if (!packed && (tag & 7) !== field.wireType) continue
    const start = (tag & 7) === 2 ? pos - readLength(bytes, content, to) : content
    if (field.spec.oneof !== '') dropSiblings(message, shape, field)
    if (field.message !== null) addMessage(message, field, field.message, bytes, start, pos, depth)
    else if (packed) addPacked(message, field, bytes, start, pos)
    else add(message, field, scalarAt(field, bytes, start, pos))
  }
}

function dropSiblings(message: PlainMessage, shape: MessageShape, field: FieldShape): void {
  for (const other of shape.fields) {
    if (other.spec.oneof === field.spec.oneof && other !== field) delete message[other.spec.jsonName]
  }
}

function addMessage(
  message: PlainMessage,
  field: FieldShape,
  shape: MessageShape,
  bytes: Uint8Array,
  from: number,
  to: number,
  depth: number,
): void {
  const before = message[field.spec.jsonName]
  // A message that comes in two parts is one.
  const value: PlainMessage = !field.spec.repeated && isMessage(before) ? before : {}
  decodeInto(value, shape, bytes, from, to, depth + 1)
  add(message, field, value)
}

function isMessage(value: PlainValue | undefined): value is PlainMessage {
  return typeof value === 'object' && !Array.isArray(value)
}

function addPacked(
  message: PlainMessage,
  field: FieldShape,
  bytes: Uint8Array,
  from: number,
  to: number,
): void {
  for (let pos = from; pos < to; ) {
    const start = pos
    pos = skipValue(bytes, pos, to, field.wireType)
    add(message, field, scalarAt(field, bytes, start, pos))
  }
}

function add(message: PlainMessage, field: FieldShape, value: PlainValue): void {
  const { jsonName, repeated } = field.spec
  const before = message[jsonName]
  if (!repeated) {
    if (field.presence || !isDefault(value)) message[jsonName] = value
    else delete message[jsonName]
  } else if (Array.isArray(before)) before.push(value)
  else message[jsonName] = [value]
}

function isDefault(value: PlainValue): boolean {
  return value === '' || value === '0' || Object.is(value, 0) || value === false
}

function scalarAt(field: FieldShape, bytes: Uint8Array, from: number, to: number): PlainValue {
  switch (field.spec.type) {
    case 'double': {
      const number = doubleAt(bytes, from)
      return Number.isFinite(number) ? number : String(number)
    }
    case 'fixed64':
      return String(BigInt.asUintN(64, wide(fixed32At(bytes, from), fixed32At(bytes, from + 4))))
    case 'sfixed64':
      return String(BigInt.asIntN(64, wide(fixed32At(bytes, from), fixed32At(bytes, from + 4))))
    case 'uint64':
    case 'int64': {
      const low = readVarint(bytes, from, to)
      const value = wide(low, cursor.high)
      return String(field.spec.type === 'int64' ? BigInt.asIntN(64, value) : value)
    }
    case 'fixed32':
      return fixed32At(bytes, from)
    case 'uint32':
      return readVarint(bytes, from, to)
    case 'int32':
    case 'enum':
      return readVarint(bytes, from, to) | 0
    case 'sint32': {
      const value = readVarint(bytes, from, to)
      return (value >>> 1) ^ -(value & 1)
    }
    case 'bool':
      return readVarint(bytes, from, to) !== 0 || cursor.high !== 0
    case 'string':
      return textAt(bytes, from, to)
    case 'bytes': {
      const view = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from)
      return view.toString(field.spec.idBytes === 0 ? 'base64' : 'hex')
    }
    default:
      throw new Error(`field ${field.spec.name} is no scalar`)
  }
}

function wide(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low)
}
