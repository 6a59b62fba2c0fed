import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Names } from '../../../src/graph/diagnosis/names.ts'
import { replayDelay } from '../../../src/graph/scenario/delay.ts'
import { markTargets, type Target } from '../../../src/graph/scenario/target.ts'
import { type SpanSketch, setOf } from '../diagnosis/trace-json.ts'

/** How much longer each span takes, by id. */
function longer(
  sketches: readonly SpanSketch[],
  target: Target,
  delayMs: number,
): Readonly<Record<number, number>> {
  const names = new Names()
  const set = setOf(sketches, names)
  const found = replayDelay(set, markTargets(set, names, target), delayMs)
  return Object.fromEntries(
    Array.from(found, (ms, row) => [set.spanLo[row] ?? 0, Math.round(ms * 100) / 100]),
  )
}

describe('replayDelay', () => {
  it('delays everybody who waits, by as much', () => {
    const found = longer(
      [
        { id: 1, service: 'a', kind: 'server', at: [0, 100] },
        { id: 2, parent: 1, service: 'a', kind: 'client', at: [10, 90] },
        { id: 3, parent: 2, service: 'b', kind: 'server', at: [20, 80] },
      ],
      { service: 'b' },
      300,
    )
    expect(found).toEqual({ 1: 300, 2: 300, 3: 300 })
  })

  it('lets a call that another one outlasts use its slack first', () => {
    const found = longer(
      [
        { id: 1, service: 'a', kind: 'server', at: [0, 110] },
        { id: 2, parent: 1, service: 'b', kind: 'server', at: [5, 40] },
        { id: 3, parent: 1, service: 'c', kind: 'server', at: [5, 100] },
      ],
      { service: 'b' },
      80,
    )
    expect(found).toEqual({ 1: 20, 2: 80, 3: 0 })
  })

  it('moves what comes after a call along, each call anew', () => {
    const found = longer(
      [
        { id: 1, service: 'a', kind: 'server', at: [0, 100] },
        { id: 2, parent: 1, service: 'b', kind: 'server', at: [10, 20] },
        { id: 3, parent: 1, service: 'c', kind: 'server', at: [20, 60] },
        { id: 4, parent: 1, service: 'b', kind: 'server', at: [70, 80] },
      ],
      { service: 'b' },
      5,
    )
    expect(found).toEqual({ 1: 10, 2: 5, 3: 0, 4: 5 })
  })

  it('waits for no message and for no call that ends after its caller', () => {
    const found = longer(
      [
        { id: 1, service: 'a', kind: 'server', at: [0, 50] },
        { id: 2, parent: 1, service: 'a', kind: 'producer', at: [10, 12] },
        { id: 3, parent: 2, service: 'b', kind: 'consumer', at: [11, 12] },
        { id: 4, parent: 1, service: 'b', kind: 'server', at: [20, 90] },
      ],
      { service: 'b' },
      100,
    )
    expect(found).toEqual({ 1: 0, 2: 0, 3: 100, 4: 100 })
  })

  it('takes a call for the service where that sends no telemetry', () => {
    const found = longer(
      [
        { id: 1, service: 'a', kind: 'server', at: [0, 50] },
        { id: 2, parent: 1, service: 'a', kind: 'client', at: [10, 20], peer: 'db' },
        { id: 3, parent: 1, service: 'a', kind: 'client', at: [20, 40], peer: 'b' },
        { id: 4, parent: 3, service: 'b', kind: 'server', at: [21, 39] },
      ],
      { service: 'db' },
      7,
    )
    expect(found).toEqual({ 1: 7, 2: 7, 3: 0, 4: 0 })
  })

  it('concerns only the operation that was named', () => {
    const spans: readonly SpanSketch[] = [
      { id: 1, service: 'a', kind: 'server', at: [0, 50] },
      { id: 2, parent: 1, service: 'b', name: 'read', kind: 'server', at: [5, 20] },
      { id: 3, parent: 1, service: 'b', name: 'write', kind: 'server', at: [20, 40] },
    ]
    expect(longer(spans, { service: 'b', operation: 'write' }, 9)).toEqual({ 1: 9, 2: 0, 3: 9 })
    expect(longer(spans, { service: 'b', operation: 'other' }, 9)).toEqual({ 1: 0, 2: 0, 3: 0 })
  })

  it('says of any program that forks and joins what running it slower shows', () => {
    fc.assert(
      fc.property(programOf(3), fc.integer({ min: 0, max: 200 }), (root, delayMs) => {
        const before = run(root, 0)
        const after = run(root, delayMs)
        const found = longer(before, { service: 'slow' }, delayMs)
        for (const [at, span] of before.entries()) {
          const then = after[at]?.at ?? [0, 0]
          expect(found[span.id]).toBe(then[1] - then[0] - (span.at[1] - span.at[0]))
        }
      }),
      { numRuns: 300 },
    )
  })
})

interface Program {
  readonly service: string
  /** Work before each step, and the calls that the step makes at once. */
  readonly steps: readonly { readonly workMs: number; readonly calls: readonly Program[] }[]
  readonly lastMs: number
}

function programOf(depth: number): fc.Arbitrary<Program> {
  const calls: fc.Arbitrary<readonly Program[]> =
    depth === 0 ? fc.constant([]) : fc.array(programOf(depth - 1), { maxLength: 3 })
  return fc.record({
    service: fc.constantFrom('slow', 'b', 'c'),
    steps: fc.array(fc.record({ workMs: fc.nat(30), calls }), { maxLength: 3 }),
    lastMs: fc.integer({ min: 1, max: 30 }),
  })
}

/** The spans of a run in which `slow` takes `delayMs` longer for each request. */
function run(root: Program, delayMs: number): readonly SpanSketch[] {
  const spans: SpanSketch[] = []
  let ids = 0
  const serve = (one: Program, startMs: number, parent: number | undefined): number => {
    const id = ++ids
    const place = spans.push({ id, service: '', at: [0, 0] }) - 1
    let at = startMs
    for (const { workMs, calls } of one.steps) {
      at += workMs
      at = Math.max(at, ...calls.map(call => serve(call, at, id)))
    }
    at += one.lastMs + (one.service === 'slow' ? delayMs : 0)
    spans[place] = {
      id,
      ...(parent === undefined ? {} : { parent }),
      service: one.service,
      kind: 'server',
      at: [startMs, at],
    }
    return at
  }
  serve(root, 0, undefined)
  return spans
}
