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

/** What a pause is about; a part that is not given means all of them. */
export interface PauseScope {
  readonly signal?: Signal
  readonly tenant?: string
}

/** Stops and resumes the taking of telemetry; senders are told to try again, nothing is lost. */
export interface IngestControl {
  /** False if so many pauses are in force that another one is refused. */
  pause(scope: PauseScope): boolean
  /** Takes back the pause of this scope; every pause, if no part is given. */
  resume(scope: PauseScope): void
  /** Pauses in force. */
  pauses(): readonly PauseScope[]
}
