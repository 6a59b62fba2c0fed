/**
 * Bounds-checked reading of protobuf wire primitives. Every read names the end it must not cross, because a
 * length inside a message may lie even when the request around it is long enough.
 */
import { InvalidInputError } from '../../errors.ts'

/** Wire types of the encoding; 3 and 4 are the withdrawn groups, which OTLP never had. */
export const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

/**
 * Messages inside one another, from the export request down. The same figure as the default of protobuf's own
 * C++ and Java runtimes, so what they can send fits; it leaves room for more than thirty nested lists.
 */
export const maxDepth = 100

/**
 * What the last `readVarint` left behind: the position after it and the upper half of its 64 bits. Shared by
 * all readers of a thread, which is safe because reading never awaits; take both before the next read.
 */
export const cursor: { next: number; high: number } = { next: 0, high: 0 }

/** An undecodable request. `offset` is where reading stopped, counted from the start of the message at hand. */
export function decodeError(problem: string, offset: number): InvalidInputError {
  return new InvalidInputError('decode_error', `${problem} at byte ${offset}`)
}

/** The low 32 bits of a varint, unsigned; `cursor` holds the rest. Ten bytes at most, 64 bits at most. */
export function readVarint(bytes: Uint8Array, from: number, end: number): number {
  let pos = from
  let low = 0
  for (let shift = 0; shift < 28; shift += 7) {
    if (pos >= end) throw decodeError('truncated varint', pos)
    const byte = bytes[pos++] ?? 0
    low |= (byte & 0x7f) << shift
    if (byte < 0x80) return finishVarint(low, 0, pos)
  }
  if (pos >= end) throw decodeError('truncated varint', pos)
  const fifth = bytes[pos++] ?? 0
  low |= (fifth & 0x0f) << 28
  let high = (fifth & 0x7f) >>> 4
  if (fifth < 0x80) return finishVarint(low, high, pos)
  for (let shift = 3; shift < 32; shift += 7) {
    if (pos >= end) throw decodeError('truncated varint', pos)
    const byte = bytes[pos++] ?? 0
    // The tenth byte has room for one bit.
    if (shift === 31 && byte > 1) break
    high |= (byte & 0x7f) << shift
    if (byte < 0x80) return finishVarint(low, high, pos)
  }
  throw decodeError('varint longer than 64 bits', from)
}

function finishVarint(low: number, high: number, next: number): number {
  cursor.next = next
  cursor.high = high >>> 0
  return low >>> 0
}

/** The tag at `from`; the field number is `tag >>> 3`. Rejects field 0 and numbers above 29 bits. */
export function readTag(bytes: Uint8Array, from: number, end: number): number {
  const tag = readVarint(bytes, from, end)
  if (cursor.high !== 0 || tag >>> 3 === 0) throw decodeError('invalid field number', from)
  return tag
}

/** The length at `from`, known to fit before `end`; the content starts at `cursor.next`. */
export function readLength(bytes: Uint8Array, from: number, end: number): number {
  const length = readVarint(bytes, from, end)
  if (cursor.high !== 0 || length > end - cursor.next) throw decodeError('length beyond the end', from)
  return length
}

/** The position after the value of a field that starts at `from`. */
export function skipValue(bytes: Uint8Array, from: number, end: number, wireType: number): number {
  switch (wireType) {
    case wireTypes.varint:
      readVarint(bytes, from, end)
      return cursor.next
    case wireTypes.fixed64:
      return within(from + 8, end, from)
    case wireTypes.bytes:
      return readLength(bytes, from, end) + cursor.next
    case wireTypes.fixed32:
      return within(from + 4, end, from)
    default:
      throw decodeError(`unsupported wire type ${wireType}`, from)
  }
}

function within(next: number, end: number, from: number): number {
  if (next > end) throw decodeError('truncated fixed-width value', from)
  return next
}

/** Little-endian 32 bits, unsigned. The caller has checked that four bytes are there. */
export function fixed32At(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)) >>>
    0
  )
}

const floatView = new DataView(new ArrayBuffer(8))

/** The double whose little-endian halves are given. */
export function doubleOf(low: number, high: number): number {
  floatView.setUint32(0, low, true)
  floatView.setUint32(4, high, true)
  return floatView.getFloat64(0, true)
}

/** The little-endian double at `at`. The caller has checked that eight bytes are there. */
export function doubleAt(bytes: Uint8Array, at: number): number {
  return doubleOf(fixed32At(bytes, at), fixed32At(bytes, at + 4))
}

/** Signed 64 bits as a double, exact up to 2^53. */
export function signed64(low: number, high: number): number {
  return (high | 0) * 4294967296 + low
}

/** Unsigned 64 bits as a double, exact up to 2^53. */
export function unsigned64(low: number, high: number): number {
  return high * 4294967296 + low
}
