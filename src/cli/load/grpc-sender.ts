/** Export requests over OTLP/gRPC, bytes as they are. https://opentelemetry.io/docs/specs/otlp/#otlpgrpc */
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import type { Signal } from '../../model/telemetry.ts'
import { type Acknowledgement, rejectedItems } from './acknowledgement.ts'
import type { LoadSender, SenderOptions } from './load-sender.ts'

const methods: Readonly<Record<Signal, string>> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
}

/** Codes the specification lets a client send again after; RESOURCE_EXHAUSTED only with RetryInfo. */
const retryable = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
  status.OUT_OF_RANGE,
  status.UNAVAILABLE,
  status.DATA_LOSS,
])

const identity = (bytes: Buffer): Buffer => bytes

export function createGrpcSender(options: SenderOptions & { readonly address: string }): LoadSender {
  const clients = Array.from(
    { length: options.connections },
    () =>
      new Client(options.address, credentials.createInsecure(), {
        // Without it all clients of a process share one connection.
        'grpc.use_local_subchannel_pool': 1,
        ...(options.gzip ? { 'grpc.default_compression_algorithm': 2 } : {}),
      }),
  )
  let turn = 0
  return {
    send(signal, body, tenant) {
      const metadata = new Metadata()
      for (const [name, value] of Object.entries(options.headers)) metadata.set(name, value)
      if (tenant !== '') metadata.set('x-tenant-id', tenant)
      const client = clients[turn++ % clients.length]
      if (client === undefined) throw new Error('a sender needs a connection')
      const deadline = Date.now() + options.timeoutMs
      return new Promise(resolve => {
        client.makeUnaryRequest(
          methods[signal],
          identity,
          identity,
          body,
          metadata,
          { deadline },
          (error, answer) => resolve(error === null ? accepted(answer) : failed(error)),
        )
      })
    },
    async close() {
      for (const client of clients) client.close()
    },
  }
}

function accepted(answer: Buffer | undefined): Acknowledgement {
  return { type: 'accepted', rejected: rejectedItems(answer ?? Buffer.alloc(0)) }
}

function failed(error: ServiceError): Acknowledgement {
  const name = `gRPC ${status[error.code] ?? error.code}`
  const detail = error.metadata?.get('grpc-status-details-bin')[0]
  const afterMs = Buffer.isBuffer(detail) ? retryDelayMs(detail) : null
  const may = retryable.has(error.code) || (error.code === status.RESOURCE_EXHAUSTED && afterMs !== null)
  return may
    ? { type: 'retry', status: name, afterMs }
    : { type: 'refused', status: name, detail: error.details.slice(0, 200) }
}

/**
 * `retry_delay` of a google.rpc.RetryInfo inside a google.rpc.Status, null without one. The Any's type URL is
 * followed by its value (field 2), whose field 1 is a Duration: field 1 seconds, field 2 nanoseconds, as varints.
 */
function retryDelayMs(details: Buffer): number | null {
  const name = 'google.rpc.RetryInfo'
  const at = details.indexOf(name)
  if (at < 0) return null
  let next = at + name.length
  if (details[next] !== 0x12) return null
  next += 2
  if (details[next] !== 0x0a) return 0
  const end = next + 2 + (details[next + 1] ?? 0)
  next += 2
  let ms = 0
  while (next < end) {
    const field = details[next++]
    let value = 0
    let scale = 1
    let byte: number
    do {
      byte = details[next++] ?? 0
      value += (byte & 0x7f) * scale
      scale *= 128
    } while (byte >= 0x80 && next < end)
    ms += field === 0x08 ? value * 1_000 : field === 0x10 ? value / 1e6 : 0
  }
  return ms
}
