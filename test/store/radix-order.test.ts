import fc from 'fast-check'
import { expect, it } from 'vitest'
import { radixOrder } from '../../src/store/segment/radix-order.ts'

it('orders numbers by their keys, equal ones as they come', () => {
  const key = fc.oneof(
    fc.nat(5),
    fc.integer({ min: 0, max: 0xffffffff }),
    fc.constantFrom(0, 2047, 0xffffffff),
  )
  fc.assert(
    fc.property(fc.array(key, { maxLength: 200 }), values => {
      const keys = Uint32Array.from(values)
      const expected = values.map((_, at) => at).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || a - b)
      expect([...radixOrder(keys)]).toEqual(expected)
    }),
  )
})
