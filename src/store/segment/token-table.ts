/** Distinct tokens as UTF-8 in one arena, with the frames each occurs in; made for millions of short tokens. */
import { maxTokenLength } from '../search/fold-text.ts'
import { ByteWriter } from './bytes.ts'
import { radixOrder } from './radix-order.ts'
import { hashWords, sameWords } from './words.ts'

/** Below this many tokens moving them up beats a sort that calls a comparison. */
const fewTokens = 24

/** Slots kept for the next segment: of 64 thousand words, 3 MB with all that belongs to them. */
const keptSlots = 131_072

/** Decimal numbers below this are found by their value; most variables of logs are such. */
const smallNumbers = 10_000

export class TokenTable {
  #arena = new ByteWriter(65_536)
  /** Where token `i` starts; one more entry than there are tokens. */
  #starts = new Uint32Array(1024)
  #hashes = new Int32Array(1024)
  #lastFrames = new Int32Array(1024)
  /** Token + 1 of small decimal numbers. */
  readonly #numbers = new Uint32Array(smallNumbers)
  #count = 0
  #slots = new Int32Array(4096).fill(-1)
  /** Token and frame of every posting, in the order they were met: frames of a token ascend. */
  #pairs = new Uint32Array(8192)
  #pairCount = 0

  /** Forgets all tokens and keeps the memory, up to what a usual segment of lines with ids needs. */
  clear(): void {
    this.#count = 0
    this.#pairCount = 0
    this.#arena.length = 0
    this.#numbers.fill(0)
    if (this.#slots.length > keptSlots || this.#pairs.length > 4 * keptSlots) this.#shrink()
    else this.#slots.fill(-1)
  }

  #shrink(): void {
    this.#arena = new ByteWriter(65_536)
    this.#starts = new Uint32Array(1024)
    this.#hashes = new Int32Array(1024)
    this.#lastFrames = new Int32Array(1024)
    this.#slots = new Int32Array(4096).fill(-1)
    this.#pairs = new Uint32Array(8192)
  }

  /** Adds a run of ASCII letters and digits as search sees it: in lower case, cut where it is too long. */
  addFolded(source: DataView, from: number, to: number, frame: number): number {
    const number = to - from <= 4 ? decimalAt(source, from, to) : -1
    if (number < 0) return this.#addFolded(source, from, to, frame)
    const known = this.#numbers[number] as number
    if (known > 0) return this.meet(known - 1, frame)
    const token = this.#addFolded(source, from, to, frame)
    this.#numbers[number] = token + 1
    return token
  }

  #addFolded(source: DataView, from: number, to: number, frame: number): number {
    const length = Math.min(to - from, maxTokenLength)
    const arena = this.#arena
    const start = this.#starts[this.#count] as number
    arena.length = start
    arena.reserve(length)
    const { data } = arena
    // Of letters and digits only letters have the bit 0x40, and those in lower case 0x20 too.
    let at = 0
    for (; at + 4 <= length; at += 4) {
      const word = source.getInt32(from + at, true)
      data.setInt32(start + at, word | ((word & 0x40404040) >>> 1), true)
    }
    for (; at < length; at++) {
      const byte = source.getUint8(from + at)
      data.setUint8(start + at, byte | ((byte & 0x40) >>> 1))
    }
    arena.length = start + length
    return this.meet(this.#find(), frame)
  }

  /** Adds a token as it is. */
  add(bytes: Uint8Array, from: number, to: number, frame: number): number {
    const arena = this.#arena
    arena.length = this.#starts[this.#count] as number
    arena.raw(bytes, from, to)
    return this.meet(this.#find(), frame)
  }

  /** Notes that a token is in a frame. */
  meet(token: number, frame: number): number {
    if (this.#lastFrames[token] === frame) return token
    this.#lastFrames[token] = frame
    if (this.#pairCount * 2 + 2 > this.#pairs.length) this.#pairs = doubled(this.#pairs)
    this.#pairs[this.#pairCount * 2] = token
    this.#pairs[this.#pairCount * 2 + 1] = frame
    this.#pairCount++
    return token
  }

  /** Token numbers in the order of their bytes. */
  sorted(): Uint32Array {
    const count = this.#count
    const keys = new Uint32Array(count)
    for (let token = 0; token < count; token++) keys[token] = this.#sortKey(token)
    const order = radixOrder(keys)
    // Tokens that begin alike stand together by now, few at a time.
    for (let from = 0; from < count; ) {
      const key = keys[order[from] as number]
      let to = from + 1
      while (to < count && keys[order[to] as number] === key) to++
      if (to - from > 1) this.#sortAlike(order, from, to)
      from = to
    }
    return order
  }

  #sortAlike(order: Uint32Array, from: number, to: number): void {
    if (to - from > fewTokens) {
      order.subarray(from, to).sort((a, b) => this.#compare(a, b))
      return
    }
    for (let at = from + 1; at < to; at++) {
      const token = order[at] as number
      let place = at
      while (place > from && this.#compare(order[place - 1] as number, token) > 0) {
        order[place] = order[place - 1] as number
        place--
      }
      order[place] = token
    }
  }

  /** Frames of token `i` are `frames[starts[i], starts[i + 1])`. */
  postings(): { readonly starts: Uint32Array; readonly frames: Uint32Array } {
    const starts = new Uint32Array(this.#count + 1)
    for (let pair = 0; pair < this.#pairCount; pair++) {
      const next = (this.#pairs[pair * 2] as number) + 1
      starts[next] = (starts[next] as number) + 1
    }
    for (let token = 0; token < this.#count; token++)
      starts[token + 1] = (starts[token + 1] as number) + (starts[token] as number)
    const next = starts.slice()
    const frames = new Uint32Array(this.#pairCount)
    for (let pair = 0; pair < this.#pairCount; pair++) {
      const token = this.#pairs[pair * 2] as number
      const at = next[token] as number
      frames[at] = this.#pairs[pair * 2 + 1] as number
      next[token] = at + 1
    }
    return { starts, frames }
  }

  /** UTF-8 of all tokens, each from where `startOf` says to where the next one starts. */
  get bytes(): Uint8Array {
    return this.#arena.bytes
  }

  startOf(token: number): number {
    return this.#starts[token] as number
  }

  /** How much it shares with the token `before` (-1 for none), how much follows, and that. */
  writeFrontCoded(out: ByteWriter, token: number, before: number): void {
    const bytes = this.#arena.bytes
    const start = this.#starts[token] as number
    const end = this.#starts[token + 1] as number
    let shared = 0
    if (before >= 0) {
      const other = this.#starts[before] as number
      const limit = Math.min(end - start, (this.#starts[before + 1] as number) - other)
      while (shared < limit && bytes[start + shared] === bytes[other + shared]) shared++
    }
    out.varint(shared)
    out.varint(end - start - shared)
    out.raw(bytes, start + shared, end)
  }

  /** The token at the end of the arena, which stays there if it is new. */
  #find(): number {
    const { data, length: end } = this.#arena
    const start = this.#starts[this.#count] as number
    const length = end - start
    const hash = hashWords(data, start, end, 0)
    let mask = this.#slots.length - 1
    let slot = hash & mask
    while (true) {
      const held = this.#slots[slot] as number
      if (held < 0) break
      if (this.#hashes[held] === hash && this.#equals(held, data, start, length)) return held
      slot = (slot + 1) & mask
    }
    const token = this.#count++
    if (this.#count + 1 >= this.#starts.length) {
      this.#starts = doubled(this.#starts)
      this.#hashes = doubled(this.#hashes)
      this.#lastFrames = doubled(this.#lastFrames)
    }
    this.#starts[this.#count] = this.#arena.length
    this.#hashes[token] = hash
    this.#lastFrames[token] = -1
    this.#slots[slot] = token
    if (this.#count * 2 > mask) {
      const slots = new Int32Array((mask + 1) * 2).fill(-1)
      mask = slots.length - 1
      for (let one = 0; one < this.#count; one++) {
        let free = (this.#hashes[one] as number) & mask
        while ((slots[free] as number) >= 0) free = (free + 1) & mask
        slots[free] = one
      }
      this.#slots = slots
    }
    return token
  }

  #equals(token: number, data: DataView, start: number, length: number): boolean {
    const from = this.#starts[token] as number
    return (this.#starts[token + 1] as number) - from === length && sameWords(data, from, data, start, length)
  }

  /** The first four bytes. */
  #sortKey(token: number): number {
    const bytes = this.#arena.bytes
    const start = this.#starts[token] as number
    const end = this.#starts[token + 1] as number
    if (end - start >= 4) return this.#arena.data.getUint32(start)
    let key = 0
    for (let at = start; at < start + 4; at++) key = (key << 8) | (at < end ? (bytes[at] as number) : 0)
    return key >>> 0
  }

  #compare(a: number, b: number): number {
    const bytes = this.#arena.bytes
    const [fromA, toA] = [this.#starts[a] as number, this.#starts[a + 1] as number]
    const [fromB, toB] = [this.#starts[b] as number, this.#starts[b + 1] as number]
    const limit = Math.min(toA - fromA, toB - fromB)
    for (let at = 0; at < limit; at++) {
      const difference = (bytes[fromA + at] as number) - (bytes[fromB + at] as number)
      if (difference !== 0) return difference
    }
    return toA - fromA - (toB - fromB)
  }
}

/** Value of a decimal number without zeros before it; -1 for anything else. */
function decimalAt(source: DataView, from: number, to: number): number {
  if (source.getUint8(from) === 48 && to - from > 1) return -1
  let value = 0
  for (let at = from; at < to; at++) {
    const digit = source.getUint8(at) - 48
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

function doubled<A extends Uint32Array | Int32Array>(values: A): A {
  const grown =
    values instanceof Int32Array ? new Int32Array(values.length * 2) : new Uint32Array(values.length * 2)
  grown.set(values)
  return grown as A
}
