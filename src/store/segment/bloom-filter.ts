/** A Bloom filter over 32-bit hashes: says of most hashes that were not added that they were not. */
import type { ByteReader, ByteWriter } from './bytes.ts'
import { corruptSegment } from './corrupt.ts'

/**
 * Seven probes, and seven to fourteen bits an entry, ten in the middle: one answer in a hundred is a maybe in vain.
 * A power of two of bits, because a remainder takes ten times as long as a mask: .2 µs a span with three values.
 */
const leastBitsEach = 7
const probes = 7

export function writeBloomFilter(out: ByteWriter, hashes: Uint32Array): void {
  const bytes = new Uint8Array(2 ** Math.max(3, Math.ceil(Math.log2((hashes.length * leastBitsEach) / 8))))
  const mask = bytes.length * 8 - 1
  for (let entry = 0; entry < hashes.length; entry++) {
    const hash = hashes[entry] as number
    const step = stepOf(hash) | 0
    for (let probe = 0, at = hash | 0; probe < probes; probe++, at = (at + step) | 0) {
      const bit = at & mask
      bytes[bit >>> 3] = (bytes[bit >>> 3] as number) | (1 << (bit & 7))
    }
  }
  out.block(bytes)
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
    for (let probe = 0, at = hash; probe < probes; probe++, at = (at + step) >>> 0) {
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
