/** Recognises a few known attribute keys by their bytes, without making a string of every key. */
import { viewOf } from './byte-view.ts'

/** Keys have fewer bytes than this, so that a table by length may be asked for any length below it. */
const lengthLimit = 128

export class KeyMatcher {
  /** Keys of length `l` are candidates `[first[l], first[l + 1])`. */
  readonly #first = new Uint8Array(lengthLimit + 1)
  /** By candidate: its number, its last four bytes, and where its words start. */
  readonly #numbers: Uint8Array
  readonly #tails: Int32Array
  readonly #starts: Uint16Array
  readonly #words: Int32Array

  /** The number of a key is its index here. Keys are ASCII, of 4 to 127 bytes. */
  constructor(keys: readonly string[]) {
    const sorted = keys.toSorted((a, b) => a.length - b.length)
    const words: number[] = []
    this.#numbers = Uint8Array.from(sorted, key => keys.indexOf(key))
    this.#tails = new Int32Array(keys.length)
    this.#starts = new Uint16Array(keys.length)
    for (const [candidate, key] of sorted.entries()) {
      const { length } = key
      if (length < 4 || length >= lengthLimit) throw new Error(`the key ${key} is too short or too long`)
      const view = viewOf(new TextEncoder().encode(key))
      this.#tails[candidate] = view.getInt32(length - 4, true)
      this.#starts[candidate] = words.length
      for (let at = 0; at + 4 <= length; at += 4) words.push(view.getInt32(at, true))
      this.#first.fill(candidate + 1, length + 1)
    }
    this.#words = Int32Array.from(words)
  }

  /** The number of the key at `bytes[from, from + length)`, of which `view` is a view, or -1. */
  match(view: DataView, from: number, length: number): number {
    // Lengths below the limit and candidates below the end are in bounds.
    if (length >= lengthLimit) return -1
    const end = this.#first[length + 1] as number
    let candidate = this.#first[length] as number
    if (candidate === end) return -1
    const tail = view.getInt32(from + length - 4, true)
    for (; candidate < end; candidate++) {
      if (this.#tails[candidate] === tail && this.#startsWith(view, from, length, candidate)) {
        return this.#numbers[candidate] as number
      }
    }
    return -1
  }

  #startsWith(view: DataView, from: number, length: number, candidate: number): boolean {
    let word = this.#starts[candidate] as number
    const end = from + length - 4
    for (let at = from; at <= end; at += 4) if (view.getInt32(at, true) !== this.#words[word++]) return false
    return true
  }
}
