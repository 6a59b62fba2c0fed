/**
 * Telemetry of every shape that OpenTelemetry's JavaScript SDK can make, sent through its own exporters, with what the
 * SDK handed to them kept aside as its own OTLP/JSON, so that it can be compared with what comes back.
 */
import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import { OTLPLogExporter as GrpcLogs } from '@opentelemetry/exporter-logs-otlp-grpc'
import { OTLPLogExporter as JsonLogs } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPLogExporter as ProtoLogs } from '@opentelemetry/exporter-logs-otlp-proto'
import { OTLPMetricExporter as GrpcMetrics } from '@opentelemetry/exporter-metrics-otlp-grpc'
import { OTLPMetricExporter as JsonMetrics } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPMetricExporter as ProtoMetrics } from '@opentelemetry/exporter-metrics-otlp-proto'
import { OTLPTraceExporter as GrpcTraces } from '@opentelemetry/exporter-trace-otlp-grpc'
import { OTLPTraceExporter as JsonTraces } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtoTraces } from '@opentelemetry/exporter-trace-otlp-proto'
import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
} from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchLogRecordProcessor, LoggerProvider, type ReadableLogRecord } from '@opentelemetry/sdk-logs'
import {
  AggregationType,
  MeterProvider,
  PeriodicExportingMetricReader,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor, type ReadableSpan, TracerProvider } from '@opentelemetry/sdk-trace'

export const transports = ['grpc', 'http/protobuf', 'http/json'] as const
export type SdkTransport = (typeof transports)[number]

export interface SdkTarget {
  readonly transport: SdkTransport
  readonly gzip: boolean
  readonly otlpHttpUrl: string
  readonly grpcAddress: string
}

/** OTLP/JSON export requests as the SDK itself would write them. */
export interface SentTelemetry {
  readonly traces: readonly object[]
  readonly logs: readonly object[]
  readonly metrics: readonly object[]
}

type Result = { readonly code: number; readonly error?: Error }
interface Exporter<T> {
  export(items: T, done: (result: Result) => void): void
}

/** Keeps what passes and fails the run if the receiver did not answer success. */
function tapped<T, E extends Exporter<T>>(exporter: E, keep: (items: T) => void, failures: string[]): E {
  const original = exporter.export.bind(exporter)
  exporter.export = (items: T, done: (result: Result) => void) => {
    keep(items)
    original(items, result => {
      if (result.code !== 0) failures.push(result.error?.message ?? `export ended with code ${result.code}`)
      done(result)
    })
  }
  return exporter
}

function settingsFor(target: SdkTarget, path: string): never {
  const compression = target.gzip ? 'gzip' : 'none'
  const url =
    target.transport === 'grpc' ? `http://${target.grpcAddress}` : `${target.otlpHttpUrl}/v1/${path}`
  // Every exporter takes these two; each types its compression as an enum of its own.
  return { url, compression } as never
}

function exportersFor(target: SdkTarget) {
  const traces = settingsFor(target, 'traces')
  const logs = settingsFor(target, 'logs')
  const metrics = settingsFor(target, 'metrics')
  switch (target.transport) {
    case 'grpc':
      return { traces: new GrpcTraces(traces), logs: new GrpcLogs(logs), metrics: new GrpcMetrics(metrics) }
    case 'http/protobuf':
      return {
        traces: new ProtoTraces(traces),
        logs: new ProtoLogs(logs),
        metrics: new ProtoMetrics(metrics),
      }
    case 'http/json':
      return { traces: new JsonTraces(traces), logs: new JsonLogs(logs), metrics: new JsonMetrics(metrics) }
    default:
      return target.transport satisfies never
  }
}

/** Sends all three signals; resolves once the receiver has answered success to every request. */
export async function sendEverything(target: SdkTarget, service: string): Promise<SentTelemetry> {
  const failures: string[] = []
  const sent = { traces: [] as object[], logs: [] as object[], metrics: [] as object[] }
  const parse = (bytes: Uint8Array | undefined): object =>
    JSON.parse(Buffer.from(bytes ?? []).toString()) as object
  const exporters = exportersFor(target)
  const resource = resourceFromAttributes({
    'service.name': service,
    'service.version': '2.1.0',
    'service.instance.id': `${service}-1`,
    'process.pid': 4711,
    'list.of.texts': ['a', 'b', ''],
  })
  const tracers = new TracerProvider({
    resource,
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: tapped<ReadableSpan[], typeof exporters.traces>(
          exporters.traces,
          items => sent.traces.push(parse(JsonTraceSerializer.serializeRequest(items))),
          failures,
        ),
      }),
    ],
  })
  const loggers = new LoggerProvider({
    resource,
    processors: [
      new BatchLogRecordProcessor({
        exporter: tapped<ReadableLogRecord[], typeof exporters.logs>(
          exporters.logs,
          items => sent.logs.push(parse(JsonLogsSerializer.serializeRequest(items))),
          failures,
        ),
      }),
    ],
  })
  const meters = new MeterProvider({
    resource,
    readers: [
      new PeriodicExportingMetricReader({
        exporter: tapped<ResourceMetrics, typeof exporters.metrics>(
          exporters.metrics,
          items => sent.metrics.push(parse(JsonMetricsSerializer.serializeRequest(items))),
          failures,
        ),
        exportIntervalMillis: 3_600_000,
      }),
    ],
    views: [
      {
        instrumentName: 'work.exponential',
        aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { maxSize: 40 } },
      },
    ],
  })
  const context = recordSpans(tracers)
  recordLogs(loggers, context)
  recordMetrics(meters)
  await Promise.all([tracers.shutdown(), loggers.shutdown(), meters.shutdown()])
  if (failures.length > 0) throw new Error(failures.join('\n'))
  return sent
}

function recordSpans(provider: TracerProvider): Context {
  const tracer = provider.getTracer('round-trip', '0.1', {
    schemaUrl: 'https://opentelemetry.io/schemas/1.30.0',
  })
  const remote = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags: TraceFlags.SAMPLED,
  }
  const root = tracer.startSpan('POST /orders', {
    kind: SpanKind.SERVER,
    attributes: {
      'http.request.method': 'POST',
      'http.response.status_code': 500,
      ratio: 0.25,
      ok: false,
      tags: ['x', 'y'],
    },
    links: [{ context: remote, attributes: { reason: 'batch' } }],
  })
  const context = trace.setSpan(ROOT_CONTEXT, root)
  const child = tracer.startSpan(
    'charge',
    { kind: SpanKind.CLIENT, attributes: { big: 2 ** 52, empty: '' } },
    context,
  )
  child.addEvent('retry', { attempt: 2, wait_s: 0.5 })
  child.recordException(new TypeError('no route to Köln ✓'))
  child.setStatus({ code: SpanStatusCode.ERROR, message: 'gave up' })
  child.end()
  tracer.startSpan('publish', { kind: SpanKind.PRODUCER }, context).end()
  tracer.startSpan('work', { kind: SpanKind.INTERNAL }, context).setStatus({ code: SpanStatusCode.OK }).end()
  root.end()
  return context
}

function recordLogs(provider: LoggerProvider, context: Context): void {
  const logger = provider.getLogger('round-trip', '0.1')
  logger.emit({
    severityNumber: 9,
    severityText: 'INFO',
    body: 'order 17 accepted',
    attributes: { 'order.id': 17 },
    context,
  })
  logger.emit({
    severityNumber: 17,
    severityText: 'ERROR',
    body: { nested: { list: [1, 'two', true, 4.5] } },
    context,
  })
  logger.emit({
    severityText: 'warning',
    body: 'without a number',
    eventName: 'order.delayed',
    timestamp: Date.now() - 5_000,
  })
  logger.emit({ body: 'bytes', attributes: { payload: new Uint8Array([0, 127, 255]) } })
}

function recordMetrics(provider: MeterProvider): void {
  const meter = provider.getMeter('round-trip', '0.1')
  const counter = meter.createCounter('work.done', { unit: '{item}', description: 'Items done' })
  counter.add(3, { queue: 'a' })
  counter.add(4, { queue: 'b' })
  meter.createUpDownCounter('work.waiting').add(-2, { queue: 'a' })
  const histogram = meter.createHistogram('work.duration', { unit: 's' })
  for (const value of [0.001, 0.2, 7, 12_000]) histogram.record(value, { queue: 'a' })
  const exponential = meter.createHistogram('work.exponential', { unit: 'ms' })
  for (const value of [0, 1, 1.5, 300, 1e6]) exponential.record(value)
  meter
    .createObservableGauge('work.temperature', { unit: 'Cel' })
    .addCallback(result => result.observe(21.5, { room: 'ß' }))
}
