import { describe, expect, it } from 'vitest'
import { type CallShift, callShifts } from '../../../src/graph/diagnosis/call-counts.ts'
import { learnCallees } from '../../../src/graph/diagnosis/charge-samples.ts'
import { Names } from '../../../src/graph/diagnosis/names.ts'
import type { TraceSet } from '../../../src/graph/diagnosis/trace-set.ts'
import { type SpanSketch, setOf } from './trace-json.ts'

interface Requests {
  readonly requests: number
  /** Successful calls of each request, and those that fail before the last one succeeds. */
  readonly calls: number
  readonly failing?: number
  /** The request fails in the end. */
  readonly failed?: boolean
  /** Traces without any such call beside these. */
  readonly others?: number
}

/** Requests to `shop` that query `table`, ten milliseconds each time. */
function requestsOf(
  names: Names,
  { requests, calls, failing = 0, failed = false, others = 0 }: Requests,
): TraceSet {
  const spans: SpanSketch[] = []
  let id = 1
  for (let trace = 1; trace <= requests; trace++) {
    const root = id++
    const end = 10 * (calls + failing) + 5
    spans.push({ id: root, trace, service: 'shop', name: 'GET /', kind: 'server', at: [0, end], failed })
    for (let call = 0; call < calls + failing; call++) {
      const at = [10 * call, 10 * call + 10] as const
      const place = { id: id++, parent: root, trace, service: 'shop', name: 'query', kind: 'client' } as const
      spans.push({ ...place, at, peer: 'table', failed: call < failing })
    }
  }
  for (let other = 1; other <= others; other++) {
    const place = {
      id: id++,
      trace: requests + other,
      service: 'shop',
      name: 'GET /about',
      kind: 'server',
    } as const
    spans.push({ ...place, at: [0, 5] })
  }
  return setOf(spans, names)
}

function shiftsOf(now: Requests, before: Requests): readonly CallShift[] {
  const names = new Names()
  const window = requestsOf(names, now)
  const baseline = requestsOf(names, before)
  return callShifts(window, baseline, { names, callees: learnCallees([window, baseline]) })
}

describe('callShifts', () => {
  it('finds who makes a call for every row, and what that costs', () => {
    const [shift] = shiftsOf({ requests: 30, calls: 8 }, { requests: 30, calls: 1 })
    expect(shift).toMatchObject({ beyond: 30, baseBeyond: 0, before: 1, now: 8, ownPart: 1 })
    expect(shift?.evidence).toBeGreaterThan(10)
    expect([...(shift?.traces.values() ?? [])]).toEqual(Array.from({ length: 30 }, () => 70))
  })

  it('finds nothing while requests call as often as before', () => {
    expect(shiftsOf({ requests: 60, calls: 3 }, { requests: 30, calls: 3 })).toEqual([])
  })

  it('does not count repetitions after a failure, nor what failing requests do', () => {
    expect(shiftsOf({ requests: 30, calls: 1, failing: 4 }, { requests: 30, calls: 1 })).toEqual([])
    expect(shiftsOf({ requests: 30, calls: 6, failed: true }, { requests: 30, calls: 1 })).toEqual([])
  })

  it('does not blame who takes several requests at a time for there being more of them', () => {
    const [batches] = shiftsOf(
      { requests: 20, calls: 6, others: 220 },
      { requests: 20, calls: 2, others: 60 },
    )
    expect(batches?.evidence).toBeGreaterThan(10)
    expect(batches?.ownPart).toBe(0)
  })

  it('has no opinion without a habit', () => {
    expect(shiftsOf({ requests: 30, calls: 8 }, { requests: 5, calls: 1 })).toEqual([])
  })
})
