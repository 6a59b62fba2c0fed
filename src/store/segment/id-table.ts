import type { ByteWriter } from './bytes.ts'

/** Distinct ids of 8 or 16 bytes in order of first appearance; open addressing over their 32-bit words. */
export class IdTable {
  readonly width: number
  count = 0
  /** The ids as little-endian words, one after the other. */
  #words: Int32Array
  readonly #wordsPerId: number
  #slots: Int32Array
  #mask: number

  constructor(width: number, expected: number) {
    this.width = width
    this.#wordsPerId = width >> 2
    let capacity = 16
    while (capacity < expected * 2) capacity *= 2
    this.#words = new Int32Array(Math.max(1, expected) * this.#wordsPerId)
    this.#slots = new Int32Array(capacity).fill(-1)
    this.#mask = capacity - 1
  }

  /** Forgets all ids; there is room for `expected` of them then. */
  clear(expected: number): void {
    this.count = 0
    if (expected * 2 > this.#slots.length) {
      let capacity = this.#slots.length
      while (capacity < expected * 2) capacity *= 2
      this.#slots = new Int32Array(capacity)
      this.#mask = capacity - 1
    }
    this.#slots.fill(-1)
  }

  /** Appends the ids from the ordinal `first` on, one after the other. */
  write(out: ByteWriter, first: number): void {
    const words = this.#words
    const from = first * this.#wordsPerId
    const to = this.count * this.#wordsPerId
    out.reserve((to - from) * 4)
    const { data, length } = out
    for (let word = from; word < to; word++)
      data.setInt32(length + (word - from) * 4, words[word] as number, true)
    out.length = length + (to - from) * 4
  }

  /** Ordinal of the id at `source[at]`, added if it is new. */
  add(source: DataView, at: number): number {
    let slot = hashId(source, at, this.width) & this.#mask
    while (true) {
      const held = this.#slots[slot] as number
      if (held < 0) break
      if (this.#equals(held, source, at)) return held
      slot = (slot + 1) & this.#mask
    }
    const ordinal = this.count++
    this.#slots[slot] = ordinal
    const target = ordinal * this.#wordsPerId
    if (target + this.#wordsPerId > this.#words.length) {
      const grown = new Int32Array(this.#words.length * 2)
      grown.set(this.#words)
      this.#words = grown
    }
    for (let word = 0; word < this.#wordsPerId; word++)
      this.#words[target + word] = source.getInt32(at + word * 4, true)
    if (this.count * 2 > this.#mask) this.#grow()
    return ordinal
  }

  /** Ordinal of the id, or -1. */
  find(source: DataView, at: number): number {
    let slot = hashId(source, at, this.width) & this.#mask
    while (true) {
      const held = this.#slots[slot] as number
      if (held < 0 || this.#equals(held, source, at)) return held
      slot = (slot + 1) & this.#mask
    }
  }

  #equals(ordinal: number, source: DataView, at: number): boolean {
    const from = ordinal * this.#wordsPerId
    for (let word = 0; word < this.#wordsPerId; word++)
      if (this.#words[from + word] !== source.getInt32(at + word * 4, true)) return false
    return true
  }

  #grow(): void {
    const slots = new Int32Array((this.#mask + 1) * 2).fill(-1)
    this.#mask = slots.length - 1
    for (let ordinal = 0; ordinal < this.count; ordinal++) {
      let hash = seed
      const from = ordinal * this.#wordsPerId
      for (let word = 0; word < this.#wordsPerId; word++)
        hash = mixWord(hash, this.#words[from + word] as number)
      let slot = finish(hash) & this.#mask
      while ((slots[slot] as number) >= 0) slot = (slot + 1) & this.#mask
      slots[slot] = ordinal
    }
    this.#slots = slots
  }
}

const seed = 0x9e3779b9

function mixWord(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x85ebca6b)
  return mixed ^ (mixed >>> 15)
}

function finish(hash: number): number {
  const mixed = Math.imul(hash, 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** 32 bits that depend on every byte of an id; also what the trace index stores. */
export function hashId(bytes: DataView, at: number, width: number): number {
  let hash = seed
  for (let word = 0; word < width; word += 4) hash = mixWord(hash, bytes.getInt32(at + word, true))
  return finish(hash)
}

/** Whether the id is all zero, which is how columns say that there is none. */
export function isZeroId(bytes: DataView, at: number, width: number): boolean {
  for (let word = 0; word < width; word += 4) if (bytes.getInt32(at + word, true) !== 0) return false
  return true
}
