import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bucketCount,
  bucketOfMs,
  bucketOfNs,
  bucketValueMs,
  largestMs,
  quantileOf,
  smallestMs,
} from '../../../src/graph/rollups/sketch.ts'

describe('the latency sketch', () => {
  it('stands for every duration within two percent', () => {
    const durations = fc.double({ min: smallestMs, max: largestMs, noNaN: true })
    fc.assert(
      fc.property(durations, ms => {
        expect(Math.abs(bucketValueMs(bucketOfMs(ms)) - ms) / ms).toBeLessThanOrEqual(0.02)
      }),
      { numRuns: 5_000 },
    )
  })

  it('gives quantiles within two percent of the exact ones, for any distribution', () => {
    const durations = fc.array(fc.double({ min: 0.01, max: 1e7, noNaN: true }), {
      minLength: 1,
      maxLength: 300,
    })
    fc.assert(
      fc.property(durations, fc.double({ min: 0, max: 1, noNaN: true }), (values, q) => {
        const counts = new Float64Array(bucketCount)
        for (const ms of values) counts[bucketOfMs(ms)] = (counts[bucketOfMs(ms)] ?? 0) + 1
        const sorted = values.toSorted((a, b) => a - b)
        const exact = sorted[Math.floor(q * (sorted.length - 1))] ?? 0
        expect(Math.abs(quantileOf(counts, q) - exact) / exact).toBeLessThanOrEqual(0.02)
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    ['nothing', 0, 0],
    ['below a microsecond', 999, 0],
    ['one microsecond', 1_000, 1],
    ['not a number', Number.NaN, 0],
    ['eighteen days', 1.6e15, bucketCount - 1],
    ['a century', 3e18, bucketCount - 1],
  ])('puts %s where it belongs', (_, ns, bucket) => {
    expect(bucketOfNs(ns)).toBe(bucket)
  })

  it('has no quantile without data and ignores counts that corrections made negative', () => {
    const counts = new Float64Array(bucketCount)
    expect(quantileOf(counts, 0.5)).toBeNaN()
    counts[10] = -3
    counts[20] = 2
    expect(quantileOf(counts, 0)).toBe(bucketValueMs(20))
  })
})
