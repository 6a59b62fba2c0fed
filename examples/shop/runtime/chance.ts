/** Randomness with a seed, so that two runs of the shop differ in timing only. */

export interface Chance {
  /** Uniform in [0, 1). */
  next(): number
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number
  pick<T>(items: readonly [T, ...T[]]): T
  /** A time with a long tail around `typical` milliseconds: log-normal, never above eight times that. */
  delayMs(typical: number): number
}

/** xmur3 as the seed's hash and mulberry32 as the generator, both public domain (Bryc, PRNGs for JavaScript). */
export function chanceOf(seed: string): Chance {
  let state = 1779033703 ^ seed.length
  for (const character of seed) {
    state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 3432918353)
    state = (state << 13) | (state >>> 19)
  }
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  return {
    next,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    pick: items => items[Math.floor(next() * items.length)] ?? items[0],
    delayMs: typical => {
      // Box and Muller's normal deviate; a spread of 0.35 puts the 99th percentile at 2.3 times the median.
      const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
      return Math.min(typical * 8, typical * Math.exp(0.35 * normal))
    },
  }
}
