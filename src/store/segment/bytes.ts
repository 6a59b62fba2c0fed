/** Growing writer and bounds-checked reader of little-endian bytes and varints, for segment parts. */
import { corruptSegment } from './corrupt.ts'

/** A byte order mark is a character like any other in what was sent. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** `varint` holds integers up to 2^53 - 1; times and counts never need more. */
export class ByteWriter {
  bytes: Uint8Array
  /** The same memory. */
  data: DataView
  length = 0

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity)
    this.data = new DataView(this.bytes.buffer)
  }

  /** Makes room for `more` bytes, so that callers may write to `bytes` themselves. */
  reserve(more: number): void {
    const needed = this.length + more
    if (needed <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
    this.data = new DataView(grown.buffer)
  }

  u8(value: number): void {
    if (this.length === this.bytes.length) this.reserve(1)
    this.bytes[this.length++] = value
  }

  u32(value: number): void {
    this.reserve(4)
    this.bytes[this.length++] = value
    this.bytes[this.length++] = value >>> 8
    this.bytes[this.length++] = value >>> 16
    this.bytes[this.length++] = value >>> 24
  }

  varint(value: number): void {
    if (this.length + 8 > this.bytes.length) this.reserve(8)
    const { bytes } = this
    let at = this.length
    let rest = value
    if (rest >= 0x10000000) {
      // Four groups at once, so that what follows needs no doubles.
      const high = Math.floor(rest / 0x10000000)
      const low = rest - high * 0x10000000
      bytes[at++] = low | 128
      bytes[at++] = (low >>> 7) | 128
      bytes[at++] = (low >>> 14) | 128
      bytes[at++] = (low >>> 21) | 128
      rest = high
    }
    // What is left of 2^53 - 1 is below 2^25.
    while (rest > 127) {
      bytes[at++] = (rest & 127) | 128
      rest >>>= 7
    }
    bytes[at++] = rest
    this.length = at
  }

  /** Signed, small magnitudes short; |value| below 2^52. */
  zigzag(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value)
  }

  raw(source: Uint8Array, from = 0, to: number = source.length): void {
    const size = to - from
    this.reserve(size)
    // Below some dozens of bytes a loop beats the call that makes a view and copies.
    const { bytes, length } = this
    if (size < 32) for (let at = 0; at < size; at++) bytes[length + at] = source[from + at] as number
    else bytes.set(source.subarray(from, to), length)
    this.length = length + size
  }

  /** The bytes of `source` in [from, to), which are few: word by word. */
  words(source: DataView, from: number, to: number): void {
    const size = to - from
    if (this.length + size > this.bytes.length) this.reserve(size)
    const { data, length } = this
    this.length = length + size
    if (size < 4) {
      for (let at = 0; at < size; at++) data.setUint8(length + at, source.getUint8(from + at))
      return
    }
    const last = size - 4
    for (let at = 0; at < last; at += 4) data.setInt32(length + at, source.getInt32(from + at, true), true)
    data.setInt32(length + last, source.getInt32(from + last, true), true)
  }

  /** Length and bytes. */
  block(source: Uint8Array): void {
    this.varint(source.length)
    this.raw(source)
  }

  text(value: string): void {
    this.block(Buffer.from(value, 'utf8'))
  }

  done(): Uint8Array {
    return this.bytes.slice(0, this.length)
  }

  view(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }
}

/** Every read checks the end; running over it is a corrupt part. */
export class ByteReader {
  readonly bytes: Uint8Array
  readonly end: number
  at: number

  constructor(bytes: Uint8Array, at = 0, end: number = bytes.length) {
    // A Buffer's slice() shares memory, so that one would keep whole parts alive: views are plain from here on.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    this.at = at
    this.end = end
  }

  u8(): number {
    if (this.at >= this.end) throw corruptSegment('it ends too early')
    return this.bytes[this.at++] as number
  }

  u32(): number {
    if (this.at + 4 > this.end) throw corruptSegment('it ends too early')
    const b = this.bytes
    const at = this.at
    this.at += 4
    return (
      ((b[at] as number) |
        ((b[at + 1] as number) << 8) |
        ((b[at + 2] as number) << 16) |
        ((b[at + 3] as number) << 24)) >>>
      0
    )
  }

  varint(): number {
    const { at } = this
    // Most are of one byte; the rest stands apart so that this is small enough to be inlined.
    const byte = at < this.end ? (this.bytes[at] as number) : 128
    if (byte > 127) return this.#longVarint()
    this.at = at + 1
    return byte
  }

  #longVarint(): number {
    const { bytes, end } = this
    let { at } = this
    let value = 0
    let byte = 128
    // Four groups are a small integer; what is above them needs doubles.
    for (let shift = 0; byte > 127 && shift < 28; shift += 7) {
      if (at >= end) throw corruptSegment('it ends too early')
      byte = bytes[at++] as number
      value |= (byte & 127) << shift
    }
    for (let scale = 2 ** 28; byte > 127; scale *= 128) {
      if (at >= end) throw corruptSegment('it ends too early')
      byte = bytes[at++] as number
      value += (byte & 127) * scale
    }
    if (value > Number.MAX_SAFE_INTEGER) throw corruptSegment('a number is out of range')
    this.at = at
    return value
  }

  zigzag(): number {
    const value = this.varint()
    if (value <= 0x7fffffff) return (value >>> 1) ^ -(value & 1)
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  /** Passes over so many numbers that are not wanted. */
  skipVarints(count: number): void {
    const { bytes, end } = this
    let { at } = this
    for (let left = count; left > 0; at++) {
      if (at >= end) throw corruptSegment('it ends too early')
      if ((bytes[at] as number) < 128) left--
    }
    this.at = at
  }

  /** A view of the next `size` bytes. */
  raw(size: number): Uint8Array {
    if (size > this.end - this.at) throw corruptSegment('it ends too early')
    const view = this.bytes.subarray(this.at, this.at + size)
    this.at += size
    return view
  }

  skip(size: number): void {
    if (size > this.end - this.at) throw corruptSegment('it ends too early')
    this.at += size
  }

  block(): Uint8Array {
    return this.raw(this.varint())
  }

  text(): string {
    return decoder.decode(this.block())
  }

  /** A count of things that take at least one byte each, so that damage cannot ask for gigabytes. */
  count(): number {
    const value = this.varint()
    if (value > this.end - this.at) throw corruptSegment('a count is larger than what follows')
    return value
  }
}
