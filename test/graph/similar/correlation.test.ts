import { describe, expect, it } from 'vitest'
import { correlate, neededZ } from '../../../src/graph/similar/correlation.ts'
import { seeded } from '../diagnosis/synthetic-system.ts'

function noise(seed: number, length = 60): Float64Array {
  const random = seeded(seed)
  return Float64Array.from({ length }, () => random())
}

const later = (values: Float64Array, by: number): Float64Array =>
  Float64Array.from(values, (_, at) => values[at - by] ?? Number.NaN)

describe('correlate', () => {
  it('finds by how many windows one follows the other, or goes before it', () => {
    const first = noise(1)
    expect(correlate(first, later(first, 3), 5)).toMatchObject({ lag: 3, pairs: 57 })
    expect(correlate(later(first, 2), first, 5)).toMatchObject({ lag: -2, pairs: 58 })
    expect(
      correlate(
        first,
        first.map(value => -value),
        5,
      )?.rho,
    ).toBeCloseTo(-1)
  })

  it('takes two random series for related about as rarely as it says', () => {
    const pairs = 400
    const needed = neededZ(pairs * 7)
    const found = Array.from({ length: pairs }, (_, at) => correlate(noise(2 * at + 1), noise(2 * at + 2), 3))
    expect(found.filter(one => one !== null && Math.abs(one.z) >= needed)).toHaveLength(0)
  })

  it('is less sure of series that hang on their own past', () => {
    const walk = (seed: number) => {
      let at = 0
      return noise(seed).map(step => (at += step - 0.5))
    }
    const walks = Array.from({ length: 200 }, (_, at) => correlate(walk(2 * at + 1), walk(2 * at + 2), 0))
    const sure = walks.filter(one => one !== null && Math.abs(one.z) >= neededZ(200))
    // By their ranks alone, half of these pairs would pass for related.
    expect(sure.length).toBeLessThan(10)
  })

  it('says nothing of what never changes, or is known too rarely', () => {
    expect(correlate(noise(1), new Float64Array(60).fill(3), 3)).toBeNull()
    expect(correlate(noise(1, 6), noise(2, 6), 3)).toBeNull()
  })
})
