/** Distinct ids of 8 or 16 bytes in order of first appearance; open addressing over their 32-bit words. */
export class IdTable {
  readonly width: number
  /** The ids, one after the other. */
  ids: Uint8Array
  count = 0
  #slots: Int32Array
  #mask: number

  constructor(width: number, expected: number) {
    this.width = width
    let capacity = 16
    while (capacity < expected * 2) capacity *= 2
    this.ids = new Uint8Array(Math.max(1, expected) * width)
    this.#slots = new Int32Array(capacity).fill(-1)
    this.#mask = capacity - 1
  }

  /** Ordinal of the id at `source[at]`, added if it is new. */
  add(source: Uint8Array, at: number): number {
    let slot = hashId(source, at, this.width) & this.#mask
    while (true) {
      const held = this.#slots[slot] ?? -1
      if (held < 0) break
      if (this.#equals(held, source, at)) return held
      slot = (slot + 1) & this.#mask
    }
    const ordinal = this.count++
    this.#slots[slot] = ordinal
    if (this.count * this.width > this.ids.length) {
      const grown = new Uint8Array(this.ids.length * 2)
      grown.set(this.ids)
      this.ids = grown
    }
    const target = ordinal * this.width
    for (let byte = 0; byte < this.width; byte++) this.ids[target + byte] = source[at + byte] as number
    if (this.count * 2 > this.#mask) this.#grow()
    return ordinal
  }

  /** Ordinal of the id, or -1. */
  find(source: Uint8Array, at: number): number {
    let slot = hashId(source, at, this.width) & this.#mask
    while (true) {
      const held = this.#slots[slot] ?? -1
      if (held < 0 || this.#equals(held, source, at)) return held
      slot = (slot + 1) & this.#mask
    }
  }

  #equals(ordinal: number, source: Uint8Array, at: number): boolean {
    const from = ordinal * this.width
    for (let byte = 0; byte < this.width; byte++)
      if (this.ids[from + byte] !== source[at + byte]) return false
    return true
  }

  #grow(): void {
    const slots = new Int32Array((this.#mask + 1) * 2).fill(-1)
    this.#mask = slots.length - 1
    for (let ordinal = 0; ordinal < this.count; ordinal++) {
      let slot = hashId(this.ids, ordinal * this.width, this.width) & this.#mask
      while ((slots[slot] ?? -1) >= 0) slot = (slot + 1) & this.#mask
      slots[slot] = ordinal
    }
    this.#slots = slots
  }
}

/** 32 bits that depend on every byte of an id; also what the trace index stores. */
export function hashId(bytes: Uint8Array, at: number, width: number): number {
  let hash = 0x9e3779b9
  for (let word = 0; word < width; word += 4) {
    const value =
      (bytes[at + word] as number) |
      ((bytes[at + word + 1] as number) << 8) |
      ((bytes[at + word + 2] as number) << 16) |
      ((bytes[at + word + 3] as number) << 24)
    hash = Math.imul(hash ^ value, 0x85ebca6b)
    hash ^= hash >>> 15
  }
  hash = Math.imul(hash, 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Whether the id is all zero, which is how columns say that there is none. */
export function isZeroId(bytes: Uint8Array, at: number, width: number): boolean {
  for (let byte = 0; byte < width; byte++) if (bytes[at + byte] !== 0) return false
  return true
}
