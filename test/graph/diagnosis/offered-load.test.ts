import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ChargeSample } from '../../../src/graph/diagnosis/charge-samples.ts'
import { leaningOn, type Points, slopeWithin } from '../../../src/graph/diagnosis/load-slope.ts'
import { type LoadSide, OfferedLoad } from '../../../src/graph/diagnosis/offered-load.ts'
import { leftUnexplained } from '../../../src/graph/diagnosis/time-shift.ts'
import { seeded } from './synthetic-system.ts'

const key = { kind: 'peer', owner: 1, operation: 2, caller: 3 } as const
const limitMs = 10
const lengthMs = 60_000

/** How long a request takes that has so many others within the last tenth of a second before it. */
type Cost = (others: number, random: () => number) => number

const steady: Cost = () => 4
const crowded: Cost = (others, random) => (random() < 0.06 * others ? 30 : 4)
const broken: Cost = (_, random) => (random() < 0.9 ? 30 : 4)

/** Requests at random times, each with a trace of its own unless it is a repetition of the one before. */
function sideOf(seed: number, perSecond: number, cost: Cost, repeats = 1): LoadSide {
  const random = seeded(seed)
  const sample: ChargeSample = { key, ms: [], trace: [], atMs: [], instance: [] }
  let trace = 0
  for (let at = 0; at < lengthMs; at += (-Math.log(1 - random()) * 1000) / perSecond) {
    const others = sample.atMs.filter(time => time >= at - 100).length
    for (let repeat = 0; repeat < repeats; repeat++) {
      sample.atMs.push(at + repeat)
      sample.ms.push(cost(others, random))
      sample.trace.push(trace)
      sample.instance.push(0)
    }
    trace++
  }
  return { charges: new Map([['key', sample]]), parts: [{ fromMs: 0, toMs: lengthMs }], kept: 1 }
}

function slowShare({ charges }: LoadSide): number {
  const ms = charges.get('key')?.ms ?? []
  return ms.filter(one => one > limitMs).length / ms.length
}

/** Rise of the slow share, and what traffic explains of it. */
function compare(window: LoadSide, baseline: LoadSide): { rise: number; explained: number } {
  const [now, before] = [window.charges.get('key'), baseline.charges.get('key')]
  if (now === undefined || before === undefined) throw new Error('both sides have the key')
  const { rise } = new OfferedLoad(window, baseline).effect(now, before, limitMs)
  return { rise: slowShare(window) - slowShare(baseline), explained: rise }
}

describe('OfferedLoad', () => {
  it('explains what grows with the number of requests as it did before', () => {
    for (const seed of [1, 2, 3]) {
      const { rise, explained } = compare(sideOf(seed, 24, crowded), sideOf(seed + 10, 12, crowded))
      expect(rise).toBeGreaterThan(0.04)
      expect(explained).toBeGreaterThan(0.6 * rise)
      expect(explained).toBeLessThan(1.6 * rise)
    }
  })

  it('explains little of a place that is slow whatever comes, although twice as much comes', () => {
    for (const seed of [1, 2, 3]) {
      const { rise, explained } = compare(sideOf(seed, 24, broken), sideOf(seed + 10, 12, crowded))
      expect(rise).toBeGreaterThan(0.7)
      expect(explained).toBeLessThan(0.15 * rise)
    }
  })

  it('explains nothing without more requests', () => {
    expect(compare(sideOf(1, 12, broken), sideOf(2, 14, crowded)).explained).toBe(0)
  })

  it('explains nothing by calls that are only repeated', () => {
    const repeated = compare(sideOf(1, 12, crowded, 3), sideOf(2, 12, crowded))
    expect(repeated.explained).toBeLessThan(0.01)
    const asked = compare(sideOf(1, 36, crowded), sideOf(2, 12, crowded))
    expect(asked.explained).toBeGreaterThan(10 * repeated.explained)
  })

  it('tells by what factor more requests come, whatever part of the time was silent', () => {
    const early = sideOf(1, 12, steady)
    const silent = { ...early, parts: [{ fromMs: -10 * lengthMs, toMs: lengthMs }] }
    expect(new OfferedLoad(sideOf(2, 24, steady), silent).factor(key.owner)).toBeCloseTo(2, 0)
  })
})

interface Point {
  readonly x: number
  readonly y: number
  readonly weight: number
  readonly stretch: number
}

function columnsOf(points: readonly Point[]): Points {
  const column = (of: (point: Point) => number) => Float64Array.from(points, of)
  return {
    x: column(({ x }) => x),
    y: column(({ y }) => y),
    weight: column(({ weight }) => weight),
    stretch: column(({ stretch }) => stretch),
  }
}

describe('slopeWithin', () => {
  it('finds the slope within stretches, whatever steps lie between them', () => {
    const random = seeded(9)
    const points = Array.from({ length: 400 }, (_, i) => {
      const stretch = Math.floor(i / 40)
      const x = 10 * stretch + random()
      return { x, y: 2 * random() - 50 * stretch + 3 * (x - 10 * stretch), weight: 1, stretch }
    })
    expect(slopeWithin(columnsOf(points)).slope).toBeCloseTo(3, 0)
  })

  it('says nothing where nothing varies, and then leaves what was expected', () => {
    const flat = Array.from({ length: 30 }, () => ({ x: 1, y: 1, weight: 1, stretch: 0 }))
    expect(leaningOn(slopeWithin(columnsOf(flat)), 0.3)).toBe(0.3)
  })

  it('lies between what was measured and what was expected', () => {
    const numbers = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(numbers, numbers, numbers, (slope, variance, expected) => {
        const found = leaningOn({ slope, variance }, expected)
        expect(found).toBeGreaterThanOrEqual(Math.min(slope, expected) - 1e-12)
        expect(found).toBeLessThanOrEqual(Math.max(slope, expected) + 1e-12)
      }),
      { seed: 4 },
    )
  })
})

describe('leftUnexplained', () => {
  it('leaves the less the more is explained, and nothing of what is explained wholly', () => {
    const counts = fc.record({
      beyond: fc.integer({ min: 1, max: 200 }),
      total: fc.integer({ min: 200, max: 400 }),
      baseBeyond: fc.nat(20),
      baseTotal: fc.integer({ min: 100, max: 400 }),
    })
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(counts, share, share, (one, a, b) => {
        const less = leftUnexplained(one, Math.min(a, b))
        const more = leftUnexplained(one, Math.max(a, b))
        expect(more.evidence).toBeLessThanOrEqual(less.evidence + 1e-9)
        expect(more.ownPart).toBeLessThanOrEqual(less.ownPart)
        const rise = one.beyond / one.total - one.baseBeyond / one.baseTotal
        if (rise > 0) expect(leftUnexplained(one, rise).ownPart).toBeCloseTo(0, 9)
      }),
      { seed: 6 },
    )
  })
})
