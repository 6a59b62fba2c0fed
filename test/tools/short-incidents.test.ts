/** Incidents of twenty seconds, which windows of a minute would hide. */
import { afterEach, describe, expect, it } from 'vitest'
import { random } from '../graph/seeded-random.ts'
import { type SpanSpec, spansOf } from './otlp-json.ts'
import { rowsOf, startTelemetrySystem, type TelemetrySystem } from './telemetry-system.ts'

const startMs = Date.UTC(2026, 4, 7, 7)
const lengthMs = 40 * 60_000
/** What fails for twenty seconds, and when. */
const incidents = [
  { fromMs: startMs + 10 * 60_000, service: 'search' },
  { fromMs: startMs + 20 * 60_000, service: 'mail' },
  { fromMs: startMs + 39 * 60_000, service: 'search' },
]
const incidentMs = 20_000

function requestsOf(service: string, seed: number): readonly SpanSpec[] {
  const uniform = random(seed)
  const spans: SpanSpec[] = []
  for (let atMs = startMs; atMs < startMs + lengthMs; atMs += 500) {
    const id = seed * 1_000_000 + spans.length
    const failing = incidents.some(
      one => one.service === service && atMs >= one.fromMs && atMs < one.fromMs + incidentMs,
    )
    spans.push({
      traceId: id.toString(16).padStart(32, '0'),
      spanId: id.toString(16).padStart(16, '0'),
      name: 'GET /',
      startMs: atMs,
      durationMs: 20 + 10 * uniform(),
      ...(failing && uniform() < 0.8 ? { error: 'no' } : {}),
    })
  }
  return spans
}

let system: TelemetrySystem | undefined
afterEach(async () => system?.close())

describe('find_similar_incidents', () => {
  it('finds an earlier incident as short as the one asked about, and not another one', async () => {
    const nowMs = startMs + lengthMs
    system = startTelemetrySystem(nowMs)
    system.publish(
      ['search', 'mail'].map((service, i) => ({
        signal: 'traces' as const,
        receivedMs: nowMs,
        json: { resourceSpans: [spansOf(service, requestsOf(service, i + 1))] },
      })),
    )
    await system.seal()
    const [first, , last] = incidents.map(one => one.fromMs)
    const time = (ms: number) => new Date(ms).toISOString().replace('.000', '')
    const answer = await system.ask('find_similar_incidents', {
      from: time(last ?? 0),
      to: time((last ?? 0) + incidentMs),
    })
    const found = rowsOf(answer, 'incidents')
    expect(found.map(row => [row['from'], row['first_service']])).toEqual([[time(first ?? 0), 'search']])
  })
})
