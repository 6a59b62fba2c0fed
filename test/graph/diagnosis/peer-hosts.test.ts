import { describe, expect, it } from 'vitest'
import { portsOfOneHost, withOneName } from '../../../src/graph/diagnosis/peer-hosts.ts'
import { ask, baseMs, endMs, faultMs } from './asking.ts'
import { MemoryReader } from './memory-reader.ts'
import { epochMs, requestOf, type SpanSketch } from './trace-json.ts'

const hostsOf = (...callees: readonly string[]) =>
  portsOfOneHost(callees.map(callee => ({ caller: 'orders', callee })))

describe('portsOfOneHost', () => {
  it('knows several ports of a named host, and a service by its own name, as one', () => {
    expect(hostsOf('pay:7001', 'pay:7002', 'ship', 'ship.local:80', 'ship:80')).toEqual(
      new Map([
        ['pay:7001', 'pay'],
        ['pay:7002', 'pay'],
        ['ship:80', 'ship'],
      ]),
    )
  })

  it('leaves alone what only its port tells apart, and what is no port', () => {
    const apart = ['localhost:5432', 'localhost:6379', '10.0.0.7:80', '10.0.0.7:81', '[::1]:80', '[::1]:81']
    expect(hostsOf(...apart, 'kafka:orders', 'kafka:mails', 'pay:7001').size).toBe(0)
  })

  it('merges the edges of a host', () => {
    const edges = ['pay:7001', 'pay:7002', 'ship'].map(callee => ({ caller: 'orders', callee }))
    expect(withOneName(edges, portsOfOneHost(edges)).map(({ callee }) => callee)).toEqual(['pay', 'ship'])
  })
})

describe('a service without telemetry that moves to another port', () => {
  it('is blamed for failing there, since it did not fail where it was before', async () => {
    const reader = new MemoryReader(endMs + 1000)
    const sketches: SpanSketch[] = []
    for (let i = 0; i < 180; i++) {
      const at = baseMs - epochMs + i * 1000
      const after = baseMs + i * 1000 >= faultMs
      const failed = after && i % 3 > 0
      const server = { id: 2 * i + 1, trace: i + 1, service: 'orders', name: 'POST /orders' }
      sketches.push({ ...server, kind: 'server', at: [at, at + 60 + (failed ? 50 : 0)] })
      const call = { id: 2 * i + 2, parent: 2 * i + 1, trace: i + 1, service: 'orders', name: 'POST' }
      const peer = `pay:${after ? 7002 : 7001}`
      sketches.push({ ...call, kind: 'client', peer, failed, at: [at + 5, at + (failed ? 7 : 45)] })
    }
    reader.add('traces', requestOf(sketches))
    const { verdict, causes } = await ask(reader)
    expect(causes[0]?.location).toMatchObject({ service: 'pay', peer: true })
    expect(verdict).toBe('likely')
  })
})
