/** The unary Export method of the three collector services, on bytes. */
import type { handleUnaryCall, MethodDefinition, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js'
import type { Logger } from '../logger.ts'
import type { Admission, IngestRequest, IngestResult } from '../model/ingest.ts'
import type { IngestObserver } from '../model/ingest-observer.ts'
import { type Signal, signals } from '../model/telemetry.ts'
import type { Clock } from '../model/time.ts'
import { collectorServices } from '../otlp/fields/collector-fields.ts'
import { encodeExportResponse } from './export-response.ts'
import { type GrpcIntake, statusOf } from './grpc-intake.ts'
import { internalFault, refusalOfResult } from './refusal.ts'

/** Full name of a signal's collector service. */
export function serviceNameOf(signal: Signal): string {
  return collectorServices[signal].file.services[0]?.name ?? ''
}

export const exportPaths: ReadonlyMap<string, Signal> = new Map(
  signals.map(signal => [`/${serviceNameOf(signal)}/Export`, signal]),
)

/** Bytes in, bytes out: decoding is the inbox worker's work. */
export function exportDefinition(signal: Signal): {
  readonly Export: MethodDefinition<Uint8Array, Uint8Array>
} {
  return {
    Export: {
      path: `/${serviceNameOf(signal)}/Export`,
      requestStream: false,
      responseStream: false,
      requestSerialize: bytes => Buffer.from(bytes),
      requestDeserialize: bytes => bytes,
      responseSerialize: bytes => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      responseDeserialize: bytes => bytes,
    },
  }
}

export interface ExportHandlerOptions {
  readonly admission: Admission
  readonly intake: GrpcIntake
  readonly observer: IngestObserver
  readonly clock: Clock
  readonly logger: Logger
  readonly maxReceiveBytes: number
}

export function exportHandler(
  signal: Signal,
  options: ExportHandlerOptions,
): handleUnaryCall<Uint8Array, Uint8Array> {
  return (call, callback) => {
    void answer(signal, options, call, callback)
  }
}

async function answer(
  signal: Signal,
  options: ExportHandlerOptions,
  call: ServerUnaryCall<Uint8Array, Uint8Array>,
  callback: sendUnaryData<Uint8Array>,
): Promise<void> {
  try {
    const request = requestOf(signal, options, call)
    const { tenant } = request
    const bytes = call.request.byteLength
    const result = await options.admission.submit(request)
    options.observer.answered({ tenant, signal, transport: 'grpc', bytes }, result)
    respond(result, callback)
  } catch (error) {
    options.logger.error({ event: 'export_failed', transport: 'grpc', signal, err: error }, 'export failed')
    callback(statusOf(internalFault))
  }
}

function respond(result: IngestResult, callback: sendUnaryData<Uint8Array>): void {
  if (result.outcome === 'accepted') callback(null, encodeExportResponse(result))
  else callback(statusOf(refusalOfResult(result)))
}

function requestOf(
  signal: Signal,
  options: ExportHandlerOptions,
  call: ServerUnaryCall<Uint8Array, Uint8Array>,
): IngestRequest {
  const context = options.intake.contextOf(call.metadata)
  if (context === undefined) throw new Error('an export call came past the intake')
  context.received()
  const body = call.request
  return {
    signal,
    transport: 'grpc',
    encoding: 'protobuf',
    // No OTLP message starts with 0x1f, a field of wire type 7, so the magic number decides.
    compression: context.gzip && body[0] === 0x1f && body[1] === 0x8b ? 'gzip' : 'none',
    body: [body],
    tenant: context.caller.tenant,
    principal: context.caller.principal,
    peer: context.peer,
    receivedAtMs: options.clock.now(),
    maxBytes: options.maxReceiveBytes,
  }
}
