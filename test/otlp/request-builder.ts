/** Small export requests for tests, written by the reference encoder. */
import type { Signal } from '../../src/model/telemetry.ts'
import type { DecodeContext } from '../../src/otlp/decode-context.ts'
import { collectorServices } from '../../src/otlp/fields/collector-fields.ts'
import { encodeReference } from './reference-types.ts'

/** 2026-01-01T00:00:00Z, when all test requests are received. */
export const receivedMs = 1_767_225_600_000

export const context: DecodeContext = { receivedMs, attributeMaxBytes: 65_536 }

export const traceId: Uint8Array = Uint8Array.from({ length: 16 }, (_, i) => i + 1)
export const spanId: Uint8Array = Uint8Array.from({ length: 8 }, (_, i) => i + 101)

/** Nanoseconds as text, `ms` after receipt. */
export function nanos(ms: number): string {
  return `${BigInt(receivedMs + ms) * 1_000_000n}`
}

type Plain = Readonly<Record<string, unknown>>

/** A KeyValue; integers become intValue, other numbers doubleValue. */
export function attribute(key: string, value: string | number | boolean | Uint8Array): Plain {
  if (typeof value === 'string') return { key, value: { stringValue: value } }
  if (typeof value === 'boolean') return { key, value: { boolValue: value } }
  if (value instanceof Uint8Array) return { key, value: { bytesValue: value } }
  return { key, value: Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value } }
}

/** A span that nothing is wrong with, and what is to be different about it. */
export function span(changes: Plain = {}): Plain {
  return {
    traceId,
    spanId,
    name: 'GET /',
    kind: 2,
    startTimeUnixNano: nanos(-1000),
    endTimeUnixNano: nanos(-990),
    ...changes,
  }
}

export const shopResource: Plain = { attributes: [attribute('service.name', 'shop')] }

export function encode(signal: Signal, request: Plain): Uint8Array {
  return encodeReference(collectorServices[signal].request.name, request)
}

export function traceRequest(spans: readonly Plain[], resource: Plain = shopResource): Uint8Array {
  return encode('traces', { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'lib' }, spans }] }] })
}

export function logRequest(logRecords: readonly Plain[], resource: Plain = shopResource): Uint8Array {
  return encode('logs', { resourceLogs: [{ resource, scopeLogs: [{ scope: { name: 'lib' }, logRecords }] }] })
}

export function metricRequest(metrics: readonly Plain[], resource: Plain = shopResource): Uint8Array {
  return encode('metrics', {
    resourceMetrics: [{ resource, scopeMetrics: [{ scope: { name: 'lib' }, metrics }] }],
  })
}

/** A length-delimited field with this content, for what no encoder would write. */
export function field(number: number, content: Uint8Array | readonly number[]): Uint8Array {
  const bytes = [(number << 3) | 2]
  let length = content.length
  for (; length >= 0x80; length >>>= 7) bytes.push((length & 0x7f) | 0x80)
  bytes.push(length)
  return Uint8Array.from([...bytes, ...content])
}

export function concat(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap(part => [...part]))
}

/** A request of one item given as its message bytes; the three signals nest alike. */
export function requestOfItem(item: Uint8Array): Uint8Array {
  return field(1, field(2, field(2, item)))
}
