import { describe, expect, it } from 'vitest'
import type { Diagnosis } from '../../../src/graph/diagnosis/diagnosis.ts'
import { ask, baseMs, endMs, faultMs } from './asking.ts'
import { MemoryReader } from './memory-reader.ts'
import { epochMs, requestOf, type SpanSketch } from './trace-json.ts'

interface Request {
  readonly trace: number
  readonly fromMs: number
  /** The store answers with an error, which no span says. */
  readonly broken: boolean
}

/** A page of the shop: asks the cart, which reads its store, and then asks for a quote if there is a cart. */
function show({ trace, fromMs, broken }: Request, telling: boolean): readonly SpanSketch[] {
  const id = trace * 10
  const at = (from: number, to: number) => [fromMs + from, fromMs + to] as const
  const failed = telling && broken
  const page: readonly SpanSketch[] = [
    { id, trace, service: 'shop', name: 'GET /cart', kind: 'server', failed, at: at(0, broken ? 18 : 30) },
    { id: id + 1, parent: id, trace, service: 'shop', name: 'GET', kind: 'client', failed, at: at(1, 14) },
    {
      id: id + 2,
      parent: id + 1,
      trace,
      service: 'cart',
      name: 'GET /',
      kind: 'server',
      failed,
      at: at(2, 13),
    },
    { ...storeCall(id, trace), id: id + 3, failed, at: at(4, 10) },
  ]
  if (broken) return page
  const quote = { trace, name: 'GET /quote', at: at(16, 26) }
  return [
    ...page,
    { ...quote, id: id + 4, parent: id, service: 'shop', kind: 'client' },
    { ...quote, id: id + 5, parent: id + 4, service: 'quotes', kind: 'server', at: at(17, 25) },
  ]
}

/** Another page, of which the cart writes its store once it has read it. */
function add({ trace, fromMs, broken }: Request, telling: boolean): readonly SpanSketch[] {
  const id = trace * 10
  const at = (from: number, to: number) => [fromMs + from, fromMs + to] as const
  const failed = telling && broken
  const page: readonly SpanSketch[] = [
    { id, trace, service: 'shop', name: 'POST /cart', kind: 'server', failed, at: at(0, broken ? 24 : 30) },
    {
      id: id + 1,
      parent: id,
      trace,
      service: 'shop',
      name: 'POST',
      kind: 'client',
      failed,
      at: at(1, broken ? 22 : 28),
    },
    {
      id: id + 2,
      parent: id + 1,
      trace,
      service: 'cart',
      name: 'POST /',
      kind: 'server',
      failed,
      at: at(2, 26),
    },
    { ...storeCall(id, trace), id: id + 3, failed, at: at(4, 10) },
  ]
  return broken ? page : [...page, { ...storeCall(id, trace), name: 'SET', id: id + 4, at: at(12, 18) }]
}

function storeCall(id: number, trace: number) {
  const peer = 'store'
  return { parent: id + 2, trace, service: 'cart', name: 'GET', kind: 'client', peer } as const
}

/** Four requests a second, one in eight of which adds to a cart; half of them meet a broken store in the end. */
async function asked({ telling }: { readonly telling: boolean }): Promise<Diagnosis> {
  const sketches: SpanSketch[] = []
  for (let i = 0; i < 720; i++) {
    const ms = baseMs + i * 250
    const request = { trace: i + 1, fromMs: ms - epochMs, broken: ms >= faultMs && (i >> 3) % 2 === 0 }
    sketches.push(...(i % 8 === 0 ? add(request, telling) : show(request, telling)))
  }
  const reader = new MemoryReader(endMs + 1000)
  reader.add('traces', requestOf(sketches))
  return await ask(reader)
}

describe('an answer that does not say how it ended', () => {
  it('is the reason why its receiver stops, where its sender stops short in other requests', async () => {
    const { causes } = await asked({ telling: false })
    expect(causes[0]?.location.service).toBe('cart')
    expect(causes.map(({ location }) => location.service)).not.toContain('shop')
  })

  it('is none where it says so: then the error is followed to where it began', async () => {
    const { causes } = await asked({ telling: true })
    expect(causes[0]?.location.service).toBe('store')
  })
})
