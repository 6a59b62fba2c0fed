import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { logsOf, spansOf } from './otlp-json.ts'
import { window } from './shop-questions.ts'
import { hex, shopEndMs, shopFaultMs, shopRequests, traceIdOf } from './shop-telemetry.ts'
import { type Request, rowsOf, startTelemetrySystem, type TelemetrySystem } from './telemetry-system.ts'

/** The same failure told by another service in other words, and something else. */
function refunds(): Request {
  const logs = Array.from({ length: 12 }, (_, at) => ({
    timeMs: shopFaultMs + at * 1_000,
    severity: 17,
    body: at % 3 === 0 ? `mailbox ${at} is full` : `refund ${at}: cardProcessor unavailable`,
  }))
  return { signal: 'logs', receivedMs: shopEndMs - 1_000, json: { resourceLogs: [logsOf('refunds', logs)] } }
}

/** A failure that its caller withstands. */
function withstood(): Request {
  const traceId = hex(77, 32)
  const base = { traceId, startMs: shopFaultMs + 5_000 }
  return {
    signal: 'traces',
    receivedMs: shopEndMs - 1_000,
    json: {
      resourceSpans: [
        spansOf('page', [{ ...base, spanId: hex(771, 16), name: 'GET /page', durationMs: 50 }]),
        spansOf('advice', [
          {
            ...base,
            spanId: hex(772, 16),
            parentSpanId: hex(771, 16),
            name: 'GET /advice',
            durationMs: 10,
            error: 'no model',
            attributes: { 'error.type': 'ModelMissing' },
          },
        ]),
      ],
    },
  }
}

describe('the forensics tools', () => {
  let system: TelemetrySystem
  beforeAll(() => {
    system = startTelemetrySystem(shopEndMs)
    system.publish([...shopRequests(), refunds(), withstood()])
  })
  afterAll(() => system.close())

  it('find the same failure in other words, of another service', async () => {
    const answer = await system.ask('find_similar_logs', {
      query: 'charge failed for order 7: card processor unavailable',
      ...window,
    })
    const [same, other] = rowsOf(answer, 'similar')
    expect(same).toMatchObject({ service: 'payment', severity: 'error', count: 90 })
    expect(other).toMatchObject({ service: 'refunds', severity: 'error', count: 8 })
    expect(answer.json).not.toContain('mailbox')
    const id = String(same?.['template_id'])
    const again = await system.ask('find_similar_logs', { template_id: id, ...window })
    expect(rowsOf(again, 'similar').map(row => row['template_id'])).not.toContain(id)
    expect(rowsOf(again, 'similar')[0]).toMatchObject({ service: 'refunds' })
  })

  it('say that nothing resembles it, that nothing was said what to look for, or that no template has that id', async () => {
    const none = await system.ask('find_similar_logs', { query: 'volcano eruption', ...window })
    expect(none.answer).toMatch(/^None of \d+ log templates/)
    expect((await system.ask('find_similar_logs', window)).error).toMatchObject({ code: 'missing_argument' })
    const unknown = await system.ask('find_similar_logs', { template_id: '0123456789abcdef', ...window })
    expect(unknown.error).toMatchObject({ code: 'no_such_entity', field: 'template_id' })
  })

  it('group failed requests by how the error ran', async () => {
    const answer = await system.ask('get_error_chains', window)
    const [first, second] = rowsOf(answer, 'chains')
    expect(first).toMatchObject({
      traces: 90,
      share_pct: 98.9,
      origin: 'payment',
      ends_at: 'frontend',
      came_out: true,
      error_type: 'ProviderError',
      path: 'payment POST /charge > checkout POST /orders > frontend GET /checkout',
      log: 'charge failed for order <*>: card processor unavailable',
    })
    expect(second).toMatchObject({
      origin: 'advice',
      ends_at: 'page',
      came_out: false,
      error_type: 'ModelMissing',
    })
    const page = await system.ask('get_error_chains', { service: 'page', ...window })
    expect(rowsOf(page, 'chains')).toHaveLength(1)
  })

  it('rank chains by likeness to that of a trace', async () => {
    const answer = await system.ask('get_error_chains', { trace_id: traceIdOf(200), ...window })
    expect(rowsOf(answer, 'chains')[0]).toMatchObject({ similarity: 1, origin: 'payment' })
    const healthy = await system.ask('get_error_chains', { trace_id: traceIdOf(201), ...window })
    expect(healthy.error).toMatchObject({ code: 'no_such_entity', field: 'trace_id' })
  })

  it('say that no request failed where none did', async () => {
    const answer = await system.ask('get_error_chains', {
      from: new Date(shopFaultMs - 600_000).toISOString(),
      to: window.from,
    })
    expect(answer).toMatchObject({ status: 'healthy' })
    expect(answer.next).toBeUndefined()
  })

  it('find what moves with a signal of a service, and nothing in a window too short for it', async () => {
    const answer = await system.ask('correlated_signals', {
      service: 'frontend',
      from: new Date(shopFaultMs - 1_200_000).toISOString(),
      to: new Date(shopFaultMs + 1_200_000).toISOString(),
    })
    const moved = rowsOf(answer, 'signals').map(row => `${row['service']} ${row['of']} ${row['signal']}`)
    expect(moved).toContain('payment service errors')
    expect(moved).toContain('payment template records')
    expect(moved).not.toContain('payment metric value')
    const short = await system.ask('correlated_signals', {
      service: 'frontend',
      from: window.from,
      to: new Date(shopFaultMs + 60_000).toISOString(),
    })
    expect(short.answer).toMatch(/too few/)
    expect(short.next).toBeUndefined()
  })
})

describe('find_similar_incidents', () => {
  let system: TelemetrySystem
  const hour = 3_600_000
  beforeAll(() => {
    // Four hours; the fault of the first returns in the last. What is between is healthy.
    system = startTelemetrySystem(shopEndMs + 3 * hour)
    for (let at = 0; at < 4; at++)
      system.publish(
        shopRequests({
          startMs: shopEndMs + (at - 1) * hour,
          from: at * 1_000,
          faulty: at === 0 || at === 3,
        }),
      )
  })
  afterAll(() => system.close())

  it('finds the earlier time at which the same things moved, and asks for its cause next', async () => {
    const answer = await system.ask('find_similar_incidents', {
      from: new Date(shopFaultMs + 3 * hour).toISOString(),
      to: new Date(shopEndMs + 3 * hour).toISOString(),
    })
    const [earlier] = rowsOf(answer, 'incidents')
    expect(earlier?.['similarity']).toBeGreaterThan(0.8)
    expect(earlier).toMatchObject({ from: new Date(shopFaultMs).toISOString().replace('.000', '') })
    expect(answer.next?.[0]).toMatchObject({ tool: 'investigate' })
  })

  it('compares nothing where nothing is abnormal', async () => {
    const answer = await system.ask('find_similar_incidents', {
      from: new Date(shopEndMs + hour).toISOString(),
      to: new Date(shopEndMs + hour + 600_000).toISOString(),
    })
    expect(answer).toMatchObject({ status: 'healthy' })
  })
})
