/**
 * Distinct chunks of messages in order of first appearance: their bytes in one arena, found by the key they
 * belong to and the bytes behind it, in open addressing over hashes.
 */
import { ByteWriter } from './bytes.ts'
import { sameWords } from './words.ts'

export class ChunkTable {
  readonly #arena = new ByteWriter(65_536)
  /** Where each begins in the arena; one more than there are, so that each ends where the next one begins. */
  #starts = new Int32Array(1025)
  /** Where the bytes begin that tell it from others of its key. */
  #values = new Int32Array(1024)
  #hashes = new Int32Array(1024)
  #keys = new Int32Array(1024)
  #slots = new Int32Array(2048).fill(-1)
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Chunk of the key whose value is `view[from, to)`, or -1. `hash` is that of the value. */
  find(key: number, hash: number, view: DataView, from: number, to: number): number {
    const mask = this.#slots.length - 1
    let slot = (hash ^ Math.imul(key, keyFactor)) & mask
    while (true) {
      const chunk = this.#slots[slot] as number
      if (chunk < 0) return -1
      if (this.#hashes[chunk] === hash && this.#keys[chunk] === key && this.holds(chunk, view, from, to))
        return chunk
      slot = (slot + 1) & mask
    }
  }

  /** Whether the value of the chunk is `view[from, to)`. */
  holds(chunk: number, view: DataView, from: number, to: number): boolean {
    const start = this.#values[chunk] as number
    const size = to - from
    return (
      (this.#starts[chunk + 1] as number) - start === size &&
      sameWords(this.#arena.data, start, view, from, size)
    )
  }

  /** Adds `bytes[start, to)`, a chunk of the key whose value, `bytes[from, to)`, is new. */
  add(key: number, hash: number, bytes: Uint8Array, start: number, from: number, to: number): number {
    if (this.#count === this.#hashes.length) this.#grow()
    const chunk = this.#count++
    this.#hashes[chunk] = hash
    this.#keys[chunk] = key
    this.#values[chunk] = this.#arena.length + from - start
    this.#arena.raw(bytes, start, to)
    this.#starts[chunk + 1] = this.#arena.length
    this.#place(chunk)
    return chunk
  }

  /** How many there are, then each with its length. */
  write(out: ByteWriter): void {
    out.varint(this.#count)
    for (let chunk = 0; chunk < this.#count; chunk++) {
      const start = this.#starts[chunk] as number
      const end = this.#starts[chunk + 1] as number
      out.varint(end - start)
      out.raw(this.#arena.bytes, start, end)
    }
  }

  #place(chunk: number): void {
    const mask = this.#slots.length - 1
    let slot = ((this.#hashes[chunk] as number) ^ Math.imul(this.#keys[chunk] as number, keyFactor)) & mask
    while ((this.#slots[slot] as number) >= 0) slot = (slot + 1) & mask
    this.#slots[slot] = chunk
  }

  #grow(): void {
    const capacity = this.#hashes.length * 2
    this.#starts = widened(this.#starts, capacity + 1)
    this.#values = widened(this.#values, capacity)
    this.#hashes = widened(this.#hashes, capacity)
    this.#keys = widened(this.#keys, capacity)
    this.#slots = new Int32Array(capacity * 2).fill(-1)
    for (let chunk = 0; chunk < this.#count; chunk++) this.#place(chunk)
  }
}

const keyFactor = 0x9e3779b1

function widened(source: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(length)
  wider.set(source)
  return wider
}
