/**
 * OTLP/JSON requests taken apart into items that can be compared: each with its resource, scope and schema URLs, defaults
 * left out, 64-bit integers as text. Knows nothing of our codec.
 */
import { gunzipSync } from 'node:zlib'
import type { ServerProcess } from '../../scripts/server-process.ts'

export type SignalName = 'traces' | 'logs' | 'metrics'

export interface ComparableItem {
  /** What sorts equal items to equal places: their whole canonical text. */
  readonly key: string
  readonly service: string
  readonly item: unknown
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
type JsonObject = { readonly [key: string]: Json }

const names = {
  traces: { groups: 'resourceSpans', scopes: 'scopeSpans', items: 'spans' },
  logs: { groups: 'resourceLogs', scopes: 'scopeLogs', items: 'logRecords' },
  metrics: { groups: 'resourceMetrics', scopes: 'scopeMetrics', items: 'metrics' },
} as const

const pointLists = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const

const int64Keys = new Set([
  'intValue',
  'asInt',
  'count',
  'zeroCount',
  'bucketCounts',
  'startTimeUnixNano',
  'endTimeUnixNano',
  'timeUnixNano',
  'observedTimeUnixNano',
])

const objects = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? (value as readonly JsonObject[]) : []
const object = (value: Json | undefined): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}

/** Every span, log record or data point (with its metric) of one export request. */
export function itemsOf(signal: SignalName, request: object): readonly ComparableItem[] {
  const { groups, scopes, items } = names[signal]
  return objects((request as JsonObject)[groups]).flatMap(group =>
    objects(group[scopes]).flatMap(scope =>
      objects(scope[items]).flatMap(item => {
        const owner = {
          resource: group['resource'] ?? null,
          resourceSchema: group['schemaUrl'] ?? '',
          scope: scope['scope'] ?? null,
          scopeSchema: scope['schemaUrl'] ?? '',
        }
        const singles = signal === 'metrics' ? pointsOf(item) : [item]
        return singles.map(single => comparable({ ...owner, item: single }))
      }),
    ),
  )
}

function pointsOf(metric: JsonObject): readonly JsonObject[] {
  for (const kind of pointLists) {
    const data = metric[kind]
    if (data === undefined) continue
    const { dataPoints, ...rest } = object(data)
    return objects(dataPoints).map(point => ({ ...metric, [kind]: { ...rest, point } }))
  }
  return []
}

function comparable(item: JsonObject): ComparableItem {
  const plain = canonical(item, '') ?? null
  const attributes = objects(object(item['resource'])['attributes'])
  const service = attributes.find(attribute => attribute['key'] === 'service.name')
  return {
    key: JSON.stringify(plain),
    service: String(object(service?.['value'])['stringValue'] ?? ''),
    item: plain,
  }
}

/** Proto3 says an absent field and a default are the same; a value inside `value` (AnyValue, a oneof) is kept. */
function canonical(value: Json, key: string): Json | undefined {
  if (Array.isArray(value)) {
    const entries = (value as readonly Json[]).map(entry => canonical(entry, key) ?? {})
    return entries.length === 0 ? undefined : key === 'attributes' ? sortedByKey(entries) : entries
  }
  if (typeof value === 'object' && value !== null) {
    const kept = Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, canonicalField(inner, name)] as const)
      .filter(([, inner]) => inner !== undefined)
    return kept.length === 0 ? undefined : (Object.fromEntries(kept) as JsonObject)
  }
  return scalar(value as boolean | number | string | null, key)
}

const oneofKeys = new Set([
  'stringValue',
  'boolValue',
  'intValue',
  'doubleValue',
  'bytesValue',
  'asInt',
  'asDouble',
  'sum',
  'min',
  'max',
])

function canonicalField(value: Json, name: string): Json | undefined {
  if (value === null) return undefined
  if (oneofKeys.has(name) && typeof value !== 'object') return int64Keys.has(name) ? String(value) : value
  if (name === 'arrayValue' || name === 'kvlistValue') return canonical(value, name) ?? {}
  return canonical(value, name)
}

function scalar(value: boolean | number | string | null, key: string): Json | undefined {
  if (int64Keys.has(key)) return String(value) === '0' && key !== 'bucketCounts' ? undefined : String(value)
  if (value === null || value === false || value === '') return undefined
  if (value === 0 && key !== 'explicitBounds') return undefined
  return value
}

function sortedByKey(entries: readonly Json[]): Json {
  return entries.toSorted((a, b) => (String(object(a)['key']) < String(object(b)['key']) ? -1 : 1))
}

const pollMs = 100
const patienceMs = 15_000

/** Items of a service as `export` gives them, once there are `count`; whatever is there when patience ends. */
export async function exportedItems(
  server: ServerProcess,
  signal: SignalName,
  service: string,
  count: number,
): Promise<readonly ComparableItem[]> {
  const giveUpAt = Date.now() + patienceMs
  for (;;) {
    const found = (await exportAll(server, signal)).filter(item => item.service === service)
    if (found.length >= count || Date.now() > giveUpAt)
      return found.toSorted((a, b) => (a.key < b.key ? -1 : 1))
    await new Promise(resolve => setTimeout(resolve, pollMs))
  }
}

/** Everything the server has of a signal. */
export async function exportAll(
  server: Pick<ServerProcess, 'url'>,
  signal: SignalName,
): Promise<readonly ComparableItem[]> {
  const response = await fetch(
    `${server.url}/admin/export?signal=${signal}&from=0&to=${Date.now() + 86_400_000}`,
    {
      headers: { 'x-otelcontext-admin': '1' },
    },
  )
  const bytes = Buffer.from(await response.arrayBuffer())
  const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString()
  if (!response.ok) throw new Error(`export answered ${response.status}: ${text}`)
  return text
    .split('\n')
    .filter(line => line !== '')
    .flatMap(line => itemsOf(signal, JSON.parse(line) as object))
}
