/**
 * Requests in which every field of OTLP is set, made, encoded and compared by what an independent implementation says of
 * the messages: a field that our tables forget is missing in what comes back.
 */
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import type { ServerProcess } from '../../scripts/server-process.ts'
import type { Signal } from '../../src/model/telemetry.ts'
import { fieldFacts } from '../otlp/otlp-facts.ts'
import { decodeReference, encodeReference, referenceType } from '../otlp/reference-types.ts'
import { messageOf } from '../otlp/request-arbitrary.ts'
import { type Plain, requestLines } from '../otlp/request-lines.ts'

/** Enough that every member of every oneof has its turn. */
const sampleRequests = 30

const requestNames: Readonly<Record<Signal, string>> = {
  traces: 'opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest',
  logs: 'opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest',
  metrics: 'opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest',
}

interface EveryField {
  readonly bodies: readonly Uint8Array<ArrayBuffer>[]
  /** As the independent decoder reads them. */
  readonly requests: readonly Plain[]
  readonly lines: readonly string[]
}

export function everyFieldRequests(signal: Signal): EveryField {
  const name = requestNames[signal]
  const samples = fc.sample(messageOf(name), { numRuns: sampleRequests, seed: 11 })
  const nowMs = Date.now()
  const bodies = samples.map(plain => new Uint8Array(encodeReference(name, withTimes(plain, nowMs) as Plain)))
  const requests = bodies.map(body => decodeReference(name, body))
  return { bodies, requests, lines: requests.flatMap(request => requestLines(request)).sort() }
}

/** Random times lie centuries apart; what becomes of those is another test's. */
function withTimes(value: unknown, nowMs: number): unknown {
  if (value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map(item => withTimes(item, nowMs))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) =>
      /timeUnixNano$/i.test(key)
        ? [key, `${nowMs - (Number(BigInt(String(item)) % 60_000n) + 1)}000001`]
        : [key, withTimes(item, nowMs)],
    ),
  )
}

/** Fields of the messages that a request may hold, by the independent list: `message.field`, sorted. */
export function reachableFields(signal: Signal): readonly string[] {
  const messages = new Set([requestNames[signal]])
  for (const message of messages)
    for (const fact of fieldFacts) if (fact.message === message) messages.add(fact.type)
  return fieldFacts
    .filter(fact => messages.has(fact.message))
    .map(fact => `${fact.message}.${fact.jsonName}`)
    .sort()
}

/** Those that are set somewhere in these requests. */
export function setFields(signal: Signal, requests: readonly Plain[]): readonly string[] {
  const found = new Set<string>()
  for (const request of requests) collectFields(referenceType(requestNames[signal]), request, found)
  return [...found].sort()
}

function collectFields(type: protobuf.Type, message: Plain, found: Set<string>): void {
  for (const [key, value] of Object.entries(message)) {
    const field = type.fields[key]
    if (field === undefined) continue
    found.add(`${type.fullName.slice(1)}.${key}`)
    const { resolvedType } = field
    if (!(resolvedType instanceof protobuf.Type)) continue
    for (const item of Array.isArray(value) ? value : [value])
      collectFields(resolvedType, item as Plain, found) // a message's
  }
}

/** Everything the server has of a signal, in lines as those of what was sent. */
export async function exportedLines(server: ServerProcess, signal: Signal): Promise<readonly string[]> {
  const response = await fetch(
    `${server.url}/admin/export?signal=${signal}&from=0&to=${Date.now() + 86_400_000}`,
    { headers: { 'x-otelcontext-admin': '1' } },
  )
  const bytes = Buffer.from(await response.arrayBuffer())
  const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString()
  return text
    .split('\n')
    .filter(each => each !== '')
    .flatMap(each => requestLines(withBase64Ids(JSON.parse(each)) as Plain))
    .sort()
}

/** OTLP/JSON writes ids as hexadecimal, and all other bytes as the independent decoder does. */
function withBase64Ids(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withBase64Ids)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) =>
      /^(trace|span|parentSpan)Id$/.test(key)
        ? [key, Buffer.from(String(item), 'hex').toString('base64')]
        : [key, withBase64Ids(item)],
    ),
  )
}
