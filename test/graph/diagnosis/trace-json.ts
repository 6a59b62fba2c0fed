/** Traces written down by hand, as sets. */

import { Names } from '../../../src/graph/diagnosis/names.ts'
import type { WeightOf } from '../../../src/graph/diagnosis/trace-columns.ts'
import { buildTraceSet, type TraceSet } from '../../../src/graph/diagnosis/trace-set.ts'
import type { SpanBlock } from '../../../src/model/telemetry.ts'
import { decodeBatch } from '../../../src/otlp/decode-batch.ts'
import { transcodeJson } from '../../../src/otlp/json/transcode-json.ts'

/** `[id, parent, service, name, kind, start ms, end ms]`, and whether it failed and whom it calls. */
export interface SpanSketch {
  readonly id: number
  readonly parent?: number
  readonly service: string
  readonly name?: string
  readonly kind?: 'server' | 'client' | 'producer' | 'consumer' | 'internal'
  readonly at: readonly [number, number]
  readonly failed?: boolean
  readonly peer?: string
  readonly trace?: number
}

/** Where the times of sketches begin: a span at 0 would count as one without a time. */
export const epochMs = 1_700_000_000_000

const kinds = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const

export function setOf(
  sketches: readonly SpanSketch[],
  names: Names = new Names(),
  weightOf: WeightOf = () => 1,
): TraceSet {
  const block = blockOf(sketches)
  return buildTraceSet([{ block, rows: Array.from({ length: block.count }, (_, i) => i) }], names, weightOf)
}

/** An export request with these spans. */
export function requestOf(sketches: readonly SpanSketch[]): object {
  return {
    resourceSpans: sketches.map(sketch => ({
      resource: { attributes: [text('service.name', sketch.service)] },
      scopeSpans: [{ spans: [spanOf(sketch)] }],
    })),
  }
}

export function blockOf(sketches: readonly SpanSketch[]): SpanBlock {
  const bytes = transcodeJson('traces', Buffer.from(JSON.stringify(requestOf(sketches))))
  const { block } = decodeBatch('traces', bytes, { receivedMs: epochMs + 60_000, attributeMaxBytes: 1024 })
  if (block.signal !== 'traces') throw new Error('spans decode to spans')
  return block
}

function spanOf(sketch: SpanSketch): object {
  const id = (value: number, digits: number) => value.toString(16).padStart(digits, '0')
  return {
    traceId: id(sketch.trace ?? 1, 32),
    spanId: id(sketch.id, 16),
    ...(sketch.parent === undefined ? {} : { parentSpanId: id(sketch.parent, 16) }),
    name: sketch.name ?? 'work',
    kind: kinds[sketch.kind ?? 'internal'],
    startTimeUnixNano: nanoseconds(sketch.at[0]),
    endTimeUnixNano: nanoseconds(sketch.at[1]),
    ...(sketch.failed === true ? { status: { code: 2 } } : {}),
    attributes: sketch.peer === undefined ? [] : [text('peer.service', sketch.peer)],
  }
}

function text(key: string, stringValue: string): object {
  return { key, value: { stringValue } }
}

function nanoseconds(ms: number): string {
  return (BigInt(epochMs + ms) * 1_000_000n).toString()
}
