import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import type { ObservedRequest } from '../../src/model/ingest-observer.ts'
import { IngestCounters } from '../../src/server/ingest-counters.ts'
import { ingestFigureSource, ingestFigures } from '../../src/server/ingest-figures.ts'
import { IngestJournal, observeAll } from '../../src/server/ingest-journal.ts'
import { OwnMetrics } from '../../src/server/own-metrics.ts'
import { ManualClock } from './manual-clock.ts'

const request: ObservedRequest = { tenant: 'shop', signal: 'traces', transport: 'grpc', bytes: 10 }
const full = { outcome: 'retry', reason: 'queue_full', retryAfterMs: 1_000, message: 'full' } as const
const broken = { outcome: 'invalid', reason: 'decode_error', message: 'broken' } as const
const behind = async () => ({
  queueSize: { traces: 1, logs: 2, metrics: 3 },
  queueCapacityBytes: 1_000,
  maxUtilizationPercent: 12,
  recordsProduced: 8,
  lag: 4,
})

function taken(accepted: number, rejected: number) {
  return { outcome: 'accepted', accepted, rejected, message: '', duplicate: false } as const
}

describe('ingest counters', () => {
  it('add up what was accepted, refused for good and refused for now', async () => {
    const metrics = new OwnMetrics()
    const counters = new IngestCounters(metrics, new ManualClock())
    counters.answered(request, taken(8, 2))
    counters.answered(request, full)
    counters.answered({ ...request, transport: 'http' }, full)
    counters.answered(request, broken)
    counters.refused('unauthenticated', 'logs', 'http')
    counters.refused('busy', 'logs', 'http')
    const text = await metrics.text()
    for (const line of [
      'otelcol_receiver_accepted_spans{receiver="otlp",transport="grpc"} 8',
      'otelcol_receiver_accepted_spans{receiver="otlp",transport="http"} 0',
      'otelcol_receiver_refused_spans{receiver="otlp",transport="grpc"} 2',
      'otelcontext_ingest_pipeline_dropped_total{signal="traces",reason="queue_full"} 2',
      'otelcontext_http_otlp_throttled_total{signal="traces"} 1',
      'otelcontext_http_otlp_throttled_total{signal="logs"} 1',
      'OtelContext_otlp_payload_rejected_total{reason="decode_error"} 1',
      'OtelContext_otlp_payload_rejected_total{reason="unauthenticated"} 1',
    ]) {
      expect(text).toContain(`${line}\n`)
    }
    expect(counters.edgeRefusals()).toEqual({ busy: 1, unauthenticated: 1 })
  })

  it('give the figures operators of connectors know, under both names', async () => {
    const metrics = new OwnMetrics()
    const counters = new IngestCounters(metrics, new ManualClock())
    counters.answered(request, taken(8, 2))
    counters.answered(request, broken)
    expect(await ingestFigures(counters, behind)).toEqual({
      TracesReceived: 10,
      MetricsReceived: 0,
      LogsReceived: 0,
      TracesDropped: 2,
      MetricsDropped: 0,
      LogsDropped: 0,
      RecordsProduced: 8,
      TracesQueueSize: 1,
      MetricsQueueSize: 3,
      LogsQueueSize: 2,
      QueueCapacity: 1_000,
      MaxQueueUtilizationPercent: 12,
      TotalMessagesReceived: 2,
      TotalMessagesDropped: 1,
      TotalLagCount: 4,
      DropRate: 0.5,
      DropRateLast5Minutes: 0.5,
    })
    metrics.addSource(ingestFigureSource(counters, behind))
    expect(await metrics.text()).toContain('otlp_traces_received 10\n')
    const emptier = async () => ({ ...(await behind()), maxUtilizationPercent: 3 })
    expect(await ingestFigures(counters, emptier)).toMatchObject({ MaxQueueUtilizationPercent: 12 })
  })

  it('have a drop rate of 0 without traffic, and forget after five minutes', async () => {
    const clock = new ManualClock()
    const counters = new IngestCounters(new OwnMetrics(), clock)
    expect(await ingestFigures(counters, behind)).toMatchObject({ DropRate: 0, DropRateLast5Minutes: 0 })
    counters.answered(request, broken)
    clock.nowMs += 200_000
    counters.answered(request, taken(1, 0))
    expect(counters.messages().recentDropRate).toBe(0.5)
    clock.nowMs += 100_000
    expect(counters.messages().recentDropRate).toBe(0)
    clock.nowMs += 3_600_000
    counters.answered(request, broken)
    expect(counters.messages()).toEqual({ received: 3, dropped: 2, recentDropRate: 1 })
  })
})

describe('the ingest journal', () => {
  it('names what arrives and warns of a refusal once in ten seconds, with what it left out', () => {
    const clock = new ManualClock()
    const lines: Record<string, unknown>[] = []
    const sink = new Writable({
      write: (chunk, _, done) => {
        lines.push(JSON.parse(String(chunk)))
        done()
      },
    })
    const observer = observeAll([new IngestJournal(createLogger('DEBUG', sink), clock)])
    observer.answered(request, taken(3, 1))
    for (let i = 0; i < 5; i++) observer.answered(request, full)
    observer.refused('too_large', 'logs', 'http')
    clock.nowMs += 10_000
    observer.answered(request, full)
    expect(lines).toMatchObject([
      { event: 'trace_received', tenant: 'shop', accepted: 3, rejected: 1 },
      { event: 'trace_dropped', reason: 'queue_full', detail: 'full', suppressed: 0 },
      { event: 'log_dropped', reason: 'too_large', transport: 'http' },
      { event: 'trace_dropped', reason: 'queue_full', suppressed: 4 },
    ])
  })
})
