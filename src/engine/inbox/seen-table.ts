/**
 * Requests of the last minutes by hash, so that one that is sent again is recognised.
 *
 * Typed arrays instead of a Map: a busy receiver remembers hundreds of thousands of requests, and this takes
 * 40 bytes for each instead of about 150 on the heap. Entries leave in the order in which they came.
 */

/**
 * Requests remembered at most, 42 MB when full: fifteen minutes at 1,165 requests a second. Beyond that the
 * oldest are forgotten first and the window becomes shorter.
 */
export const maxSeenRequests: number = 2 ** 20

export interface SeenVerdict {
  readonly accepted: number
  readonly rejected: number
}

const hashWords = 4

export class SeenTable {
  readonly #windowMs: number
  readonly #limit: number
  /** Ring of entries: hash words, receive time in seconds, verdict. */
  #words: Uint32Array
  #seconds: Float64Array
  #accepted: Uint32Array
  #rejected: Uint32Array
  /** Open addressing with linear probing: ring slot + 1, or 0. */
  #index: Uint32Array
  #capacity: number
  #first = 0
  #size = 0

  constructor(windowMs: number, limit: number = maxSeenRequests) {
    this.#windowMs = windowMs
    this.#limit = limit
    this.#capacity = Math.min(1_024, limit)
    this.#words = new Uint32Array(this.#capacity * hashWords)
    this.#seconds = new Float64Array(this.#capacity)
    this.#accepted = new Uint32Array(this.#capacity)
    this.#rejected = new Uint32Array(this.#capacity)
    this.#index = new Uint32Array(this.#capacity * 2)
  }

  get size(): number {
    return this.#size
  }

  /** What became of the request with this hash (16 bytes), if it came within the window before `nowMs`. */
  find(hash: Uint8Array, nowMs: number): SeenVerdict | null {
    this.#expire(nowMs)
    const slot = this.#slotOf(readWords(hash))
    if (slot < 0) return null
    return { accepted: this.#accepted[slot] ?? 0, rejected: this.#rejected[slot] ?? 0 }
  }

  /** Remembers a request; one that is already there keeps its time. */
  add(hash: Uint8Array, receivedMs: number, verdict: SeenVerdict): void {
    const words = readWords(hash)
    if (this.#slotOf(words) >= 0) return
    if (this.#size === this.#capacity) {
      if (this.#capacity < this.#limit) this.#grow()
      else this.#dropOldest()
    }
    const slot = (this.#first + this.#size) % this.#capacity
    this.#words.set(words, slot * hashWords)
    this.#seconds[slot] = receivedMs / 1_000
    this.#accepted[slot] = verdict.accepted
    // Hardly any request has one, and memory that is never written to takes none.
    if (this.#rejected[slot] !== verdict.rejected) this.#rejected[slot] = verdict.rejected
    this.#size++
    this.#link(slot)
  }

  #expire(nowMs: number): void {
    const oldest = (nowMs - this.#windowMs) / 1_000
    while (this.#size > 0 && (this.#seconds[this.#first] ?? 0) < oldest) this.#dropOldest()
  }

  #slotOf(words: Uint32Array): number {
    const mask = this.#index.length
    for (let at = (words[0] ?? 0) % mask; ; at = (at + 1) % mask) {
      const entry = this.#index[at] ?? 0
      if (entry === 0) return -1
      if (this.#holds(entry - 1, words)) return entry - 1
    }
  }

  #holds(slot: number, words: Uint32Array): boolean {
    for (let i = 0; i < hashWords; i++) {
      if (this.#words[slot * hashWords + i] !== words[i]) return false
    }
    return true
  }

  #link(slot: number): void {
    const length = this.#index.length
    let at = (this.#words[slot * hashWords] ?? 0) % length
    while (this.#index[at] !== 0) at = (at + 1) % length
    this.#index[at] = slot + 1
  }

  #dropOldest(): void {
    this.#unlink(this.#first)
    this.#first = (this.#first + 1) % this.#capacity
    this.#size--
  }

  /** Removes a slot from the index and closes the gap, so that no probe ends too early. */
  #unlink(slot: number): void {
    const length = this.#index.length
    let gap = (this.#words[slot * hashWords] ?? 0) % length
    while (this.#index[gap] !== slot + 1) gap = (gap + 1) % length
    for (let at = (gap + 1) % length; ; at = (at + 1) % length) {
      const entry = this.#index[at] ?? 0
      if (entry === 0) break
      const home = (this.#words[(entry - 1) * hashWords] ?? 0) % length
      // The entry may move into the gap unless its home lies cyclically behind the gap.
      const distanceHome = (at - home + length) % length
      const distanceGap = (at - gap + length) % length
      if (distanceHome < distanceGap) continue
      this.#index[gap] = entry
      gap = at
    }
    this.#index[gap] = 0
  }

  #grow(): void {
    const before = this.#capacity
    const capacity = Math.min(before * 2, this.#limit)
    const order = (position: number): number => (this.#first + position) % before
    const words = new Uint32Array(capacity * hashWords)
    const seconds = new Float64Array(capacity)
    const accepted = new Uint32Array(capacity)
    const rejected = new Uint32Array(capacity)
    for (let i = 0; i < this.#size; i++) {
      const from = order(i)
      words.set(this.#words.subarray(from * hashWords, (from + 1) * hashWords), i * hashWords)
      seconds[i] = this.#seconds[from] ?? 0
      accepted[i] = this.#accepted[from] ?? 0
      const refused = this.#rejected[from] ?? 0
      if (refused > 0) rejected[i] = refused
    }
    this.#words = words
    this.#seconds = seconds
    this.#accepted = accepted
    this.#rejected = rejected
    this.#capacity = capacity
    this.#first = 0
    this.#index = new Uint32Array(capacity * 2)
    for (let slot = 0; slot < this.#size; slot++) this.#link(slot)
  }
}

function readWords(hash: Uint8Array): Uint32Array {
  const view = new DataView(hash.buffer, hash.byteOffset, 16)
  return Uint32Array.of(view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12))
}
