/** The share of something in the last five minutes, in ten-second steps. */
import type { Clock } from '../model/time.ts'

const stepMs = 10_000
const steps = 30

export class RecentShare {
  readonly #clock: Clock
  readonly #hits = new Float64Array(steps)
  readonly #all = new Float64Array(steps)
  /** Number of the newest step since the epoch. */
  #newest = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(hit: boolean): void {
    this.#advance()
    const slot = this.#newest % steps
    this.#all[slot] = (this.#all[slot] ?? 0) + 1
    if (hit) this.#hits[slot] = (this.#hits[slot] ?? 0) + 1
  }

  /** 0 without traffic. */
  share(): number {
    this.#advance()
    const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0)
    const all = sum(this.#all)
    return all === 0 ? 0 : sum(this.#hits) / all
  }

  #advance(): void {
    const now = Math.floor(this.#clock.now() / stepMs)
    const passed = Math.min(steps, now - this.#newest)
    for (let i = 1; i <= passed; i++) {
      const slot = (now - passed + i) % steps
      this.#hits[slot] = 0
      this.#all[slot] = 0
    }
    this.#newest = Math.max(this.#newest, now)
  }
}
