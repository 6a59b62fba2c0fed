/** Recognises a few known attribute keys by their bytes, without making a string of every key. */
import { viewOf } from './byte-view.ts'

export class KeyMatcher {
  /** Keys of length `l` are candidates `[first[l], first[l + 1])`. */
  readonly #first: Int32Array
  readonly #longest: number
  /** By candidate: number, last four bytes, and the bytes in words. */
  readonly #numbers: number[] = []
  readonly #tails: number[] = []
  readonly #words: Int32Array[] = []

  /** The number of a key is its index here. Keys are ASCII and have four bytes or more. */
  constructor(keys: readonly string[]) {
    const shortest = Math.min(...keys.map(key => key.length))
    if (shortest < 4) throw new Error('a key has fewer than four bytes')
    this.#longest = Math.max(...keys.map(key => key.length))
    this.#first = new Int32Array(this.#longest + 2)
    for (let length = 0; length <= this.#longest; length++) {
      for (const key of keys.filter(candidate => candidate.length === length)) {
        const view = viewOf(new TextEncoder().encode(key))
        this.#numbers.push(keys.indexOf(key))
        this.#tails.push(view.getInt32(length - 4, true))
        this.#words.push(Int32Array.from({ length: length >> 2 }, (_, word) => view.getInt32(word * 4, true)))
      }
      this.#first[length + 1] = this.#numbers.length
    }
  }

  /** The number of the key at `bytes[from, from + length)`, of which `view` is a view, or -1. */
  match(view: DataView, from: number, length: number): number {
    if (length > this.#longest) return -1
    const end = this.#first[length + 1] ?? 0
    for (let candidate = this.#first[length] ?? 0; candidate < end; candidate++) {
      if (view.getInt32(from + length - 4, true) !== this.#tails[candidate]) continue
      if (this.#startsWith(view, from, candidate)) return this.#numbers[candidate] ?? -1
    }
    return -1
  }

  #startsWith(view: DataView, from: number, candidate: number): boolean {
    const words = this.#words[candidate]
    if (words === undefined) return false
    for (let word = 0; word < words.length; word++) {
      if (view.getInt32(from + word * 4, true) !== words[word]) return false
    }
    return true
  }
}
