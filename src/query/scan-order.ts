/** Blocks in the order of their times, while opening some of them finds the smaller ones they consist of. */
export interface Timed {
  readonly minTimeMs: number
  readonly maxTimeMs: number
}

export class ScanOrder<T extends Timed> {
  /** What comes next stands last. */
  readonly #waiting: T[]
  readonly #newestFirst: boolean

  constructor(items: readonly T[], newestFirst: boolean) {
    this.#newestFirst = newestFirst
    this.#waiting = items.toReversed().sort((a, b) => this.#key(a) - this.#key(b))
  }

  next(): T | undefined {
    return this.#waiting.pop()
  }

  /** Parts of what came last, none of which comes before it. */
  add(items: readonly T[]): void {
    const waiting = this.#waiting
    for (const item of items) {
      const key = this.#key(item)
      let low = 0
      let high = waiting.length
      while (low < high) {
        const middle = (low + high) >>> 1
        if (this.#key(waiting[middle] as T) < key) low = middle + 1
        else high = middle
      }
      waiting.splice(low, 0, item)
    }
  }

  #key(item: T): number {
    return this.#newestFirst ? item.maxTimeMs : -item.minTimeMs
  }
}
