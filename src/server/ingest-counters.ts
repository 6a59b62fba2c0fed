/** Counts what the receivers report, as metrics and as figures per signal. */
import type { IngestResult, Transport } from '../model/ingest.ts'
import type { EdgeRefusal, IngestObserver, ObservedRequest } from '../model/ingest-observer.ts'
import { type Signal, signals } from '../model/telemetry.ts'
import type { Clock } from '../model/time.ts'
import type { MetricName } from './metric-definitions.ts'
import type { OwnMetrics, Tally } from './own-metrics.ts'
import { RecentShare } from './recent-share.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const acceptedMetric: Readonly<Record<Signal, MetricName>> = {
  traces: 'otelcol_receiver_accepted_spans',
  logs: 'otelcol_receiver_accepted_log_records',
  metrics: 'otelcol_receiver_accepted_metric_points',
}
const refusedMetric: Readonly<Record<Signal, MetricName>> = {
  traces: 'otelcol_receiver_refused_spans',
  logs: 'otelcol_receiver_refused_log_records',
  metrics: 'otelcol_receiver_refused_metric_points',
}

const transports: readonly Transport[] = ['grpc', 'http']

/** Refusals of the receiver that a sender may overcome by waiting. */
const passing: ReadonlySet<EdgeRefusal> = new Set(['busy', 'throttled'])

export interface SignalTotals {
  readonly received: number
  readonly dropped: number
}

export class IngestCounters implements IngestObserver {
  readonly #metrics: OwnMetrics
  /** By signal and transport. */
  readonly #items = new Map<string, { readonly accepted: Tally; readonly refused: Tally }>()
  readonly #refusals = new Map<EdgeRefusal, number>()
  readonly #totals: Readonly<Record<Signal, Mutable<SignalTotals>>> = {
    traces: { received: 0, dropped: 0 },
    logs: { received: 0, dropped: 0 },
    metrics: { received: 0, dropped: 0 },
  }
  readonly #recent: RecentShare
  #highestFillPercent = 0
  #messages = 0
  #messagesDropped = 0

  constructor(metrics: OwnMetrics, clock: Clock) {
    this.#metrics = metrics
    this.#recent = new RecentShare(clock)
    for (const signal of signals) {
      for (const transport of transports) {
        const labels = { receiver: 'otlp', transport }
        const accepted = metrics.tally(acceptedMetric[signal], labels)
        const refused = metrics.tally(refusedMetric[signal], labels)
        this.#items.set(`${signal} ${transport}`, { accepted, refused })
      }
    }
    metrics.declare(
      ...signals.flatMap(signal => [acceptedMetric[signal], refusedMetric[signal]]),
      'OtelContext_otlp_payload_rejected_total',
      'otelcontext_ingest_pipeline_dropped_total',
      'otelcontext_http_otlp_throttled_total',
      'otelcontext_ingest_duplicates_total',
    )
  }

  answered(request: ObservedRequest, result: IngestResult): void {
    const { signal, transport } = request
    this.#messages++
    this.#recent.add(result.outcome === 'invalid')
    switch (result.outcome) {
      case 'accepted':
        this.#countAccepted(signal, transport, result)
        return
      case 'invalid':
        this.#messagesDropped++
        this.#metrics.add('OtelContext_otlp_payload_rejected_total', { reason: result.reason })
        return
      case 'retry':
        this.#countPassing(signal, transport, result.reason)
        return
      default:
        result satisfies never
    }
  }

  refused(reason: EdgeRefusal, signal: Signal | null, transport: Transport): void {
    this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1)
    if (signal !== null && passing.has(reason)) {
      this.#countPassing(signal, transport, reason)
      return
    }
    this.#metrics.add('OtelContext_otlp_payload_rejected_total', { reason })
    if (signal === null) return
    this.#messages++
    this.#messagesDropped++
    this.#recent.add(true)
  }

  /** Requests the receivers turned away before the inbox, by reason; their tenant is not known. */
  edgeRefusals(): Readonly<Partial<Record<EdgeRefusal, number>>> {
    return Object.fromEntries([...this.#refusals].sort())
  }

  totals(): Readonly<Record<Signal, SignalTotals>> {
    return this.#totals
  }

  /** The highest fill of the inbox that was seen at any look, this one included. */
  highestFill(nowPercent: number): number {
    this.#highestFillPercent = Math.max(this.#highestFillPercent, nowPercent)
    return this.#highestFillPercent
  }

  messages(): { readonly received: number; readonly dropped: number; readonly recentDropRate: number } {
    return { received: this.#messages, dropped: this.#messagesDropped, recentDropRate: this.#recent.share() }
  }

  #countAccepted(
    signal: Signal,
    transport: Transport,
    result: Extract<IngestResult, { outcome: 'accepted' }>,
  ): void {
    if (result.duplicate) this.#metrics.add('otelcontext_ingest_duplicates_total', { signal })
    this.#totals[signal].received += result.accepted + result.rejected
    this.#totals[signal].dropped += result.rejected
    const items = this.#items.get(`${signal} ${transport}`)
    items?.accepted.add(result.accepted)
    items?.refused.add(result.rejected)
  }

  #countPassing(signal: Signal, transport: Transport, reason: string): void {
    this.#metrics.add('otelcontext_ingest_pipeline_dropped_total', { signal, reason })
    const tooMany = reason === 'queue_full' || reason === 'busy' || reason === 'throttled'
    if (transport === 'http' && tooMany)
      this.#metrics.add('otelcontext_http_otlp_throttled_total', { signal })
  }
}
