import { SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api'
import { OTLPLogExporter as JsonLogs } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPLogExporter as ProtoLogs } from '@opentelemetry/exporter-logs-otlp-proto'
import { OTLPMetricExporter as JsonMetrics } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPMetricExporter as ProtoMetrics } from '@opentelemetry/exporter-metrics-otlp-proto'
import { OTLPTraceExporter as JsonTraces } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtoTraces } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs'
import {
  AggregationTemporality,
  AggregationType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics'
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Batch, recordOf, type Signal, signals } from '../../src/model/telemetry.ts'
import { attributesOfLog, attributesOfSpan } from '../../src/otlp/attributes.ts'
import { decodeBatch } from '../../src/otlp/decode-batch.ts'
import { encodeRequest } from '../../src/otlp/encode-request.ts'
import { collectorServices } from '../../src/otlp/fields/collector-fields.ts'
import { requestShape } from '../../src/otlp/fields/message-shape.ts'
import { decodePlain } from '../../src/otlp/json/decode-plain.ts'
import { transcodeJson } from '../../src/otlp/json/transcode-json.ts'
import { decodeLogs } from '../../src/otlp/logs/decode-logs.ts'
import { logBodyText } from '../../src/otlp/logs/log-record.ts'
import { readDataPoint } from '../../src/otlp/metrics/data-point.ts'
import { decodeMetrics } from '../../src/otlp/metrics/decode-metrics.ts'
import { decodeTraces } from '../../src/otlp/traces/decode-traces.ts'
import { spanDetails, spanEvents, spanLinks } from '../../src/otlp/traces/span-record.ts'
import { type CapturedExports, captureExports } from './captured-exports.ts'
import { decodeReference } from './reference-types.ts'

const context = { receivedMs: Date.now(), attributeMaxBytes: 65_536 }
const resource = resourceFromAttributes({
  'service.name': 'shop',
  'service.version': '1.2.3',
  'process.pid': 7,
})
const linked = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: TraceFlags.SAMPLED }

let exports: CapturedExports

beforeAll(async () => {
  exports = await captureExports()
  await sendSpan()
  await sendLogs()
  await sendMetrics()
})

afterAll(() => exports.stop())

async function sendSpan(): Promise<void> {
  const provider = new TracerProvider({
    resource,
    spanProcessors: [
      new SimpleSpanProcessor({ exporter: new ProtoTraces({ url: exports.urlOf('/traces/proto') }) }),
      new SimpleSpanProcessor({ exporter: new JsonTraces({ url: exports.urlOf('/traces/json') }) }),
    ],
  })
  const span = provider.getTracer('cart', '0.1').startSpan('charge', {
    kind: SpanKind.CLIENT,
    links: [{ context: linked, attributes: { why: 'queued' } }],
    attributes: { 'server.address': 'pay', 'server.port': 443, ratio: 0.5, ok: true, list: ['a', 'b'] },
  })
  span.recordException(new TypeError('no card'))
  span.setStatus({ code: SpanStatusCode.ERROR, message: 'declined' })
  span.end()
  await provider.forceFlush()
  await provider.shutdown()
}

async function sendLogs(): Promise<void> {
  const provider = new LoggerProvider({
    resource,
    processors: [
      new SimpleLogRecordProcessor({ exporter: new ProtoLogs({ url: exports.urlOf('/logs/proto') }) }),
      new SimpleLogRecordProcessor({ exporter: new JsonLogs({ url: exports.urlOf('/logs/json') }) }),
    ],
  })
  provider.getLogger('cart').emit({
    timestamp: context.receivedMs,
    severityNumber: 17,
    severityText: 'ERROR',
    eventName: 'payment.failed',
    body: { amount: 12, parts: ['a', { b: true }], none: null },
    attributes: { 'order.id': 5, raw: new Uint8Array([1, 2, 3]) },
  })
  await provider.forceFlush()
  await provider.shutdown()
}

/** One collection, sent by both exporters, so that both encode the same points. */
async function sendMetrics(): Promise<void> {
  const memory = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter: memory, exportIntervalMillis: 3_600_000 })
  const exponential = { type: AggregationType.EXPONENTIAL_HISTOGRAM } as const
  const provider = new MeterProvider({
    resource,
    readers: [reader],
    views: [{ instrumentName: 'size', aggregation: exponential }],
  })
  const meter = provider.getMeter('cart')
  meter.createCounter('orders', { unit: '{order}' }).add(3, { region: 'eu' })
  meter.createGauge('temperature').record(21.5)
  meter.createHistogram('latency', { unit: 'ms' }).record(42, { route: '/' })
  meter.createHistogram('size').record(1000)
  await provider.forceFlush()
  const collected = memory.getMetrics()[0]
  if (collected === undefined) throw new Error('nothing was collected')
  await exportMetrics(new ProtoMetrics({ url: exports.urlOf('/metrics/proto') }), collected)
  await exportMetrics(new JsonMetrics({ url: exports.urlOf('/metrics/json') }), collected)
  await provider.shutdown()
}

async function exportMetrics(exporter: ProtoMetrics | JsonMetrics, metrics: ResourceMetrics): Promise<void> {
  await new Promise<void>(resolve => exporter.export(metrics, () => resolve()))
  await exporter.shutdown()
}

const protobufOf = (signal: Signal): Uint8Array => exports.bodyOf(`/${signal}/proto`)
const reference = (signal: Signal, bytes: Uint8Array) =>
  decodeReference(collectorServices[signal].request.name, bytes)

describe('what the JavaScript SDK sends', () => {
  test.each(signals)('is the same request of %s in JSON and in protobuf', signal => {
    const json = exports.bodyOf(`/${signal}/json`)
    expect(json[0]).toBe('{'.charCodeAt(0))
    // The SDK writes zeros into protobuf that JSON leaves out; a plain object has neither.
    const plain = (bytes: Uint8Array) => decodePlain(requestShape(signal), bytes)
    expect(plain(transcodeJson(signal, json))).toEqual(plain(protobufOf(signal)))
  })

  test.each(signals)('comes back as sent for %s', signal => {
    const batch: Batch = decodeBatch(signal, protobufOf(signal), context)
    expect([batch.refusals, batch.warnings]).toEqual([[], []])
    const back = encodeRequest({ block: batch.block, records: batch.records })
    expect(reference(signal, back)).toEqual(reference(signal, protobufOf(signal)))
  })

  test('as a span has everything in its place', () => {
    const { block, records } = decodeTraces(protobufOf('traces'), context)
    const record = recordOf(records, 0)
    expect(block.resources[0]).toMatchObject({ service: 'shop', version: '1.2.3', process: '7/' })
    expect(block.scopes[0]).toMatchObject({ name: 'cart', version: '0.1' })
    expect([block.kind[0], block.status[0], block.links[0], block.flags[0]]).toEqual([3, 2, 1, 0])
    expect(block.strings[block.errorType[0] ?? -1]).toBe('TypeError')
    expect(block.strings[block.peer[0] ?? -1]).toBe('pay:443')
    expect(attributesOfSpan(record)).toContainEqual({ key: 'list', value: ['a', 'b'] })
    expect(spanDetails(record)).toMatchObject({ statusMessage: 'declined', droppedAttributes: 0 })
    expect(spanEvents(record).map(event => event.name)).toEqual(['exception'])
    expect(spanLinks(record)).toMatchObject([
      { traceId: linked.traceId, spanId: linked.spanId, attributes: [{ key: 'why', value: 'queued' }] },
    ])
  })

  test('as a log record has everything in its place', () => {
    const { block, records } = decodeLogs(protobufOf('logs'), context)
    const record = recordOf(records, 0)
    expect([block.severity[0], block.strings[block.eventName[0] ?? -1]]).toEqual([17, 'payment.failed'])
    expect(logBodyText(record)).toBe('{"amount":12,"parts":["a",{"b":true}],"none":null}')
    expect(attributesOfLog(record)).toEqual([
      { key: 'order.id', value: 5 },
      { key: 'raw', value: Uint8Array.of(1, 2, 3) },
    ])
  })

  test('as metrics has every kind', () => {
    const { block, records } = decodeMetrics(protobufOf('metrics'), context)
    const rows = [...block.metric].map((metric, row) => {
      const entry = block.metrics[metric]
      return [entry?.name, entry?.type, block.value[row], block.strings[block.series[row] ?? -1]]
    })
    expect(rows.sort()).toEqual([
      ['latency', 'histogram', 42, 'route=/'],
      ['orders', 'sum', 3, 'region=eu'],
      ['size', 'exponential_histogram', 1000, ''],
      ['temperature', 'gauge', 21.5, ''],
    ])
    const size = [...block.metric].findIndex(metric => block.metrics[metric]?.name === 'size')
    expect(readDataPoint('exponential_histogram', recordOf(records, size))).toMatchObject({
      count: 1,
      positive: { counts: [1] },
    })
  })
})
