/** Systems and telemetry that are not as one would like them: each has its own honest answer. */
import { describe, expect, it } from 'vitest'
import type { RequestJson } from '../../../bench/incidents/otlp-json.ts'
import { diagnose } from '../../../src/graph/diagnosis/diagnose.ts'
import type { Diagnosis } from '../../../src/graph/diagnosis/diagnosis.ts'
import { ask, baseMs, endMs, faultMs, firm, history, patient, readerOf } from './asking.ts'
import { MemoryReader } from './memory-reader.ts'
import { epochMs, requestOf, type SpanSketch } from './trace-json.ts'

/** Leaves out, or moves by milliseconds, the spans of one service from a time on. */
function altered(
  requests: readonly object[],
  service: string,
  fromMs: number,
  moveMs: number | null,
): object[] {
  return requests.map(request => {
    const copy = structuredClone(request) as RequestJson // made by the history
    for (const { resource, scopeSpans } of copy.resourceSpans ?? []) {
      const own = resource?.attributes?.some(
        ({ key, value }) => key === 'service.name' && value.stringValue === service,
      )
      if (own !== true) continue
      for (const scope of scopeSpans) {
        const late = (time: string) => Number(BigInt(time) / 1_000_000n) >= fromMs
        if (moveMs === null) {
          scope.spans = scope.spans.filter(span => !late(span.startTimeUnixNano))
          continue
        }
        for (const span of scope.spans) {
          const by = BigInt(moveMs) * 1_000_000n
          span.startTimeUnixNano = String(BigInt(span.startTimeUnixNano) + by)
          span.endTimeUnixNano = String(BigInt(span.endTimeUnixNano) + by)
        }
      }
    }
    return copy
  })
}

/** Traces made from sketches for one request, one a second over baseline and window. */
function traced(sketch: (atMs: number, faulty: boolean) => readonly SpanSketch[]): Promise<Diagnosis> {
  const reader = new MemoryReader(endMs + 1000)
  for (let atMs = baseMs, trace = 1; atMs < endMs; atMs += 500, trace++) {
    reader.add('traces', requestOf(sketch(atMs - epochMs, atMs >= faultMs).map(span => ({ ...span, trace }))))
  }
  return ask(reader)
}

describe('a service that stopped reporting', () => {
  it('is named in coverage, and silence is no evidence then', async () => {
    const requests = history({ kind: 'none' })
    const traces = altered(requests.traces, 'billing', faultMs, null)
    const diagnosis = await ask(readerOf({ ...requests, traces }, ['traces']))
    expect(diagnosis.coverage.silent).toEqual(['billing'])
    expect(diagnosis.coverage.notes).toContain('silent_services')
    expect(diagnosis.coverage.absenceIsEvidence).toBe(false)
  })
})

describe('a clock that is an hour off', () => {
  it.each([3_600_000, -3_600_000])('of %d ms blames nobody while all is well', async moveMs => {
    const requests = history({ kind: 'none' })
    const traces = altered(requests.traces, 'billing', 0, moveMs)
    const diagnosis = await ask(readerOf({ ...requests, traces }, ['traces', 'logs']))
    expect(firm(diagnosis)).toBe(false)
    expect(diagnosis.causes.filter(cause => cause.score > 0.2)).toEqual([])
  })

  it.each([45_000, -45_000, 3_600_000, -3_600_000])('of %d ms is named, and by how much', async aheadMs => {
    const requests = history({ kind: 'none' })
    const traces = altered(requests.traces, 'billing', 0, aheadMs)
    const { coverage } = await ask(readerOf({ ...requests, traces }, ['traces']))
    expect(coverage.notes).toContain('clock_skew')
    expect(coverage.clocks).toHaveLength(1)
    expect(coverage.clocks[0]?.service).toBe('billing')
    expect(Math.abs((coverage.clocks[0]?.aheadMs ?? 0) - aheadMs)).toBeLessThan(100)
  })

  it('does not hide what else is wrong', async () => {
    const requests = history({ kind: 'slow', service: 'storage', ms: 200 })
    const traces = altered(requests.traces, 'billing', 0, 3_600_000)
    const diagnosis = await ask(readerOf({ ...requests, traces }, ['traces', 'logs']))
    expect(diagnosis.causes[0]?.location.service).toBe('storage')
  })
})

describe('a graph with a cycle', () => {
  it('is walked once round, and the slow one in it is named', async () => {
    const diagnosis = await traced((atMs, faulty) => {
      const more = faulty ? 80 : 0
      return [
        { id: 1, service: 'a', name: 'ask', kind: 'server', at: [atMs, atMs + 100 + more] },
        { id: 2, parent: 1, service: 'a', name: 'call b', kind: 'client', at: [atMs + 5, atMs + 95 + more] },
        { id: 3, parent: 2, service: 'b', name: 'answer', kind: 'server', at: [atMs + 6, atMs + 94 + more] },
        {
          id: 4,
          parent: 3,
          service: 'b',
          name: 'call a',
          kind: 'client',
          at: [atMs + 50 + more, atMs + 90 + more],
        },
        {
          id: 5,
          parent: 4,
          service: 'a',
          name: 'details',
          kind: 'server',
          at: [atMs + 51 + more, atMs + 89 + more],
        },
      ]
    })
    expect(firm(diagnosis)).toBe(true)
    expect(diagnosis.causes[0]?.location.service).toBe('b')
    expect(diagnosis.blastRadius.services.map(one => one.service).sort()).toEqual(['a', 'b'])
  })
})

describe('a graph in two parts', () => {
  it('names the one at fault and hits nobody in the other part', async () => {
    const diagnosis = await traced((atMs, faulty) => [
      ...[
        {
          id: 1,
          service: 'shop',
          name: 'buy',
          kind: 'server' as const,
          at: [atMs, atMs + (faulty ? 90 : 10)] as const,
        },
      ],
      ...[{ id: 2, service: 'wiki', name: 'read', kind: 'server' as const, at: [atMs, atMs + 20] as const }],
    ])
    expect(diagnosis.causes[0]?.location.service).toBe('shop')
    expect(diagnosis.blastRadius.services.map(one => one.service)).toEqual(['shop'])
  })
})

describe('a window of one second', () => {
  it('is answered as what it is: too little to be sure of anything', async () => {
    const reader = readerOf(history({ kind: 'slow', service: 'billing', ms: 200 }))
    const diagnosis = await diagnose({
      reader,
      window: { fromMs: faultMs + 30_000, toMs: faultMs + 31_000 },
      baseline: { fromMs: baseMs, toMs: faultMs },
      service: null,
      deadline: patient,
    })
    expect(diagnosis.coverage.window.traces).toBeGreaterThan(0)
    expect(diagnosis.verdict).toBe('insufficient_data')
    expect(diagnosis.causes).toEqual([])
  })
})
