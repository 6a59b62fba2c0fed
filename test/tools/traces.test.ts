import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { shopEndMs, shopFaultMs, shopRequests, shopStartMs, traceIdOf } from './shop-telemetry.ts'
import { rowsOf, startTelemetrySystem, type TelemetrySystem } from './telemetry-system.ts'

let system: TelemetrySystem

beforeAll(() => {
  system = startTelemetrySystem(shopEndMs + 90_000)
  system.publish(shopRequests())
})
afterAll(() => system.close())

const fault = { from: new Date(shopFaultMs).toISOString(), to: new Date(shopEndMs).toISOString() }
const before = { from: new Date(shopStartMs).toISOString(), to: new Date(shopFaultMs).toISOString() }

describe('get_trace', () => {
  it('answers from the first digits of an id, with errors, critical path and parents by number', async () => {
    const answer = await system.ask('get_trace', { trace_id: traceIdOf(200) })
    expect(answer.failed).toBe(false)
    expect(answer.facts).toMatchObject({ trace_id: traceIdOf(200), spans: 5, errors: 5 })
    const spans = rowsOf(answer, 'spans')
    expect(spans.map(span => [span['n'], span['parent'], span['service']])).toEqual([
      [1, 0, 'frontend'],
      [2, 1, 'frontend'],
      [3, 2, 'checkout'],
      [4, 3, 'checkout'],
      [5, 4, 'payment'],
    ])
    expect(spans.every(span => span['critical'] === 1)).toBe(true)
    expect(spans[4]).toMatchObject({ operation: 'POST /charge', kind: 'server', error: 'ProviderError' })
    expect(rowsOf(answer, 'errors')[4]).toMatchObject({
      n: 5,
      status_message: 'card processor unavailable',
      exceptions: 'ProviderError: card processor unavailable',
    })
    expect(answer.tables?.['errors']?.untrusted).toEqual(['status_message', 'exceptions'])
  })

  it('leads to the logs of the trace, to its attributes and to the exemplars that point at it', async () => {
    const answer = await system.ask('get_trace', {
      trace_id: traceIdOf(0),
      include: ['logs', 'attributes', 'exemplars'],
    })
    expect(rowsOf(answer, 'logs')).toEqual([
      { n: 5, offset_ms: 18, service: 'payment', severity: 'info', body: 'charged order 0' },
    ])
    expect(rowsOf(answer, 'attributes')).toContainEqual({ n: 5, key: 'payment.provider', value: 'globex' })
    expect(rowsOf(answer, 'exemplars')).toEqual([
      { n: 5, service: 'payment', metric: 'http.server.request.duration', value: 0.021, unit: 's' },
    ])
  })

  it('says what it needs when digits are ambiguous or unknown', async () => {
    const ambiguous = await system.ask('get_trace', { trace_id: 'c0ffee00' })
    expect(ambiguous.failed).toBe(true)
    expect(ambiguous.error).toMatchObject({ code: 'ambiguous_trace_id', field: 'trace_id' })
    const unknown = await system.ask('get_trace', { trace_id: 'deadbeef' })
    expect(unknown.error).toMatchObject({ code: 'no_such_entity', field: 'trace_id' })
  })
})

describe('search_traces', () => {
  it('finds traces by service, status and window, newest first, and pages through all of them once', async () => {
    const seen: unknown[] = []
    let cursor: string | undefined
    for (let page = 0; page < 20; page++) {
      const answer = await system.ask('search_traces', {
        service: 'payment',
        status: 'error',
        limit: 17,
        max_tokens: 8_000,
        ...fault,
        ...(cursor === undefined ? {} : { cursor }),
      })
      expect(answer.failed).toBe(false)
      seen.push(...rowsOf(answer, 'traces').map(row => row['trace_id']))
      cursor = answer.omitted?.[0]?.cursor
      if (cursor === undefined) break
    }
    const expected = Array.from({ length: 90 }, (_, at) => traceIdOf(358 - 2 * at))
    expect(seen).toEqual(expected)
  })

  it('filters by operation, duration and attributes', async () => {
    const slow = await system.ask('search_traces', {
      operation: 'POST /charge',
      min_duration_ms: 300,
      ...before,
    })
    expect(slow.status).toBe('nothing_in_window')
    const provider = await system.ask('search_traces', {
      attributes: { 'payment.provider': 'acme' },
      from: before.from,
      to: fault.to,
      limit: 1,
    })
    expect(provider.answer).toContain('180 traces')
    const region = await system.ask('search_traces', { environment: 'production', limit: 1, ...before })
    expect(region.answer).toContain('180 traces')
  })

  it('groups traces of one shape', async () => {
    const answer = await system.ask('search_traces', { group: true, from: before.from, to: fault.to })
    expect(rowsOf(answer, 'shapes').map(row => [row['traces'], row['with_errors'], row['spans']])).toEqual([
      [90, 90, 5],
      [270, 0, 5],
    ])
  })

  it('tells an unknown service from a silent one', async () => {
    const unknown = await system.ask('search_traces', { service: 'paymnet' })
    expect(unknown.error).toMatchObject({ code: 'no_such_entity', did_you_mean: ['payment'] })
    const silent = await system.ask('search_traces', {
      service: 'payment',
      from: '2026-01-15T13:01:00Z',
      to: '2026-01-15T13:01:10Z',
    })
    expect(silent).toMatchObject({ failed: false, status: 'nothing_in_window' })
    expect(silent.next).toBeUndefined()
  })
})

describe('diagnose_ingest', () => {
  it('says that a part was refused, though the rest is there', async () => {
    const partly = startTelemetrySystem(shopEndMs)
    partly.publish(shopRequests())
    partly.counters.push({
      tenant: 'default',
      signal: 'logs',
      transport: 'http',
      requests: 9,
      accepted: 120,
      rejected: 3,
      duplicates: 0,
      refusedRetry: 0,
      invalid: 0,
      lastAcceptedMs: shopEndMs,
      lastProblem: '3 items refused: no time',
    })
    const answer = await partly.ask('diagnose_ingest', { from: before.from, to: fault.to })
    expect(answer.facts).toMatchObject({ first_broken_hop: 'complete' })
    expect(answer.answer).toContain('Not complete: a part was refused: see last_problem')
    expect(rowsOf(answer, 'received_since_start')).toMatchObject([
      { rejected_items: 3, last_problem: '3 items refused: no time' },
    ])
    await partly.close()
  })

  it('names the first broken hop', async () => {
    const quiet = startTelemetrySystem(shopEndMs)
    quiet.receivers.push({ transport: 'grpc', address: '127.0.0.1:39001', problem: 'port 4317 is in use' })
    const nothing = await quiet.ask('diagnose_ingest')
    expect(nothing.facts).toMatchObject({ first_broken_hop: 'received' })
    expect(nothing.answer).toContain('grpc 127.0.0.1:39001')
    expect(nothing.coverage?.['notes']).toContain('port 4317 is in use')
    quiet.overflows.push({
      tenant: 'default',
      signal: 'metrics',
      limit: 'metricSeries',
      count: 12,
      offenders: [{ name: 'cart requests', count: 11 }],
    })
    const full = await quiet.ask('diagnose_ingest')
    expect(rowsOf(full, 'over_limits')).toEqual([
      {
        tenant: 'default',
        limit: 'metricSeries',
        folded: 12,
        top_offenders: expect.stringContaining('cart requests (11)'),
      },
    ])
    await quiet.close()
    const answer = await system.ask('diagnose_ingest', { from: before.from, to: fault.to })
    expect(answer.facts).toMatchObject({ first_broken_hop: null, newest_data: '2026-01-15T12:59:50.018Z' })
    expect(rowsOf(answer, 'services')).toContainEqual({
      service: 'frontend',
      spans: 720,
      log_records: 0,
      metric_points: 0,
    })
  })
})
