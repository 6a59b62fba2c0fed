import { describe, expect, it } from 'vitest'
import { clockOffsets } from '../../../src/graph/diagnosis/clocks.ts'
import { Names } from '../../../src/graph/diagnosis/names.ts'
import { type SpanSketch, setOf } from './trace-json.ts'

/** `count` requests of `a` to `b` and on to `c`, with the clock of `b` ahead. */
function requests(count: number, aheadMs: number): readonly SpanSketch[] {
  return Array.from({ length: count }, (_, i): readonly SpanSketch[] => {
    const trace = i + 1
    const at = 100_000 + i * 1_000
    return [
      { id: 1, trace, service: 'a', kind: 'server', at: [at, at + 100] },
      { id: 2, trace, parent: 1, service: 'a', kind: 'client', at: [at + 10, at + 90] },
      { id: 3, trace, parent: 2, service: 'b', kind: 'server', at: [at + 20 + aheadMs, at + 80 + aheadMs] },
      { id: 4, trace, parent: 3, service: 'b', kind: 'client', at: [at + 30 + aheadMs, at + 70 + aheadMs] },
      { id: 5, trace, parent: 4, service: 'c', kind: 'server', at: [at + 40, at + 60] },
    ]
  }).flat()
}

function offsetsOf(sketches: readonly SpanSketch[]) {
  const names = new Names()
  return clockOffsets(setOf(sketches, names), names)
}

describe('clockOffsets', () => {
  it.each([7_000, -7_000])('finds a clock that is %d ms ahead, and not its callees', aheadMs => {
    expect(offsetsOf(requests(4, aheadMs))).toEqual([{ service: 'b', aheadMs }])
  })

  it('takes requests that each come late by something else for late, not for a clock', () => {
    const late = [300, 900, 1_700, 2_600, 3_700].flatMap((aheadMs, i) =>
      requests(1, aheadMs).map(sketch => ({ ...sketch, trace: i + 1 })),
    )
    expect(offsetsOf(late)).toEqual([])
  })

  it('says nothing of clocks as a network keeps them, nor of a single odd span', () => {
    expect(offsetsOf(requests(20, 40))).toEqual([])
    expect(offsetsOf([...requests(10, 0), ...requests(1, 9_000)])).toEqual([])
  })
})
