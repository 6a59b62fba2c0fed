/** Small export requests of every signal, encoded by OpenTelemetry's own serialisers. */
import { SpanKind } from '@opentelemetry/api'
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

const exporter = new InMemorySpanExporter()
const provider = new TracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'sample' }),
  spanProcessors: [new SimpleSpanProcessor({ exporter })],
})

/** `count` spans; every call makes new ones. */
export function sampleSpans(count: number): { readonly protobuf: Uint8Array; readonly json: Uint8Array } {
  exporter.reset()
  const tracer = provider.getTracer('samples')
  for (let i = 0; i < count; i++) tracer.startSpan(`span ${i}`, { kind: SpanKind.SERVER }).end()
  const spans = exporter.getFinishedSpans()
  return {
    protobuf: new Uint8Array(ProtobufTraceSerializer.serializeRequest(spans) ?? []),
    json: new Uint8Array(JsonTraceSerializer.serializeRequest(spans) ?? []),
  }
}
