/**
 * Export requests of 100 spans, about 480 bytes and 10 attributes a span, from a seeded generator. Every request that
 * is sent is different: all ids are shifted by a fresh mask, which keeps parents and traces intact.
 */
import { protobufType } from './protobuf-root.ts'

export const spansPerRequest = 100
const servicesCount = 20
const operationsPerService = 12
const spansPerTrace = 10

/** xorshift32: the same bodies in every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 4294967296
  }
}

export interface Body {
  readonly bytes: Uint8Array
  /** Where 8-byte ids stand, or the first half of 16-byte ones. */
  readonly idOffsets: readonly number[]
}

/** `count` different request bodies with times near `nowMs`. */
export function makeBodies(count: number, nowMs: number): readonly Body[] {
  const random = seeded(20260301)
  const type = protobufType('opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest')
  return Array.from({ length: count }, () => {
    const ids: Uint8Array[] = []
    const request = makeRequest(random, nowMs, ids)
    const bytes = Buffer.from(type.encode(type.fromObject(request)).finish())
    return { bytes, idOffsets: findIds(bytes, ids) }
  })
}

/** A copy of the body in which every id is XORed with `mask`. */
export function withFreshIds(body: Body, mask: bigint): Buffer {
  const copy = Buffer.from(body.bytes)
  for (const offset of body.idOffsets) copy.writeBigUInt64LE(copy.readBigUInt64LE(offset) ^ mask, offset)
  return copy
}

function findIds(bytes: Buffer, ids: readonly Uint8Array[]): readonly number[] {
  const offsets = new Set<number>()
  for (const id of ids) {
    for (let at = bytes.indexOf(id); at >= 0; at = bytes.indexOf(id, at + 1)) offsets.add(at)
  }
  return [...offsets]
}

function makeRequest(random: () => number, nowMs: number, ids: Uint8Array[]): object {
  const whole = (limit: number): number => Math.floor(random() * limit)
  const id = (length: number): Uint8Array => {
    const bytes = Uint8Array.from({ length }, () => whole(256))
    bytes[0] = 1 + whole(255)
    ids.push(bytes.subarray(0, 8))
    return bytes
  }
  const service = whole(servicesCount)
  const text = (key: string, value: string): object => ({ key, value: { stringValue: value } })
  const number = (key: string, value: number): object => ({ key, value: { intValue: value } })
  const spans: object[] = []
  for (let trace = 0; trace < spansPerRequest / spansPerTrace; trace++) {
    const traceId = id(16)
    let parentSpanId = new Uint8Array()
    for (let index = 0; index < spansPerTrace; index++) {
      const operation = whole(operationsPerService)
      const spanId = id(8)
      const startMs = nowMs - whole(10_000)
      const start = BigInt(startMs) * 1_000_000n + BigInt(whole(1_000_000))
      const failed = random() < 0.01
      spans.push({
        traceId,
        spanId,
        parentSpanId,
        flags: 257,
        name: `${operation % 2 === 0 ? 'GET' : 'POST'} /api/v1/resource${operation}/{id}`,
        kind: 1 + whole(3),
        startTimeUnixNano: String(start),
        endTimeUnixNano: String(start + BigInt(200_000 + whole(80_000_000))),
        attributes: [
          text('http.request.method', operation % 2 === 0 ? 'GET' : 'POST'),
          text('http.route', `/api/v1/resource${operation}/{id}`),
          text('url.path', `/api/v1/resource${operation}/${whole(1_000_000)}`),
          number('http.response.status_code', failed ? 500 : 200),
          text('server.address', `service-${whole(servicesCount)}.internal`),
          number('server.port', 8080),
          text('user.id', `user-${whole(50_000)}`),
          text('network.protocol.version', '1.1'),
          number('thread.id', whole(64)),
          text('order.reference', `${whole(4294967296).toString(16)}${whole(4294967296).toString(16)}`),
        ],
        status: failed ? { code: 2, message: 'upstream answered 500' } : undefined,
      })
      if (random() < 0.7) parentSpanId = new Uint8Array(spanId)
    }
  }
  const resource = {
    attributes: [
      text('service.name', `service-${service}`),
      text('service.version', '1.4.2'),
      text('service.instance.id', `service-${service}-${whole(3)}`),
      text('telemetry.sdk.language', 'nodejs'),
      text('telemetry.sdk.name', 'opentelemetry'),
    ],
  }
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'bench', version: '1' }, spans }] }] }
}
