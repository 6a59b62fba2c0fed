/**
 * Refusals as gRPC status codes.
 * https://opentelemetry.io/docs/specs/otlp/#failures and #otlpgrpc-throttling: clients send again after
 * UNAVAILABLE and DEADLINE_EXCEEDED, after RESOURCE_EXHAUSTED only if it carries RetryInfo, and never after
 * INTERNAL, UNKNOWN or INVALID_ARGUMENT.
 */
import type { RefusalReason } from './refusal.ts'
import { type RpcCode, rpcCodes } from './rpc-status.ts'

export const grpcCodes: Readonly<Record<RefusalReason, RpcCode>> = {
  decode_error: rpcCodes.invalidArgument,
  bad_compression: rpcCodes.invalidArgument,
  invalid_tenant: rpcCodes.invalidArgument,
  invalid_content_type: rpcCodes.invalidArgument,
  unauthenticated: rpcCodes.unauthenticated,
  forbidden: rpcCodes.permissionDenied,
  not_found: rpcCodes.unimplemented,
  method_not_allowed: rpcCodes.unimplemented,
  unsupported_encoding: rpcCodes.unimplemented,
  timeout: rpcCodes.deadlineExceeded,
  too_large: rpcCodes.resourceExhausted,
  throttled: rpcCodes.resourceExhausted,
  busy: rpcCodes.resourceExhausted,
  queue_full: rpcCodes.resourceExhausted,
  paused: rpcCodes.unavailable,
  draining: rpcCodes.unavailable,
  store_fault: rpcCodes.unavailable,
}
