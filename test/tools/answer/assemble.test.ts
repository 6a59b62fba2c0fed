import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assemble } from '../../../src/tools/answer/assemble.ts'
import type { Draft } from '../../../src/tools/answer/draft.ts'
import { tokenBound } from '../../../src/tools/answer/token-bound.ts'

/** Costs that differ: digits of hexadecimal numbers are letters or not. */
const identities = [
  { asOf: 'aaaaaaaa-375@2026-11-29T16:04:05.879Z', resultId: '0000000000000000' },
  { asOf: '83ad41a1-375@2026-11-29T16:04:14.329Z', resultId: '135bebbff2c2393b' },
  { asOf: '37124a1d-375@2026-11-29T16:04:40.243Z', resultId: 'a1b2c3d4e5f6a7b8' },
]

function answerFor(rows: number, maxTokens: number, identity: (typeof identities)[number]): string {
  const draft: Draft = {
    status: 'ok',
    answer: 'changes of the window',
    tables: [
      {
        name: 'changes',
        columns: [{ name: 'service', kind: 'name' }],
        rows: Array.from({ length: rows }, (_, at) => ({ cells: [`service-${at}`], importance: -at })),
        paged: false,
      },
    ],
  }
  return assemble(draft, {
    ...identity,
    maxTokens,
    limit: 1_000,
    coverage: {},
    binding: { key: 'k', scope: 's' },
    start: null,
  })
}

describe('an answer', () => {
  it('shows the same whatever its inbox and its own name are, and stays within its budget', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 200, max: 1_500 }), (rows, budget) => {
        const texts = identities.map(identity => answerFor(rows, budget, identity))
        const shown = texts.map(text => {
          const { as_of, result_id, ...rest } = JSON.parse(text) as Record<string, unknown>
          expect(as_of).toBeTypeOf('string')
          expect(result_id).toBeTypeOf('string')
          return JSON.stringify(rest)
        })
        expect(new Set(shown).size).toBe(1)
        for (const text of texts) expect(tokenBound(text)).toBeLessThanOrEqual(budget)
      }),
    )
  })
})
