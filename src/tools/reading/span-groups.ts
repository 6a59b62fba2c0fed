/** Traces of a window, put together from their spans: enough of each to list, rank and group it. */
import type { Deadline, TelemetryReader } from '../../model/reader.ts'
import type { SpanBlock } from '../../model/telemetry.ts'
import { type TimeRange, toMs } from '../../model/time.ts'
import { isZeroId } from './hex-id.ts'

/**
 * Spans read for one question at most: about a second of work. What lies beyond is said in the coverage, never
 * left out in silence.
 */
export const maxSpansRead = 2_000_000
/** Traces held at once, about 300 bytes each. */
export const maxTracesHeld = 100_000

export interface TraceSummary {
  readonly traceId: string
  startMs: number
  endMs: number
  spans: number
  errors: number
  /** Number of the service whose span has no parent in sight, -1 while none was seen. */
  rootService: number
  rootOperation: string
  rootDurationMs: number
  /** Spans that met the question. */
  matches: number
  longestMatchMs: number
  readonly services: Set<number>
  /** Sum of hashes over (service, operation, failed): the same for the same spans in any order. */
  shape: number
  firstError: string
}

export interface SpanQuestion {
  readonly range: TimeRange
  readonly services?: readonly string[]
  /** Whether row `row` is one that was asked for. Without it every span is. */
  readonly matches: (block: SpanBlock, row: number) => boolean
}

export interface FoundTraces {
  readonly traces: readonly TraceSummary[]
  /** By number in `TraceSummary`. */
  readonly serviceNames: readonly string[]
  /** Spans of the window that were looked at; the same however they are stored. */
  readonly spansInside: number
  /** Whether limits left something of the window unread. */
  readonly complete: boolean
}

function hashText(text: string, seed: number): number {
  let hash = seed
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}

class Gathering {
  readonly traces = new Map<string, TraceSummary>()
  readonly names: string[] = []
  private readonly numbers = new Map<string, number>()
  full = false

  service(name: string): number {
    const known = this.numbers.get(name)
    if (known !== undefined) return known
    this.numbers.set(name, this.names.length)
    return this.names.push(name) - 1
  }

  /** Of all traces, 16 bytes each. */
  ids(): Uint8Array {
    const ids = new Uint8Array(this.traces.size * 16)
    let at = 0
    for (const id of this.traces.keys()) {
      ids.set(Buffer.from(id, 'hex'), at)
      at += 16
    }
    return ids
  }

  trace(id: string, create: boolean): TraceSummary | undefined {
    const known = this.traces.get(id)
    if (known !== undefined || !create) return known
    if (this.traces.size >= maxTracesHeld) {
      this.full = true
      return undefined
    }
    const made: TraceSummary = {
      traceId: id,
      startMs: Number.POSITIVE_INFINITY,
      endMs: 0,
      spans: 0,
      errors: 0,
      rootService: -1,
      rootOperation: '',
      rootDurationMs: 0,
      matches: 0,
      longestMatchMs: 0,
      services: new Set(),
      shape: 0,
      firstError: '',
    }
    this.traces.set(id, made)
    return made
  }
}

function addRow(gathering: Gathering, trace: TraceSummary, block: SpanBlock, row: number): void {
  const service = gathering.service(block.resources[block.resource[row] ?? 0]?.service ?? '')
  const operation = block.strings[block.name[row] ?? 0] ?? ''
  const startMs = toMs(block.startHi[row] ?? 0, block.startLo[row] ?? 0)
  const endMs = toMs(block.endHi[row] ?? 0, block.endLo[row] ?? 0)
  const failed = block.status[row] === 2
  trace.spans++
  trace.services.add(service)
  trace.startMs = Math.min(trace.startMs, startMs)
  trace.endMs = Math.max(trace.endMs, endMs)
  if (failed) {
    trace.errors++
    if (trace.firstError === '') trace.firstError = block.strings[block.errorType[row] ?? 0] ?? ''
  }
  trace.shape = (trace.shape + hashText(operation, 0x811c9dc5 ^ (service * 2 + (failed ? 1 : 0)))) >>> 0
  if (!isZeroId(block.parentSpanId, row, 8)) return
  trace.rootService = service
  trace.rootOperation = operation
  trace.rootDurationMs = endMs - startMs
}

function startsIn(range: TimeRange, block: SpanBlock, row: number): boolean {
  const startMs = toMs(block.startHi[row] ?? 0, block.startLo[row] ?? 0)
  return startMs >= range.fromMs && startMs < range.toMs
}

/**
 * Traces of which at least one span in the range meets the question, newest blocks first. Two passes over the
 * blocks: which traces, then what they consist of inside the range.
 */
export async function findTraceSummaries(
  reader: TelemetryReader,
  question: SpanQuestion,
  deadline: Deadline,
): Promise<FoundTraces> {
  const gathering = new Gathering()
  let spansRead = 0
  let spansInside = 0
  let complete = true
  const { services } = question
  const narrow = services === undefined ? {} : { services, wanted: { services } }
  for await (const { block, pickedFrom } of reader.scanSpans({
    range: question.range,
    ...narrow,
    order: 'newest_first',
  })) {
    deadline.check()
    if (spansRead >= maxSpansRead) {
      complete = false
      break
    }
    spansRead += pickedFrom ?? block.count
    spansInside += pickedFrom ?? 0
    const ids = Buffer.from(block.traceId.buffer, block.traceId.byteOffset, block.traceId.byteLength)
    for (let row = 0; row < block.count; row++) {
      if (!startsIn(question.range, block, row)) continue
      if (pickedFrom === undefined) spansInside++
      if (!question.matches(block, row)) continue
      const trace = gathering.trace(ids.toString('hex', row * 16, row * 16 + 16), true)
      if (trace === undefined) continue
      trace.matches++
      const durationMs =
        toMs(block.endHi[row] ?? 0, block.endLo[row] ?? 0) -
        toMs(block.startHi[row] ?? 0, block.startLo[row] ?? 0)
      trace.longestMatchMs = Math.max(trace.longestMatchMs, durationMs)
    }
  }
  let secondRead = 0
  const wanted = { traceIds: gathering.ids() }
  const all = { range: question.range, order: 'newest_first', wanted } as const
  for await (const { block, pickedFrom } of reader.scanSpans(all)) {
    deadline.check()
    if (secondRead >= maxSpansRead) {
      complete = false
      break
    }
    secondRead += pickedFrom ?? block.count
    const ids = Buffer.from(block.traceId.buffer, block.traceId.byteOffset, block.traceId.byteLength)
    for (let row = 0; row < block.count; row++) {
      if (!startsIn(question.range, block, row)) continue
      const trace = gathering.trace(ids.toString('hex', row * 16, row * 16 + 16), false)
      if (trace !== undefined) addRow(gathering, trace, block, row)
    }
  }
  return {
    traces: [...gathering.traces.values()],
    serviceNames: gathering.names,
    spansInside,
    complete: complete && !gathering.full,
  }
}
