import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { orderOf } from '../../../src/graph/diagnosis/number-order.ts'

const near = fc.integer({ min: 0, max: 40 }).map(step => 1.7e12 + step / 4096)
const far = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 })

describe('orderOf', () => {
  it('orders numbers as a stable sort does, few or many, near each other or not, with any outliers', () => {
    const some = fc.array(fc.oneof(near, far, fc.constant(0)), { maxLength: 60 })
    const many = fc
      .tuple(fc.array(near, { minLength: 20, maxLength: 60 }), some)
      .map(([repeated, others]) => [...Array.from({ length: 40 }, () => repeated).flat(), ...others])
    fc.assert(
      fc.property(fc.oneof(some, many), values => {
        const expected = [...values.keys()].sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0) || a - b)
        expect([...orderOf(values)]).toEqual(expected)
      }),
      { seed: 7, numRuns: 200 },
    )
  })
})
