/** A parsed JSON value into protobuf, along the field tables. */
import { InvalidInputError } from '../../errors.ts'
import type { ByteWriter } from '../wire/byte-writer.ts'
import { maxDepth } from '../wire/varint.ts'
import type { FieldPlan, MessagePlan } from './json-plan.ts'
import { jsonError, writeBase64, writeId, writeNumber, writeText } from './json-scalars.ts'

export interface JsonObject {
  readonly [key: string]: unknown
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Writes the fields of `value` in its own order. Unknown names are ignored, null is the default, defaults
 * are left out where absence means the same. Throws InvalidInputError `decode_error` for a value of the wrong
 * kind. `depth` is that of this message.
 */
export function encodeMessage(out: ByteWriter, plan: MessagePlan, value: JsonObject, depth: number): void {
  if (depth > maxDepth) {
    throw new InvalidInputError('decode_error', `more than ${maxDepth} messages inside one another`)
  }
  // What JSON.parse made has no enumerable properties but its own.
  for (const key in value) {
    const field = plan.get(key)
    const item = value[key]
    if (field === undefined || item === null) continue
    if (!field.repeated) encodeOne(out, field, item, depth)
    else if (!Array.isArray(item)) throw jsonError(field, 'an array')
    else if (field.packed) encodePacked(out, field, item)
    else for (const element of item) encodeOne(out, field, element ?? defaultOf(field), depth)
  }
}

/** Null inside an array counts as the default, and is an element all the same. */
function defaultOf(field: FieldPlan): unknown {
  return field.message === null ? '' : {}
}

function encodeOne(out: ByteWriter, field: FieldPlan, value: unknown, depth: number): void {
  // An element of a list is there even when it is empty.
  const skipDefault = !field.presence && !field.repeated
  switch (field.type) {
    case 'message': {
      if (field.message === null || !isJsonObject(value)) throw jsonError(field, 'an object')
      out.varint32(field.tag)
      const guess = field.lengthBytes
      const start = out.beginLength(guess)
      encodeMessage(out, field.message, value, depth + 1)
      field.lengthBytes = out.endLength(start, guess)
      return
    }
    case 'string':
      if (typeof value !== 'string') throw jsonError(field, 'a string')
      if (skipDefault && value === '') return
      out.varint32(field.tag)
      writeText(out, value)
      return
    case 'bytes':
      if (typeof value !== 'string') throw jsonError(field, field.idBytes === 0 ? 'base64' : 'hexadecimal')
      if (skipDefault && value === '') return
      out.varint32(field.tag)
      if (field.idBytes === 0) writeBase64(out, field, value)
      else writeId(out, value, field.idBytes)
      return
    default:
      writeNumber(out, field, value)
  }
}

function encodePacked(out: ByteWriter, field: FieldPlan, values: readonly unknown[]): void {
  if (values.length === 0) return
  out.varint32(field.packedTag)
  const guess = field.lengthBytes
  const start = out.beginLength(guess)
  for (const value of values) writeNumber(out, field, value ?? 0)
  field.lengthBytes = out.endLength(start, guess)
}
