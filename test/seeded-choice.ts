/** Choices that can be repeated with their seed. */
import { random } from './graph/seeded-random.ts'

export interface SeededChoice {
  /** In [0, 1). */
  next(): number
  /** Whole, in [0, limit). */
  below(limit: number): number
  /** True in this share of calls. */
  chance(share: number): boolean
}

export function seededChoice(seed: number): SeededChoice {
  const next = random(seed)
  return { next, below: limit => Math.floor(next() * limit), chance: share => next() < share }
}
