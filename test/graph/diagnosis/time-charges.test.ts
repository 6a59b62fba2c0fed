import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { collectCharges, learnCallees } from '../../../src/graph/diagnosis/charge-samples.ts'
import { Names } from '../../../src/graph/diagnosis/names.ts'
import { chargeTime } from '../../../src/graph/diagnosis/time-charges.ts'
import { type SpanSketch, setOf } from './trace-json.ts'

function charges(sketches: readonly SpanSketch[]): Readonly<Record<number, number>> {
  const set = setOf(sketches)
  const charged = chargeTime(set)
  return Object.fromEntries(
    Array.from(charged, (ms, row) => [set.spanLo[row] ?? 0, Math.round(ms * 100) / 100]),
  )
}

describe('collectCharges', () => {
  it('charges a broker for the time of sending, and the sender for the rest', () => {
    const names = new Names()
    const set = setOf(
      [
        { id: 1, service: 'orders', kind: 'server', at: [0, 100] },
        { id: 2, parent: 1, service: 'orders', kind: 'producer', at: [10, 80], peer: 'mails' },
        { id: 3, parent: 2, service: 'mailer', kind: 'consumer', at: [110, 115] },
      ],
      names,
    )
    const charged = [...collectCharges(set, names, learnCallees([set])).values()]
    expect(charged.map(({ key, ms }) => [key.kind, names.text(key.owner), ms[0]])).toEqual(
      expect.arrayContaining([
        ['peer', 'mails', 70],
        ['self', 'orders', 30],
      ]),
    )
  })
})

describe('chargeTime', () => {
  it('charges a callee for its time, and the gap to the client span', () => {
    const found = charges([
      { id: 1, service: 'a', kind: 'server', at: [0, 100] },
      { id: 2, parent: 1, service: 'a', kind: 'client', at: [10, 90] },
      { id: 3, parent: 2, service: 'b', kind: 'server', at: [20, 80] },
    ])
    expect(found).toEqual({ 1: 20, 2: 20, 3: 60 })
  })

  it('splits an instant between concurrent callees', () => {
    const found = charges([
      { id: 1, service: 'a', kind: 'server', at: [0, 100] },
      { id: 2, parent: 1, service: 'a', kind: 'client', at: [0, 100], peer: 'x' },
      { id: 3, parent: 1, service: 'a', kind: 'client', at: [0, 50], peer: 'y' },
    ])
    expect(found).toEqual({ 1: 0, 2: 75, 3: 25 })
  })

  it('gives local spans nothing while their entry waits for another service', () => {
    const found = charges([
      { id: 1, service: 'a', kind: 'server', at: [0, 100] },
      { id: 2, parent: 1, service: 'a', at: [0, 100] },
      { id: 3, parent: 1, service: 'a', kind: 'client', at: [20, 80], peer: 'x' },
    ])
    expect(found).toEqual({ 1: 0, 2: 40, 3: 60 })
  })

  it('brings the clock of a callee back inside the call', () => {
    const found = charges([
      { id: 1, service: 'a', kind: 'client', at: [0, 100] },
      { id: 2, parent: 1, service: 'b', kind: 'server', at: [500, 560] },
      { id: 3, parent: 2, service: 'b', at: [510, 550] },
    ])
    expect(found).toEqual({ 1: 40, 2: 20, 3: 40 })
  })

  it('survives spans that name each other as parents', () => {
    const found = charges([
      { id: 1, parent: 2, service: 'a', at: [0, 10] },
      { id: 2, parent: 1, service: 'a', at: [0, 10] },
    ])
    expect((found[1] ?? 0) + (found[2] ?? 0)).toBeCloseTo(10)
  })

  it('charges every instant of a trace exactly once, whatever its shape', () => {
    const span = fc.record({
      parent: fc.nat(9),
      service: fc.constantFrom('a', 'b', 'c'),
      kind: fc.constantFrom('internal', 'server', 'client', 'producer', 'consumer'),
      from: fc.nat(100),
      length: fc.integer({ min: 1, max: 100 }),
    })
    fc.assert(
      fc.property(fc.array(span, { minLength: 1, maxLength: 10 }), spans => {
        const set = setOf(
          spans.map((one, i) => ({
            id: i + 1,
            ...(one.parent < i ? { parent: one.parent + 1 } : {}),
            service: one.service,
            kind: one.kind as 'server', // one of the five kinds
            at: [one.from, one.from + one.length],
          })),
        )
        const total = chargeTime(set).reduce((sum, ms) => sum + ms, 0)
        // Moved clocks and waiting entries only ever leave time uncharged.
        expect(total).toBeLessThanOrEqual(covered(set.startMs, set.endMs) + 1e-6)
        expect(total).toBeGreaterThan(0)
      }),
      { seed: 7, numRuns: 300 },
    )
  })
})

/** Length of the union of intervals. */
function covered(starts: Float64Array, ends: Float64Array): number {
  const order = Array.from(starts, (_, i) => i).sort((a, b) => (starts[a] ?? 0) - (starts[b] ?? 0))
  let sum = 0
  let reached = Number.NEGATIVE_INFINITY
  for (const i of order) {
    const start = starts[i] ?? 0
    const end = ends[i] ?? 0
    if (end > reached) sum += end - Math.max(start, reached)
    reached = Math.max(reached, end)
  }
  return sum
}
