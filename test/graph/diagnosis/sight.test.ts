import { describe, expect, it } from 'vitest'
import { diagnose } from '../../../src/graph/diagnosis/diagnose.ts'
import { unhealthyEntries } from '../../../src/graph/diagnosis/log-runs.ts'
import { Names } from '../../../src/graph/diagnosis/names.ts'
import { sightOf } from '../../../src/graph/diagnosis/sight.ts'
import { ask, baseMs, endMs, faultMs, history, patient, readerOf } from './asking.ts'
import { type SpanSketch, setOf } from './trace-json.ts'

function requests(service: string, count: number, from = 1): readonly SpanSketch[] {
  return Array.from({ length: count }, (_, i) => ({
    id: from + i,
    trace: from + i,
    service,
    kind: 'server' as const,
    at: [0, 10] as const,
  }))
}

function sight(now: readonly SpanSketch[], before: readonly SpanSketch[]) {
  const names = new Names()
  return sightOf({
    window: { set: setOf(now, names) },
    baseline: { set: setOf(before, names) },
    windowSeries: new Map(),
    baselineSeries: new Map(),
  })
}

describe('sightOf', () => {
  it('sees services with enough requests on both sides', () => {
    const both = [...requests('cart', 20), ...requests('payment', 20, 100)]
    expect(sight(both, both)).toEqual({ services: 2, blind: 0 })
  })

  it.each([
    ['few requests in the window', 2, 40],
    ['few requests in the baseline', 40, 1],
    ['none in the baseline', 40, 0],
    ['none in the window', 0, 40],
  ])('is blind to a service with %s', (_, now, before) => {
    const always = requests('cart', 20, 1000)
    const found = sight([...always, ...requests('payment', now)], [...always, ...requests('payment', before)])
    expect(found).toEqual({ services: 2, blind: 1 })
  })
})

describe('a verdict', () => {
  it('calls a quiet system healthy, and not when the baseline has too few requests to compare with', async () => {
    const reader = readerOf(history({ kind: 'none' }))
    expect((await ask(reader)).verdict).toBe('healthy')
    const short = await diagnose({
      reader,
      window: { fromMs: faultMs, toMs: endMs },
      baseline: { fromMs: baseMs, toMs: baseMs + 1500 },
      service: null,
      deadline: patient,
    })
    expect(short.coverage.baseline.traces).toBeGreaterThan(0)
    expect(['inconclusive', 'insufficient_data']).toContain(short.verdict)
  })
})

describe('unhealthyEntries', () => {
  const entry: SpanSketch = { id: 1, service: 'shop', name: 'GET /errors', kind: 'server', at: [0, 10] }
  const names = new Names()

  it.each(['ErrorController.render', 'handle_exception', 'on-failure'])(
    'counts an entry that ran %s, whatever its status says',
    name => {
      const set = setOf([entry, { id: 2, parent: 1, service: 'shop', name, at: [1, 2] }], names)
      expect([...unhealthyEntries(set, [], names)]).toEqual([0])
    },
  )

  it('does not go by what was asked for, nor by what others were asked for', () => {
    const call: SpanSketch = {
      id: 2,
      parent: 1,
      service: 'shop',
      name: 'GET /error',
      kind: 'client',
      at: [1, 2],
    }
    const set = setOf([entry, call], names)
    expect([...unhealthyEntries(set, [], names)]).toEqual([])
  })
})
