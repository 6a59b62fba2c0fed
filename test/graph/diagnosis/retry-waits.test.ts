import { describe, expect, it } from 'vitest'
import { collectCharges, learnCallees } from '../../../src/graph/diagnosis/charge-samples.ts'
import type { Diagnosis } from '../../../src/graph/diagnosis/diagnosis.ts'
import { Names } from '../../../src/graph/diagnosis/names.ts'
import { ask, baseMs, endMs, faultMs, firm } from './asking.ts'
import { MemoryReader } from './memory-reader.ts'
import { epochMs, requestOf, type SpanSketch, setOf } from './trace-json.ts'

/** An order that asks a bank once, or a second time so many milliseconds after the first call failed. */
function order(trace: number, fromMs: number, waitMs: number | null): readonly SpanSketch[] {
  const id = trace * 10
  const call = {
    parent: id,
    trace,
    service: 'orders',
    name: 'authorize',
    kind: 'client',
    peer: 'bank',
  } as const
  const secondMs = fromMs + 45 + (waitMs ?? 0)
  const again: readonly SpanSketch[] =
    waitMs === null ? [] : [{ ...call, id: id + 2, at: [secondMs, secondMs + 40] }]
  const endsMs = waitMs === null ? fromMs + 50 : secondMs + 45
  return [
    { id, trace, service: 'orders', name: 'POST /orders', kind: 'server', at: [fromMs, endsMs] },
    { ...call, id: id + 1, failed: waitMs !== null, at: [fromMs + 5, fromMs + 45] },
    ...again,
  ]
}

type WaitOf = (request: number, late: boolean) => number | null

/** An order every half second. */
async function asked(waitOf: WaitOf): Promise<Diagnosis> {
  const sketches: SpanSketch[] = []
  for (let i = 0; i < 360; i++) {
    const at = baseMs + i * 500
    sketches.push(...order(i + 1, at - epochMs, waitOf(i, at >= faultMs)))
  }
  const reader = new MemoryReader(endMs + 1000)
  reader.add('traces', requestOf(sketches))
  return await ask(reader)
}

describe('waiting before a call is made again', () => {
  it('is no time of the caller itself, and stands apart', () => {
    const names = new Names()
    const set = setOf(order(1, 0, 300), names)
    const charges = [...collectCharges(set, names, learnCallees([set])).values()]
    expect(charges.map(({ key, ms }) => [key.kind, names.text(key.owner), ms])).toEqual(
      expect.arrayContaining([
        ['peer', 'bank', [40, 40]],
        ['wait', 'orders', [300]],
        ['self', 'orders', [10]],
      ]),
    )
  })

  it('belongs to the caller where another call comes next, or the same one did not fail', () => {
    const [entry, first, second] = order(1, 0, 300)
    for (const other of [{ name: 'refund' }, { peer: 'post' }]) {
      const set = setOf([entry, first, { ...second, ...other }] as SpanSketch[]) // three spans, as above
      expect(selfMs(set)).toEqual([310])
    }
    const set = setOf([entry, { ...first, failed: false }, second] as SpanSketch[])
    expect(selfMs(set)).toEqual([310])
  })

  it('does not make who has to wait more often look slow', async () => {
    const { causes } = await asked((i, late) => (i % (late ? 3 : 60) === 0 ? 300 : null))
    expect(causes[0]?.location.service).toBe('bank')
    const orders = causes.find(({ location }) => location.service === 'orders')
    expect(orders?.features.map(({ name }) => name) ?? []).not.toContain('own_time')
  })

  it('is held against who waits longer than it used to', async () => {
    const diagnosis = await asked((i, late) => (i % 3 === 0 ? (late ? 900 : 30) + (i % 7) : null))
    expect(diagnosis.causes[0]?.location.service).toBe('orders')
    expect(diagnosis.causes[0]?.features[0]?.name).toBe('own_time')
    expect(firm(diagnosis)).toBe(true)
  })
})

function selfMs(set: ReturnType<typeof setOf>): readonly number[] | undefined {
  const charges = collectCharges(set, new Names(), learnCallees([set]))
  return [...charges.values()].find(({ key }) => key.kind === 'self')?.ms
}
