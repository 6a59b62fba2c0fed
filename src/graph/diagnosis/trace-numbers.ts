/** Trace ids as small numbers: an open table over their bytes, because a text for each span costs more than all else. */

const firstSlots = 1024
/** Slots for each id at least. */
const slotsPerId = 2

export class TraceNumbers {
  /** Four words an id, most significant first. */
  #words = new Uint32Array(firstSlots * 2)
  /** Numbers, one more than they are; 0 for a free slot. */
  #slots = new Uint32Array(firstSlots)
  #size = 0

  /** How many there are; numbers are below it. */
  get size(): number {
    return this.#size
  }

  /** The number of the id of a row, 16 bytes each; a new one if it was not met before. */
  of(ids: DataView, row: number): number {
    const at = row * 16
    const a = ids.getUint32(at)
    const b = ids.getUint32(at + 4)
    const c = ids.getUint32(at + 8)
    const d = ids.getUint32(at + 12)
    const mask = this.#slots.length - 1
    for (let slot = hashOf(a, b, c, d) & mask; ; slot = (slot + 1) & mask) {
      const known = (this.#slots[slot] as number) - 1
      if (known < 0) return this.#add(slot, [a, b, c, d])
      const words = this.#words
      const first = known * 4
      if (words[first + 3] === d && words[first + 2] === c && words[first + 1] === b && words[first] === a)
        return known
    }
  }

  /** All numbers in the order of their ids as hex digits. */
  sorted(): Uint32Array {
    const words = this.#words
    const numbers = new Uint32Array(this.#size)
    for (let number = 0; number < this.#size; number++) numbers[number] = number
    return numbers.sort((one, other) => {
      for (let word = 0; word < 4; word++) {
        const order = (words[one * 4 + word] as number) - (words[other * 4 + word] as number)
        if (order !== 0) return order
      }
      return 0
    })
  }

  /** Ids of these numbers as hex digits. */
  texts(numbers: Uint32Array): readonly string[] {
    const bytes = Buffer.alloc(numbers.length * 16)
    for (const [i, number] of numbers.entries())
      for (let word = 0; word < 4; word++)
        bytes.writeUInt32BE(this.#words[number * 4 + word] as number, i * 16 + word * 4)
    const all = bytes.toString('hex')
    return Array.from(numbers, (_, i) => all.slice(i * 32, i * 32 + 32))
  }

  #add(slot: number, words: readonly number[]): number {
    const number = this.#size++
    if (number * 4 === this.#words.length) {
      const wider = new Uint32Array(this.#words.length * 2)
      wider.set(this.#words)
      this.#words = wider
    }
    this.#words.set(words, number * 4)
    this.#slots[slot] = number + 1
    if (this.#size * slotsPerId > this.#slots.length) this.#widen()
    return number
  }

  #widen(): void {
    const slots = new Uint32Array(this.#slots.length * 2)
    const mask = slots.length - 1
    const words = this.#words
    for (let number = 0; number < this.#size; number++) {
      const at = number * 4
      let slot =
        hashOf(
          words[at] as number,
          words[at + 1] as number,
          words[at + 2] as number,
          words[at + 3] as number,
        ) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = number + 1
    }
    this.#slots = slots
  }
}

function hashOf(a: number, b: number, c: number, d: number): number {
  let hash = Math.imul(a ^ (a >>> 15), 0x2c1b3c6d) ^ b
  hash = Math.imul(hash ^ (hash >>> 13), 0x297a2d39) ^ c
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) ^ d
  hash = Math.imul(hash ^ (hash >>> 13), 0x297a2d39)
  return (hash ^ (hash >>> 16)) >>> 0
}
