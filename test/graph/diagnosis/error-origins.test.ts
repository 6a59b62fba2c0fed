import { describe, expect, it } from 'vitest'
import { learnCallees } from '../../../src/graph/diagnosis/charge-samples.ts'
import { errorOrigins, learnWaits } from '../../../src/graph/diagnosis/error-origins.ts'
import { Names } from '../../../src/graph/diagnosis/names.ts'
import { type SpanSketch, setOf } from './trace-json.ts'

function origins(sketches: readonly SpanSketch[], learnFrom: readonly SpanSketch[] = []): readonly string[] {
  const names = new Names()
  const set = setOf(sketches, names)
  const callees = learnCallees([set, setOf(learnFrom, names)])
  return errorOrigins(set, callees).map(origin => names.text(origin.service))
}

const chain = (failed: readonly number[]): readonly SpanSketch[] => [
  { id: 1, service: 'gateway', kind: 'server', at: [0, 100], failed: failed.includes(1) },
  { id: 2, parent: 1, service: 'gateway', kind: 'client', at: [10, 90], failed: failed.includes(2) },
  { id: 3, parent: 2, service: 'orders', kind: 'server', at: [12, 88], failed: failed.includes(3) },
  { id: 4, parent: 3, service: 'orders', kind: 'client', at: [20, 80], failed: failed.includes(4) },
  { id: 5, parent: 4, service: 'billing', kind: 'server', at: [22, 78], failed: failed.includes(5) },
]

describe('errorOrigins', () => {
  it('blames the deepest failed span, not the entry point', () => {
    expect(origins(chain([1, 2, 3, 4, 5]))).toEqual(['billing'])
  })

  it('looks through a span in between that does not call itself failed', () => {
    expect(origins(chain([1, 2, 4, 5]))).toEqual(['billing'])
  })

  it('blames the caller that failed although its callees did not', () => {
    expect(origins(chain([1, 2, 3]))).toEqual(['orders'])
  })

  it('blames the peer of a failed call that sends no telemetry', () => {
    const sketches: readonly SpanSketch[] = [
      { id: 1, service: 'orders', kind: 'server', at: [0, 50], failed: true },
      { id: 2, parent: 1, service: 'orders', kind: 'client', at: [5, 9], failed: true, peer: 'stockdb' },
    ]
    expect(origins(sketches)).toEqual(['stockdb'])
  })

  it('blames the broker that a failed send was for', () => {
    const sketches: readonly SpanSketch[] = [
      { id: 1, service: 'orders', kind: 'server', at: [0, 50], failed: true },
      { id: 2, parent: 1, service: 'orders', kind: 'producer', at: [5, 9], failed: true, peer: 'mails' },
    ]
    expect(origins(sketches)).toEqual(['mails'])
  })

  it('blames a service that has fallen silent, by what was learnt of the call before', () => {
    const call: SpanSketch = { id: 2, service: 'orders', name: 'charge', kind: 'client', at: [0, 9] }
    const answered: SpanSketch = { id: 3, parent: 2, service: 'billing', kind: 'server', at: [1, 8] }
    expect(origins([{ ...call, failed: true }], [call, answered])).toEqual(['billing'])
  })

  it('blames the callee when the caller gave up on it', () => {
    const sketches: readonly SpanSketch[] = [
      { id: 1, service: 'orders', kind: 'client', at: [0, 50], failed: true },
      { id: 2, parent: 1, service: 'billing', kind: 'server', at: [2, 400] },
    ]
    expect(origins(sketches)).toEqual(['billing'])
  })

  it('blames the callee when it had not even begun before the caller gave up', () => {
    const sketches: readonly SpanSketch[] = [
      { id: 1, service: 'orders', kind: 'client', at: [0, 50], failed: true },
      { id: 2, parent: 1, service: 'billing', kind: 'server', at: [70, 90] },
    ]
    expect(origins(sketches)).toEqual(['billing'])
  })

  it('blames the caller that gives up sooner than it used to on a callee that takes no longer', () => {
    const call = (trace: number, waitsMs: number, worksMs: number): readonly SpanSketch[] => [
      { id: 1, trace, service: 'orders', kind: 'client', at: [0, waitsMs], failed: waitsMs < worksMs },
      { id: 2, trace, parent: 1, service: 'billing', kind: 'server', at: [2, worksMs] },
    ]
    const names = new Names()
    const baseline = setOf(Array.from({ length: 20 }, (_, i) => call(i + 1, 44, 40)).flat(), names)
    const blamed = (sketches: readonly SpanSketch[]) => {
      const set = setOf(sketches, names)
      const callees = learnCallees([set])
      const waits = learnWaits(set, baseline, callees)
      return errorOrigins(set, callees, waits).map(origin => names.text(origin.service))
    }
    expect(blamed(call(1, 30, 41))).toEqual(['orders'])
    expect(blamed(call(1, 30, 400))).toEqual(['billing'])
  })

  type Outcome = (ms: number) => readonly [number, boolean]
  it.each<readonly [string, Outcome, string]>([
    [
      'the caller that cuts calls of a silent peer short',
      (ms: number) => [Math.min(ms, 28), ms > 28],
      'orders',
    ],
    ['a silent peer that refuses at once', () => [2, true], 'cards'],
    ['a silent peer that works as long as ever and then fails', (ms: number) => [ms, true], 'cards'],
    ['a silent peer that fails now and then', (ms: number) => [ms, Math.round(ms) % 3 === 0], 'cards'],
    ['a silent peer that takes too long', () => [100, true], 'cards'],
  ])('blames %s', (_, happens, culprit) => {
    const names = new Names()
    const calls = (outcome: Outcome) =>
      Array.from({ length: 40 }, (_each, i): readonly SpanSketch[] => {
        const [ms, failed] = outcome(18 + i)
        return [
          { id: 1, trace: i + 1, service: 'orders', kind: 'server', at: [0, ms + 2] },
          {
            id: 2,
            trace: i + 1,
            parent: 1,
            service: 'orders',
            kind: 'client',
            at: [1, ms + 1],
            failed,
            peer: 'cards',
          },
        ]
      }).flat()
    const window = setOf(calls(happens), names)
    const baseline = setOf(
      calls(ms => [ms, false]),
      names,
    )
    const callees = learnCallees([window, baseline])
    const origins = errorOrigins(window, callees, learnWaits(window, baseline, callees))
    expect([...new Set(origins.map(origin => names.text(origin.service)))]).toEqual([culprit])
  })
})
