/** A Bloom filter over 32-bit hashes: says of most hashes that were not added that they were not. */
import type { ByteReader, ByteWriter } from './bytes.ts'
import { corruptSegment } from './corrupt.ts'
import type { HashList } from './hash-list.ts'

/** Ten bits an entry and seven probes: one answer in a hundred is a maybe in vain. */
const bitsEach = 10
const probes = 7

/** Hashes count as unsigned, whatever their sign is. */
export function writeBloomFilter(
  out: ByteWriter,
  { hashes, length }: HashList,
  bitsOfEach: number = bitsEach,
): void {
  const bytes = new Uint8Array(Math.max(8, Math.ceil((length * bitsOfEach) / 8)))
  // Unsigned throughout, so that the remainder is one of integers.
  const bits = (bytes.length * 8) >>> 0
  for (let index = 0; index < length; index++) setBits(bytes, bits, hashes[index] as number)
  out.block(bytes)
}

/**
 * Sums of remainders instead of a remainder a probe: a division takes as long as all else about one. `at` wraps at 2^32,
 * and what that takes off the remainder is the same each time.
 */
function setBits(bytes: Uint8Array, bits: number, hash: number): void {
  const step = stepOf(hash)
  const ahead = (step % bits) >>> 0
  const wrapped = (0x100000000 % bits) >>> 0
  let at = hash >>> 0
  let bit = (at % bits) >>> 0
  for (let probe = 0; probe < probes; probe++) {
    bytes[bit >>> 3] = (bytes[bit >>> 3] as number) | (1 << (bit & 7))
    const carry = ((at >>> 1) + (step >>> 1) + (at & step & 1)) >>> 31
    at = (at + step) >>> 0
    bit = (bit + ahead - (wrapped & -carry)) | 0
    bit = (bit + (bits & (bit >> 31)) - bits) | 0
    bit = (bit + (bits & (bit >> 31))) | 0
  }
}

export class BloomFilter {
  readonly #bytes: Uint8Array

  constructor(from: ByteReader) {
    this.#bytes = from.block().slice()
    if (this.#bytes.length === 0) throw corruptSegment('a filter is empty')
  }

  get byteLength(): number {
    return this.#bytes.length
  }

  mayHold(hash: number): boolean {
    const bits = this.#bytes.length * 8
    const step = stepOf(hash)
    for (let probe = 0, at = hash >>> 0; probe < probes; probe++, at = (at + step) >>> 0) {
      const bit = at % bits
      if (((this.#bytes[bit >>> 3] as number) & (1 << (bit & 7))) === 0) return false
    }
    return true
  }
}

/** Odd, so that probes do not fall together. */
function stepOf(hash: number): number {
  return (Math.imul(hash, 0x9e3779b1) | 1) >>> 0
}
