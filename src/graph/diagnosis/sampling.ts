/**
 * Reads a bounded, deterministic sample of a window's traces with their logs. A window that fits the budget
 * is read whole; a larger one in evenly spaced slices, and within them the traces with the smallest hashes of
 * their ids. What is chosen depends on times and ids only, never on the order of arrival.
 */
import type { Deadline, Scanned, TelemetryReader } from '../../model/reader.ts'
import type { LogBlock, Signal, SpanBlock } from '../../model/telemetry.ts'
import { type TimeRange, toMs } from '../../model/time.ts'
import { SelfDescriptions } from '../resource-changes.ts'
import { joinLogs, type LogLine, SpanIndex } from './log-lines.ts'
import { LogTally } from './log-tally.ts'
import type { Names } from './names.ts'
import { sourceWeights } from './source-sampling.ts'
import { type PickedRows, viewOf } from './trace-groups.ts'
import { TraceNumbers } from './trace-numbers.ts'
import { buildTraceSet, type TraceSet } from './trace-set.ts'

export interface Sample {
  readonly range: TimeRange
  readonly set: TraceSet
  readonly lines: readonly LogLine[]
  /** Spans stored in the window, as far as coverage knows (an upper bound). */
  readonly storedSpans: number
  readonly logRecords: number
  /** Share of the window's time that was read, times the share of traces kept there. */
  readonly share: number
  /** The times that were read, apart and sorted, and the share of their traces that was kept. */
  readonly parts: readonly TimeRange[]
  readonly kept: number
  /** What the services of the spans read say of themselves. */
  readonly described: SelfDescriptions
  /** Traces stand for more than themselves at their source. */
  readonly sampledAtSource: boolean
  /** Of the logs of all requests; null unless a sampler hides some of their spans. */
  readonly tally: LogTally | null
}

/** Spans read per window: enough for counts that matter, few enough for a tenth of a second. */
export const maxSpans = 20_000
/** Log records looked at per window. */
export const maxLogRecords = 60_000
/** Slices of a window that is too large to be read whole. */
const slices = 4
/**
 * A trace's spans lie within this time of each other, or it is cut at the edge, milliseconds: ten seconds,
 * and less where slices are narrow, since what lies around them is read too.
 */
const maxReachMs = 10_000
const minReachMs = 2_000

/** `logBudget` 0: no log is read. */
export async function readSample(
  reader: TelemetryReader,
  range: TimeRange,
  names: Names,
  deadline: Deadline,
  budget: number = maxSpans,
  logBudget: number = maxLogRecords,
): Promise<Sample> {
  const coverage = await reader.coverage(range)
  const stored = (signal: Signal) => coverage.perSignal.find(one => one.signal === signal)?.items ?? 0
  const parts = slicesOf(range, await spansIn(reader, range, stored('traces')), budget)
  const timeShare =
    parts.reduce((sum, part) => sum + part.toMs - part.fromMs, 0) / (range.toMs - range.fromMs)
  const scanned: Scanned<SpanBlock>[] = []
  const picked: PickedRows[] = []
  for (const part of parts) {
    for (const found of await readTraces(reader, part, deadline)) {
      scanned.push(found.scanned)
      picked.push({ block: found.scanned.block, rows: found.rows })
    }
  }
  const kept = keepBudget(picked, budget)
  const weights = await sourceWeights(scanned, kept.picked)
  const described = new SelfDescriptions()
  for (const { block, rows } of kept.picked) described.add(block, rows)
  const set = buildTraceSet(kept.picked, names, weights.of, deadline)
  const tally = weights.sampled ? new LogTally(names, range) : null
  const lines =
    stored('logs') === 0 || logBudget === 0 || set.traces === 0
      ? []
      : await readLines(reader, parts, set, { deadline, budget: logBudget, tally })
  return {
    range,
    set,
    lines,
    storedSpans: stored('traces'),
    logRecords: stored('logs'),
    share: timeShare * kept.share,
    parts,
    kept: kept.share,
    described,
    sampledAtSource: weights.sampled,
    tally,
  }
}

/**
 * Spans of the range by its rollups. Coverage counts whole blocks that touch the range, and so differs with the order of
 * arrival and from store to store; `atMost` stands in where rollups know nothing.
 */
async function spansIn(reader: TelemetryReader, range: TimeRange, atMost: number): Promise<number> {
  const { view } = await reader.totals(range, 10, ['operation'])
  const counted = view.series('operation').reduce((sum, series) => sum + series.total('count'), 0)
  // Rollups round outwards.
  const part = (range.toMs - range.fromMs) / Math.max(1, view.toMs - view.fromMs)
  return counted > 0 ? counted * Math.min(1, part) : atMost
}

/** The whole range if its spans fit the budget, else slices that together hold about as many. */
function slicesOf(range: TimeRange, spans: number, budget: number): readonly TimeRange[] {
  if (spans <= budget) return [range]
  const length = range.toMs - range.fromMs
  const width = Math.max(1000, (length * budget) / spans / slices)
  if (width * slices >= length) return [range]
  const gap = (length - width) / (slices - 1)
  return Array.from({ length: slices }, (_, i) => {
    const fromMs = Math.round(range.fromMs + i * gap)
    return { fromMs, toMs: Math.round(fromMs + width) }
  })
}

interface Found {
  readonly scanned: Scanned<SpanBlock>
  readonly rows: readonly number[]
}

function around({ fromMs, toMs }: TimeRange): TimeRange {
  const reach = Math.min(maxReachMs, Math.max(minReachMs, toMs - fromMs))
  return { fromMs: fromMs - reach, toMs: toMs + reach }
}

/** Rows of traces whose first span seen starts inside the range. */
async function readTraces(
  reader: TelemetryReader,
  range: TimeRange,
  deadline: Deadline,
): Promise<readonly Found[]> {
  const wide = around(range)
  const found: { scanned: Scanned<SpanBlock>; rows: Uint32Array; numbers: Uint32Array }[] = []
  const traces = new TraceNumbers()
  const firstMs: number[] = []
  // Of the block at hand.
  let rows = new Uint32Array(0)
  let numbers = new Uint32Array(0)
  for await (const scanned of reader.scanSpans({ range: wide, order: 'oldest_first' })) {
    deadline.check()
    const { block } = scanned
    const ids = viewOf(block.traceId)
    if (rows.length < block.count) rows = new Uint32Array(block.count)
    if (numbers.length < block.count) numbers = new Uint32Array(block.count)
    let count = 0
    for (let row = 0; row < block.count; row++) {
      const startMs = toMs(block.startHi[row] as number, block.startLo[row] as number)
      if (startMs < wide.fromMs || startMs >= wide.toMs) continue
      const number = traces.of(ids, row)
      const known = firstMs[number]
      if (known === undefined || startMs < known) firstMs[number] = startMs
      rows[count] = row
      numbers[count++] = number
    }
    if (count > 0) found.push({ scanned, rows: rows.slice(0, count), numbers: numbers.slice(0, count) })
  }
  return found.map(({ scanned, rows, numbers }) => {
    const kept: number[] = []
    for (let i = 0; i < rows.length; i++) {
      const first = firstMs[numbers[i] as number] as number
      if (first >= range.fromMs && first < range.toMs) kept.push(rows[i] as number)
    }
    return { scanned, rows: kept }
  })
}

/** Keeps whole traces, those with the smallest hashes, until the budget is used up. */
function keepBudget(
  picked: readonly PickedRows[],
  budget: number,
): { picked: readonly PickedRows[]; share: number } {
  const spans = picked.reduce((sum, part) => sum + part.rows.length, 0)
  if (spans <= budget) return { picked, share: 1 }
  const share = budget / spans
  const limit = Math.floor(share * 4294967296)
  return {
    share,
    picked: picked.map(({ block, rows }) => ({
      block,
      rows: rows.filter(row => traceHash(block.traceId, row * 16) < limit),
    })),
  }
}

/** FNV-1a over the id with a final mix: ids may be counters, their hashes must not be. */
export function traceHash(ids: Uint8Array, at: number): number {
  let hash = 2166136261
  for (let i = 0; i < 16; i++) hash = Math.imul(hash ^ (ids[at + i] ?? 0), 16777619)
  hash = Math.imul(hash ^ (hash >>> 16), 2246822507)
  hash = Math.imul(hash ^ (hash >>> 13), 3266489909)
  return (hash ^ (hash >>> 16)) >>> 0
}

interface LineReading {
  readonly deadline: Deadline
  readonly budget: number
  readonly tally: LogTally | null
}

async function readLines(
  reader: TelemetryReader,
  parts: readonly TimeRange[],
  set: TraceSet,
  { deadline, budget, tally }: LineReading,
): Promise<readonly LogLine[]> {
  const index = new SpanIndex(set)
  const ranges = united(parts.map(around))
  if (parts.length > 1) tally?.cutShort()
  const lines: LogLine[] = []
  for (const range of ranges) {
    const found: LogLine[] = []
    let looked = 0
    let untilMs = Number.POSITIVE_INFINITY
    for await (const { block } of reader.scanLogs({ range, order: 'oldest_first' })) {
      deadline.check()
      joinLogs(block, range, set, index, found)
      tally?.add(block)
      looked += block.count
      if (looked < budget / ranges.length) continue
      untilMs = oldestMs(block)
      tally?.cutShort()
      break
    }
    lines.push(...(Number.isFinite(untilMs) ? ofTracesBefore(untilMs, set, found) : found))
  }
  return lines
}

function oldestMs(block: LogBlock): number {
  let oldest = Number.POSITIVE_INFINITY
  for (let i = 0; i < block.count; i++) {
    oldest = Math.min(oldest, toMs(block.timeHi[i] ?? 0, block.timeLo[i] ?? 0))
  }
  return oldest
}

/**
 * Blocks come by their oldest record, so where reading stops everything before the last block's is known, and of
 * later times the records of some services only: traces that reach there would look as if they had fallen silent.
 */
function ofTracesBefore(untilMs: number, set: TraceSet, lines: readonly LogLine[]): readonly LogLine[] {
  const late = new Uint8Array(set.traces)
  for (let row = 0; row < set.spans; row++) {
    if ((set.endMs[row] ?? 0) >= untilMs) late[set.trace[row] ?? 0] = 1
  }
  return lines.filter(line => late[line.trace] !== 1)
}

/** The same times in ranges that do not overlap: what lies around two slices is read once. Sorted by time. */
function united(ranges: readonly TimeRange[]): readonly TimeRange[] {
  const apart: TimeRange[] = []
  for (const range of [...ranges].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = apart.at(-1)
    if (last === undefined || range.fromMs > last.toMs) apart.push(range)
    else apart[apart.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, range.toMs) }
  }
  return apart
}
