import { describe, expect, it } from 'vitest'
import { Names } from '../../../src/graph/diagnosis/names.ts'
import { errorChains } from '../../../src/graph/similar/error-chains.ts'
import { type SpanSketch, setOf } from '../diagnosis/trace-json.ts'

function chains(sketches: readonly SpanSketch[], lines: Parameters<typeof errorChains>[2] = []) {
  const names = new Names()
  return errorChains(setOf(sketches, names), names, lines)
}

/** `front` calls `middle` calls `back`; who failed as given. */
function trace(number: number, failed: string): readonly SpanSketch[] {
  const id = (part: number) => number * 10 + part
  return [
    {
      id: id(1),
      trace: number,
      service: 'front',
      name: 'GET',
      kind: 'server',
      at: [0, 90],
      failed: failed.includes('f'),
    },
    {
      id: id(2),
      parent: id(1),
      trace: number,
      service: 'middle',
      name: 'serve',
      kind: 'server',
      at: [10, 80],
      failed: failed.includes('m'),
    },
    {
      id: id(3),
      parent: id(2),
      trace: number,
      service: 'back',
      name: 'store',
      kind: 'server',
      at: [20, 70],
      failed: failed.includes('b'),
    },
  ]
}

const step = (service: string, operation: string) => ({ service, operation })

describe('errorChains', () => {
  it('go from where the error began to where it came out, the most frequent first', () => {
    const found = chains([...trace(1, 'fmb'), ...trace(2, 'fmb'), ...trace(3, 'fm'), ...trace(4, '')])
    expect(found.map(chain => [chain.steps, chain.withstoodBy, chain.traces])).toEqual([
      [[step('back', 'store'), step('middle', 'serve'), step('front', 'GET')], null, 2],
      [[step('middle', 'serve'), step('front', 'GET')], null, 1],
    ])
  })

  it('end with who withstood the error', () => {
    const [chain] = chains(trace(1, 'mb'))
    expect(chain?.steps).toEqual([step('back', 'store'), step('middle', 'serve')])
    expect(chain?.withstoodBy).toEqual(step('front', 'GET'))
  })

  it('begin in the service that sends nothing, seen from its caller', () => {
    const [chain] = chains([
      { id: 1, service: 'front', name: 'GET', kind: 'server', at: [0, 90], failed: true },
      {
        id: 2,
        parent: 1,
        service: 'front',
        name: 'query',
        kind: 'client',
        at: [5, 20],
        failed: true,
        peer: 'db',
      },
    ])
    expect(chain?.steps).toEqual([step('db', 'query'), step('front', 'GET')])
  })

  it('are told apart by the log template that the origin wrote first', () => {
    const line = { severity: 17, timeMs: 5 }
    const found = chains(
      [...trace(1, 'fmb'), ...trace(2, 'fmb')],
      [
        { ...line, trace: 0, entry: 2, template: 7 },
        { ...line, trace: 1, entry: 5, template: 9, timeMs: 6 },
        { ...line, trace: 1, entry: 5, template: 8 },
      ],
    )
    expect(found.map(chain => chain.template).sort()).toEqual([7, 8])
  })
})
