/**
 * Which rows go into which segment, and in which order: spans of one trace together, log records by time,
 * data points by series. Rows far from their receive time go into segments of their own, so that the time
 * ranges in headers stay narrow and prune.
 */
import type { Block, SpanBlock } from '../../model/telemetry.ts'
import { toMs } from '../../model/time.ts'
import { bySeries, sortByTime } from './arrange-points.ts'
import { IdTable } from './id-table.ts'
import { radixOrder } from './radix-order.ts'
import { sameWords, viewOf } from './words.ts'

/** About 10,000 items: large enough for dictionaries to pay, small enough to decode in a few milliseconds. */
export const maxSegmentRows = 10_000
/** A trace is not cut where that leaves a segment at least this full. */
const minCutRows = 8_000
/** Items further from their receive time than this are late. */
export const lateAfterMs: number = 6 * 3_600_000
/** Late segments of one seal and signal at most, so that times from nowhere do not make one each. */
const maxLateGroups = 16

/** From 2^40 on (November 2004) a double holds milliseconds in steps of 2^-12. */
const firstExactMs = 2 ** 40
const ticksPerMs = 4096

/** Numbers of rows, segment by segment; every row of the block is in exactly one. */
export function arrangeRows(block: Block, receivedMs: Float64Array): readonly Uint32Array[] {
  const timeMs = indexTimes(block)
  const inTime = new Uint32Array(block.count)
  let used = 0
  const late: number[] = []
  for (let row = 0; row < block.count; row++) {
    if (Math.abs((timeMs[row] as number) - (receivedMs[row] as number)) > lateAfterMs) late.push(row)
    else inTime[used++] = row
  }
  const groups = [inTime.subarray(0, used), ...lateGroups(timeMs, Uint32Array.from(late))]
  return groups.flatMap(rows => cutIntoSegments(block, timeMs, rows))
}

function indexTimes(block: Block): Float64Array {
  const high = block.signal === 'traces' ? block.startHi : block.timeHi
  const low = block.signal === 'traces' ? block.startLo : block.timeLo
  const timeMs = new Float64Array(block.count)
  for (let row = 0; row < block.count; row++) timeMs[row] = toMs(high[row] as number, low[row] as number)
  return timeMs
}

/** The rows by time, then as they came. */
function byTime(timeMs: Float64Array, rows: Uint32Array): Uint32Array {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (let at = 0; at < rows.length; at++) {
    const time = timeMs[rows[at] as number] as number
    if (time < min) min = time
    if (time > max) max = time
  }
  const places = rows.length
  if (min >= firstExactMs && (max - min) * ticksPerMs <= 0xffffffff) {
    // Some seventeen minutes: ticks are whole numbers of 32 bits.
    const ticks = new Uint32Array(places)
    for (let at = 0; at < places; at++)
      ticks[at] = ((timeMs[rows[at] as number] as number) - min) * ticksPerMs
    return radixOrder(ticks).map(at => rows[at] as number)
  }
  if (min < firstExactMs || (max - min + 1) * ticksPerMs * places > Number.MAX_SAFE_INTEGER)
    return rows.sort((a, b) => (timeMs[a] as number) - (timeMs[b] as number) || a - b)
  // Time and place as one exact double each: those are sorted without calls of a comparison.
  const keys = new Float64Array(places)
  for (let at = 0; at < places; at++)
    keys[at] = ((timeMs[rows[at] as number] as number) - min) * ticksPerMs * places + at
  keys.sort()
  const sorted = new Uint32Array(places)
  for (let at = 0; at < places; at++) {
    const key = keys[at] as number
    sorted[at] = rows[key - Math.floor(key / places) * places] as number
  }
  return sorted
}

/** Runs of late rows without a gap longer than `lateAfterMs` between neighbours. */
function lateGroups(timeMs: Float64Array, late: Uint32Array): readonly Uint32Array[] {
  const sorted = byTime(timeMs, late)
  const starts: number[] = []
  let last = Number.NEGATIVE_INFINITY
  for (let at = 0; at < sorted.length; at++) {
    const time = timeMs[sorted[at] as number] as number
    if (time - last > lateAfterMs && starts.length < maxLateGroups) starts.push(at)
    last = time
  }
  return starts.map((start, group) => sorted.subarray(start, starts[group + 1]))
}

function cutIntoSegments(block: Block, timeMs: Float64Array, rows: Uint32Array): readonly Uint32Array[] {
  if (rows.length === 0) return []
  if (block.signal === 'traces') return cutTraces(block, timeMs, rows)
  if (block.signal === 'metrics' && rows.length <= maxSegmentRows) return [bySeries(block, timeMs, rows)]
  const sorted = byTime(timeMs, rows)
  const parts: Uint32Array[] = []
  const count = Math.ceil(sorted.length / maxSegmentRows)
  const size = Math.ceil(sorted.length / count)
  for (let from = 0; from < sorted.length; from += size) parts.push(sorted.subarray(from, from + size))
  return block.signal === 'metrics' ? parts.map(part => bySeries(block, timeMs, part)) : parts
}

/** Traces in the order in which they came, spans of a trace by start. */
function cutTraces(block: SpanBlock, timeMs: Float64Array, rows: Uint32Array): readonly Uint32Array[] {
  const trace = traceNumbers(block, rows)
  let traces = 0
  for (let at = 0; at < trace.length; at++)
    if ((trace[at] as number) >= traces) traces = (trace[at] as number) + 1
  const starts = new Uint32Array(traces + 1)
  for (let at = 0; at < trace.length; at++) {
    const after = (trace[at] as number) + 1
    starts[after] = (starts[after] as number) + 1
  }
  for (let number = 0; number < traces; number++)
    starts[number + 1] = (starts[number + 1] as number) + (starts[number] as number)
  const next = starts.slice()
  const ordered = new Uint32Array(rows.length)
  for (let at = 0; at < rows.length; at++) {
    const number = trace[at] as number
    const place = next[number] as number
    next[number] = place + 1
    ordered[place] = rows[at] as number
  }
  for (let number = 0; number < traces; number++)
    sortByTime(timeMs, ordered, starts[number] as number, starts[number + 1] as number)
  const parts: Uint32Array[] = []
  let from = 0
  while (from < ordered.length) {
    const to = cutPoint(starts, from, ordered.length)
    parts.push(ordered.subarray(from, to))
    from = to
  }
  return parts
}

/** Traces numbered in order of appearance, for each of the rows. */
function traceNumbers(block: SpanBlock, rows: Uint32Array): Uint32Array {
  const ids = viewOf(block.traceId)
  const table = new IdTable(16, rows.length >> 3)
  const numbers = new Uint32Array(rows.length)
  let lastId = 0
  for (let at = 0; at < rows.length; at++) {
    const id = (rows[at] as number) * 16
    // Spans of one trace mostly come together.
    numbers[at] =
      at > 0 && sameWords(ids, id, ids, lastId, 16) ? (numbers[at - 1] as number) : table.add(ids, id)
    lastId = id
  }
  return numbers
}

/** The last start of a trace that leaves the segment full enough, else wherever it is full. */
function cutPoint(starts: Uint32Array, from: number, end: number): number {
  const full = from + maxSegmentRows
  if (end <= full) return end
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((starts[middle] as number) <= full) low = middle
    else high = middle - 1
  }
  const boundary = starts[low] as number
  return boundary >= from + minCutRows ? boundary : full
}
