/**
 * Fair shares of one bounded resource without fixed partitions: the dynamic threshold of Choudhury and Hahne
 * ("Dynamic queue length thresholds for shared-memory packet switches", 1998). A queue may hold `alpha`
 * times what is still free, so one busy sender leaves a fifth for newcomers, two leave a ninth, and a
 * queue nobody uses costs nothing.
 */
const alpha = 4

export class ShareLimit {
  readonly #total: number
  readonly #held = new Map<string, number>()
  #used = 0

  constructor(total: number) {
    this.#total = total
  }

  get used(): number {
    return this.#used
  }

  get total(): number {
    return this.#total
  }

  heldBy(queue: string): number {
    return this.#held.get(queue) ?? 0
  }

  /** Whether `amount` more may join the queue. Something always fits into an unused resource. */
  fits(queue: string, amount: number): boolean {
    if (this.#used === 0) return true
    if (this.#used + amount > this.#total) return false
    return this.heldBy(queue) + amount <= alpha * (this.#total - this.#used)
  }

  /** Adds to a queue, or takes from it when `amount` is negative. */
  add(queue: string, amount: number): void {
    const held = this.heldBy(queue) + amount
    if (held <= 0) this.#held.delete(queue)
    else this.#held.set(queue, held)
    this.#used = Math.max(0, this.#used + amount)
  }
}

/** Queues are kept apart by signal and tenant, so that one saturated leaves the others alone. */
export function shareKey(signal: string, tenant: string): string {
  return `${signal} ${tenant}`
}
