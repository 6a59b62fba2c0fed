/** A growing buffer that protobuf is written into. */

/** Room reserved at first; most rewritten records and small requests fit without growing. */
const initialBytes = 1024

export class ByteWriter {
  #bytes: Uint8Array
  #view: DataView
  /** Bytes written so far. */
  length = 0

  constructor(capacity: number = initialBytes) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** What was written, as a view that the next write may change. */
  view(from = 0): Uint8Array {
    return this.#bytes.subarray(from, this.length)
  }

  /** What was written, as a copy. */
  copy(): Uint8Array {
    return this.#bytes.slice(0, this.length)
  }

  reset(): void {
    this.length = 0
  }

  /** Makes room for `extra` bytes and returns the buffer to write them into at `length`. */
  reserve(extra: number): Uint8Array {
    if (this.length + extra > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + extra))
      grown.set(this.#bytes.subarray(0, this.length))
      this.#bytes = grown
      this.#view = new DataView(grown.buffer)
    }
    return this.#bytes
  }

  /** The buffer that `reserve` made room in, for writing words. */
  get data(): DataView {
    return this.#view
  }

  /** An unsigned number of at most 32 bits. */
  varint32(value: number): void {
    const bytes = this.reserve(5)
    let rest = value >>> 0
    while (rest >= 0x80) {
      bytes[this.length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    bytes[this.length++] = rest
  }

  /** 64 bits given as unsigned halves. */
  varint64(low: number, high: number): void {
    if (high === 0) {
      this.varint32(low)
      return
    }
    const bytes = this.reserve(10)
    let restLow = low >>> 0
    let restHigh = high >>> 0
    while (restHigh !== 0 || restLow >= 0x80) {
      bytes[this.length++] = (restLow & 0x7f) | 0x80
      restLow = ((restLow >>> 7) | (restHigh << 25)) >>> 0
      restHigh >>>= 7
    }
    bytes[this.length++] = restLow
  }

  fixed32(value: number): void {
    this.reserve(4)
    this.#view.setUint32(this.length, value, true)
    this.length += 4
  }

  fixed64(low: number, high: number): void {
    this.reserve(8)
    this.#view.setUint32(this.length, low, true)
    this.#view.setUint32(this.length + 4, high, true)
    this.length += 8
  }

  double(value: number): void {
    this.reserve(8)
    this.#view.setFloat64(this.length, value, true)
    this.length += 8
  }

  raw(bytes: Uint8Array, from = 0, to: number = bytes.length): void {
    this.reserve(to - from).set(
      from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to),
      this.length,
    )
    this.length += to - from
  }

  /** A length-delimited field with the given content. */
  bytesField(number: number, bytes: Uint8Array, from = 0, to: number = bytes.length): void {
    this.varint32((number << 3) | 2)
    this.varint32(to - from)
    this.raw(bytes, from, to)
  }

  /**
   * Starts a length-delimited value whose length takes `lengthBytes` bytes if the guess holds. Pass what this
   * returns to `endLength`.
   */
  beginLength(lengthBytes: number): number {
    this.reserve(lengthBytes)
    this.length += lengthBytes
    return this.length
  }

  /** Ends the value that starts at `start`; moves it if the guess was wrong. Returns the bytes its length took. */
  endLength(start: number, lengthBytes: number): number {
    const size = this.length - start
    const needed = varintBytes(size)
    if (needed !== lengthBytes) {
      this.reserve(needed)
      this.#bytes.copyWithin(start - lengthBytes + needed, start, this.length)
      this.length += needed - lengthBytes
    }
    const end = this.length
    this.length = start - lengthBytes
    this.varint32(size)
    this.length = end
    return needed
  }
}

/** Bytes of an unsigned 32-bit number as a varint. */
export function varintBytes(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x200000) return 3
  return value < 0x10000000 ? 4 : 5
}
