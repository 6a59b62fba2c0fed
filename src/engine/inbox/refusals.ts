/** What the inbox answers when it does not take a request. */
import { InvalidInputError, OverloadedError } from '../../errors.ts'
import type { IngestResult, InvalidReason } from '../../model/ingest.ts'

/** An answer that lets the sender come back. */
export function retryLater(
  reason: 'queue_full' | 'draining' | 'store_fault',
  retryAfterMs: number,
  message: string,
): IngestResult {
  return { outcome: 'retry', reason, retryAfterMs, message }
}

const invalidReasons: readonly string[] = ['decode_error', 'too_large', 'bad_compression', 'invalid_tenant']

/**
 * Overload passes, everything else is about these very bytes and would fail again. A bug in a decoder is
 * therefore answered like bad data: told to retry, the sender would come back with it for ever.
 */
export function explainRefusal(error: unknown): IngestResult {
  if (error instanceof OverloadedError) return retryLater('queue_full', error.retryAfterMs, error.message)
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof InvalidInputError ? error.code : 'decode_error'
  const reason = invalidReasons.includes(code) ? (code as InvalidReason) : 'decode_error'
  return { outcome: 'invalid', reason, message }
}
