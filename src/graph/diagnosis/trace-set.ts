/**
 * Sampled traces of one window in columns: traces contiguous, spans of a trace by start time, parents
 * resolved, clocks of different hosts brought together. What every span-based feature walks.
 *
 * Spans and traces are sorted by their own content, so the order of arrival leaves no mark on the answer.
 */
import type { Names } from './names.ts'
import { endless, type Patience, paced } from './patience.ts'
import { allocateColumns, type Columns, RowFiller, type WeightOf } from './trace-columns.ts'
import { groupByTrace, maxSpansPerTrace, type PickedRows } from './trace-groups.ts'

/** SpanKind numbers of the proto that matter here. */
export const spanKinds = { server: 2, client: 3, producer: 4, consumer: 5 } as const

export interface TraceSet extends Columns {
  readonly traces: number
  readonly spans: number
  readonly traceIds: readonly string[]
  /** Spans that name a parent which was not seen. */
  readonly orphans: number
}

/**
 * Builds the set of whole traces from rows in any order; equal spans (trace, span, start) count once. Throws what
 * `patience` throws.
 */
export function buildTraceSet(
  picked: readonly PickedRows[],
  names: Names,
  weightOf: WeightOf,
  patience: Patience = endless,
): TraceSet {
  const groups = groupByTrace(picked, patience)
  const traces = groups.traceIds.length
  const columns = allocateColumns(groups.spans, traces)
  const filler = new RowFiller(columns, picked, groups, names)
  const links = new ParentLinks(columns, filler)
  let at = 0
  let orphans = 0
  for (const t of paced(groups.kept.keys(), patience)) {
    const end = at + (groups.kept[t] as number)
    columns.first[t] = at
    columns.weight[t] = filler.weightOf(t, weightOf)
    for (let row = at; row < end; row++) filler.fill(row, t, row - at)
    orphans += links.resolve(at, end)
    const order = links.parentsFirst(at, end)
    for (let i = 0; i < end - at; i++) {
      const row = order[i] as number
      alignClock(columns, row)
      findEntry(columns, row)
    }
    at = end
  }
  columns.first[traces] = at
  return { traces, spans: groups.spans, traceIds: groups.traceIds, orphans, ...columns }
}

type ParentIds = Pick<RowFiller, 'parentHi' | 'parentLo'>

/** Finds parents by their ids, with room that is used again from trace to trace. */
class ParentLinks {
  readonly #columns: Columns
  readonly #ids: ParentIds
  /** Rows by a hash of their ids, one more than they are, the earliest first; and the next of the same hash. */
  #heads = new Uint32Array(0)
  readonly #next: Uint32Array
  /** Whether a parent of the trace at hand comes after its child. */
  #late = false
  readonly #order = new Uint32Array(maxSpansPerTrace)

  constructor(columns: Columns, ids: ParentIds) {
    this.#columns = columns
    this.#ids = ids
    this.#next = new Uint32Array(columns.parent.length)
  }

  /** Sets `parent`; returns how many spans name a parent that is not there. */
  resolve(from: number, to: number): number {
    const { parent, orphan } = this.#columns
    const { parentHi, parentLo } = this.#ids
    this.#index(from, to)
    let orphans = 0
    this.#late = false
    for (let row = from; row < to; row++) {
      parent[row] = -1
      if (parentHi[row] === 0 && parentLo[row] === 0) continue
      const found = this.#find(row)
      if (found < 0) {
        orphans++
        orphan[row] = 1
      } else {
        parent[row] = found
        this.#late ||= found > row
      }
    }
    // Where every parent comes first there is no loop.
    if (this.#late) breakCycles(this.#columns, from, to)
    return orphans
  }

  /** The rows of the trace that was resolved last, each after its parent; of what is returned only so many count. */
  parentsFirst(from: number, to: number): Uint32Array {
    const order = this.#order
    for (let row = from; row < to; row++) order[row - from] = row
    if (!this.#late) return order
    const { parent } = this.#columns
    const depths = new Uint32Array(to - from)
    const depthOf = (row: number): number => {
      const known = depths[row - from] as number
      if (known > 0) return known
      const above = parent[row] as number
      const depth = above < 0 ? 1 : depthOf(above) + 1
      depths[row - from] = depth
      return depth
    }
    return order.subarray(0, to - from).sort((a, b) => depthOf(a) - depthOf(b))
  }

  #index(from: number, to: number): void {
    let size = this.#heads.length
    if (size < (to - from) * 2) {
      size = 16
      while (size < (to - from) * 2) size *= 2
      this.#heads = new Uint32Array(size)
    } else this.#heads.fill(0)
    const { spanHi, spanLo } = this.#columns
    for (let row = to - 1; row >= from; row--) {
      const slot = slotOf(spanHi[row] as number, spanLo[row] as number, size)
      this.#next[row] = this.#heads[slot] as number
      this.#heads[slot] = row + 1
    }
  }

  /** The first span with the id that the row names as its parent, other than itself; -1 for none. */
  #find(row: number): number {
    const { spanHi, spanLo } = this.#columns
    const { parentHi, parentLo } = this.#ids
    const hi = parentHi[row] as number
    const lo = parentLo[row] as number
    let at = (this.#heads[slotOf(hi, lo, this.#heads.length)] as number) - 1
    while (at >= 0 && (at === row || spanLo[at] !== lo || spanHi[at] !== hi))
      at = (this.#next[at] as number) - 1
    return at
  }
}

function slotOf(hi: number, lo: number, size: number): number {
  const hash = Math.imul(hi ^ (hi >>> 15), 0x2c1b3c6d) ^ lo
  return (Math.imul(hash ^ (hash >>> 13), 0x297a2d39) >>> 8) & (size - 1)
}

/** Forged or broken ids may name each other as parents; such a loop is cut where it was entered. */
function breakCycles(columns: Columns, from: number, to: number): void {
  const state = new Uint8Array(to - from)
  for (let start = from; start < to; start++) {
    const path: number[] = []
    let row = start
    while (row >= 0 && state[row - from] === 0) {
      state[row - from] = 1
      path.push(row)
      row = columns.parent[row] ?? -1
    }
    if (row >= 0 && state[row - from] === 1) columns.parent[row] = -1
    for (const seen of path) state[seen - from] = 2
  }
}

/**
 * A server span that sticks out of its client span although it is shorter was timed by another clock: it is
 * moved to the middle of the client span, and everything below it moves along. Not so where the client failed and the
 * server was still at work, or had not begun: it gave up waiting, and what came too late is no matter of clocks.
 */
function alignClock({ parent, kind, failed, startMs, endMs, movedMs }: Columns, row: number): void {
  const above = parent[row] as number
  if (above < 0) return
  let moved = movedMs[above] as number
  const start = (startMs[row] as number) + moved
  const end = (endMs[row] as number) + moved
  const lower = startMs[above] as number
  const upper = endMs[above] as number
  const remote = kind[row] === spanKinds.server && kind[above] === spanKinds.client
  const late = end > upper && failed[above] !== 1
  if (remote && (start < lower || late) && end - start <= upper - lower) {
    moved += (lower + upper) / 2 - (start + end) / 2
  }
  movedMs[row] = moved
  startMs[row] = (startMs[row] as number) + moved
  endMs[row] = (endMs[row] as number) + moved
}

/** The parent's is known. */
function findEntry({ parent, kind, service, entry }: Columns, row: number): void {
  const above = parent[row] as number
  const remote = kind[row] === spanKinds.server || kind[row] === spanKinds.consumer
  entry[row] = above < 0 || remote || service[above] !== service[row] ? row : (entry[above] as number)
}

/** From the first start to the last end of each trace, milliseconds. */
export function traceDurations(set: TraceSet): Float64Array {
  const durations = new Float64Array(set.traces)
  for (let t = 0; t < set.traces; t++) {
    let from = Number.POSITIVE_INFINITY
    let to = Number.NEGATIVE_INFINITY
    for (let row = set.first[t] ?? 0; row < (set.first[t + 1] ?? 0); row++) {
      from = Math.min(from, set.startMs[row] ?? from)
      to = Math.max(to, set.endMs[row] ?? to)
    }
    durations[t] = Math.max(0, to - from)
  }
  return durations
}
