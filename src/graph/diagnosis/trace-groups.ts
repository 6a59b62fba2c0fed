/** Picked rows by their traces, in columns: sorted by their own content, equal spans once. */
import type { SpanBlock } from '../../model/telemetry.ts'
import { toMs } from '../../model/time.ts'
import { type Patience, paced, stride } from './patience.ts'
import { TraceNumbers } from './trace-numbers.ts'

/** A trace of more spans is cut to its earliest ones: a runaway loop must not take the whole time budget. */
export const maxSpansPerTrace = 2000
/** Up to so many are put in order one by one, which for a dozen beats a sort with comparisons by far. */
const fewSpans = 32

export interface PickedRows {
  readonly block: SpanBlock
  readonly rows: readonly number[]
}

/** Rows in any order, each with the place it came from; `order` has them by trace. */
export interface TraceGroups {
  readonly traceIds: readonly string[]
  /** Of trace `t` `order[first[t]]` to `order[first[t] + kept[t] - 1]` are its rows. */
  readonly first: Uint32Array
  readonly kept: Uint32Array
  readonly order: Uint32Array
  readonly spans: number
  /** Index into what was picked, and row of that block. */
  readonly part: Uint32Array
  readonly row: Uint32Array
  readonly startMs: Float64Array
  readonly endMs: Float64Array
  readonly hi: Uint32Array
  readonly lo: Uint32Array
}

/** Traces by id, rows of a trace by start, longest first, then by id. Throws what `patience` throws. */
export function groupByTrace(picked: readonly PickedRows[], patience: Patience): TraceGroups {
  const rows = new PickedColumns(picked.reduce((sum, { rows: some }) => sum + some.length, 0))
  const traces = new TraceNumbers()
  for (const [part, one] of picked.entries()) rows.add(part, one, traces, patience)
  const sorted = traces.sorted()
  const { first, order } = byTrace(rows.trace, sorted)
  const kept = new Uint32Array(sorted.length)
  let spans = 0
  for (const t of paced(sorted.keys(), patience)) {
    const group = order.subarray(first[t], first[t + 1])
    sortRows(group, rows)
    kept[t] = mergeEqual(group, rows)
    spans += kept[t] as number
  }
  const { part, row, startMs, endMs, hi, lo } = rows
  return { traceIds: traces.texts(sorted), first, kept, order, spans, part, row, startMs, endMs, hi, lo }
}

type RowColumns = Pick<TraceGroups, 'startMs' | 'endMs' | 'hi' | 'lo'>

class PickedColumns {
  readonly part: Uint32Array
  readonly row: Uint32Array
  readonly trace: Uint32Array
  readonly startMs: Float64Array
  readonly endMs: Float64Array
  readonly hi: Uint32Array
  readonly lo: Uint32Array
  #count = 0

  constructor(count: number) {
    this.part = new Uint32Array(count)
    this.row = new Uint32Array(count)
    this.trace = new Uint32Array(count)
    this.startMs = new Float64Array(count)
    this.endMs = new Float64Array(count)
    this.hi = new Uint32Array(count)
    this.lo = new Uint32Array(count)
  }

  add(part: number, { block, rows }: PickedRows, traces: TraceNumbers, patience: Patience): void {
    const ids = viewOf(block.traceId)
    const spans = viewOf(block.spanId)
    for (let i = 0; i < rows.length; i++) {
      if (i % stride === 0) patience.check()
      const row = rows[i] as number
      const at = this.#count++
      this.part[at] = part
      this.row[at] = row
      this.trace[at] = traces.of(ids, row)
      this.startMs[at] = toMs(block.startHi[row] as number, block.startLo[row] as number)
      this.endMs[at] = toMs(block.endHi[row] as number, block.endLo[row] as number)
      this.hi[at] = spans.getUint32(row * 8)
      this.lo[at] = spans.getUint32(row * 8 + 4)
    }
  }
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Rows of each of `sorted` in the order they have. */
function byTrace(
  traces: Uint32Array,
  sorted: Uint32Array,
): { readonly first: Uint32Array; readonly order: Uint32Array } {
  const place = new Uint32Array(sorted.length)
  for (const [t, number] of sorted.entries()) place[number] = t
  const first = new Uint32Array(sorted.length + 1)
  for (const trace of traces) {
    const t = (place[trace] as number) + 1
    first[t] = (first[t] as number) + 1
  }
  for (let t = 0; t < sorted.length; t++) first[t + 1] = (first[t] as number) + (first[t + 1] as number)
  const next = first.slice()
  const order = new Uint32Array(traces.length)
  for (let at = 0; at < traces.length; at++) {
    const t = place[traces[at] as number] as number
    const to = next[t] as number
    next[t] = to + 1
    order[to] = at
  }
  return { first, order }
}

function sortRows(group: Uint32Array, rows: RowColumns): void {
  if (group.length > fewSpans) {
    group.sort((a, b) => compareRows(rows, a, b))
    return
  }
  for (let i = 1; i < group.length; i++) {
    const row = group[i] as number
    let at = i
    for (; at > 0 && compareRows(rows, row, group[at - 1] as number) < 0; at--)
      group[at] = group[at - 1] as number
    group[at] = row
  }
}

function compareRows({ startMs, endMs, hi, lo }: RowColumns, a: number, b: number): number {
  return (
    (startMs[a] as number) - (startMs[b] as number) ||
    (endMs[b] as number) - (endMs[a] as number) ||
    (hi[a] as number) - (hi[b] as number) ||
    (lo[a] as number) - (lo[b] as number)
  )
}

/** Moves rows to the front that are not the span of an earlier one (id and start); returns how many, `maxSpansPerTrace` at most. */
function mergeEqual(group: Uint32Array, { startMs, hi, lo }: RowColumns): number {
  let kept = 0
  for (const row of group) {
    let before = kept - 1
    // Equal starts stand together.
    while (before >= 0 && startMs[group[before] as number] === startMs[row]) {
      if (lo[group[before] as number] === lo[row] && hi[group[before] as number] === hi[row]) break
      before--
    }
    if (before >= 0 && startMs[group[before] as number] === startMs[row]) continue
    group[kept++] = row
    if (kept === maxSpansPerTrace) break
  }
  return kept
}
