import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { differenceInterval, meanEstimate, shareInterval } from '../../src/graph/share-interval.ts'
import { seeded } from './diagnosis/synthetic-system.ts'

describe('differenceInterval', () => {
  it('holds the difference, and none where both are the same', () => {
    const estimate = fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 200 })).map(([hits, more]) => ({
      value: hits / (hits + more),
      ...shareInterval(hits / (hits + more), hits + more),
    }))
    fc.assert(
      fc.property(estimate, estimate, (after, before) => {
        const { low, high } = differenceInterval(after, before)
        expect(low).toBeLessThanOrEqual(after.value - before.value + 1e-9)
        expect(high).toBeGreaterThanOrEqual(after.value - before.value - 1e-9)
      }),
    )
  })

  it('covers the true difference of two shares in about nineteen of twenty samples', () => {
    const random = seeded(7)
    const sample = (share: number) => {
      const hits = Array.from({ length: 60 }, () => random()).filter(one => one < share).length
      return { value: hits / 60, ...shareInterval(hits / 60, 60) }
    }
    const covered = Array.from({ length: 1_000 }, () => differenceInterval(sample(0.3), sample(0.1))).filter(
      ({ low, high }) => low <= 0.2 && high >= 0.2,
    ).length
    expect(covered).toBeGreaterThan(925)
    expect(covered).toBeLessThan(985)
  })
})

describe('meanEstimate', () => {
  it('knows nothing from one value', () => {
    expect(meanEstimate([0.4])).toMatchObject({ value: 0.4, low: 0, high: 1 })
    expect(meanEstimate([0.5, 0.5, 0.5, 0.5])).toMatchObject({ low: 0.5, high: 0.5 })
  })
})
