/**
 * Whether a segment may hold a trace, a sixth of the size of its index of traces: small enough to be kept for all
 * segments, so that a look-up reads the indexes of a few.
 */
import { BloomFilter, writeBloomFilter } from './bloom-filter.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import { HashList } from './hash-list.ts'
import { hashOfTrace, prefixOf, type TraceIndex } from './trace-index.ts'

/** One answer in six hundred is a maybe in vain: of the thousand segments of ten million spans, one or two. */
const bitsOfTrace = 14

/** What a look-up asks filters for. */
export interface TraceKey {
  /** The first four bytes of the id, big-endian. */
  readonly prefix: number
  readonly hash: number
}

export function traceKey(id: Uint8Array): TraceKey {
  return { prefix: prefixOf(id, 0), hash: hashOfTrace(id) }
}

export class TraceFilter {
  readonly #filter: BloomFilter

  /** Ids are random, and their first bytes as good as hashes, but those of 64 bits, which begin with zeros. */
  constructor({ prefixes, hashes }: TraceIndex) {
    const keys = new HashList()
    for (let at = 0; at < prefixes.length; at++) keys.add(prefixes[at] as number)
    if (prefixes[0] === 0) for (let at = 0; at < hashes.length; at++) keys.add(hashes[at] as number)
    const out = new ByteWriter(keys.length * 2 + 16)
    writeBloomFilter(out, keys, bitsOfTrace)
    this.#filter = new BloomFilter(new ByteReader(out.done()))
  }

  get byteLength(): number {
    return this.#filter.byteLength
  }

  /** False is certain; true is wrong about once in six hundred segments. */
  mayHold({ prefix, hash }: TraceKey): boolean {
    return this.#filter.mayHold(prefix) && (prefix !== 0 || this.#filter.mayHold(hash))
  }

  /** The same of any trace whose first four bytes are `prefix`. */
  mayHoldPrefix(prefix: number): boolean {
    return this.#filter.mayHold(prefix)
  }
}
