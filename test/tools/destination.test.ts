/** A queue without telemetry whose messages are taken by a service that has some: the graph only knows the two ends. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { epochMs, requestOf, type SpanSketch } from '../graph/diagnosis/trace-json.ts'
import { rowsOf, startTelemetrySystem, type TelemetrySystem } from './telemetry-system.ts'

const startMs = epochMs + 120_000
const faultMs = startMs + 600_000
const endMs = faultMs + 300_000
const window = { from: new Date(faultMs).toISOString(), to: new Date(endMs).toISOString() }

/** A sale a second, told to the queue in 4 ms, and after the fault in 400, from where a mailer takes it at once. */
function sales(): readonly SpanSketch[] {
  return Array.from({ length: 900 }, (_, i) => i).flatMap((i): SpanSketch[] => {
    const at = startMs - epochMs + i * 1_000
    const sent = at + 5 + (startMs + i * 1_000 >= faultMs ? 400 : 4)
    const trace = i + 1
    return [
      { trace, id: 3 * i + 1, service: 'sales', name: 'POST /sales', kind: 'server', at: [at, sent + 20] },
      {
        ...{ trace, id: 3 * i + 2, parent: 3 * i + 1, service: 'sales', name: 'send', kind: 'producer' },
        ...{ peer: 'post-box', at: [at + 5, sent] },
      },
      {
        ...{ trace, id: 3 * i + 3, parent: 3 * i + 2, service: 'mailer', name: 'take', kind: 'consumer' },
        at: [sent + 2, sent + 10],
      },
    ]
  })
}

let system: TelemetrySystem
beforeAll(() => {
  system = startTelemetrySystem(endMs)
  system.publish([{ signal: 'traces', receivedMs: endMs, json: requestOf(sales()) }])
})
afterAll(() => system.close())

describe('a destination that a diagnosis names', () => {
  it('can be asked about, and so can every call that is proposed next', async () => {
    const answer = await system.ask('investigate', window)
    expect(rowsOf(answer, 'causes')[0]).toMatchObject({ service: 'post-box', sends_telemetry: false })
    const ranking = await system.ask('root_cause_analysis', { service: 'post-box', ...window })
    expect(rowsOf(ranking, 'causes')[0]).toMatchObject({ service: 'post-box' })
    for (const next of [...(answer.next ?? []), ...(ranking.next ?? [])]) {
      expect(await system.ask(next.tool, next.arguments)).toMatchObject({ failed: false })
    }
  })

  it('is no name for what nobody sends to', async () => {
    const answer = await system.ask('root_cause_analysis', { service: 'letter-box', ...window })
    expect(answer).toMatchObject({ failed: true, error: { code: 'no_such_entity' } })
  })
})
