/** What receivers report of their work, for metrics, `/admin/stats` and `diagnose_ingest`. */
import type { IngestResult, Transport } from './ingest.ts'
import type { Signal } from './telemetry.ts'

/** Why a request was turned away before it came to the inbox. */
export type EdgeRefusal =
  | 'too_large'
  | 'invalid_content_type'
  | 'unsupported_encoding'
  | 'unauthenticated'
  | 'forbidden'
  | 'invalid_tenant'
  | 'throttled'
  | 'not_found'
  | 'method_not_allowed'
  | 'timeout'
  | 'busy'

export interface ObservedRequest {
  readonly tenant: string
  readonly signal: Signal
  readonly transport: Transport
  /** Bytes as received, still compressed. */
  readonly bytes: number
}

/** Must be cheap and must not throw; it is called once for every request. */
export interface IngestObserver {
  /** The inbox took the request or refused it. */
  answered(request: ObservedRequest, result: IngestResult): void
  /** The receiver refused it; `signal` is null where the path names none. */
  refused(reason: EdgeRefusal, signal: Signal | null, transport: Transport): void
}

/** A part of the ingest path that an operator has paused. Null means all of them. */
export interface PausedPart {
  readonly signal: Signal | null
  readonly tenant: string | null
}

/** Stops and resumes the taking of telemetry; senders are told to try again, nothing is lost. */
export interface IngestControl {
  pause(part: PausedPart): void
  /** Resumes what the part covers: all of it for two nulls. */
  resume(part: PausedPart): void
  paused(): readonly PausedPart[]
}
