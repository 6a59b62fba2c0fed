import { describe, expect, it } from 'vitest'
import { learnCallees } from '../../../src/graph/diagnosis/charge-samples.ts'
import { entryHurt } from '../../../src/graph/diagnosis/entry-hurt.ts'
import { errorShifts } from '../../../src/graph/diagnosis/error-origins.ts'
import { Names } from '../../../src/graph/diagnosis/names.ts'
import type { WeightOf } from '../../../src/graph/diagnosis/trace-columns.ts'
import type { TraceSet } from '../../../src/graph/diagnosis/trace-set.ts'
import { type SpanSketch, setOf } from './trace-json.ts'

interface Kept {
  readonly good: number
  readonly failing?: number
  readonly slow?: number
}

/** One span per trace. */
function setWith(names: Names, { good, failing = 0, slow = 0 }: Kept, weightOf: WeightOf): TraceSet {
  const spans: SpanSketch[] = []
  for (let trace = 1; trace <= good + failing + slow; trace++) {
    const failed = trace > good && trace <= good + failing
    // A little longer each, for a baseline without spread has its largest value as its tail.
    const ms = trace > good + failing ? 500 : 10 + (trace % 5)
    spans.push({ id: trace, trace, service: 'shop', name: 'GET /', kind: 'server', at: [0, ms], failed })
  }
  return setOf(spans, names, weightOf)
}

/** A sampler that keeps everything bad and one in nine of the rest. */
const badOnes: WeightOf = (block, row) => {
  const ms = ((block.endLo[row] ?? 0) - (block.startLo[row] ?? 0)) / 1e6
  return block.status[row] === 2 || ms > 100 ? 1 : 9
}
const alike: WeightOf = () => 1

describe('shares of requests of which a sampler kept the bad ones', () => {
  it('are those of the requests, for failures', () => {
    const riseWith = (weightOf: WeightOf): number => {
      const names = new Names()
      const window = setWith(names, { good: 20, failing: 20 }, weightOf)
      const baseline = setWith(names, { good: 40 }, weightOf)
      const [shift] = errorShifts(window, baseline, learnCallees([window, baseline]), names)
      expect(shift?.failed).toBe(20)
      return shift?.rise ?? 0
    }
    expect(riseWith(alike)).toBeCloseTo(0.5, 6)
    expect(riseWith(badOnes)).toBeCloseTo(0.1, 6)
  })

  it('are those of the requests, for slowness', () => {
    const hurtWith = (weightOf: WeightOf): number => {
      const names = new Names()
      const window = setWith(names, { good: 40, slow: 20 }, weightOf)
      const hurt = entryHurt(window, setWith(names, { good: 60 }, weightOf))
      expect(hurt.slow.size).toBe(20)
      return hurt.value
    }
    // Every third request is slow, or twenty of three hundred and eighty, which nobody minds.
    expect(hurtWith(alike)).toBeGreaterThan(0.3)
    expect(hurtWith(badOnes)).toBeLessThan(0.05)
  })
})
