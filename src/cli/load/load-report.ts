/** What a load offered and what became of it. */
import type { LatencyRecord } from './latency-record.ts'

export interface LatencyFigures {
  readonly p50_ms: number | null
  readonly p90_ms: number | null
  readonly p99_ms: number | null
  readonly p999_ms: number | null
  readonly max_ms: number
}

export interface SignalReport {
  readonly signal: string
  /** Items a second that were to be offered; null for as fast as it goes. */
  readonly offered_per_s: number | null
  readonly acknowledged_per_s: number
  readonly acknowledged_items: number
  readonly acknowledged_requests: number
  /** Through partial success. */
  readonly rejected_items: number
  /** Requests refused for good or given up after retries. */
  readonly failed_requests: number
  readonly failed_items: number
  /** Due within the load but never sent, because it ended first. */
  readonly unsent_requests: number
  readonly retries: number
  /**
   * From the time a request was due until its acknowledgement, retries included, so that a server that stalls is
   * charged for all it made wait. As fast as it goes there is no such time, and it is from sending.
   */
  readonly latency: LatencyFigures
  /** From when it was really sent for the first time. */
  readonly service_time: LatencyFigures
}

export interface LoadReport {
  readonly endpoint: string
  readonly transport: string
  readonly seconds: number
  readonly requests_in_flight_max: number
  /** Bytes of requests as encoded, before compression. */
  readonly request_bytes: number
  readonly signals: readonly SignalReport[]
  /** Retries and failures by what the server said. */
  readonly statuses: Readonly<Record<string, number>>
  readonly first_failure: string
  readonly interrupted: boolean
}

export function latencyFigures(record: LatencyRecord): LatencyFigures {
  return {
    p50_ms: record.quantile(0.5),
    p90_ms: record.quantile(0.9),
    p99_ms: record.quantile(0.99),
    p999_ms: record.quantile(0.999),
    max_ms: record.maxMs,
  }
}
