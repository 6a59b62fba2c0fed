/** Tells a process that grew on from one that merely stays large: memory that stays is in use, and nothing to act on. */

/** Less is what comes and goes by itself. */
const growthMib = 8

export class GrowthLevel {
  readonly #floorMib: number
  #mib: number

  /** Up to `floorMib` nothing counts as growth. */
  constructor(floorMib: number) {
    this.#floorMib = floorMib
    this.#mib = floorMib
  }

  /** Whether it has grown since it was last settled, or since it was smaller. */
  isPassedBy(mib: number): boolean {
    this.#mib = Math.max(this.#floorMib, Math.min(this.#mib, mib + growthMib))
    return mib > this.#mib
  }

  /** Counts from this size on. */
  settle(mib: number): void {
    this.#mib = Math.max(this.#floorMib, mib + growthMib)
  }
}
