/**
 * Refusals as HTTP status codes.
 * https://opentelemetry.io/docs/specs/otlp/#failures-1 and #otlphttp-throttling: of all codes, clients send
 * again after 429, 502, 503 and 504 only, and drop the batch after every other one.
 */
import type { RefusalReason } from './refusal.ts'
import { type RpcCode, rpcCodes } from './rpc-status.ts'

export interface HttpOutcome {
  readonly status: number
  /** What the google.rpc.Status in the body says. */
  readonly code: RpcCode
}

export const httpOutcomes: Readonly<Record<RefusalReason, HttpOutcome>> = {
  decode_error: { status: 400, code: rpcCodes.invalidArgument },
  bad_compression: { status: 400, code: rpcCodes.invalidArgument },
  invalid_tenant: { status: 400, code: rpcCodes.invalidArgument },
  unauthenticated: { status: 401, code: rpcCodes.unauthenticated },
  forbidden: { status: 403, code: rpcCodes.permissionDenied },
  not_found: { status: 404, code: rpcCodes.notFound },
  method_not_allowed: { status: 405, code: rpcCodes.unimplemented },
  timeout: { status: 408, code: rpcCodes.deadlineExceeded },
  too_large: { status: 413, code: rpcCodes.resourceExhausted },
  invalid_content_type: { status: 415, code: rpcCodes.invalidArgument },
  unsupported_encoding: { status: 415, code: rpcCodes.unimplemented },
  throttled: { status: 429, code: rpcCodes.resourceExhausted },
  busy: { status: 429, code: rpcCodes.resourceExhausted },
  queue_full: { status: 429, code: rpcCodes.resourceExhausted },
  paused: { status: 503, code: rpcCodes.unavailable },
  draining: { status: 503, code: rpcCodes.unavailable },
  store_fault: { status: 503, code: rpcCodes.unavailable },
}

/** `Retry-After` counts whole seconds; at least one, or clients come back at once. */
export function retryAfterSeconds(retryAfterMs: number): string {
  return String(Math.max(1, Math.ceil(retryAfterMs / 1000)))
}
