/** Export requests as protobuf, written field by field, with items that can be told apart. */

type Field = Uint8Array

function varint(value: number | bigint): number[] {
  const bytes: number[] = []
  let rest = BigInt(value)
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return bytes
}

function message(number: number, ...parts: readonly Uint8Array[]): Field {
  const body = Buffer.concat(parts)
  return Buffer.concat([Uint8Array.from([...varint((number << 3) | 2), ...varint(body.length)]), body])
}

function text(number: number, value: string): Field {
  return message(number, Buffer.from(value))
}

function fixed64(number: number, value: bigint): Field {
  const bytes = Buffer.alloc(9)
  bytes.writeUInt8((number << 3) | 1)
  bytes.writeBigUInt64LE(value, 1)
  return bytes
}

function attribute(number: number, key: string, value: string): Field {
  return message(number, text(1, key), message(2, text(1, value)))
}

export interface SpanRequest {
  /** Tells the spans of one request from those of another. */
  readonly seed: number
  readonly spans: number
  readonly service?: string
  readonly tenant?: string
  /** Milliseconds; 0 leaves the spans without any time. */
  readonly timeMs?: number
  /** Spans from this index on have a trace id of wrong length. */
  readonly badFrom?: number
}

/** An ExportTraceServiceRequest of one resource. Span `i` of seed `s` is named `s-i`. */
export function spanRequest(options: SpanRequest): Uint8Array {
  const { seed, spans, service = 'shop', timeMs = 1_700_000_000_000, badFrom = spans } = options
  const resource = message(
    1,
    attribute(1, 'service.name', service),
    ...(options.tenant === undefined ? [] : [attribute(1, 'tenant.id', options.tenant)]),
  )
  const list: Field[] = []
  for (let i = 0; i < spans; i++) {
    const traceId = Buffer.alloc(i >= badFrom ? 7 : 16, 1)
    traceId.writeUInt32BE(seed + 1, 0)
    const spanId = Buffer.alloc(8, 2)
    spanId.writeUInt32BE(seed + 1, 0)
    spanId.writeUInt32BE(i, 4)
    const start = BigInt(timeMs) * 1_000_000n
    list.push(
      message(
        2,
        message(1, traceId),
        message(2, spanId),
        text(5, `${seed}-${i}`),
        Uint8Array.from([6 << 3, 2]),
        ...(timeMs === 0 ? [] : [fixed64(7, start), fixed64(8, start + 1_000_000n)]),
        attribute(9, 'http.route', `/cart/${i}`),
      ),
    )
  }
  return message(1, resource, message(2, message(1, text(1, 'test')), ...list))
}

/** An ExportLogsServiceRequest of one resource; line `i` of seed `s` says `order s-i shipped`, event name `s-i`. */
export function logRequest(options: {
  readonly seed: number
  readonly lines: number
  readonly timeMs?: number
}): Uint8Array {
  const { seed, lines, timeMs = 1_700_000_000_000 } = options
  const list = Array.from({ length: lines }, (_, i) =>
    message(
      2,
      ...(timeMs === 0 ? [] : [fixed64(1, BigInt(timeMs) * 1_000_000n)]),
      Uint8Array.from([2 << 3, 9]),
      message(5, text(1, `order ${seed}-${i} shipped`)),
      text(12, `${seed}-${i}`),
    ),
  )
  return message(1, message(1, attribute(1, 'service.name', 'shop')), message(2, ...list))
}

/** An ExportMetricsServiceRequest of one gauge; point `i` of seed `s` has the attribute `item` `s-i`. */
export function metricRequest(options: {
  readonly seed: number
  readonly points: number
  readonly timeMs?: number
}): Uint8Array {
  const { seed, points, timeMs = 1_700_000_000_000 } = options
  const list = Array.from({ length: points }, (_, i) =>
    message(
      1,
      fixed64(3, BigInt(timeMs) * 1_000_000n),
      fixed64(6, BigInt(i)),
      attribute(7, 'item', `${seed}-${i}`),
    ),
  )
  const gauge = message(2, text(1, 'queue.depth'), message(5, ...list))
  return message(1, message(1, attribute(1, 'service.name', 'shop')), message(2, gauge))
}

/** The same spans as `spanRequest` makes, as OTLP/JSON. */
export function spanRequestJson(options: {
  readonly seed: number
  readonly spans: number
  readonly timeMs: number
}): Uint8Array {
  const { seed, spans, timeMs } = options
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')
  const list = Array.from({ length: spans }, (_, i) => ({
    traceId: hex(seed + 1, 32),
    spanId: hex(seed + 1, 8) + hex(i, 8),
    name: `${seed}-${i}`,
    kind: 2,
    startTimeUnixNano: `${timeMs}000000`,
    endTimeUnixNano: `${timeMs + 1}000000`,
  }))
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] }
  return Buffer.from(JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: list }] }] }))
}
