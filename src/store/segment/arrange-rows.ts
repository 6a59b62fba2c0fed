/**
 * Which rows go into which segment, and in which order: spans of one trace together, log records by time,
 * data points by series. Rows far from their receive time go into segments of their own, so that the time
 * ranges in headers stay narrow and prune.
 */
import type { Block } from '../../model/telemetry.ts'
import { toMs } from '../../model/time.ts'
import { IdTable } from './id-table.ts'
import type { Picks } from './merge-blocks.ts'

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

export interface RowSource {
  readonly block: Block
  readonly receivedMs: number
}

export interface Arranged {
  readonly picks: Picks
  readonly late: boolean
}

/** All sources have the same signal. Every row of every source is in exactly one result. */
export function arrangeRows(sources: readonly RowSource[]): readonly Arranged[] {
  const rows = new AllRows(sources)
  const inTime = new Uint32Array(rows.count)
  let used = 0
  const late: number[] = []
  for (let index = 0; index < rows.count; index++) {
    const received = (sources[rows.source[index] as number] as RowSource).receivedMs
    const distance = Math.abs((rows.timeMs[index] as number) - received)
    if (distance > lateAfterMs) late.push(index)
    else inTime[used++] = index
  }
  const arranged: Arranged[] = []
  for (const part of cutIntoSegments(rows, inTime.subarray(0, used)))
    arranged.push({ picks: rows.picks(part), late: false })
  for (const group of lateGroups(rows, Uint32Array.from(late)))
    for (const part of cutIntoSegments(rows, group)) arranged.push({ picks: rows.picks(part), late: true })
  return arranged
}

class AllRows {
  readonly sources: readonly RowSource[]
  readonly count: number
  readonly source: Uint32Array
  readonly row: Uint32Array
  /** Index time. */
  readonly timeMs: Float64Array

  constructor(sources: readonly RowSource[]) {
    this.sources = sources
    this.count = sources.reduce((sum, source) => sum + source.block.count, 0)
    this.source = new Uint32Array(this.count)
    this.row = new Uint32Array(this.count)
    this.timeMs = new Float64Array(this.count)
    let index = 0
    for (let number = 0; number < sources.length; number++) {
      const block = (sources[number] as RowSource).block
      const high = block.signal === 'traces' ? block.startHi : block.timeHi
      const low = block.signal === 'traces' ? block.startLo : block.timeLo
      for (let row = 0; row < block.count; row++, index++) {
        this.source[index] = number
        this.row[index] = row
        this.timeMs[index] = toMs(high[row] as number, low[row] as number)
      }
    }
  }

  picks(indices: Uint32Array): Picks {
    const source = new Uint32Array(indices.length)
    const row = new Uint32Array(indices.length)
    for (let at = 0; at < indices.length; at++) {
      source[at] = this.source[indices[at] as number] as number
      row[at] = this.row[indices[at] as number] as number
    }
    return { source, row }
  }

  /** The same rows by time, then as they came. */
  byTime(indices: Uint32Array): Uint32Array {
    const { timeMs } = this
    let min = Number.POSITIVE_INFINITY
    let max = Number.NEGATIVE_INFINITY
    for (let at = 0; at < indices.length; at++) {
      const time = timeMs[indices[at] as number] as number
      if (time < min) min = time
      if (time > max) max = time
    }
    const places = indices.length
    if (min < firstExactMs || (max - min + 1) * ticksPerMs * places > Number.MAX_SAFE_INTEGER)
      return indices.sort((a, b) => (timeMs[a] as number) - (timeMs[b] as number) || a - b)
    // Time and place as one exact double each: those are sorted without calls of a comparison.
    const keys = new Float64Array(places)
    for (let at = 0; at < places; at++)
      keys[at] = ((timeMs[indices[at] as number] as number) - min) * ticksPerMs * places + at
    keys.sort()
    const sorted = new Uint32Array(places)
    for (let at = 0; at < places; at++) {
      const key = keys[at] as number
      sorted[at] = indices[key - Math.floor(key / places) * places] as number
    }
    return sorted
  }
}

/** Runs of late rows without a gap longer than `lateAfterMs` between neighbours. */
function lateGroups(rows: AllRows, late: Uint32Array): readonly Uint32Array[] {
  const sorted = rows.byTime(late)
  const starts: number[] = []
  let last = Number.NEGATIVE_INFINITY
  for (let at = 0; at < sorted.length; at++) {
    const time = rows.timeMs[sorted[at] as number] as number
    if (time - last > lateAfterMs && starts.length < maxLateGroups) starts.push(at)
    last = time
  }
  return starts.map((start, group) => sorted.subarray(start, starts[group + 1]))
}

function cutIntoSegments(rows: AllRows, indices: Uint32Array): readonly Uint32Array[] {
  if (indices.length === 0) return []
  const signal = (rows.sources[0] as RowSource).block.signal
  if (signal === 'traces') return cutTraces(rows, indices)
  const sorted = rows.byTime(indices)
  const parts: Uint32Array[] = []
  const count = Math.ceil(sorted.length / maxSegmentRows)
  const size = Math.ceil(sorted.length / count)
  for (let from = 0; from < sorted.length; from += size) parts.push(sorted.subarray(from, from + size))
  return signal === 'metrics' ? parts.map(part => bySeries(rows, part)) : parts
}

/** Traces in the order of their first spans, spans of a trace by start. */
function cutTraces(rows: AllRows, indices: Uint32Array): readonly Uint32Array[] {
  const sorted = rows.byTime(indices)
  const table = new IdTable(16, sorted.length >> 3)
  const traceOf = new Uint32Array(sorted.length)
  for (let at = 0; at < sorted.length; at++) {
    const index = sorted[at] as number
    const block = (rows.sources[rows.source[index] as number] as RowSource).block
    if (block.signal === 'traces') traceOf[at] = table.add(block.traceId, (rows.row[index] as number) * 16)
  }
  // Ordinals count up with first spans, so a counting sort by ordinal gives the order wanted.
  const starts = new Uint32Array(table.count + 1)
  for (const trace of traceOf) starts[trace + 1] = (starts[trace + 1] as number) + 1
  for (let trace = 0; trace < table.count; trace++)
    starts[trace + 1] = (starts[trace + 1] as number) + (starts[trace] as number)
  const next = starts.slice()
  const ordered = new Uint32Array(sorted.length)
  for (let at = 0; at < sorted.length; at++) {
    const trace = traceOf[at] as number
    const target = next[trace] as number
    ordered[target] = sorted[at] as number
    next[trace] = target + 1
  }
  const parts: Uint32Array[] = []
  let from = 0
  while (from < ordered.length) {
    const to = cutPoint(starts, from, ordered.length)
    parts.push(ordered.subarray(from, to))
    from = to
  }
  return parts
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

/** Points of one metric, resource and series next to each other, in time order. */
function bySeries(rows: AllRows, indices: Uint32Array): Uint32Array {
  const metrics = new Map<string, number>()
  const series = new Map<string, number>()
  const keys = new Float64Array(rows.count)
  for (const index of indices) {
    const block = (rows.sources[rows.source[index] as number] as RowSource).block
    if (block.signal !== 'metrics') continue
    const row = rows.row[index] as number
    const metric = block.metrics[block.metric[row] as number]
    const resource = block.resources[block.resource[row] as number]
    const text = `${block.strings[block.series[row] as number]}\n${resource?.service}\n${resource?.instance}`
    keys[index] = ordinalOf(metrics, `${metric?.type} ${metric?.name}`) * 4294967296 + ordinalOf(series, text)
  }
  return indices.sort(
    (a, b) =>
      (keys[a] as number) - (keys[b] as number) ||
      (rows.timeMs[a] as number) - (rows.timeMs[b] as number) ||
      a - b,
  )
}

function ordinalOf(known: Map<string, number>, key: string): number {
  const found = known.get(key)
  if (found !== undefined) return found
  known.set(key, known.size)
  return known.size - 1
}
