/** Walks recorded export requests: spans, log records and metrics, each with its resource. */
import type { Json, Recorded } from './otlp-recorder.ts'

export interface ReadSpan {
  readonly resource: ReadonlyMap<string, string>
  readonly service: string
  readonly instance: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly name: string
  readonly kind: number
  readonly failed: boolean
  readonly startMs: number
  readonly durationMs: number
  readonly attributes: ReadonlyMap<string, string>
  /** Trace and span id of each link. */
  readonly links: readonly (readonly [string, string])[]
}

export interface ReadLog {
  readonly service: string
  readonly severity: string
  readonly body: string
  readonly traceId: string
  readonly spanId: string
}

export interface ReadPoint {
  readonly service: string
  readonly instance: string
  readonly metric: string
  readonly kind: string
  readonly value: number
}

export function readSpans(requests: readonly Recorded[]): readonly ReadSpan[] {
  return entries(requests, 'resourceSpans', 'scopeSpans', 'spans').map(({ resource, item }) => ({
    resource,
    service: resource.get('service.name') ?? '',
    instance: resource.get('service.instance.id') ?? '',
    traceId: text(item['traceId']),
    spanId: text(item['spanId']),
    parentSpanId: text(item['parentSpanId']),
    name: text(item['name']),
    kind: Number(item['kind']),
    failed: Number(object(item['status'])['code'] ?? 0) === 2,
    startMs: Number(BigInt(text(item['startTimeUnixNano']))) / 1e6,
    durationMs: Number(BigInt(text(item['endTimeUnixNano'])) - BigInt(text(item['startTimeUnixNano']))) / 1e6,
    attributes: attributesOf(item['attributes']),
    links: list(item['links']).map(link => [text(link['traceId']), text(link['spanId'])] as const),
  }))
}

export function readLogs(requests: readonly Recorded[]): readonly ReadLog[] {
  return entries(requests, 'resourceLogs', 'scopeLogs', 'logRecords').map(({ resource, item }) => ({
    service: resource.get('service.name') ?? '',
    severity: text(item['severityText']),
    body: text(object(item['body'])['stringValue']),
    traceId: text(item['traceId']),
    spanId: text(item['spanId']),
  }))
}

export function readPoints(requests: readonly Recorded[]): readonly ReadPoint[] {
  return entries(requests, 'resourceMetrics', 'scopeMetrics', 'metrics').flatMap(({ resource, item }) => {
    const kind = ['sum', 'gauge', 'histogram'].find(each => item[each] !== undefined) ?? ''
    return list(object(item[kind])['dataPoints']).map(point => ({
      service: resource.get('service.name') ?? '',
      instance: resource.get('service.instance.id') ?? '',
      metric: text(item['name']),
      kind,
      value: Number(point['asDouble'] ?? point['asInt'] ?? point['count']),
    }))
  })
}

/** Every string of a value, keys included, each once. */
export function everyString(value: unknown, found: Set<string> = new Set()): ReadonlySet<string> {
  if (typeof value === 'string') found.add(value)
  else if (Array.isArray(value)) for (const each of value) everyString(each, found)
  else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value)) {
      found.add(key)
      everyString(each, found)
    }
  }
  return found
}

interface Entry {
  readonly resource: ReadonlyMap<string, string>
  readonly item: Json
}

function entries(
  requests: readonly Recorded[],
  outer: string,
  scopes: string,
  items: string,
): readonly Entry[] {
  return requests.flatMap(request =>
    list(request.message[outer]).flatMap(each => {
      const resource = attributesOf(object(each['resource'])['attributes'])
      return list(each[scopes]).flatMap(scope => list(scope[items]).map(item => ({ resource, item })))
    }),
  )
}

function attributesOf(value: unknown): ReadonlyMap<string, string> {
  return new Map(
    list(value).map(each => [text(each['key']), text(Object.values(object(each['value']))[0])] as const),
  )
}

function list(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.map(object) : []
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {}
}

function text(value: unknown): string {
  return value === undefined || value === null ? '' : String(value)
}
