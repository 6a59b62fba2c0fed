import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SeenTable } from '../../../src/engine/inbox/seen-table.ts'

/** Few home slots, so that probes collide and gaps must be closed. */
function hashOf(n: number): Uint8Array {
  const hash = new Uint8Array(16)
  hash[3] = n % 3
  hash[15] = n
  return hash
}

test('remembers exactly the newest requests within window and limit, like a plain list would', () => {
  const steps = fc.array(fc.record({ n: fc.nat(40), passMs: fc.nat(400), add: fc.boolean() }), {
    maxLength: 200,
  })
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 20 }), (list, limit) => {
      const table = new SeenTable(2_000, limit)
      let model: { n: number; atMs: number }[] = []
      let now = 1_000_000
      for (const { n, passMs, add } of list) {
        now += passMs
        model = model.filter(seen => seen.atMs >= now - 2_000)
        const known = model.some(seen => seen.n === n)
        expect(table.find(hashOf(n), now)).toEqual(known ? { accepted: n, rejected: 1 } : null)
        if (!add || known) continue
        table.add(hashOf(n), now, { accepted: n, rejected: 1 })
        model = [...model, { n, atMs: now }].slice(-limit)
        expect(table.size).toBe(model.length)
      }
    }),
  )
})
