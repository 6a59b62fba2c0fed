/** One trace as a flat list in calling order: parents resolved, self time, critical path. */
import type { TraceRows } from '../../model/reader.ts'
import { itemFlags, type RecordTable, recordOf, type SpanBlock } from '../../model/telemetry.ts'
import { toMs, toNs } from '../../model/time.ts'
import { hexAt, isZeroId } from './hex-id.ts'

/** A longer trace is cut to its earliest spans and says so: a runaway loop must not take the time budget. */
export const maxTraceSpans = 20_000

export interface TraceSpan {
  /** From 1, in calling order; short names for spans inside one answer. */
  readonly ordinal: number
  /** Ordinal of the parent, 0 for none in this trace. */
  readonly parent: number
  readonly depth: number
  readonly spanId: string
  /** Named a parent that is not here. */
  readonly orphan: boolean
  readonly service: string
  readonly operation: string
  readonly kind: number
  readonly failed: boolean
  readonly httpStatus: number
  readonly errorType: string
  readonly peer: string
  readonly instance: string
  readonly version: string
  readonly links: number
  /** After the start of the trace. */
  readonly offsetMs: number
  readonly durationMs: number
  /** Not covered by child spans; concurrent children count once. */
  readonly selfMs: number
  readonly critical: boolean
  readonly clockWrong: boolean
  readonly record: Uint8Array
}

export interface TraceTree {
  readonly spans: readonly TraceSpan[]
  readonly startMs: number
  readonly durationMs: number
  /** Spans left out because of `maxTraceSpans`. */
  readonly cut: number
}

interface Node {
  readonly block: SpanBlock
  readonly row: number
  readonly records: RecordTable
  readonly spanId: string
  readonly startNs: bigint
  readonly startMs: number
  readonly endMs: number
  parent: Node | null
  readonly children: Node[]
  ordinal: number
  depth: number
  critical: boolean
}

function nodesOf(rows: TraceRows): Node[] {
  return rows.parts.flatMap(({ block, rows: at, records }) =>
    at.map(row => ({
      block,
      row,
      records,
      spanId: hexAt(block.spanId, row, 8),
      startNs: toNs(block.startHi[row] ?? 0, block.startLo[row] ?? 0),
      startMs: toMs(block.startHi[row] ?? 0, block.startLo[row] ?? 0),
      endMs: toMs(block.endHi[row] ?? 0, block.endLo[row] ?? 0),
      parent: null,
      children: [],
      ordinal: 0,
      depth: 0,
      critical: false,
    })),
  )
}

const byStart = (a: Node, b: Node): number =>
  a.startNs < b.startNs
    ? -1
    : a.startNs > b.startNs
      ? 1
      : a.spanId < b.spanId
        ? -1
        : a.spanId > b.spanId
          ? 1
          : 0

/** Cuts every circle at the earliest of its spans. Each node is walked over once. */
function cutCircles(nodes: readonly Node[]): void {
  const done = new Set<Node>()
  for (const node of nodes) {
    const path = new Set<Node>()
    let at: Node | null = node
    while (at !== null && !done.has(at) && !path.has(at)) {
      path.add(at)
      at = at.parent
    }
    if (at !== null && path.has(at)) at.parent = null
    for (const passed of path) done.add(passed)
  }
}

function linkParents(nodes: readonly Node[]): void {
  const byId = new Map<string, Node>()
  for (const node of nodes) if (!byId.has(node.spanId)) byId.set(node.spanId, node)
  for (const node of nodes) {
    if (isZeroId(node.block.parentSpanId, node.row, 8)) continue
    node.parent = byId.get(hexAt(node.block.parentSpanId, node.row, 8)) ?? null
  }
  cutCircles(nodes)
  for (const node of nodes) node.parent?.children.push(node)
}

/** Numbers the spans depth first, children by start. */
function number(nodes: readonly Node[]): Node[] {
  const ordered: Node[] = []
  const stack = nodes.filter(node => node.parent === null).reverse()
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    ordered.push(node)
    node.ordinal = ordered.length
    node.depth = node.parent === null ? 0 : node.parent.depth + 1
    for (const child of node.children.toReversed()) stack.push(child)
  }
  return ordered
}

function selfTime(node: Node): number {
  let covered = 0
  let until = node.startMs
  for (const child of node.children) {
    const from = Math.max(child.startMs, until)
    const to = Math.min(child.endMs, node.endMs)
    if (to > from) {
      covered += to - from
      until = to
    }
  }
  return Math.max(0, node.endMs - node.startMs - covered)
}

/** Marks what the end of the root waited for: backwards from the end, always the child that ended last. */
function markCriticalPath(root: Node): void {
  const stack = [root]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    node.critical = true
    let until = node.endMs
    const byEnd = node.children.toSorted((a, b) => b.endMs - a.endMs || byStart(a, b))
    for (const child of byEnd) {
      if (child.endMs > until || child.endMs <= child.startMs) continue
      stack.push(child)
      until = child.startMs
    }
  }
}

function spanOf(node: Node, startMs: number): TraceSpan {
  const { block, row } = node
  const resource = block.resources[block.resource[row] ?? 0]
  return {
    ordinal: node.ordinal,
    parent: node.parent?.ordinal ?? 0,
    depth: node.depth,
    spanId: node.spanId,
    orphan: node.parent === null && !isZeroId(block.parentSpanId, row, 8),
    service: resource?.service ?? '',
    operation: block.strings[block.name[row] ?? 0] ?? '',
    kind: block.kind[row] ?? 0,
    failed: block.status[row] === 2,
    httpStatus: block.httpStatus[row] ?? 0,
    errorType: block.strings[block.errorType[row] ?? 0] ?? '',
    peer: block.strings[block.peer[row] ?? 0] ?? '',
    instance: resource?.instance ?? '',
    version: resource?.version ?? '',
    links: block.links[row] ?? 0,
    offsetMs: node.startMs - startMs,
    durationMs: node.endMs - node.startMs,
    selfMs: selfTime(node),
    critical: node.critical,
    clockWrong: ((block.flags[row] ?? 0) & itemFlags.endBeforeStart) !== 0,
    record: recordOf(node.records, row),
  }
}

/** The tree of a trace, the same whatever the order in which its spans arrived. */
export function readTraceTree(rows: TraceRows): TraceTree {
  const all = nodesOf(rows).sort(byStart)
  const nodes = all.slice(0, maxTraceSpans)
  linkParents(nodes)
  const ordered = number(nodes)
  const startMs = nodes[0]?.startMs ?? 0
  const endMs = nodes.reduce((latest, node) => Math.max(latest, node.endMs), startMs)
  const longest = nodes
    .filter(node => node.parent === null)
    .reduce<Node | null>(
      (best, node) => (best === null || node.endMs - node.startMs > best.endMs - best.startMs ? node : best),
      null,
    )
  if (longest !== null) markCriticalPath(longest)
  return {
    spans: ordered.map(node => spanOf(node, startMs)),
    startMs,
    durationMs: endMs - startMs,
    cut: all.length - nodes.length,
  }
}
