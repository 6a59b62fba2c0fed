/** Visits the fields of a message that is read for people: simple rather than fast. */
import {
  cursor,
  doubleAt,
  fixed32At,
  readLength,
  readTag,
  readVarint,
  signed64,
  skipValue,
  unsigned64,
} from './varint.ts'

/** One field as it stands in its message. Getters read the value as the type the table names. */
export class FieldView {
  number = 0
  wireType = 0
  readonly bytes: Uint8Array
  /** Content: of a length-delimited field without its length. */
  from = 0
  to = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** A varint as an unsigned 32-bit number. */
  uint32(): number {
    return readVarint(this.bytes, this.from, this.to)
  }

  /** A varint of type sint32. */
  sint32(): number {
    const value = readVarint(this.bytes, this.from, this.to)
    return (value >>> 1) ^ -(value & 1)
  }

  fixed32(): number {
    return fixed32At(this.bytes, this.from)
  }

  /** Unsigned 64 bits as a double, exact up to 2^53. */
  fixed64(): number {
    return unsigned64(fixed32At(this.bytes, this.from), fixed32At(this.bytes, this.from + 4))
  }

  /** Signed 64 bits as a double, exact up to 2^53. */
  sfixed64(): number {
    return signed64(fixed32At(this.bytes, this.from), fixed32At(this.bytes, this.from + 4))
  }

  /** Unsigned 64 bits, exact. */
  nanoseconds(): bigint {
    const high = fixed32At(this.bytes, this.from + 4)
    return (BigInt(high) << 32n) | BigInt(fixed32At(this.bytes, this.from))
  }

  double(): number {
    return doubleAt(this.bytes, this.from)
  }

  /** The content as a view. */
  content(): Uint8Array {
    return this.bytes.subarray(this.from, this.to)
  }

  /** The content as hexadecimal digits. */
  hex(): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + this.from, this.to - this.from).toString(
      'hex',
    )
  }

  /** Numbers of eight bytes, packed or one by one. */
  doubles(into: number[]): void {
    for (let at = this.from; at + 8 <= this.to; at += 8) into.push(doubleAt(this.bytes, at))
  }

  /** Unsigned 64-bit counts of eight bytes, packed or one by one. */
  counts(into: number[]): void {
    for (let at = this.from; at + 8 <= this.to; at += 8) {
      into.push(unsigned64(fixed32At(this.bytes, at), fixed32At(this.bytes, at + 4)))
    }
  }

  /** Unsigned varints, packed or one by one. */
  varints(into: number[]): void {
    for (let at = this.from; at < this.to; at = cursor.next) {
      const low = readVarint(this.bytes, at, this.to)
      into.push(unsigned64(low, cursor.high))
    }
  }
}

/**
 * Calls `visit` for every field of the message, in its order, with one view that is used again.
 * Throws `decode_error` when the message is not well formed.
 */
export function forEachField(message: Uint8Array, visit: (field: FieldView) => void): void {
  const field = new FieldView(message)
  for (let pos = 0; pos < message.length; ) {
    const tag = readTag(message, pos, message.length)
    const content = cursor.next
    pos = skipValue(message, content, message.length, tag & 7)
    field.number = tag >>> 3
    field.wireType = tag & 7
    field.from = field.wireType === 2 ? pos - readLength(message, content, message.length) : content
    field.to = pos
    visit(field)
  }
}
