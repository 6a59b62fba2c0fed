/**
 * A Bloom filter over how the words of a log segment begin, about 14 kB where every line has an id of its own:
 * small enough to be kept for all segments, so that a word or a prefix that is nowhere costs no read at all.
 *
 * Beginnings of four bytes are in it for words without a digit among them, which are few and make most searches,
 * and the stems of these; beginnings of eight bytes for all words, ids above all.
 */
import { stemWord } from '../search/stem-word.ts'
import type { TermMatcher } from '../search/term-matcher.ts'
import { BloomFilter, writeBloomFilter } from './bloom-filter.ts'
import { ByteReader, type ByteWriter } from './bytes.ts'
import { HashList } from './hash-list.ts'

const short = 4
const long = 8
/** Tells stems from beginnings of the same letters. */
const wholeStem = 255

/** Gathers beginnings; equal ones that come one after the other, as sorted words have them, count once. */
export class PrefixFilterBuilder {
  readonly #hashes = new HashList()
  #lastShort = Number.NaN
  #lastLong = Number.NaN

  clear(): void {
    this.#hashes.length = 0
    this.#lastShort = Number.NaN
    this.#lastLong = Number.NaN
  }

  /** A folded word: UTF-8 at `bytes[from, to)`. */
  add(bytes: Uint8Array, from = 0, to: number = bytes.length): void {
    if (!hasDigit(bytes, from, to)) {
      const stem = Buffer.from(stemWord(Buffer.from(bytes.subarray(from, to)).toString('utf8')), 'utf8')
      this.#hashes.add(hashOf(stem, stem.length, wholeStem))
      if (to - from >= short) {
        const hash = hashOf(bytes, short, short, from)
        if (hash !== this.#lastShort) this.#hashes.add(hash)
        this.#lastShort = hash
      }
    }
    if (to - from >= long) {
      const hash = hashOf(bytes, long, long, from)
      if (hash !== this.#lastLong) this.#hashes.add(hash)
      this.#lastLong = hash
    }
  }

  write(out: ByteWriter): void {
    writeBloomFilter(out, this.#hashes)
  }
}

/** A search term as UTF-8. */
export interface FilterTerm {
  readonly word: Uint8Array
  readonly stem: Uint8Array
  /** What every word it finds begins with. */
  readonly common: Uint8Array
}

export function filterTerm(matcher: TermMatcher): FilterTerm {
  const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8')
  return { word: bytes(matcher.term), stem: bytes(matcher.stem), common: bytes(matcher.commonPrefix) }
}

export class PrefixFilter {
  readonly #filter: BloomFilter

  constructor(content: Uint8Array) {
    this.#filter = new BloomFilter(new ByteReader(content))
  }

  get byteLength(): number {
    return this.#filter.byteLength
  }

  /** False: the term finds no word here. True where it is too short to say. */
  mayHold(term: FilterTerm): boolean {
    if (hasDigit(term.word)) return this.#mayBegin(term.common)
    // Stemming takes away letters and no digits: words of the same stem have none at their beginning either.
    return this.#mayBegin(term.word) || this.#filter.mayHold(hashOf(term.stem, term.stem.length, wholeStem))
  }

  #mayBegin(prefix: Uint8Array): boolean {
    if (prefix.length >= short && !hasDigit(prefix) && !this.#filter.mayHold(hashOf(prefix, short)))
      return false
    return prefix.length < long || this.#filter.mayHold(hashOf(prefix, long))
  }
}

/** Among the first four bytes, or as many as there are. */
function hasDigit(word: Uint8Array, from = 0, to: number = word.length): boolean {
  for (let at = from; at < from + short && at < to; at++) {
    const byte = word[at] as number
    if (byte >= 48 && byte <= 57) return true
  }
  return false
}

/** FNV-1a over the first bytes, finished so that all bits depend on all of them; lengths share nothing. */
function hashOf(word: Uint8Array, length: number, kind = length, from = 0): number {
  let hash = 0x811c9dc5 ^ kind
  for (let at = from; at < from + length; at++) hash = Math.imul(hash ^ (word[at] as number), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b)
  return hash ^ (hash >>> 16)
}
