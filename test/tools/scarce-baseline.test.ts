/** A window of which the time before holds hardly anything: too little to call the window normal. */
import { afterEach, describe, expect, it } from 'vitest'
import { epochMs, requestOf, type SpanSketch } from '../graph/diagnosis/trace-json.ts'
import { startTelemetrySystem, type TelemetrySystem } from './telemetry-system.ts'

const startMs = epochMs + 120_000
const windowMs = startMs + 600_000
const endMs = windowMs + 300_000
const window = { from: new Date(windowMs).toISOString(), to: new Date(endMs).toISOString() }

let system: TelemetrySystem | null = null
afterEach(() => system?.close())

/** A request a second to each service, from a time on. */
function requestsTo(since: Readonly<Record<string, number>>): readonly SpanSketch[] {
  return Object.entries(since).flatMap(([service, fromMs], number) =>
    Array.from({ length: (endMs - fromMs) / 1_000 }, (_, i): SpanSketch => {
      const at = fromMs - epochMs + i * 1_000
      const trace = number * 10_000 + i + 1
      return { trace, id: trace, service, name: 'GET /', kind: 'server', at: [at, at + 20] }
    }),
  )
}

async function timelineOf(since: Readonly<Record<string, number>>) {
  system = startTelemetrySystem(endMs)
  system.publish([{ signal: 'traces', receivedMs: endMs, json: requestOf(requestsTo(since)) }])
  return system.ask('get_anomaly_timeline', window)
}

describe('get_anomaly_timeline', () => {
  it('calls a system healthy that was there before', async () => {
    const answer = await timelineOf({ cart: startMs, orders: startMs, payment: startMs })
    expect(answer).toMatchObject({ status: 'healthy', answer: 'Nothing became abnormal.' })
  })

  it('says that the baseline holds less than half of the window instead', async () => {
    const answer = await timelineOf({ cart: startMs, orders: windowMs, payment: windowMs })
    expect(answer.failed).toBe(false)
    expect(answer.status).not.toBe('healthy')
    expect(answer.answer).toContain('less than half')
  })

  it('says that there is no baseline', async () => {
    const answer = await timelineOf({ cart: windowMs, orders: windowMs })
    expect(answer.failed).toBe(false)
    expect(answer.status).not.toBe('healthy')
    expect(answer.answer).toContain('Nothing is stored for the baseline')
  })
})
