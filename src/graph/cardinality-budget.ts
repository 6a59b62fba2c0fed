/**
 * How many names all tenants together may have, so that many of them cannot do what one may not. A tenant alone may
 * have all of it. Where there are several, half of each bound is there for whoever comes first and the other half is
 * shared out equally, so that a noisy one leaves room for the others.
 */

/** Names that are bounded over all tenants; see `GraphLimits` for what they are. */
export interface CardinalityLimits {
  readonly services: number
  readonly operations: number
  readonly edges: number
  readonly instances: number
  readonly names: number
  readonly metricSeries: number
  readonly templates: number
}

export type Cardinality = keyof CardinalityLimits

/** Ten tenants of the largest size: some 300 MB would be the most that names take; each is about 200 bytes. */
export const defaultCardinalityLimits: CardinalityLimits = {
  services: 20_000,
  operations: 200_000,
  edges: 200_000,
  instances: 100_000,
  names: 500_000,
  metricSeries: 200_000,
  templates: 100_000,
}

const commonShare = 0.5

const none = (): Record<Cardinality, number> => ({
  services: 0,
  operations: 0,
  edges: 0,
  instances: 0,
  names: 0,
  metricSeries: 0,
  templates: 0,
})

export class CardinalityBudget {
  readonly limits: CardinalityLimits
  readonly #used = none()
  #members = 0

  constructor(limits: Partial<CardinalityLimits> = {}) {
    this.limits = { ...defaultCardinalityLimits, ...limits }
  }

  join(): CardinalityShare {
    this.#members++
    return new CardinalityShare(this)
  }

  leave(): void {
    this.#members--
  }

  fits(kind: Cardinality, held: number): boolean {
    const limit = this.limits[kind]
    const used = this.#used[kind]
    if (used >= limit) return false
    const others = Math.max(0, this.#members - 1)
    return others === 0 || used < limit * commonShare || held < (limit * (1 - commonShare)) / others
  }

  add(kind: Cardinality, count: number): void {
    this.#used[kind] += count
  }
}

/** What one tenant holds of a budget. */
export class CardinalityShare {
  readonly #budget: CardinalityBudget
  readonly #held = none()

  constructor(budget: CardinalityBudget) {
    this.#budget = budget
  }

  fits(kind: Cardinality): boolean {
    return this.#budget.fits(kind, this.#held[kind])
  }

  take(kind: Cardinality): void {
    this.#held[kind]++
    this.#budget.add(kind, 1)
  }

  /** Gives back what is held, of everything but `kept`. */
  giveBack(kept: readonly Cardinality[] = []): void {
    for (const kind of Object.keys(this.#held) as Cardinality[]) {
      // keys of our own object
      if (kept.includes(kind)) continue
      this.#budget.add(kind, -this.#held[kind])
      this.#held[kind] = 0
    }
  }

  leave(): void {
    this.giveBack()
    this.#budget.leave()
  }
}
