import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Names } from '../../../src/graph/diagnosis/names.ts'
import { criticalShares, criticalTime } from '../../../src/graph/scenario/critical-path.ts'
import { type SpanSketch, setOf } from '../diagnosis/trace-json.ts'

function critical(sketches: readonly SpanSketch[]): Readonly<Record<number, number>> {
  const set = setOf(sketches)
  return Object.fromEntries(
    Array.from(criticalTime(set), (ms, row) => [set.spanLo[row] ?? 0, Math.round(ms * 100) / 100]),
  )
}

describe('criticalTime', () => {
  it('is of what ended last, and of the span itself in between', () => {
    expect(
      critical([
        { id: 1, service: 'a', kind: 'server', at: [0, 100] },
        { id: 2, parent: 1, service: 'b', kind: 'server', at: [10, 50] },
        { id: 3, parent: 1, service: 'c', kind: 'server', at: [10, 90] },
      ]),
    ).toEqual({ 1: 20, 2: 0, 3: 80 })
  })

  it('leaves out messages and what goes on after the end', () => {
    expect(
      critical([
        { id: 1, service: 'a', kind: 'server', at: [0, 100] },
        { id: 2, parent: 1, service: 'b', kind: 'consumer', at: [10, 90] },
        { id: 3, parent: 1, service: 'c', kind: 'server', at: [50, 500] },
      ]),
    ).toEqual({ 1: 100, 2: 0, 3: 0 })
  })

  it('adds up to the length of the request, whatever it does', () => {
    const span = fc.record({ parent: fc.nat(9), from: fc.nat(100), length: fc.integer({ min: 1, max: 100 }) })
    fc.assert(
      fc.property(fc.array(span, { minLength: 1, maxLength: 10 }), spans => {
        const sketches = spans.map(
          (one, at): SpanSketch => ({
            id: at + 1,
            ...(at === 0 ? {} : { parent: (one.parent % at) + 1 }),
            service: 'a',
            kind: 'server',
            at: at === 0 ? [0, 200] : [one.from, one.from + one.length],
          }),
        )
        const total = Object.values(critical(sketches)).reduce((sum, ms) => sum + ms, 0)
        expect(total).toBeCloseTo(200)
      }),
    )
  })
})

describe('criticalShares', () => {
  it('charges a service without telemetry for calls to it', () => {
    const names = new Names()
    const set = setOf(
      [
        { id: 1, service: 'a', kind: 'server', at: [0, 100] },
        { id: 2, parent: 1, service: 'a', kind: 'client', at: [20, 95], peer: 'db' },
      ],
      names,
    )
    const shares = criticalShares(set)
    expect(shares.get(names.id('db'))?.get(0)).toBeCloseTo(0.75)
    expect(shares.get(names.id('a'))?.get(0)).toBeCloseTo(0.25)
  })
})
