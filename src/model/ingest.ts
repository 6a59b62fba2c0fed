/** The port between receivers and the durable inbox. A receiver knows this and nothing behind it. */
import type { Signal } from './telemetry.ts'

export type Encoding = 'protobuf' | 'json'
export type Compression = 'none' | 'gzip' | 'zstd'
export type Transport = 'grpc' | 'http'

/** One export request as received. */
export interface IngestRequest {
  readonly signal: Signal
  readonly transport: Transport
  readonly encoding: Encoding
  readonly compression: Compression
  /** In pieces, as it arrived. They are read before `submit` returns and may be views of shared buffers. */
  readonly body: readonly Uint8Array[]
  /** Decided at the edge; already validated (at most 128 bytes, no control characters). */
  readonly tenant: string
  /** Who sent it: key id, or `loopback`. */
  readonly principal: string
  /** Address of the peer, without port. */
  readonly peer: string
  /** Milliseconds since the epoch. */
  readonly receivedAtMs: number
  /** Bytes allowed after decompression. */
  readonly maxBytes: number
}

/** Why a request can never be taken. */
export type InvalidReason = 'decode_error' | 'too_large' | 'bad_compression' | 'invalid_tenant'

/** Why a request can be taken later. */
export type RetryReason = 'queue_full' | 'paused' | 'draining' | 'store_fault'

export type IngestResult =
  /**
   * On disk. `accepted` items are stored, `rejected` are not, and together they are what was sent.
   * `message` is empty or a sentence for the sender, also when nothing was rejected.
   */
  | {
      readonly outcome: 'accepted'
      readonly accepted: number
      readonly rejected: number
      readonly message: string
      readonly duplicate: boolean
    }
  | { readonly outcome: 'invalid'; readonly reason: InvalidReason; readonly message: string }
  | {
      readonly outcome: 'retry'
      readonly reason: RetryReason
      readonly retryAfterMs: number
      readonly message: string
    }

/** Takes requests into the durable inbox. Never throws for what a client sent. */
export interface Admission {
  /** Resolves once the request is durable or refused; one request never waits for another's decoding error. */
  submit(request: IngestRequest): Promise<IngestResult>
}
