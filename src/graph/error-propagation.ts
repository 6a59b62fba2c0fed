/** How often a failed call made its caller fail too, counted in whole traces. */
import type { TraceRows } from '../model/reader.ts'
import type { SpanBlock } from '../model/telemetry.ts'
import { spanKind } from './spans/span-row.ts'

export interface ErrorPropagation {
  readonly caller: string
  readonly callee: string
  /** Calls over the edge that were seen in the traces. */
  readonly calls: number
  /** Of these, those whose callee failed, and of those, the ones whose caller failed too. */
  readonly calleeFailed: number
  readonly callerFailed: number
  /** callerFailed / calleeFailed; null without a failed callee. */
  readonly probability: number | null
  /** The share of calls with a healthy callee whose caller failed all the same; null without any. */
  readonly otherwise: number | null
}

/** Parents between a span and the entry of its service: more are a loop in forged ids. */
const maxSteps = 256

interface Span {
  readonly service: string
  readonly parent: string
  readonly kind: number
  readonly failed: boolean
}

interface Tally {
  calls: number
  calleeFailed: number
  callerFailed: number
  healthy: number
  callerFailedAnyway: number
}

/**
 * One row per edge met in the traces, by caller and callee. A caller has failed when the span with which it was
 * entered has: an error that is caught and answered from a cache did not spread.
 */
export function errorPropagation(traces: readonly TraceRows[]): ErrorPropagation[] {
  const tallies = new Map<string, Tally>()
  for (const trace of traces) countTrace(spansOf(trace), tallies)
  return [...tallies.keys()].sort().map(key => {
    const [caller = '', callee = ''] = key.split('\u0000')
    const tally = tallies.get(key)
    const failed = tally?.calleeFailed ?? 0
    const healthy = tally?.healthy ?? 0
    return {
      caller,
      callee,
      calls: tally?.calls ?? 0,
      calleeFailed: failed,
      callerFailed: tally?.callerFailed ?? 0,
      probability: failed === 0 ? null : (tally?.callerFailed ?? 0) / failed,
      otherwise: healthy === 0 ? null : (tally?.callerFailedAnyway ?? 0) / healthy,
    }
  })
}

function countTrace(spans: ReadonlyMap<string, Span>, tallies: Map<string, Tally>): void {
  for (const span of spans.values()) {
    const parent = spans.get(span.parent)
    if (parent === undefined || parent.service === span.service) continue
    const entry = entryOf(spans, parent)
    const key = `${parent.service}\u0000${span.service}`
    const tally = tallies.get(key) ?? {
      calls: 0,
      calleeFailed: 0,
      callerFailed: 0,
      healthy: 0,
      callerFailedAnyway: 0,
    }
    tally.calls++
    if (span.failed) {
      tally.calleeFailed++
      if (entry.failed) tally.callerFailed++
    } else {
      tally.healthy++
      if (entry.failed) tally.callerFailedAnyway++
    }
    tallies.set(key, tally)
  }
}

/** The span with which the service was entered: a server or consumer span, or the last one of its service. */
function entryOf(spans: ReadonlyMap<string, Span>, from: Span): Span {
  let at = from
  for (let step = 0; step < maxSteps; step++) {
    if (at.kind === spanKind.server || at.kind === spanKind.consumer) return at
    const parent = spans.get(at.parent)
    if (parent === undefined || parent.service !== at.service) return at
    at = parent
  }
  return at
}

function spansOf(trace: TraceRows): Map<string, Span> {
  const spans = new Map<string, Span>()
  for (const { block, rows } of trace.parts) {
    const ids = bufferOf(block.spanId)
    const parents = bufferOf(block.parentSpanId)
    for (const row of rows) {
      spans.set(ids.toString('hex', row * 8, row * 8 + 8), spanAt(block, row, parents))
    }
  }
  return spans
}

function spanAt(block: SpanBlock, row: number, parents: Buffer): Span {
  const status = block.status[row] ?? 0
  return {
    service: block.resources[block.resource[row] ?? 0]?.service ?? '',
    parent: parents.toString('hex', row * 8, row * 8 + 8),
    kind: block.kind[row] ?? 0,
    failed: status === 2 || (status === 0 && (block.httpStatus[row] ?? 0) >= 500),
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
