/** A bare grpc-js client that sends and returns bytes, with what a retrying client reads of a refusal. */
import { Client, type ClientOptions, credentials, Metadata, type ServiceError } from '@grpc/grpc-js'
import protobuf from 'protobufjs'
import type { Signal } from '../../src/model/telemetry.ts'

export const exportPaths: Readonly<Record<Signal, string>> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
}

export const compressionAlgorithms = { none: 0, deflate: 1, gzip: 2 } as const

export interface GrpcAnswer {
  /** 0 is OK. */
  readonly code: number
  readonly details: string
  readonly message: Uint8Array | null
  /** Milliseconds of RetryInfo; null if there is none. */
  readonly retryAfterMs: number | null
  readonly metadata: Metadata
}

export interface CallOptions {
  readonly metadata?: Readonly<Record<string, string>>
  readonly deadlineMs?: number
}

/** google/rpc/status.proto and the part of error_details.proto that matters, as their files have them. */
const rpc = protobuf.parse(
  `
  syntax = "proto3"; package google.rpc;
  message Duration { int64 seconds = 1; int32 nanos = 2; }
  message Any { string type_url = 1; bytes value = 2; }
  message RetryInfo { Duration retry_delay = 1; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }`,
  { keepCase: true },
).root

export interface DecodedStatus {
  readonly code: number
  readonly message: string
  readonly retryAfterMs: number | null
}

/** Decodes a google.rpc.Status with protobufjs. */
export function decodeRpcStatus(bytes: Uint8Array): DecodedStatus {
  const statusType = rpc.lookupType('google.rpc.Status')
  const status = statusType.toObject(statusType.decode(bytes), {
    longs: Number,
    defaults: true,
    bytes: Buffer,
  }) as {
    readonly code: number
    readonly message: string
    readonly details: readonly { readonly type_url: string; readonly value: Buffer }[]
  }
  const info = status.details.find(any => any.type_url === 'type.googleapis.com/google.rpc.RetryInfo')
  if (info === undefined) return { code: status.code, message: status.message, retryAfterMs: null }
  const infoType = rpc.lookupType('google.rpc.RetryInfo')
  const { retry_delay } = infoType.toObject(infoType.decode(info.value), {
    longs: Number,
    defaults: true,
  }) as {
    readonly retry_delay: { readonly seconds: number; readonly nanos: number }
  }
  const retryAfterMs = retry_delay.seconds * 1000 + retry_delay.nanos / 1e6
  return { code: status.code, message: status.message, retryAfterMs }
}

export class BareGrpcClient {
  readonly #client: Client

  constructor(address: string, options: ClientOptions = {}) {
    this.#client = new Client(address, credentials.createInsecure(), {
      'grpc.max_send_message_length': -1,
      'grpc.enable_retries': 0,
      'grpc.use_local_subchannel_pool': 1,
      ...options,
    })
  }

  call(path: string, body: Uint8Array, options: CallOptions = {}): Promise<GrpcAnswer> {
    const metadata = new Metadata()
    for (const [name, value] of Object.entries(options.metadata ?? {})) metadata.set(name, value)
    const deadline = Date.now() + (options.deadlineMs ?? 20_000)
    return new Promise(resolve => {
      let head = new Metadata()
      const call = this.#client.makeUnaryRequest(
        path,
        (bytes: Uint8Array) => Buffer.from(bytes),
        (bytes: Buffer) => new Uint8Array(bytes),
        body,
        metadata,
        { deadline },
        (error, message) => resolve(answerOf(error, message ?? null, head)),
      )
      call.on('metadata', received => {
        head = received
      })
    })
  }

  get channel(): Client {
    return this.#client
  }

  close(): void {
    this.#client.close()
  }
}

function answerOf(error: ServiceError | null, message: Uint8Array | null, head: Metadata): GrpcAnswer {
  if (error === null) return { code: 0, details: '', message, retryAfterMs: null, metadata: head }
  const [details] = error.metadata.get('grpc-status-details-bin')
  const retryAfterMs = Buffer.isBuffer(details) ? decodeRpcStatus(details).retryAfterMs : null
  return { code: error.code, details: error.details, message: null, retryAfterMs, metadata: error.metadata }
}
