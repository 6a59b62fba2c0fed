import { describe, expect, it } from 'vitest'
import {
  PatternPool,
  type Run,
  risenSteps,
  runEnd,
  type Step,
} from '../../../src/graph/diagnosis/sequences.ts'

const pool = new PatternPool()

function runs(count: number, tokens: readonly number[], unhealthy = false): readonly Run[] {
  return Array.from({ length: count }, (_, i) => ({
    service: 1,
    context: 'service operation',
    trace: i,
    entry: i,
    pattern: pool.of(tokens),
    times: tokens.map((_, at) => i * 10 + at),
    startMs: i * 10,
    endMs: i * 10 + 9,
    unhealthy,
  }))
}

const strongest = (steps: readonly Step[]): Pick<Step, 'kind' | 'from' | 'to' | 'skips'> | undefined => {
  const [first] = steps
  return first === undefined
    ? undefined
    : { kind: first.kind, from: first.from, to: first.to, skips: first.skips }
}

/** Steps with as much evidence as a diagnosis looks at. */
const worthAWord = (steps: readonly Step[]): readonly Step[] => steps.filter(step => step.evidence >= 3)

describe('risenSteps', () => {
  it('finds nothing where nothing changed', () => {
    expect(worthAWord(risenSteps(runs(50, [1, 2, 3]), runs(80, [1, 2, 3])))).toEqual([])
  })

  it('sees work that is skipped as a step past it', () => {
    const steps = risenSteps(runs(40, [1, 3]), runs(80, [1, 2, 3]))
    expect(strongest(steps)).toEqual({ kind: 'unseen', from: 1, to: 3, skips: true })
  })

  it('sees work that ends early', () => {
    const steps = risenSteps(runs(40, [1]), runs(80, [1, 2, 3]))
    expect(strongest(steps)).toEqual({ kind: 'unseen', from: 1, to: runEnd, skips: true })
  })

  it('sees a new branch that skips nothing it knows', () => {
    const steps = risenSteps(runs(40, [1, 9]), runs(80, [1, 2]))
    expect(strongest(steps)).toEqual({ kind: 'unseen', from: 1, to: 9, skips: false })
  })

  it('sees a repetition that is missing although every step is known', () => {
    const steps = risenSteps(runs(40, [1, 1 + 1]), runs(80, [1, 2, 2]))
    expect(strongest(steps)).toEqual({ kind: 'missing', from: 2, to: 2, skips: true })
  })

  it('takes a shift in the mix of known branches for less than a new step', () => {
    const before = [...runs(40, [1, 2]), ...runs(40, [1, 3])]
    const mixed = risenSteps([...runs(28, [1, 2]), ...runs(12, [1, 3])], before)
    const fresh = risenSteps([...runs(28, [1, 2]), ...runs(12, [1, 4])], before)
    expect(fresh[0]?.evidence).toBeGreaterThan(3 * (mixed[0]?.evidence ?? 0))
  })

  it('does not take a recovery for a symptom', () => {
    const before = [...runs(60, [1, 8], true), ...runs(20, [1, 2])]
    expect(worthAWord(risenSteps(runs(40, [1, 2]), before))).toEqual([])
    expect(worthAWord(risenSteps(runs(40, [1, 8], true), runs(60, [1, 2])))).not.toEqual([])
  })

  it('expects the unseen where the baseline keeps showing something new', () => {
    const steady = runs(60, [1, 2])
    const restless = Array.from({ length: 60 }, (_, i) => runs(1, [1, 100 + i])).flat()
    const fresh = runs(10, [1, 9])
    const surprise = risenSteps(fresh, steady)[0]?.evidence ?? 0
    expect(risenSteps(fresh, restless)[0]?.evidence ?? 0).toBeLessThan(surprise / 10)
  })
})
