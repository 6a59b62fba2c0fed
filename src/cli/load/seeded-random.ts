/** Random numbers that are the same in every run with the same seed. */

export interface SeededRandom {
  /** Below 1. */
  next(): number
  /** A whole number below `limit`. */
  below(limit: number): number
  /** 32 random bits, unsigned. */
  bits(): number
  /** Positive, of median 1; a tenth of all is above 1.9, a thousandth above 4.7. */
  skewed(): number
}

/** xorshift128 seeded through a mixer, so that neighbouring seeds share nothing. Marsaglia, JSS 8(14), 2003. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0
  const mixed = (): number => {
    state = (state + 0x9e3779b9) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
    return (z ^ (z >>> 16)) >>> 0
  }
  let [a, b, c, d] = [mixed(), mixed(), mixed(), mixed() | 1]
  const bits = (): number => {
    const t = a ^ (a << 11)
    a = b
    b = c
    c = d
    d = (d ^ (d >>> 19) ^ (t ^ (t >>> 8))) >>> 0
    return d
  }
  const next = (): number => bits() / 4294967296
  return {
    next,
    bits,
    below: limit => Math.floor(next() * limit),
    skewed: () => Math.exp((next() + next() + next() + next() - 2) * 0.87),
  }
}
