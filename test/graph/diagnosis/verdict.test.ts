import { describe, expect, it } from 'vitest'
import type { Candidate } from '../../../src/graph/diagnosis/candidates.ts'
import { type Circumstances, verdictOf } from '../../../src/graph/diagnosis/verdict.ts'

/** A candidate with this much evidence, in these traces. */
function candidate(service: string, sum: number, traces: readonly number[]): Candidate {
  return {
    cause: {
      location: {
        service,
        peer: false,
        operation: '',
        caller: '',
        instance: '',
        resource: '',
        version: '',
      },
      kind: 'failing',
      score: 0,
      features: [],
      onsetMs: null,
    },
    sum,
    findings: [],
    traces: new Set(traces),
  }
}

const clear: Circumstances = { enough: true, hurt: 0, sight: { services: 5, blind: 0 }, unwatched: 0 }
const verdict = (...candidates: readonly Candidate[]) => verdictOf(candidates, clear)

const some = Array.from({ length: 20 }, (_, i) => i)
const others = some.map(trace => trace + 100)

describe('verdictOf', () => {
  it('is firm about the first of two that are strong in different requests: two things happened', () => {
    expect(verdict(candidate('cart', 8, some), candidate('mail', 7.5, others))).toBe('likely')
  })

  it.each([
    ['the same requests', 7.5, some],
    ['requests that nobody knows', 7.5, []],
    ['different requests, but weakly', 7 - 1.55, others],
  ])('is not while another is close in %s', (_, sum, traces) => {
    expect(verdict(candidate('cart', 7, some), candidate('mail', sum, traces))).toBe('inconclusive')
  })

  it('looks past a second incident for a rival', () => {
    const two = [candidate('cart', 8, some), candidate('mail', 7.5, others)]
    expect(verdict(...two, candidate('shop', 7, some))).toBe('inconclusive')
    expect(verdict(...two, candidate('shop', 1, some))).toBe('likely')
  })

  it('calls nothing healthy while a loss of half of the messages of a destination would not show', () => {
    const faint = candidate('cart', 0.5, some)
    expect([verdict(), verdict(faint)]).toEqual(['healthy', 'healthy'])
    const dim = { ...clear, unwatched: 1 }
    expect([verdictOf([], dim), verdictOf([faint], dim)]).toEqual(['insufficient_data', 'inconclusive'])
  })
})
