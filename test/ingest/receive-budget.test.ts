import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReceiveBudget } from '../../src/ingest/receive-budget.ts'

describe('the receive budget', () => {
  it('turns away the request that holds most, not the one that came last', () => {
    const budget = new ReceiveBudget(100)
    const evicted: string[] = []
    const large = budget.open(() => evicted.push('large'))
    const small = budget.open(() => evicted.push('small'))
    large.add(80)
    small.add(20)
    expect(evicted).toEqual([])
    small.add(1)
    expect(evicted).toEqual(['large'])
    expect(budget.heldBytes).toBe(21)
  })

  it('turns away a request that is larger than the whole budget', () => {
    const budget = new ReceiveBudget(100)
    let evicted = 0
    budget.open(() => evicted++).add(101)
    expect(evicted).toBe(1)
    expect(budget.heldBytes).toBe(0)
  })

  it('counts nothing for a request that was let go of', () => {
    const budget = new ReceiveBudget(100)
    const lease = budget.open(() => undefined)
    lease.add(50)
    lease.release()
    lease.release()
    lease.add(50)
    expect(budget.heldBytes).toBe(0)
  })

  it('is never overdrawn, evicts each request at most once, and ends at zero, whatever happens', () => {
    const step = fc.record({ who: fc.nat(5), bytes: fc.nat(60), release: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const budget = new ReceiveBudget(100)
        const evictions = [0, 0, 0, 0, 0, 0]
        const leases = evictions.map((_, who) =>
          budget.open(() => (evictions[who] = (evictions[who] ?? 0) + 1)),
        )
        for (const { who, bytes, release } of steps) {
          if (release) leases[who]?.release()
          else leases[who]?.add(bytes)
          expect(budget.heldBytes).toBeLessThanOrEqual(100)
        }
        expect(Math.max(...evictions)).toBeLessThanOrEqual(1)
        for (const lease of leases) lease.release()
        expect(budget.heldBytes).toBe(0)
      }),
    )
  })
})
