/**
 * google.rpc.Status with google.rpc.RetryInfo, the body of every refusal over HTTP and the
 * `grpc-status-details-bin` trailer of every retryable one over gRPC.
 * https://opentelemetry.io/docs/specs/otlp/#failures-1
 */
import { ByteWriter } from '../otlp/wire/byte-writer.ts'
import { senderMessage } from './refusal.ts'

/** google.rpc.Code, as far as it is used. */
export const rpcCodes = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  unavailable: 14,
  unauthenticated: 16,
} as const

export type RpcCode = (typeof rpcCodes)[keyof typeof rpcCodes]

export interface RpcStatus {
  readonly code: RpcCode
  readonly message: string
  /** Adds RetryInfo; null tells the client not to send again. */
  readonly retryAfterMs: number | null
}

const retryInfoType = 'type.googleapis.com/google.rpc.RetryInfo'
const utf8 = new TextEncoder()

/**
 * | message | field |
 * |---|---|
 * | Status | int32 code = 1; string message = 2; repeated Any details = 3 |
 * | Any | string type_url = 1; bytes value = 2 |
 * | RetryInfo | Duration retry_delay = 1 |
 * | Duration | int64 seconds = 1; int32 nanos = 2 |
 */
export function encodeStatus(status: RpcStatus): Uint8Array {
  const writer = new ByteWriter()
  writer.varint32(1 << 3)
  writer.varint32(status.code)
  writer.bytesField(2, utf8.encode(senderMessage(status.message)))
  if (status.retryAfterMs !== null) {
    const any = new ByteWriter()
    any.bytesField(1, utf8.encode(retryInfoType))
    any.bytesField(2, encodeRetryInfo(status.retryAfterMs))
    writer.bytesField(3, any.view())
  }
  return writer.copy()
}

function encodeRetryInfo(retryAfterMs: number): Uint8Array {
  const duration = new ByteWriter()
  duration.varint32(1 << 3)
  duration.varint32(Math.floor(retryAfterMs / 1000))
  duration.varint32(2 << 3)
  duration.varint32(Math.floor(retryAfterMs % 1000) * 1_000_000)
  const info = new ByteWriter()
  info.bytesField(1, duration.view())
  return info.copy()
}

/** The same in the protobuf JSON mapping. */
export function statusJson(status: RpcStatus): string {
  const message = senderMessage(status.message)
  if (status.retryAfterMs === null) return JSON.stringify({ code: status.code, message })
  const retryDelay = `${(status.retryAfterMs / 1000).toFixed(3)}s`
  return JSON.stringify({ code: status.code, message, details: [{ '@type': retryInfoType, retryDelay }] })
}
