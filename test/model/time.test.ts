import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { halvesOf, toMs, toNs } from '../../src/model/time.ts'

describe('toMs', () => {
  it('is exact for whole milliseconds of any century', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Math.floor(2 ** 64 / 1e6) - 1 }), ms => {
        const { high, low } = halvesOf(BigInt(ms) * 1_000_000n)
        expect(toMs(high, low)).toBe(ms)
      }),
      { numRuns: 2000 },
    )
  })

  it('keeps the order of times, and differs from the exact one by less than a microsecond', () => {
    const ns = fc.bigInt({ min: 0n, max: 2n ** 62n })
    fc.assert(
      fc.property(ns, fc.bigInt({ min: 0n, max: 10_000_000n }), (time, gap) => {
        const first = halvesOf(time)
        const second = halvesOf(time + gap)
        expect(toMs(second.high, second.low)).toBeGreaterThanOrEqual(toMs(first.high, first.low))
        const whole = Number(toNs(first.high, first.low) / 1_000_000n)
        const rest = toMs(first.high, first.low) - whole
        expect(Math.abs(rest - Number(time % 1_000_000n) / 1e6)).toBeLessThan(1e-3)
      }),
      { numRuns: 2000 },
    )
  })
})
