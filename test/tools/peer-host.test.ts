/** A service without telemetry that is called on one port after another: a diagnosis calls it by its host. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { epochMs, requestOf, type SpanSketch } from '../graph/diagnosis/trace-json.ts'
import { rowsOf, startTelemetrySystem, type TelemetrySystem } from './telemetry-system.ts'

const startMs = epochMs + 120_000
const faultMs = startMs + 600_000
const endMs = faultMs + 300_000
const window = { from: new Date(faultMs).toISOString(), to: new Date(endMs).toISOString() }

/** An order a second, paid on port 7001, and after the fault on 7002 and 7003, where two in three fail. */
function orders(): readonly SpanSketch[] {
  return Array.from({ length: 900 }, (_, i) => i).flatMap((i): SpanSketch[] => {
    const at = startMs - epochMs + i * 1_000
    const after = startMs + i * 1_000 >= faultMs
    const failed = after && i % 3 > 0
    const port = after ? (i % 10 === 0 ? 7003 : 7002) : 7001
    const own = { trace: i + 1, service: 'orders' }
    return [
      { ...own, id: 2 * i + 1, name: 'POST /orders', kind: 'server', failed, at: [at, at + 60] },
      {
        ...own,
        ...{ id: 2 * i + 2, parent: 2 * i + 1, name: 'POST', kind: 'client', peer: `pay:${port}`, failed },
        at: [at + 5, at + (failed ? 7 : 45)],
      },
    ]
  })
}

let system: TelemetrySystem
beforeAll(() => {
  system = startTelemetrySystem(endMs)
  system.publish([{ signal: 'traces', receivedMs: endMs, json: requestOf(orders()) }])
})
afterAll(() => system.close())

describe('a host that a diagnosis names', () => {
  it('is the first cause, and every call that is proposed next can be made', async () => {
    const answer = await system.ask('investigate', window)
    expect(rowsOf(answer, 'causes')[0]).toMatchObject({ service: 'pay', sends_telemetry: false })
    const next = answer.next ?? []
    expect(next.map(({ tool }) => tool)).toContain('get_service_health')
    for (const { tool, arguments: args } of next) {
      expect(await system.ask(tool, args)).toMatchObject({ failed: false })
    }
  })

  it.each([
    'get_service_map',
    'get_service_health',
    'impact_analysis',
    'get_anomaly_timeline',
    'compare_windows',
    'search_traces',
  ])('is known to %s, which answers about the port that is called most', async tool => {
    const named = await system.ask(tool, { service: 'pay', ...window })
    expect(named).toMatchObject({ failed: false })
    const { answer, tables } = await system.ask(tool, { service: 'pay:7002', ...window })
    expect({ answer: named.answer, tables: named.tables }).toEqual({ answer, tables })
  })

  it('is what a question about one of its ports is about', async () => {
    const byPort = await system.ask('root_cause_analysis', { service: 'pay:7003', ...window })
    expect(rowsOf(byPort, 'causes')[0]).toMatchObject({ service: 'pay' })
  })

  it('is no name for what nobody calls', async () => {
    const answer = await system.ask('get_service_health', { service: 'ship', ...window })
    expect(answer).toMatchObject({ failed: true, error: { code: 'no_such_entity' } })
  })
})
