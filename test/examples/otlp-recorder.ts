/**
 * Receives OTLP over gRPC and HTTP and keeps it as plain objects. Decoding is protobufjs's, so that what is
 * asserted about the shop's telemetry does not depend on the decoders of this repository.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import protobuf from 'protobufjs'
import type { FieldSpec } from '../../src/otlp/fields/field-table.ts'
import { otlpFiles } from '../../src/otlp/fields/message-shape.ts'

export type Signal = 'traces' | 'logs' | 'metrics'
export type Transport = 'grpc' | 'http/protobuf' | 'http/json'

/** A decoded message: fields by JSON name, ids as lower-case hex, 64-bit numbers as decimal text. */
export type Json = Readonly<Record<string, unknown>>

export interface Recorded {
  readonly signal: Signal
  readonly transport: Transport
  readonly gzip: boolean
  readonly message: Json
}

export interface Recorder {
  readonly grpcUrl: string
  readonly httpUrl: string
  readonly requests: readonly Recorded[]
  stop(): Promise<void>
}

const requestTypes: Readonly<Record<Signal, string>> = {
  traces: 'opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest',
  logs: 'opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest',
  metrics: 'opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest',
}
const grpcServices: Readonly<Record<Signal, string>> = {
  traces: 'opentelemetry.proto.collector.trace.v1.TraceService',
  logs: 'opentelemetry.proto.collector.logs.v1.LogsService',
  metrics: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
}
const signals: readonly Signal[] = ['traces', 'logs', 'metrics']

export async function startRecorder(): Promise<Recorder> {
  const requests: Recorded[] = []
  const root = buildRoot()
  const keep = (signal: Signal, transport: Transport, gzip: boolean, bytes: Buffer): void => {
    requests.push({ signal, transport, gzip, message: decode(root, signal, transport, bytes) })
  }
  const http = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const gzip = request.headers['content-encoding'] === 'gzip'
      const json = request.headers['content-type']?.startsWith('application/json') === true
      const signal = signals.find(each => request.url === `/v1/${each}`)
      const body = Buffer.concat(chunks)
      if (signal !== undefined) {
        keep(signal, json ? 'http/json' : 'http/protobuf', gzip, gzip ? gunzipSync(body) : body)
      }
      response.writeHead(signal === undefined ? 404 : 200, {
        'content-type': json ? 'application/json' : 'application/x-protobuf',
      })
      response.end(json ? '{}' : '')
    })
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', () => resolve()))

  const grpc = new Server()
  for (const signal of signals) {
    grpc.addService(
      {
        export: {
          path: `/${grpcServices[signal]}/Export`,
          requestStream: false,
          responseStream: false,
          requestSerialize: (value: Buffer) => value,
          requestDeserialize: (value: Buffer) => value,
          responseSerialize: (value: Buffer) => value,
          responseDeserialize: (value: Buffer) => value,
        },
      },
      {
        export: (
          call: { request: Buffer; metadata: { get(name: string): unknown[] } },
          done: (error: null, reply: Buffer) => void,
        ) => {
          const gzip = call.metadata.get('grpc-encoding').includes('gzip')
          keep(signal, 'grpc', gzip, call.request)
          done(null, Buffer.alloc(0))
        },
      },
    )
  }
  const grpcPort = await new Promise<number>((resolve, reject) =>
    grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    ),
  )
  const { port } = http.address() as AddressInfo // a TCP server that listens
  return {
    grpcUrl: `http://127.0.0.1:${grpcPort}`,
    httpUrl: `http://127.0.0.1:${port}`,
    requests,
    stop: async () => {
      grpc.forceShutdown()
      http.closeAllConnections()
      await new Promise<void>(resolve => http.close(() => resolve()))
    },
  }
}

const flat = (name: string): string => name.replaceAll('.', '_')

/** OTLP's messages in one flat namespace, from the field tables. Ids stay bytes, enums are numbers. */
function buildRoot(): protobuf.Root {
  const root = new protobuf.Root()
  for (const file of otlpFiles) {
    for (const message of file.messages) {
      const type = new protobuf.Type(flat(message.name))
      for (const spec of message.fields) type.add(fieldOf(spec))
      root.add(type)
    }
  }
  return root
}

function fieldOf(spec: FieldSpec): protobuf.Field {
  const type = spec.type === 'message' ? flat(spec.typeName) : spec.type === 'enum' ? 'int32' : spec.type
  return new protobuf.Field(spec.jsonName, spec.number, type, spec.repeated ? 'repeated' : undefined)
}

function decode(root: protobuf.Root, signal: Signal, transport: Transport, bytes: Buffer): Json {
  if (transport === 'http/json') return JSON.parse(bytes.toString('utf8')) as Json // JSON objects by specification
  const type = root.lookupType(flat(requestTypes[signal]))
  const object = type.toObject(type.decode(bytes), { longs: String, enums: Number, bytes: Array })
  return hexIds(object) as Json // toObject makes an object of an object
}

const idNames = new Set(['traceId', 'spanId', 'parentSpanId'])

function hexIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hexIds)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      idNames.has(key) && Array.isArray(inner)
        ? Buffer.from(inner as number[]).toString('hex')
        : hexIds(inner),
    ]),
  )
}
