/** Cuts a stream of items into requests: when one is full, and when its first item has waited long enough. */
import type { LoadProfile, SignalPlan } from './load-profile.ts'

export interface PlacedItem {
  /** Number of the service. */
  readonly service: number
  readonly json: object
}

export interface Batch {
  readonly items: readonly PlacedItem[]
  /** When in its round it is complete, 0 to 1. */
  readonly at: number
}

interface OpenBatch {
  readonly items: PlacedItem[]
  readonly since: number
}

export class RequestBatches {
  readonly #profile: LoadProfile
  readonly #patience: number
  /** By service, or one for all; those that were opened first come first. */
  readonly #open = new Map<number, OpenBatch>()
  readonly #done: Batch[] = []

  constructor(profile: LoadProfile, plan: SignalPlan) {
    this.#profile = profile
    this.#patience = plan.patience
  }

  /** `at` must not fall from call to call. */
  add(item: PlacedItem, at: number): void {
    const key = this.#profile.batchBy === 'service' ? item.service : -1
    const open = this.#open.get(key) ?? { items: [], since: at }
    this.#open.set(key, open)
    open.items.push(item)
    if (open.items.length >= this.#profile.batch) this.#close(key, open, at)
    for (const [other, waiting] of this.#open) {
      if (waiting.since + this.#patience > at) break
      this.#close(other, waiting, waiting.since + this.#patience)
    }
  }

  /** All of them, in the order in which they are complete. What is left goes out one after the other at the end. */
  finish(): readonly Batch[] {
    const rest = [...this.#open]
    for (const [place, [key, open]] of rest.entries())
      this.#close(key, open, Math.max(open.since, 0.95 + (0.05 * (place + 1)) / rest.length))
    return this.#done.sort((a, b) => a.at - b.at)
  }

  #close(key: number, open: OpenBatch, at: number): void {
    this.#open.delete(key)
    this.#done.push({ items: open.items, at })
  }
}
