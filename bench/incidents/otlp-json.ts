/** OTLP/JSON as plain values, for benches that change what they send. */

/** Attribute values as the JSON mapping has them. */
export interface AnyValue {
  stringValue?: string
  [other: string]: unknown
}

export interface KeyValue {
  key: string
  value: AnyValue
}

interface Resource {
  attributes?: KeyValue[]
}

export interface SpanJson {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes?: KeyValue[]
  events?: { timeUnixNano: string; [other: string]: unknown }[]
  [other: string]: unknown
}

export interface LogRecordJson {
  timeUnixNano?: string
  observedTimeUnixNano?: string
  traceId?: string
  body?: AnyValue
  attributes?: KeyValue[]
  [other: string]: unknown
}

export interface DataPointJson {
  startTimeUnixNano?: string
  timeUnixNano?: string
  attributes?: KeyValue[]
  [other: string]: unknown
}

export interface MetricJson {
  name: string
  [kind: string]: unknown
}

export interface RequestJson {
  resourceSpans?: { resource?: Resource; scopeSpans: { spans: SpanJson[] }[] }[]
  resourceLogs?: { resource?: Resource; scopeLogs: { logRecords: LogRecordJson[] }[] }[]
  resourceMetrics?: { resource?: Resource; scopeMetrics: { metrics: MetricJson[] }[] }[]
}

const pointKinds = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const

/** Data points of a metric, whatever its kind. */
export function pointsOf(metric: MetricJson): DataPointJson[] {
  for (const kind of pointKinds) {
    const data = metric[kind] as { dataPoints?: DataPointJson[] } | undefined // the mapping's own layout
    if (data?.dataPoints !== undefined) return data.dataPoints
  }
  return []
}

export function* spansOf(request: RequestJson): Generator<SpanJson> {
  for (const resource of request.resourceSpans ?? []) {
    for (const scope of resource.scopeSpans) yield* scope.spans
  }
}

export function* logRecordsOf(request: RequestJson): Generator<LogRecordJson> {
  for (const resource of request.resourceLogs ?? []) {
    for (const scope of resource.scopeLogs) yield* scope.logRecords
  }
}

export function* metricsOf(request: RequestJson): Generator<MetricJson> {
  for (const resource of request.resourceMetrics ?? []) {
    for (const scope of resource.scopeMetrics) yield* scope.metrics
  }
}
