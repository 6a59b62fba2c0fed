import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Step } from '../../../src/graph/diagnosis/sequences.ts'
import { stepStrength } from '../../../src/graph/diagnosis/step-origins.ts'

const errorToken = 7
const isErrorLine = (token: number): boolean => token === errorToken

function step(to: number, taken: number, evidence = 40): Step {
  return {
    kind: 'unseen',
    context: 'orders\nplace\nlogs',
    service: 1,
    from: 3,
    to,
    taken,
    reached: 100,
    baseTaken: 0,
    baseReached: 100,
    evidence,
    skips: false,
  }
}

describe('stepStrength', () => {
  it('takes an error that few write for wrong, and another branch that few take for a change of requests', () => {
    expect(stepStrength(step(errorToken, 30), isErrorLine)).toBeGreaterThan(0.5)
    expect(stepStrength(step(8, 30), isErrorLine)).toBeLessThan(0.1)
  })

  it('grows with the share that takes the step and with the evidence, and never leaves 0 to 1', () => {
    const token = fc.constantFrom(errorToken, 8)
    const share = fc.integer({ min: 1, max: 99 })
    fc.assert(
      fc.property(token, share, fc.double({ min: 0.1, max: 50, noNaN: true }), (to, taken, evidence) => {
        const strength = stepStrength(step(to, taken, evidence), isErrorLine)
        expect(strength).toBeGreaterThanOrEqual(0)
        expect(strength).toBeLessThanOrEqual(1)
        expect(stepStrength(step(to, taken + 1, evidence), isErrorLine)).toBeGreaterThan(strength)
        expect(stepStrength(step(to, taken, evidence + 1), isErrorLine)).toBeGreaterThanOrEqual(strength)
      }),
    )
  })
})
