/** Log records of sampled traces, joined to the service entry that wrote them. */
import type { LogBlock } from '../../model/telemetry.ts'
import { type TimeRange, toMs } from '../../model/time.ts'
import type { TraceSet } from './trace-set.ts'

export interface LogLine {
  readonly trace: number
  /** Row of the entry that wrote it. */
  readonly entry: number
  readonly template: number
  readonly severity: number
  readonly timeMs: number
}

/** SeverityNumber from which a record is an error. */
export const errorSeverity = 17

/** Finds rows of a set by trace and span id. */
export class SpanIndex {
  readonly #set: TraceSet
  readonly #traces = new Map<string, number>()

  constructor(set: TraceSet) {
    this.#set = set
    for (const [t, id] of set.traceIds.entries()) this.#traces.set(id, t)
  }

  /** Row of the span, -1 if it is not in the set. */
  find(traceId: string, hi: number, lo: number): number {
    const t = this.#traces.get(traceId)
    if (t === undefined) return -1
    const { first, spanHi, spanLo } = this.#set
    const end = first[t + 1] ?? 0
    for (let row = first[t] ?? 0; row < end; row++) {
      if (spanLo[row] === lo && spanHi[row] === hi) return row
    }
    return -1
  }

  has(traceId: string): boolean {
    return this.#traces.has(traceId)
  }
}

/**
 * Appends the block's records of the range that belong to spans of the set. A block holds more than was asked
 * for, so without the range a record near two ranges would be there twice.
 */
export function joinLogs(
  block: LogBlock,
  { fromMs, toMs: untilMs }: TimeRange,
  set: TraceSet,
  index: SpanIndex,
  into: LogLine[],
): void {
  const ids = Buffer.from(block.traceId.buffer, block.traceId.byteOffset, block.traceId.byteLength)
  const spans = new DataView(block.spanId.buffer, block.spanId.byteOffset, block.spanId.byteLength)
  for (let i = 0; i < block.count; i++) {
    const timeMs = toMs(block.timeHi[i] ?? 0, block.timeLo[i] ?? 0)
    if (timeMs < fromMs || timeMs >= untilMs) continue
    const id = ids.toString('hex', i * 16, i * 16 + 16)
    if (!index.has(id)) continue
    const row = index.find(id, spans.getUint32(i * 8), spans.getUint32(i * 8 + 4))
    if (row < 0) continue
    into.push({
      trace: set.trace[row] ?? 0,
      entry: set.entry[row] ?? row,
      template: block.template[i] ?? 0,
      severity: block.severity[i] ?? 0,
      timeMs,
    })
  }
}
