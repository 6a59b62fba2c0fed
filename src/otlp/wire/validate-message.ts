/**
 * Checks a message against its table: every length, every known nested message, to the bottom. What passes
 * here can be read later without a decoding error.
 */
import type { FieldShape, MessageShape } from '../fields/message-shape.ts'
import { cursor, decodeError, maxDepth, readLength, readTag, readVarint, skipValue } from './varint.ts'

/**
 * Throws InvalidInputError `decode_error` unless `bytes[from, to)` is a well-formed message. Unknown fields, and
 * known ones with a foreign wire type, are stepped over as protobuf does. `depth` is that of this message.
 */
export function validateMessage(
  shape: MessageShape,
  bytes: Uint8Array,
  from: number,
  to: number,
  depth: number,
): void {
  if (depth > maxDepth) throw decodeError(`more than ${maxDepth} messages inside one another`, from)
  let pos = from
  while (pos < to) {
    const tag = readTag(bytes, pos, to)
    const wireType = tag & 7
    const field = shape.byNumber[tag >>> 3]
    if (field === undefined || wireType !== 2) {
      pos = skipValue(bytes, cursor.next, to, wireType)
      continue
    }
    const length = readLength(bytes, cursor.next, to)
    pos = cursor.next + length
    validateContent(field, bytes, pos - length, pos, depth)
  }
}

/** The same for the content of one length-delimited field of a message at `depth`. */
export function validateContent(
  field: FieldShape,
  bytes: Uint8Array,
  from: number,
  to: number,
  depth: number,
): void {
  if (field.message !== null) validateMessage(field.message, bytes, from, to, depth + 1)
  else if (field.packable) validatePacked(field.wireType, bytes, from, to)
}

function validatePacked(wireType: number, bytes: Uint8Array, from: number, to: number): void {
  if (wireType === 0) {
    for (let pos = from; pos < to; pos = cursor.next) readVarint(bytes, pos, to)
    return
  }
  const width = wireType === 1 ? 8 : 4
  if ((to - from) % width !== 0) throw decodeError('packed values of uneven length', from)
}
