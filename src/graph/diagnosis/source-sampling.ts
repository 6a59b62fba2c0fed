/**
 * How many traces of the source one stored trace stands for: the `th` value of the `ot` entry of trace state
 * (OpenTelemetry, "TraceState: Probability Sampling"). `th` is a rejection threshold of 56 bits as hex digits
 * with trailing zeros left out; the share kept is 1 - threshold / 2^56.
 */
import type { Scanned } from '../../model/reader.ts'
import { recordOf, type SpanBlock } from '../../model/telemetry.ts'
import type { WeightOf } from './trace-columns.ts'
import type { PickedRows } from './trace-groups.ts'

/** A sampler that keeps less than this share is not believed: one trace would outvote all others. */
const maxWeight = 10_000
/** Root spans looked at before it is decided that nobody samples: a sampler marks every trace. */
const probes = 16
/** Field number of `trace_state` in opentelemetry.proto.trace.v1.Span, as the tag of a length-delimited field. */
const traceStateTag = 26

export interface SourceWeights {
  readonly of: WeightOf
  readonly sampled: boolean
}

/** Weights of the picked root spans' traces. Loads all their messages only if the first few carry a threshold. */
export async function sourceWeights(
  scanned: readonly Scanned<SpanBlock>[],
  picked: readonly PickedRows[],
): Promise<SourceWeights> {
  const weights = new Map<SpanBlock, Map<number, number>>()
  const first = await readWeights(scanned, picked, probes, weights)
  const sampled = first > 0
  if (sampled) await readWeights(scanned, picked, Number.POSITIVE_INFINITY, weights)
  return { of: (block, row) => weights.get(block)?.get(row) ?? 1, sampled }
}

/** Reads at most `limit` roots; returns how many stand for more than themselves. */
async function readWeights(
  scanned: readonly Scanned<SpanBlock>[],
  picked: readonly PickedRows[],
  limit: number,
  into: Map<SpanBlock, Map<number, number>>,
): Promise<number> {
  let left = limit
  let marked = 0
  for (const [i, part] of picked.entries()) {
    const source = scanned[i]
    const roots = part.rows.filter(row => isRoot(part.block, row)).slice(0, left)
    if (source === undefined || roots.length === 0) continue
    left -= roots.length
    const records = await source.records(roots)
    const found = new Map<number, number>()
    for (const row of roots) {
      const weight = weightOf(traceStateOf(recordOf(records, row)))
      if (weight > 1) marked++
      found.set(row, weight)
    }
    into.set(part.block, found)
    if (left <= 0) break
  }
  return marked
}

function isRoot(block: SpanBlock, row: number): boolean {
  for (let i = row * 8; i < row * 8 + 8; i++) if (block.parentSpanId[i] !== 0) return false
  return true
}

/** The trace state of a Span message; empty if it has none. */
export function traceStateOf(span: Uint8Array): string {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; at < span.length; shift += 7) {
      const byte = span[at++] ?? 0
      value += (byte & 127) * 2 ** shift
      if (byte < 128) break
    }
    return value
  }
  while (at < span.length) {
    const tag = varint()
    const wire = tag & 7
    if (wire === 0) varint()
    else if (wire === 1) at += 8
    else if (wire === 5) at += 4
    else if (wire === 2) {
      const length = varint()
      if (tag === traceStateTag) return Buffer.from(span.subarray(at, at + length)).toString('latin1')
      at += length
    } else return ''
  }
  return ''
}

/** Adjusted count from a trace state; 1 where it says nothing or nonsense. */
export function weightOf(traceState: string): number {
  const threshold = /(?:^|,)\s*ot=(?:[^,]*;)?th:([0-9a-f]{1,14})(?:[;,]|$)/.exec(traceState)?.[1]
  if (threshold === undefined) return 1
  const rejected = Number.parseInt(threshold, 16) / 16 ** threshold.length
  return Math.min(maxWeight, 1 / (1 - rejected))
}
