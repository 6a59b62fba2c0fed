import { describe, expect, it } from 'vitest'
import { learnCallees } from '../../../src/graph/diagnosis/charge-samples.ts'
import { learnHaste } from '../../../src/graph/diagnosis/hasty-answers.ts'
import { Names } from '../../../src/graph/diagnosis/names.ts'
import { markUnmarkedFailures } from '../../../src/graph/diagnosis/unmarked-failures.ts'
import { ask, baseMs, endMs, faultMs } from './asking.ts'
import { MemoryReader } from './memory-reader.ts'
import { epochMs, requestOf, type SpanSketch, setOf } from './trace-json.ts'

interface Attempt {
  readonly at: number
  /** How long the bank takes. */
  readonly ms: number
}

/** An order that asks for its charge so many times; the charge asks a bank without telemetry. */
function order(trace: number, fromMs: number, attempts: readonly Attempt[]): readonly SpanSketch[] {
  const id = trace * 100
  const end = Math.max(...attempts.map(({ at, ms }) => at + ms)) + 5
  const entry: SpanSketch = {
    ...{ id, trace, service: 'orders', name: 'POST /orders', kind: 'server' },
    at: [fromMs, fromMs + end],
  }
  return [
    entry,
    ...attempts.flatMap(({ at, ms }, i): readonly SpanSketch[] => {
      const from = fromMs + at
      const call = { id: id + 3 * i + 1, parent: id, trace, service: 'orders', name: 'POST' }
      const charge = { id: id + 3 * i + 2, parent: id + 3 * i + 1, trace, service: 'charges' }
      const bank = { id: id + 3 * i + 3, parent: id + 3 * i + 2, trace, service: 'charges', peer: 'bank' }
      return [
        { ...call, kind: 'client', at: [from, from + ms + 4] },
        { ...charge, name: 'POST /charges', kind: 'server', at: [from + 1, from + ms + 3] },
        { ...bank, name: 'authorize', kind: 'client', at: [from + 2, from + 2 + ms] },
      ]
    }),
  ]
}

const healthy = (trace: number, fromMs: number) => order(trace, fromMs, [{ at: 1, ms: 40 }])
const tenHealthy = Array.from({ length: 10 }, (_, i) => healthy(i + 1, i * 1000)).flat()

/** Who failed, of an order that was made like this after ten healthy ones. */
function failed(
  sketches: readonly SpanSketch[],
  baseline: readonly SpanSketch[] = tenHealthy,
): readonly string[] {
  const names = new Names()
  const before = setOf(baseline, names)
  const now = setOf(sketches, names)
  const marked = markUnmarkedFailures(now, learnHaste(now, before, learnCallees([now, before])))
  const rows = Array.from({ length: marked.spans }, (_, row) => row).filter(row => marked.failed[row] === 1)
  return rows.map(row => names.text(marked.name[row] ?? 0))
}

const refusedOnce = order(1, 0, [
  { at: 1, ms: 1 },
  { at: 60, ms: 40 },
])

describe('markUnmarkedFailures', () => {
  it('takes a call that was answered far too soon and made again for a failed one, down to where it began', () => {
    expect(failed(refusedOnce)).toEqual(['POST', 'POST /charges', 'authorize'])
  })

  it('takes neither haste alone nor repetition alone for a failure', () => {
    expect(failed(order(1, 0, [{ at: 1, ms: 1 }]))).toEqual([])
    const usual = [1, 60].map(at => ({ at, ms: 40 }))
    expect(failed(order(1, 0, usual))).toEqual([])
  })

  it('knows better nothing where spans say how they ended, or where few answers were seen before', () => {
    const telling = { ...healthy(11, 11_000)[0], failed: true } as SpanSketch
    const charging = { ...healthy(12, 12_000)[1], id: 1300, service: 'charges', failed: true } as SpanSketch
    expect(failed(refusedOnce, [...tenHealthy, telling, charging])).toEqual([])
    expect(failed(refusedOnce, healthy(1, 0))).toEqual([])
  })

  it('puts a dependency that has ended before the caller that keeps asking', async () => {
    const sketches: SpanSketch[] = []
    for (let i = 0; i < 180; i++) {
      const at = baseMs + i * 1000
      const both = [1, 60].map(after => ({ at: after, ms: 1 }))
      const spans = at < faultMs ? healthy(i + 1, at - epochMs) : order(i + 1, at - epochMs, both)
      sketches.push(...spans)
    }
    const reader = new MemoryReader(endMs + 1000)
    reader.add('traces', requestOf(sketches))
    const { causes } = await ask(reader)
    expect(causes[0]?.location.service).toBe('bank')
    expect(causes[0]?.kind).toBe('failing')
  })
})
