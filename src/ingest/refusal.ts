/** Everything a receiver can answer other than success, whichever transport it came over. */
import type { Access } from '../model/auth.ts'
import type { IngestResult, InvalidReason, RetryReason } from '../model/ingest.ts'
import type { EdgeRefusal } from '../model/ingest-observer.ts'

export type RefusalReason = InvalidReason | RetryReason | EdgeRefusal

export interface Refusal {
  readonly reason: RefusalReason
  /** In English, with advice. */
  readonly message: string
  /** Null where sending again would not help. */
  readonly retryAfterMs: number | null
}

/** What a sender should wait after a fault of ours that we know nothing more about. */
const faultRetryMs = 1_000

/** Not an answer of the inbox but a bug; the sender must keep its data all the same. */
export const internalFault: Refusal = {
  reason: 'store_fault',
  message: 'the request could not be stored; send it again',
  retryAfterMs: faultRetryMs,
}

export const receiveBudgetSpent: Refusal = {
  reason: 'busy',
  message: 'too many bytes are arriving at once; send again, in smaller requests if this one is large',
  retryAfterMs: faultRetryMs,
}

export function tooLarge(limitBytes: number): Refusal {
  const message = `the request is larger than ${limitBytes} bytes; send smaller batches`
  return { reason: 'too_large', message, retryAfterMs: null }
}

export function refusalOfResult(result: Exclude<IngestResult, { outcome: 'accepted' }>): Refusal {
  const retryAfterMs = result.outcome === 'retry' ? result.retryAfterMs : null
  return { reason: result.reason, message: result.message, retryAfterMs }
}

export function refusalOfAccess(access: Exclude<Access, { granted: true }>): Refusal {
  const retryAfterMs = access.refusal === 'throttled' ? access.retryAfterMs : null
  return { reason: access.refusal, message: access.message, retryAfterMs }
}

/**
 * Long enough for a count and advice. A response is at most 4 MiB by the specification, but gRPC carries a
 * message in a header, percent-encoded, and clients cap all headers together at 8 KiB.
 */
const messageMaxLength = 1_000

/** A message as it may leave the process: short, and without half characters, which encoders reject. */
export function senderMessage(message: string): string {
  const short = message.length > messageMaxLength ? `${message.slice(0, messageMaxLength - 1)}…` : message
  return short.toWellFormed()
}
