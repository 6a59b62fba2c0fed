/** Growing writer and bounds-checked reader of the primitives that rollup blocks consist of. */
import { StoreError } from '../../errors.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export class BlockWriter {
  #bytes = new Uint8Array(4096)
  #view: DataView = new DataView(this.#bytes.buffer)
  #length = 0

  get length(): number {
    return this.#length
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  uint32(value: number): void {
    this.#reserve(4)
    this.#view.setUint32(this.#length, value, true)
    this.#length += 4
  }

  float64(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
  }

  /** A whole number from 0 to 2^53 in groups of seven bits, lowest first. */
  varint(value: number): void {
    this.#reserve(8)
    let rest = value
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#length++] = rest
  }

  /**
   * A signed number, small ones short. What is not a whole number below 2^52 is written as 0x01 (which
   * stands for no number) and eight bytes, so that a sum beyond the exact range is kept all the same.
   */
  signed(value: number): void {
    if (Number.isInteger(value) && Math.abs(value) < 4503599627370496) {
      this.varint(value > 0 ? value * 2 : value < 0 ? -value * 2 + 1 : 0)
    } else {
      this.byte(1)
      this.float64(value)
    }
  }

  text(value: string): void {
    const bytes = encoder.encode(value)
    this.varint(bytes.length)
    this.raw(bytes)
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** What was written so far, until more is. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return
    const wider = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + bytes))
    wider.set(this.#bytes)
    this.#bytes = wider
    this.#view = new DataView(wider.buffer)
  }
}

/** Throws StoreError `corrupt_rollup` at the first read beyond the end. */
export class BlockReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get remaining(): number {
    return this.#bytes.length - this.#at
  }

  byte(): number {
    return this.#bytes[this.#take(1)] ?? 0
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  float64(): number {
    return this.#view.getFloat64(this.#take(8), true)
  }

  varint(): number {
    const bytes = this.#bytes
    const at = this.#at
    // Nearly all numbers are of one to four bytes and not at the end: no check and no call for each byte.
    if (at + 4 <= bytes.length) {
      const first = bytes[at] as number
      if (first < 0x80) {
        this.#at = at + 1
        return first
      }
      const second = bytes[at + 1] as number
      if (second < 0x80) {
        this.#at = at + 2
        return (first & 0x7f) | (second << 7)
      }
      const third = bytes[at + 2] as number
      if (third < 0x80) {
        this.#at = at + 3
        return (first & 0x7f) | ((second & 0x7f) << 7) | (third << 14)
      }
      const fourth = bytes[at + 3] as number
      if (fourth < 0x80) {
        this.#at = at + 4
        return (first & 0x7f) | ((second & 0x7f) << 7) | ((third & 0x7f) << 14) | (fourth << 21)
      }
    }
    return this.#longVarint()
  }

  #longVarint(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 8; i++) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
    throw corrupt('a number of more than eight bytes')
  }

  signed(): number {
    const raw = this.varint()
    if (raw === 1) return this.float64()
    return raw % 2 === 0 ? raw / 2 : -(raw - 1) / 2
  }

  /** `length` times `signed`, each added to the one before where `running`. */
  signedColumn(length: number, running = false): Float64Array {
    if (length > this.remaining) throw corrupt(`${length} numbers in ${this.remaining} bytes`)
    const column = new Float64Array(length)
    let last = 0
    for (let i = 0; i < length; i++) {
      const value = this.signed()
      last = running ? last + value : value
      column[i] = last
    }
    return column
  }

  /** A count of things that take at least `bytesEach` bytes; refused when the rest cannot hold them. */
  count(bytesEach: number): number {
    const count = this.varint()
    if (count * bytesEach > this.remaining)
      throw corrupt(`a count of ${count} with ${this.remaining} bytes left`)
    return count
  }

  text(): string {
    return decoder.decode(this.raw(this.count(1)))
  }

  /** A view, not a copy. */
  raw(length: number): Uint8Array {
    const from = this.#take(length)
    return this.#bytes.subarray(from, from + length)
  }

  #take(length: number): number {
    const from = this.#at
    if (from + length > this.#bytes.length) throw corrupt('the block ends early')
    this.#at = from + length
    return from
  }
}

/** What a damaged rollup block is answered with. */
export function corrupt(problem: string): StoreError {
  return new StoreError('corrupt_rollup', `rollup block is damaged: ${problem}`)
}
