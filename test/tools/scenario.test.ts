import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { spansOf } from './otlp-json.ts'
import { window } from './shop-questions.ts'
import { hex, shopEndMs, shopFaultMs, shopRequests, shopStartMs } from './shop-telemetry.ts'
import { type Request, rowsOf, startTelemetrySystem, type TelemetrySystem } from './telemetry-system.ts'

const healthyHalf = { from: new Date(shopStartMs).toISOString(), to: window.from }

/** Requests to `api`, of which each ninth calls `ledger`; the senders kept one in four. */
function sampledRequests(): Request {
  const spans = Array.from({ length: 90 }, (_, at) => {
    const startMs = shopFaultMs + at * 1_000
    const traceId = hex(at + 1, 32)
    const root = { traceId, spanId: hex(at * 4 + 1, 16), name: 'GET /', startMs, durationMs: 50 }
    const call = {
      traceId,
      spanId: hex(at * 4 + 2, 16),
      parentSpanId: root.spanId,
      name: 'insert',
      kind: 3,
      startMs: startMs + 5,
      durationMs: 10,
      attributes: { 'peer.service': 'ledger' },
    }
    return at % 9 === 0 ? [root, call] : [root]
  }).flat()
  const { resource, scopeSpans } = spansOf('api', spans) as {
    resource: object
    scopeSpans: { spans: object[] }[]
  }
  const sampled = scopeSpans.map(scope => ({
    spans: scope.spans.map(span => ({ ...span, traceState: 'ot=th:c' })),
  }))
  return {
    signal: 'traces',
    receivedMs: shopEndMs - 1_000,
    json: { resourceSpans: [{ resource, scopeSpans: sampled }] },
  }
}

/** A service graph as the Collector's connector sends it, and no span. */
function serviceGraph(): Request {
  const point = (ms: number, count: number) => ({
    startTimeUnixNano: `${shopStartMs}000000`,
    timeUnixNano: `${ms}000000`,
    asInt: String(count),
    attributes: [
      { key: 'client', value: { stringValue: 'web' } },
      { key: 'server', value: { stringValue: 'warehouse' } },
    ],
  })
  const sum = {
    aggregationTemporality: 2,
    isMonotonic: true,
    dataPoints: [point(shopFaultMs + 60_000, 10), point(shopFaultMs + 120_000, 90)],
  }
  return {
    signal: 'metrics',
    receivedMs: shopEndMs - 1_000,
    json: {
      resourceMetrics: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'graph' } }] },
          scopeMetrics: [{ metrics: [{ name: 'traces_service_graph_request_total', sum }] }],
        },
      ],
    },
  }
}

describe('impact_analysis with a scenario', () => {
  let system: TelemetrySystem
  beforeAll(() => {
    system = startTelemetrySystem(shopEndMs)
    system.publish([...shopRequests(), sampledRequests(), serviceGraph()])
  })
  afterAll(() => system.close())

  const ask = (args: object) => system.ask('impact_analysis', { ...window, ...args })

  it('says what share of requests from outside would fail, from failures that were seen to spread', async () => {
    const answer = await ask({ service: 'payment', scenario: 'fails' })
    expect(rowsOf(answer, 'entry_points')).toContainEqual(
      expect.objectContaining({
        service: 'frontend',
        operation: 'GET /checkout',
        replayed: 180,
        through_pct: 100,
        fails_pct: 100,
        fails_low_pct: 92,
      }),
    )
    expect(rowsOf(answer, 'edges')).toContainEqual({
      caller: 'checkout',
      callee: 'payment',
      callee_failed: 90,
      caller_failed_too: 90,
      probability: 1,
      low: 0.9591,
      high: 1,
      basis: 'measured',
    })
    expect(answer.coverage?.['notes']).toContainEqual(expect.stringMatching(/no retry storm, no queueing/))
  })

  it('says what it only assumes where nothing failed, and where failures might be found', async () => {
    const answer = await ask({ service: 'payment', scenario: 'fails', ...healthyHalf })
    expect(answer.facts).toMatchObject({ fails_pct: 100, fails_low_pct: 0, edges_assumed: 2 })
    expect(answer.answer).toMatch(/never seen on 2 of 2 edges/)
    const [wider] = answer.next ?? []
    expect(wider).toMatchObject({ tool: 'impact_analysis', arguments: { scenario: 'fails' } })
    expect((await system.ask('impact_analysis', wider?.arguments)).failed).toBe(false)
  })

  it.each([
    ['+300ms', 300],
    ['+1.5s', 1_500],
  ])('says how much later requests would end: %s', async (scenario, ms) => {
    const answer = await ask({ service: 'payment', scenario, ...healthyHalf })
    const [entry] = rowsOf(answer, 'entry_points')
    expect(entry).toMatchObject({ service: 'frontend', later_pct: 100, hidden_pct: 0, mean_later_ms: ms })
    expect(Number(entry?.['p95_then_ms'])).toBeCloseTo(Number(entry?.['p95_ms']) + ms)
  })

  it('weighs traces that were sampled, and says so; a service without telemetry is one too', async () => {
    const answer = await ask({ service: 'ledger', scenario: '+20ms' })
    expect(rowsOf(answer, 'callers')).toEqual([
      expect.objectContaining({ service: 'api', replayed: 90, through_pct: 11.1, later_pct: 11.1 }),
    ])
    expect(answer.coverage?.['notes']).toContainEqual(expect.stringMatching(/^the senders sampled/))
    expect(answer.coverage?.['notes']).toContainEqual(expect.stringMatching(/^few: 10 requests/))
  })

  it('falls back to the call graph, and says so, where there are no traces', async () => {
    const answer = await ask({ service: 'warehouse', scenario: 'fails' })
    expect(answer.answer).toMatch(/^Not replayed: no request from outside was read that leads to it\. /)
    expect(rowsOf(answer, 'callers').map(row => row['service'])).toContain('web')
  })

  it('says so as well where every trace is cut off from its request', async () => {
    const cutOff = startTelemetrySystem(shopEndMs)
    const spans = [1, 2, 3].map(at => ({
      traceId: hex(9, 32),
      spanId: hex(at + 1, 16),
      parentSpanId: hex(at, 16),
      name: 'step',
      startMs: shopFaultMs + 60_000 + at,
      durationMs: 50 - 2 * at,
    }))
    const json = { resourceSpans: [spansOf('loop', spans)] }
    cutOff.publish([{ signal: 'traces', receivedMs: shopEndMs - 1_000, json }])
    const answer = await cutOff.ask('impact_analysis', { service: 'loop', scenario: '+20ms', ...window })
    expect(answer.answer).toMatch(/^Not replayed: no request from outside was read that leads to it\. /)
    await cutOff.close()
  })

  it('refuses an operation that is not there, one without a scenario, and a scenario it does not know', async () => {
    const unknown = await ask({ service: 'payment', scenario: 'fails', operation: 'POST /chrge' })
    expect(unknown.error).toMatchObject({ code: 'no_such_entity', did_you_mean: ['POST /charge'] })
    const alone = await ask({ service: 'payment', operation: 'POST /charge' })
    expect(alone.error).toMatchObject({ code: 'missing_argument', field: 'scenario' })
    const vague = await ask({ service: 'payment', scenario: 'slow' })
    expect(vague.error).toMatchObject({ code: 'invalid_argument', field: 'scenario', example: 'fails' })
  })
})
