import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Names } from '../../../src/graph/diagnosis/names.ts'
import { replay } from '../../../src/graph/scenario/replay.ts'
import { measureSpread } from '../../../src/graph/scenario/spread.ts'
import { shareInterval } from '../../../src/graph/share-interval.ts'
import { type SpanSketch, setOf } from '../diagnosis/trace-json.ts'

const deadline = { signal: new AbortController().signal, check: () => undefined }

/** `a` calls `b`, which may call `c`; failed as given. */
function chain(trace: number, failed: { a?: boolean; b?: boolean; c?: boolean }, calls = 1): SpanSketch[] {
  const id = (part: number) => trace * 100 + part
  return [
    { id: id(1), trace, service: 'a', name: 'entry', kind: 'server', at: [0, 90], failed: failed.a === true },
    ...Array.from({ length: calls }, (_, call): SpanSketch[] => [
      {
        id: id(10 + call),
        parent: id(1),
        trace,
        service: 'b',
        name: 'serve',
        kind: 'server',
        at: [10 + call * 20, 25 + call * 20],
        // Only the first attempt fails where there are several.
        failed: failed.b === true && call === 0,
      },
    ]).flat(),
    ...(failed.c === undefined
      ? []
      : [
          {
            id: id(50),
            parent: id(10),
            trace,
            service: 'c',
            name: 'store',
            kind: 'server' as const,
            at: [12, 20] as const,
            failed: failed.c,
          },
        ]),
  ]
}

function play(measured: readonly SpanSketch[], replayed: readonly SpanSketch[], service: string) {
  const history = new Names()
  const spread = measureSpread(setOf(measured, history), history)
  const names = new Names()
  const set = setOf(replayed, names)
  return replay({ set, names, target: { service }, scenario: { kind: 'fails' }, spread, deadline })
}

describe('measureSpread', () => {
  it('counts requests all of whose calls failed, so that a retry that succeeded is no failure', () => {
    const names = new Names()
    const set = setOf(
      [
        ...chain(1, { a: true, b: true }),
        ...chain(2, { a: false, b: true }),
        ...chain(3, { a: false, b: true }, 2),
        ...chain(4, { a: false, b: false }),
      ],
      names,
    )
    expect(measureSpread(set, names)).toEqual([
      {
        caller: 'a',
        callee: 'b',
        calleeFailed: 2,
        callerFailed: 1,
        probability: 0.5,
        low: 0.0945,
        high: 0.9055,
        otherwise: 0,
      },
    ])
  })

  it('is counted where the caller was entered, not where it noticed', () => {
    const names = new Names()
    const call = (trace: number, failed: boolean, callerFailed: boolean): SpanSketch[] => [
      { id: trace * 10 + 1, trace, service: 'a', kind: 'server', at: [0, 9], failed: callerFailed },
      { id: trace * 10 + 2, parent: trace * 10 + 1, trace, service: 'a', kind: 'client', at: [1, 8], failed },
      { id: trace * 10 + 3, parent: trace * 10 + 2, trace, service: 'b', kind: 'server', at: [2, 7] },
    ]
    const set = setOf([...call(1, true, false), ...call(2, true, true), ...call(3, false, true)], names)
    expect(measureSpread(set, names)).toEqual([
      expect.objectContaining({ calleeFailed: 2, callerFailed: 1, probability: 0.5, otherwise: 1 }),
    ])
  })

  it('is not sure after few, and the surer the more there are', () => {
    expect(shareInterval(0, 0)).toEqual({ low: 0, high: 1 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, part) => {
        const share = Math.round(part * n) / n
        const { low, high } = shareInterval(share, n)
        expect(low - 1e-4).toBeLessThanOrEqual(share)
        expect(high + 1e-4).toBeGreaterThanOrEqual(share)
        const more = shareInterval(share, n * 4)
        expect(more.high - more.low).toBeLessThan(high - low)
      }),
    )
  })
})

describe('a service that fails', () => {
  it('takes its callers along as often as it was seen to', () => {
    const measured = [1, 2, 3, 4].flatMap(trace => chain(trace, { a: trace > 1, b: true, c: true }))
    const { all, callers, spread } = play(measured, chain(9, { c: false }), 'c')
    expect(all.fails?.share).toBe(0.75)
    expect(all.fails?.low).toBeGreaterThan(0)
    expect(all.fails?.high).toBeLessThan(1)
    expect(callers.map(one => [one.service, one.fails?.share])).toEqual([
      ['a', 0.75],
      ['b', 1],
    ])
    expect(spread.map(one => `${one.caller} ${one.callee} ${one.calleeFailed}`)).toEqual(['a b 4', 'b c 4'])
  })

  it('is taken to fail whoever waits where no failure was seen, and nobody knows', () => {
    const { all, spread } = play(chain(1, {}), [...chain(9, {}), ...chain(8, {}, 0)], 'b')
    expect(all).toMatchObject({ replayed: 2, through: 1, throughShare: 0.5 })
    expect(all.fails).toEqual({ share: 0.5, low: 0, high: 0.5 })
    expect(spread).toEqual([
      {
        caller: 'a',
        callee: 'b',
        calleeFailed: 0,
        callerFailed: 0,
        probability: null,
        low: 0,
        high: 1,
        otherwise: 0,
      },
    ])
  })

  it('fails nobody who only sends it a message', () => {
    const message: readonly SpanSketch[] = [
      { id: 1, service: 'a', kind: 'server', at: [0, 50] },
      { id: 2, parent: 1, service: 'a', kind: 'producer', at: [10, 12] },
      { id: 3, parent: 2, service: 'b', kind: 'consumer', at: [20, 30] },
    ]
    const { all, spread } = play([], message, 'b')
    expect(all).toMatchObject({ through: 1, fails: { share: 0, low: 0, high: 0 } })
    expect(spread).toEqual([])
  })

  it('takes a request without its parent for one from outside only where most of its kind are', () => {
    const cut = chain(7, {}).filter(span => span.service === 'b')
    const mostly = play([], [...chain(1, {}), ...chain(2, {}), ...cut], 'b')
    expect(mostly.entryPoints.map(one => [one.service, one.replayed])).toEqual([['a', 2]])
    const { entryPoints } = play([], cut, 'b')
    expect(entryPoints.map(one => [one.service, one.replayed])).toEqual([['b', 1]])
  })

  it('counts sampled requests as often as they stand for', () => {
    const names = new Names()
    const set = setOf([...chain(1, {}), ...chain(2, {}, 0)], names)
    set.weight[set.traceIds.findIndex(id => id.endsWith('1'))] = 9
    const target = { service: 'b' }
    const { all } = replay({ set, names, target, scenario: { kind: 'fails' }, spread: [], deadline })
    expect(all).toMatchObject({ replayed: 2, throughShare: 0.9, fails: { share: 0.9 } })
  })
})

describe('a service that slows', () => {
  it('tells how much later requests end, and for how many other work hides it', () => {
    const hidden: readonly SpanSketch[] = [
      { id: 901, trace: 9, service: 'a', name: 'entry', kind: 'server', at: [0, 90] },
      { id: 902, trace: 9, parent: 901, service: 'b', kind: 'server', at: [10, 20] },
      { id: 903, trace: 9, parent: 901, service: 'd', kind: 'server', at: [10, 80] },
    ]
    const names = new Names()
    const set = setOf([...chain(1, {}), ...chain(2, {}, 0), ...hidden], names)
    const scenario = { kind: 'slower', delayMs: 50 } as const
    const { all } = replay({ set, names, target: { service: 'b' }, scenario, spread: [], deadline })
    expect(all.later).toMatchObject({ share: 0.3333, hiddenShare: 0.5, p50Ms: 90, p95ThenMs: 140 })
    expect(all.fails).toBeNull()
  })
})
