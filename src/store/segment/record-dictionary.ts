/**
 * What is left of the messages of a segment, split into chunks (one per field; for an attribute one per key
 * and value) and counted, so that chunks that repeat are stored once and referred to by number.
 *
 * A key whose values hardly repeat stops asking the dictionary after `trialValues`, which keeps both the
 * dictionary and the time spent on it small.
 */
import { ByteWriter } from './bytes.ts'

/** Chunks larger than this are not looked up: hashing them costs more than finding a repeat saves. */
const maxChunkBytes = 4096
/** Distinct values of a key before it is judged. */
const trialValues = 128
/** Entries of one dictionary; two bytes of token reach half of it. */
const maxEntries = 16384

/** Open addressing over byte strings in one arena. */
class ByteTable {
  readonly arena = new ByteWriter(16384)
  readonly starts: number[] = [0]
  readonly #hashes: number[] = []
  #slots = new Int32Array(1024).fill(-1)

  get count(): number {
    return this.#hashes.length
  }

  /** Index of the bytes, added if they are new. */
  add(bytes: Uint8Array, from: number, to: number): number {
    const hash = sampledHash(bytes, from, to)
    let mask = this.#slots.length - 1
    let slot = hash & mask
    while (true) {
      const held = this.#slots[slot] as number
      if (held < 0) break
      if (this.#hashes[held] === hash && this.equals(held, bytes, from, to)) return held
      slot = (slot + 1) & mask
    }
    const index = this.#hashes.length
    this.#hashes.push(hash)
    this.arena.raw(bytes, from, to)
    this.starts.push(this.arena.length)
    this.#slots[slot] = index
    if (index * 2 > mask) {
      const slots = new Int32Array((mask + 1) * 2).fill(-1)
      mask = slots.length - 1
      for (let entry = 0; entry <= index; entry++) {
        let free = (this.#hashes[entry] as number) & mask
        while ((slots[free] as number) >= 0) free = (free + 1) & mask
        slots[free] = entry
      }
      this.#slots = slots
    }
    return index
  }

  bytesOf(index: number): Uint8Array {
    return this.arena.bytes.subarray(this.starts[index], this.starts[index + 1])
  }

  /** Whether the entry without its first `skip` bytes is `bytes[from, to)`. */
  endsWith(index: number, skip: number, bytes: Uint8Array, from: number, to: number): boolean {
    const start = (this.starts[index] as number) + skip
    if ((this.starts[index + 1] as number) - start !== to - from) return false
    const arena = this.arena.bytes
    // From the end: chunks of one key begin alike and differ in their values.
    for (let at = to - 1, other = start + to - from - 1; at >= from; at--, other--)
      if (arena[other] !== bytes[at]) return false
    return true
  }

  equals(index: number, bytes: Uint8Array, from: number, to: number): boolean {
    return this.endsWith(index, 0, bytes, from, to)
  }
}

/**
 * FNV-1a over short texts; over longer ones only length, the last 16 bytes and every eighth before. That is
 * enough, since a find is compared in full and a key whose values hardly repeat is soon left alone.
 */
function sampledHash(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5 ^ (to - from)
  let at = from
  for (const tail = to - 16; at < tail; at += 8) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
  for (at = Math.max(from, to - 16); at < to; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
  return hash ^ (hash >>> 15)
}

/** How well the values of a key repeat, and what to expect: rows of one kind resemble each other. */
interface KeyStatistics {
  readonly tag: number
  readonly isAttribute: boolean
  /** The key that followed last time. */
  next: number
  /** The chunk seen last. */
  last: number
  seen: number
  distinct: number
  literal: boolean
}

/** Where a key lies, and the chunk it is in. */
export interface KeyRange {
  from: number
  to: number
  start: number
  end: number
}

/** Counts chunks in a first pass; `finish` numbers those worth an entry, most frequent first. */
export class RecordDictionary {
  readonly #keys = new ByteTable()
  readonly #keyStatistics: KeyStatistics[] = []
  readonly #chunks = new ByteTable()
  readonly #chunkCounts: number[] = []
  readonly #scratch = new ByteWriter(256)
  #previousKey = -1
  /** The chunk of the key just asked for is the one its key saw last. */
  #isLast = false

  /**
   * Number of the key `bytes[from, to)` under `tag`; a plain field has an empty key. The chunk it begins,
   * `bytes[start, end)`, is asked for next.
   */
  key(tag: number, isAttribute: boolean, bytes: Uint8Array, { from, to, start, end }: KeyRange): number {
    const previous = this.#keyStatistics[this.#previousKey]
    const expected = previous?.next ?? -1
    this.#isLast = false
    if (expected >= 0) {
      const { last, literal } = this.#keyStatistics[expected] as KeyStatistics
      // The chunk holds tag and key: if it is the one seen last, nothing else has to be compared.
      this.#isLast = last >= 0 && !literal && this.#chunks.equals(last, bytes, start, end)
      if (this.#isLast || this.#isKey(expected, tag, isAttribute, bytes, from, to)) {
        this.#previousKey = expected
        return expected
      }
    }
    this.#scratch.length = 0
    this.#scratch.varint(tag)
    this.#scratch.u8(isAttribute ? 1 : 0)
    this.#scratch.raw(bytes, from, to)
    const index = this.#keys.add(this.#scratch.bytes, 0, this.#scratch.length)
    if (index === this.#keyStatistics.length)
      this.#keyStatistics.push({ tag, isAttribute, next: -1, last: -1, seen: 0, distinct: 0, literal: false })
    if (previous !== undefined) previous.next = index
    this.#previousKey = index
    return index
  }

  /** Number of the chunk `bytes[from, to)` of the key just asked for, or -1 where the value had better be stored as it is. */
  chunk(key: number, bytes: Uint8Array, from: number, to: number): number {
    const statistics = this.#keyStatistics[key] as KeyStatistics
    if (statistics.literal || to - from > maxChunkBytes) return -1
    if (this.#isLast) {
      statistics.seen++
      this.#chunkCounts[statistics.last] = (this.#chunkCounts[statistics.last] as number) + 1
      return statistics.last
    }
    if (this.#chunks.count >= maxEntries) return -1
    const index = this.#chunks.add(bytes, from, to)
    statistics.seen++
    statistics.last = index
    if (index === this.#chunkCounts.length) {
      this.#chunkCounts.push(1)
      statistics.distinct++
      if (statistics.distinct > trialValues && statistics.distinct * 2 > statistics.seen)
        statistics.literal = true
    } else {
      this.#chunkCounts[index] = (this.#chunkCounts[index] as number) + 1
    }
    return index
  }

  /** Keys are kept as tag, one byte, key; the tag takes one byte or the guess is not tried. */
  #isKey(
    index: number,
    tag: number,
    isAttribute: boolean,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): boolean {
    const known = this.#keyStatistics[index] as KeyStatistics
    if (known.tag !== tag || known.isAttribute !== isAttribute || tag > 127) return false
    return this.#keys.endsWith(index, 2, bytes, from, to)
  }

  /** Entry number per chunk, -1 for those seen once; appends keys and entries to `out`. */
  finish(out: ByteWriter): Int32Array {
    out.varint(this.#keys.count)
    for (let key = 0; key < this.#keys.count; key++) out.block(this.#keys.bytesOf(key))
    const repeated: number[] = []
    for (let chunk = 0; chunk < this.#chunkCounts.length; chunk++)
      if ((this.#chunkCounts[chunk] as number) > 1) repeated.push(chunk)
    repeated.sort((a, b) => (this.#chunkCounts[b] as number) - (this.#chunkCounts[a] as number) || a - b)
    const entryOf = new Int32Array(this.#chunkCounts.length).fill(-1)
    out.varint(repeated.length)
    for (let entry = 0; entry < repeated.length; entry++) {
      const chunk = repeated[entry] as number
      entryOf[chunk] = entry
      out.block(this.#chunks.bytesOf(chunk))
    }
    return entryOf
  }
}
