import { describe, expect, it } from 'vitest'
import { Names } from '../../../src/graph/diagnosis/names.ts'
import { replicasOf } from '../../../src/graph/diagnosis/peer-replicas.ts'
import { ask, baseMs, endMs, faultMs, firm } from './asking.ts'
import { MemoryReader } from './memory-reader.ts'
import { epochMs, requestOf, type SpanSketch, setOf } from './trace-json.ts'

type Call = readonly [caller: string, name: string, peer: string]

/** Which peers stand for which others. */
function replicas(...calls: readonly Call[]): Readonly<Record<string, string>> {
  const names = new Names()
  const sketches = calls.map(([service, name, peer], i): SpanSketch => {
    return { id: i + 1, trace: i + 1, service, name, peer, kind: 'client', at: [i, i + 1] }
  })
  const found = replicasOf([setOf(sketches, names)], names)
  return Object.fromEntries([...found].map(([one, other]) => [names.text(one), names.text(other)]))
}

describe('replicasOf', () => {
  it('takes addresses on one port that the same services ask for the same things for one', () => {
    const charge = 'POST /charges'
    expect(
      replicas(
        ['orders', charge, '10.0.0.9:80'],
        ['orders', 'GET /charges', '10.0.0.9:80'],
        ['orders', charge, '10.0.0.7:80'],
        ['orders', charge, '[fd00::7]:80'],
      ),
    ).toEqual({ '10.0.0.9:80': '10.0.0.7:80', '[fd00::7]:80': '10.0.0.7:80' })
  })

  it.each<[string, Call, Call]>([
    ['another port', ['orders', 'charge', '10.0.0.7:80'], ['orders', 'charge', '10.0.0.8:81']],
    ['another caller', ['orders', 'charge', '10.0.0.7:80'], ['carts', 'charge', '10.0.0.8:80']],
    ['other things', ['orders', 'charge', '10.0.0.7:80'], ['orders', 'refund', '10.0.0.8:80']],
    ['who knows what', ['orders', 'HTTP POST', '10.0.0.7:80'], ['orders', 'HTTP POST', '10.0.0.8:80']],
    ['a host with a name', ['orders', 'charge', 'pay:80'], ['orders', 'charge', 'bank:80']],
  ])('leaves apart %s', (_, one, other) => {
    expect(replicas(one, other)).toEqual({})
  })

  it('leaves apart what answers with spans of its own', () => {
    const names = new Names()
    const call = { service: 'orders', name: 'charge', kind: 'client' } as const
    const set = setOf(
      [
        { ...call, id: 1, trace: 1, peer: '10.0.0.7:80', at: [0, 9] },
        { id: 2, parent: 1, trace: 1, service: 'pay', kind: 'server', at: [1, 8] },
        { ...call, id: 3, trace: 2, peer: '10.0.0.8:80', at: [0, 9] },
      ],
      names,
    )
    expect(replicasOf([set], names).size).toBe(0)
  })
})

describe('a service without telemetry with a replica at each of three addresses', () => {
  it('is firmly blamed for failing at all of them, and once', async () => {
    const reader = new MemoryReader(endMs + 1000)
    const sketches: SpanSketch[] = []
    for (let i = 0; i < 180; i++) {
      const at = baseMs - epochMs + i * 1000
      const failed = baseMs + i * 1000 >= faultMs && i % 2 === 0
      const of = { trace: i + 1, service: 'orders', failed }
      const peer = `10.0.0.${7 + (i % 3)}:443`
      sketches.push(
        { ...of, id: 2 * i + 1, name: 'POST /orders', kind: 'server', at: [at, at + 60] },
        {
          ...of,
          id: 2 * i + 2,
          parent: 2 * i + 1,
          name: 'charge',
          kind: 'client',
          peer,
          at: [at + 5, at + 45],
        },
      )
    }
    reader.add('traces', requestOf(sketches))
    const diagnosis = await ask(reader)
    expect(diagnosis.causes.map(({ location }) => location)).toMatchObject([
      { service: '10.0.0.7:443', peer: true },
    ])
    expect(firm(diagnosis)).toBe(true)
  })
})
