/** What tells one item of a load from all others, read from OTLP/JSON, sent or exported. */

interface Attribute {
  readonly key: string
  readonly value?: unknown
}

interface Item {
  readonly spanId?: string
  readonly timeUnixNano?: string | number
  readonly attributes?: readonly Attribute[]
}

interface Metric {
  readonly name?: string
  readonly [data: string]: unknown
}

interface Scope {
  readonly spans?: readonly Item[]
  readonly logRecords?: readonly Item[]
  readonly metrics?: readonly Metric[]
}

interface Group {
  readonly resource?: { readonly attributes?: readonly Attribute[] }
  readonly scopeSpans?: readonly Scope[]
  readonly scopeLogs?: readonly Scope[]
  readonly scopeMetrics?: readonly Scope[]
}

interface ExportRequest {
  readonly resourceSpans?: readonly Group[]
  readonly resourceLogs?: readonly Group[]
  readonly resourceMetrics?: readonly Group[]
}

/**
 * One key an item: the span id of spans and of log records, which in a load all have their own; of data points
 * service, metric, attributes and time. Throws SyntaxError for what is no JSON.
 */
export function itemKeys(text: string): string[] {
  const request = JSON.parse(text) as ExportRequest // an export request of ours, in OTLP's JSON mapping
  const keys: string[] = []
  for (const { scopeSpans } of request.resourceSpans ?? [])
    for (const { spans } of scopeSpans ?? []) for (const span of spans ?? []) keys.push(`s${span.spanId}`)
  for (const { scopeLogs } of request.resourceLogs ?? [])
    for (const { logRecords } of scopeLogs ?? [])
      for (const record of logRecords ?? []) keys.push(`l${record.spanId}`)
  for (const group of request.resourceMetrics ?? []) {
    const service = textOf(group.resource?.attributes?.find(one => one.key === 'service.name')?.value)
    for (const { metrics } of group.scopeMetrics ?? [])
      for (const metric of metrics ?? [])
        for (const point of pointsOf(metric))
          keys.push(`m${service} ${metric.name} ${attributesOf(point)} ${point.timeUnixNano}`)
  }
  return keys
}

function pointsOf(metric: Metric): readonly Item[] {
  for (const name of ['gauge', 'sum', 'histogram'])
    if (metric[name] !== undefined) return (metric[name] as { readonly dataPoints?: Item[] }).dataPoints ?? []
  return []
}

function attributesOf(point: Item): string {
  return (point.attributes ?? [])
    .map(one => `${one.key}=${textOf(one.value)}`)
    .sort()
    .join(',')
}

function textOf(value: unknown): string {
  return JSON.stringify(value ?? '')
}
