/**
 * Sampled traces of one window in columns: traces contiguous, spans of a trace by start time, parents
 * resolved, clocks of different hosts brought together. What every span-based feature walks.
 *
 * Spans and traces are sorted by their own content, so the order of arrival leaves no mark on the answer.
 */
import type { SpanBlock } from '../../model/telemetry.ts'
import { toMs } from '../../model/time.ts'
import type { Names } from './names.ts'
import { endless, type Patience, paced } from './patience.ts'

/** SpanKind numbers of the proto that matter here. */
export const spanKinds = { server: 2, client: 3, producer: 4, consumer: 5 } as const

export interface TraceSet {
  readonly traces: number
  readonly spans: number
  /** Spans of trace `t` are `[first[t], first[t + 1])`. */
  readonly first: Uint32Array
  readonly traceIds: readonly string[]
  /** How many traces of the source this one stands for; 1 without sampling. */
  readonly weight: Float64Array
  /** Indices into the shared `Names`. */
  readonly service: Uint32Array
  readonly name: Uint32Array
  readonly peer: Uint32Array
  readonly instance: Uint32Array
  readonly version: Uint32Array
  readonly kind: Uint8Array
  /** Number of span links, at most 255. */
  readonly links: Uint8Array
  readonly failed: Uint8Array
  /** 1 for a span that says how it ended, by a status or a status code. */
  readonly tells: Uint8Array
  /** `error.type`, or the type of an exception it recorded; index into `Names`. */
  readonly errorType: Uint32Array
  readonly startMs: Float64Array
  readonly endMs: Float64Array
  /** By how much each span was moved to bring its clock together with its callers', milliseconds. */
  readonly movedMs: Float64Array
  /** Row of the parent in this set, -1 for none. */
  readonly parent: Int32Array
  /** Row of the span with which the service was entered; itself for an entry. */
  readonly entry: Uint32Array
  /** Trace of a row. */
  readonly trace: Uint32Array
  /** 1 for a span that names a parent which was not seen. */
  readonly orphan: Uint8Array
  /** How many those are. */
  readonly orphans: number
  /** Span ids as two halves, to join logs. */
  readonly spanHi: Uint32Array
  readonly spanLo: Uint32Array
}

/** A trace of more spans is cut to its earliest ones: a runaway loop must not take the whole time budget. */
export const maxSpansPerTrace = 2000

export interface PickedRows {
  readonly block: SpanBlock
  readonly rows: readonly number[]
}

/** Sampling weight of a span, 1 if its trace state says nothing. */
export type WeightOf = (block: SpanBlock, row: number) => number

interface Row {
  readonly block: SpanBlock
  readonly row: number
  readonly startMs: number
  readonly endMs: number
  readonly hi: number
  readonly lo: number
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
  const byTrace = groupByTrace(picked, patience)
  // One character per byte sorts as hex digits do, and is made in a third of the time.
  const ids = [...byTrace.keys()].sort()
  const groups = [...paced(ids, patience)].map(id => sortAndMerge(byTrace.get(id) ?? []))
  const spans = groups.reduce((sum, group) => sum + group.length, 0)
  const columns = allocate(spans, ids.length)
  const texts = new TextIds(names)
  let at = 0
  let orphans = 0
  for (const [t, group] of paced(groups.entries(), patience)) {
    columns.first[t] = at
    const head = group[0]
    columns.weight[t] = head === undefined ? 1 : weightOf(head.block, head.row)
    for (const [i, row] of group.entries()) fillRow(columns, at + i, t, row, texts)
    orphans += resolveParents(columns, group, at)
    alignClocks(columns, at, at + group.length)
    findEntries(columns, at, at + group.length)
    at += group.length
  }
  columns.first[ids.length] = at
  const traceIds = ids.map(id => Buffer.from(id, 'latin1').toString('hex'))
  return { traces: ids.length, spans, traceIds, orphans, ...columns }
}

function groupByTrace(picked: readonly PickedRows[], patience: Patience): Map<string, Row[]> {
  const byTrace = new Map<string, Row[]>()
  for (const { block, rows } of picked) {
    const ids = Buffer.from(block.traceId.buffer, block.traceId.byteOffset, block.traceId.byteLength)
    const spans = new DataView(block.spanId.buffer, block.spanId.byteOffset, block.spanId.byteLength)
    for (const row of paced(rows, patience)) {
      const id = ids.toString('latin1', row * 16, row * 16 + 16)
      const item: Row = {
        block,
        row,
        startMs: toMs(block.startHi[row] ?? 0, block.startLo[row] ?? 0),
        endMs: toMs(block.endHi[row] ?? 0, block.endLo[row] ?? 0),
        hi: spans.getUint32(row * 8),
        lo: spans.getUint32(row * 8 + 4),
      }
      const group = byTrace.get(id)
      if (group === undefined) byTrace.set(id, [item])
      else group.push(item)
    }
  }
  return byTrace
}

function sortAndMerge(rows: Row[]): Row[] {
  rows.sort((a, b) => a.startMs - b.startMs || b.endMs - a.endMs || a.hi - b.hi || a.lo - b.lo)
  const merged: Row[] = []
  const seen = new Map<number, Row[]>()
  for (const row of rows) {
    const same = seen.get(row.lo)
    if (same?.some(other => other.hi === row.hi && other.startMs === row.startMs)) continue
    if (same === undefined) seen.set(row.lo, [row])
    else same.push(row)
    merged.push(row)
    if (merged.length === maxSpansPerTrace) break
  }
  return merged
}

type Columns = ReturnType<typeof allocate>

function allocate(spans: number, traces: number) {
  return {
    first: new Uint32Array(traces + 1),
    weight: new Float64Array(traces),
    service: new Uint32Array(spans),
    name: new Uint32Array(spans),
    peer: new Uint32Array(spans),
    instance: new Uint32Array(spans),
    version: new Uint32Array(spans),
    kind: new Uint8Array(spans),
    links: new Uint8Array(spans),
    failed: new Uint8Array(spans),
    tells: new Uint8Array(spans),
    errorType: new Uint32Array(spans),
    startMs: new Float64Array(spans),
    endMs: new Float64Array(spans),
    movedMs: new Float64Array(spans),
    parent: new Int32Array(spans),
    orphan: new Uint8Array(spans),
    entry: new Uint32Array(spans),
    trace: new Uint32Array(spans),
    spanHi: new Uint32Array(spans),
    spanLo: new Uint32Array(spans),
  }
}

/** Turns a block's string and resource indices into shared ones, each once per block. */
class TextIds {
  readonly #names: Names
  readonly #strings = new WeakMap<SpanBlock, Int32Array>()

  constructor(names: Names) {
    this.#names = names
  }

  string(block: SpanBlock, index: number): number {
    let cache = this.#strings.get(block)
    if (cache === undefined) {
      cache = new Int32Array(block.strings.length).fill(-1)
      this.#strings.set(block, cache)
    }
    const known = cache[index] ?? -1
    if (known >= 0) return known
    const id = this.#names.id(block.strings[index] ?? '')
    cache[index] = id
    return id
  }

  text(text: string): number {
    return this.#names.id(text)
  }
}

function fillRow(columns: Columns, at: number, trace: number, item: Row, texts: TextIds): void {
  const { block, row } = item
  const resource = block.resources[block.resource[row] ?? 0]
  const status = block.status[row] ?? 0
  const kind = block.kind[row] ?? 0
  columns.service[at] = texts.text(resource?.service ?? '')
  columns.instance[at] = texts.text(resource?.instance ?? '')
  columns.version[at] = texts.text(resource?.version ?? '')
  columns.name[at] = texts.string(block, block.name[row] ?? 0)
  columns.peer[at] = texts.string(block, block.peer[row] ?? 0)
  columns.kind[at] = kind
  columns.links[at] = block.links[row] ?? 0
  const httpStatus = block.httpStatus[row] ?? 0
  columns.failed[at] = status === 2 || (status === 0 && httpStatus >= 500) ? 1 : 0
  columns.tells[at] = status !== 0 || httpStatus !== 0 ? 1 : 0
  columns.errorType[at] = texts.string(block, block.errorType[row] ?? 0)
  columns.startMs[at] = item.startMs
  columns.endMs[at] = Math.max(item.startMs, item.endMs)
  columns.trace[at] = trace
  columns.spanHi[at] = item.hi
  columns.spanLo[at] = item.lo
}

/** Sets `parent`; returns how many spans name a parent that is not there. */
function resolveParents(columns: Columns, group: readonly Row[], base: number): number {
  const byLow = new Map<number, number[]>()
  for (const [i, row] of group.entries()) {
    const same = byLow.get(row.lo)
    if (same === undefined) byLow.set(row.lo, [i])
    else same.push(i)
  }
  let orphans = 0
  for (const [i, row] of group.entries()) {
    const parents = row.block.parentSpanId
    const view = new DataView(parents.buffer, parents.byteOffset + row.row * 8, 8)
    const hi = view.getUint32(0)
    const lo = view.getUint32(4)
    columns.parent[base + i] = -1
    if (hi === 0 && lo === 0) continue
    const found = byLow.get(lo)?.find(j => group[j]?.hi === hi && j !== i)
    if (found === undefined) {
      orphans++
      columns.orphan[base + i] = 1
    } else columns.parent[base + i] = base + found
  }
  breakCycles(columns, base, base + group.length)
  return orphans
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
function alignClocks(columns: Columns, from: number, to: number): void {
  const { parent, kind, failed, startMs, endMs, movedMs } = columns
  const done = new Uint8Array(to - from)
  const align = (row: number): number => {
    const index = row - from
    if (done[index] === 1) return movedMs[row] ?? 0
    done[index] = 1
    const above = parent[row] ?? -1
    if (above < 0) return 0
    let moved = align(above)
    const start = (startMs[row] ?? 0) + moved
    const end = (endMs[row] ?? 0) + moved
    const lower = startMs[above] ?? 0
    const upper = endMs[above] ?? 0
    const remote = kind[row] === spanKinds.server && kind[above] === spanKinds.client
    const late = end > upper && failed[above] !== 1
    if (remote && (start < lower || late) && end - start <= upper - lower) {
      moved += (lower + upper) / 2 - (start + end) / 2
    }
    movedMs[row] = moved
    startMs[row] = (startMs[row] ?? 0) + moved
    endMs[row] = (endMs[row] ?? 0) + moved
    return moved
  }
  for (let row = from; row < to; row++) align(row)
}

function findEntries(columns: Columns, from: number, to: number): void {
  const { parent, kind, service, entry } = columns
  const done = new Uint8Array(to - from)
  const find = (row: number): number => {
    if (done[row - from] === 1) return entry[row] ?? row
    done[row - from] = 1
    const above = parent[row] ?? -1
    const remote = kind[row] === spanKinds.server || kind[row] === spanKinds.consumer
    entry[row] = above < 0 || remote || service[above] !== service[row] ? row : find(above)
    return entry[row] ?? row
  }
  for (let row = from; row < to; row++) find(row)
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
