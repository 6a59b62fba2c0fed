/**
 * Pairs of unsigned 32-bit numbers as dense indices, in typed arrays: the hot path looks up several of them
 * per span, and a Map with text or object keys costs three times as much.
 */
export class PairMap {
  #first: Uint32Array
  #second: Uint32Array
  /** Index + 1, 0 for empty; open addressing with linear probing. */
  #table: Int32Array
  #size = 0

  constructor(initialCapacity = 256) {
    const capacity = powerOfTwo(initialCapacity)
    this.#first = new Uint32Array(capacity)
    this.#second = new Uint32Array(capacity)
    this.#table = new Int32Array(capacity * 2)
  }

  get size(): number {
    return this.#size
  }

  /** Index of the pair, -1 if it is not there. */
  find(first: number, second: number): number {
    const mask = this.#table.length - 1
    let at = mix(first, second) & mask
    for (;;) {
      const index = (this.#table[at] ?? 0) - 1
      if (index < 0) return -1
      if (this.#first[index] === first && this.#second[index] === second) return index
      at = (at + 1) & mask
    }
  }

  /** Index of the pair, added with the next free index if it is new. */
  add(first: number, second: number): number {
    const table = this.#table
    const mask = table.length - 1
    let at = mix(first, second) & mask
    for (;;) {
      const index = (table[at] ?? 0) - 1
      if (index < 0) break
      if (this.#first[index] === first && this.#second[index] === second) return index
      at = (at + 1) & mask
    }
    const index = this.#size++
    if (index === this.#first.length) {
      this.#grow()
      this.#store(index, first, second)
      this.#place(index)
      return index
    }
    this.#store(index, first, second)
    table[at] = index + 1
    return index
  }

  first(index: number): number {
    return this.#first[index] ?? 0
  }

  second(index: number): number {
    return this.#second[index] ?? 0
  }

  /** Forgets all pairs; memory shrinks back when it had grown beyond `keep` pairs. */
  clear(keep = 65_536): void {
    if (this.#first.length > keep) {
      const fresh = powerOfTwo(keep)
      this.#first = new Uint32Array(fresh)
      this.#second = new Uint32Array(fresh)
      this.#table = new Int32Array(fresh * 2)
    } else if (this.#size > 0) {
      this.#table.fill(0)
    }
    this.#size = 0
  }

  #store(index: number, first: number, second: number): void {
    this.#first[index] = first
    this.#second[index] = second
  }

  #place(index: number): void {
    const mask = this.#table.length - 1
    let at = mix(this.#first[index] ?? 0, this.#second[index] ?? 0) & mask
    while (this.#table[at] !== 0) at = (at + 1) & mask
    this.#table[at] = index + 1
  }

  #grow(): void {
    const capacity = this.#first.length * 2
    this.#first = widenUint32(this.#first, capacity)
    this.#second = widenUint32(this.#second, capacity)
    this.#table = new Int32Array(capacity * 2)
    for (let index = 0; index < this.#size - 1; index++) this.#place(index)
  }
}

/** A copy with room for `length` numbers, zero where new. */
export function widenUint32(source: Uint32Array, length: number): Uint32Array {
  const wider = new Uint32Array(length)
  wider.set(source)
  return wider
}

/** A copy with room for `length` numbers, zero where new. */
export function widenFloat64(source: Float64Array, length: number): Float64Array {
  const wider = new Float64Array(length)
  wider.set(source)
  return wider
}

function powerOfTwo(atLeast: number): number {
  let size = 16
  while (size < atLeast) size *= 2
  return size
}

function mix(first: number, second: number): number {
  let hash = Math.imul(first, 0x9e3779b1) ^ Math.imul(second ^ (first >>> 15), 0x85ebca6b)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}
