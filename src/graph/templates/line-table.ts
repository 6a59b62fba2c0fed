/**
 * Templates by the hash of lines that were matched: open addressing over typed arrays, where a look-up costs a
 * tenth of one in a Map whose keys are doubles. Full, it forgets everything and fills anew.
 */

const firstSlots = 256

export class LineTable<T> {
  readonly #maxEntries: number
  #low = new Int32Array(firstSlots)
  #high = new Int32Array(firstSlots)
  #values: (T | undefined)[] = new Array<T | undefined>(firstSlots).fill(undefined)
  #size = 0

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries
  }

  get(low: number, high: number): T | undefined {
    return this.#values[this.#slot(low, high)]
  }

  /** Adds an entry, or gives the one that is there another value. */
  set(low: number, high: number, value: T): void {
    if (this.#size >= this.#maxEntries) this.clear()
    else if (this.#size * 2 >= this.#values.length) this.#grow()
    const slot = this.#slot(low, high)
    if (this.#values[slot] === undefined) this.#size++
    this.#low[slot] = low
    this.#high[slot] = high
    this.#values[slot] = value
  }

  /** Replaces values, one by one. */
  replace(by: (value: T) => T): void {
    this.#values = this.#values.map(value => (value === undefined ? undefined : by(value)))
  }

  clear(): void {
    if (this.#size === 0) return
    this.#low = new Int32Array(firstSlots)
    this.#high = new Int32Array(firstSlots)
    this.#values = new Array<T | undefined>(firstSlots).fill(undefined)
    this.#size = 0
  }

  /** Where the entry is, or would go. */
  #slot(low: number, high: number): number {
    const mask = this.#values.length - 1
    let slot = low & mask
    while (this.#values[slot] !== undefined && (this.#low[slot] !== low || this.#high[slot] !== high))
      slot = (slot + 1) & mask
    return slot
  }

  #grow(): void {
    const [low, high, values] = [this.#low, this.#high, this.#values]
    const slots = values.length * 2
    this.#low = new Int32Array(slots)
    this.#high = new Int32Array(slots)
    this.#values = new Array<T | undefined>(slots).fill(undefined)
    for (const [from, value] of values.entries()) {
      if (value === undefined) continue
      const slot = this.#slot(low[from] as number, high[from] as number)
      this.#low[slot] = low[from] as number
      this.#high[slot] = high[from] as number
      this.#values[slot] = value
    }
  }
}
