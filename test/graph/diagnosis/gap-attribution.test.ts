import { describe, expect, it } from 'vitest'
import { collectCharges, learnCallees } from '../../../src/graph/diagnosis/charge-samples.ts'
import { attributeGaps } from '../../../src/graph/diagnosis/gap-attribution.ts'
import { Names } from '../../../src/graph/diagnosis/names.ts'
import { timeShifts } from '../../../src/graph/diagnosis/time-shift.ts'
import { type SpanSketch, setOf } from './trace-json.ts'

interface Delays {
  /** Before `payment` takes a request, and before it reads the answer of the card network. */
  readonly reads?: number
  readonly answers?: number
  /** Before the refunds, which call the card network too, read its answer. */
  readonly refunds?: number
}

/** Thirty requests: shop calls payment, which calls a card network without telemetry; refunds call that too. */
function requests({ reads = 0, answers = 0, refunds = 0 }: Delays): readonly SpanSketch[] {
  return Array.from({ length: 30 }, (_, i): readonly SpanSketch[] => {
    const trace = 2 * i + 1
    const at = i * 1_000 + (i % 7)
    const end = at + 60 + reads + answers
    const card = { kind: 'client', name: 'authorize', peer: 'cards' } as const
    return [
      { id: 1, trace, service: 'shop', kind: 'server', at: [at, end + 10] },
      { id: 2, trace, parent: 1, service: 'shop', kind: 'client', at: [at + 2, end + 6] },
      { id: 3, trace, parent: 2, service: 'payment', kind: 'server', at: [at + 4 + reads, end + 4] },
      { ...card, id: 4, trace, parent: 3, service: 'payment', at: [at + 8 + reads, end] },
      { id: 5, trace: trace + 1, service: 'refunds', kind: 'server', at: [at, at + 60 + refunds] },
      { ...card, id: 6, trace: trace + 1, parent: 5, service: 'refunds', at: [at + 4, at + 56 + refunds] },
    ]
  }).flat()
}

/** Whom shifts are charged to when `busy` has no processor left. */
function charged(delays: Delays, busy: string): readonly string[] {
  const names = new Names()
  const window = setOf(requests(delays), names)
  const baseline = setOf(requests({}), names)
  const callees = learnCallees([window, baseline])
  const charges = collectCharges(window, names, callees)
  const context = { load: null, patience: { check: () => undefined } }
  const shifts = timeShifts(charges, collectCharges(baseline, names, callees), context)
  const blamed = attributeGaps(shifts, charges, new Set([names.id(busy)]))
  return [...new Set(blamed.map(({ key }) => names.text(key.owner)))].sort()
}

describe('attributeGaps', () => {
  it('charges a busy process that reads requests and answers late, and not what it alone calls', () => {
    expect(charged({ reads: 50, answers: 60 }, 'payment')).toEqual(['payment'])
  })

  it('charges what it calls if requests reach it in time, or if it has processor left', () => {
    expect(charged({ answers: 60 }, 'payment')).toEqual(['cards'])
    expect(charged({ reads: 50, answers: 60 }, 'shop')).toContain('cards')
  })

  it('charges what it calls if another caller finds that as slow', () => {
    expect(charged({ reads: 50, answers: 60, refunds: 60 }, 'payment')).toContain('cards')
  })
})
