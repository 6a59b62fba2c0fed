/**
 * How much later the spans of stored traces would have ended if one service had taken longer: a span goes on when
 * the last child that had ended before that point has ended, and what it did in between takes as long as it did.
 * A child that another one outlasted has slack, and a delay that fits into it delays nobody.
 */
import { endless, type Patience, paced } from '../diagnosis/patience.ts'
import type { TraceSet } from '../diagnosis/trace-set.ts'
import { childrenOf, isWaitedFor, rowsAbove } from './target.ts'

/**
 * Milliseconds by which each span would take longer if the marked ones had taken `delayMs` longer themselves.
 * Throws what `patience` throws.
 */
export function replayDelay(
  set: TraceSet,
  marked: Uint8Array,
  delayMs: number,
  patience: Patience = endless,
): Float64Array {
  const longer = new Float64Array(set.spans)
  const concerned = rowsAbove(set, marked)
  const children = childrenOf(set)
  for (const trace of paced(set.traceIds.keys(), patience)) {
    for (const row of deepestFirst(set, trace)) {
      if (concerned[row] === 0) continue
      const waits = children(row).filter(child => isWaitedFor(set, child, row))
      longer[row] = waitLonger(set, waits, longer) + (marked[row] === 1 ? delayMs : 0)
    }
  }
  return longer
}

/** Rows of a trace, each after all that hang below it. */
function deepestFirst(set: TraceSet, trace: number): readonly number[] {
  const from = set.first[trace] ?? 0
  const to = set.first[trace + 1] ?? from
  const depth = new Int32Array(to - from).fill(-1)
  const depthOf = (row: number): number => {
    const known = depth[row - from] ?? -1
    if (known >= 0) return known
    const above = set.parent[row] ?? -1
    const found = above < 0 ? 0 : depthOf(above) + 1
    depth[row - from] = found
    return found
  }
  const rows = Array.from({ length: to - from }, (_, at) => from + at)
  return rows.sort((a, b) => depthOf(b) - depthOf(a) || a - b)
}

/**
 * How much later the last of these siblings would end. Each starts after the latest of those that had ended
 * before it did, so it starts later by as much as that moment moves.
 */
function waitLonger(set: TraceSet, siblings: readonly number[], longer: Float64Array): number {
  const start = (row: number) => set.startMs[row] ?? 0
  const end = (row: number) => set.endMs[row] ?? 0
  const byStart = [...siblings].sort((a, b) => start(a) - start(b) || end(a) - end(b) || a - b)
  const byEnd = [...siblings].sort((a, b) => end(a) - end(b) || start(a) - start(b) || a - b)
  const endThen = new Map<number, number>()
  let ended = Number.NEGATIVE_INFINITY
  let endedThen = Number.NEGATIVE_INFINITY
  let next = 0
  const passUntil = (ms: number): void => {
    for (let row = byEnd[next]; row !== undefined && end(row) <= ms; row = byEnd[++next]) {
      const then = endThen.get(row)
      // Only a span without length ends before its own start is looked at.
      if (then === undefined) return
      ended = Math.max(ended, end(row))
      endedThen = Math.max(endedThen, then)
    }
  }
  for (const row of byStart) {
    passUntil(start(row))
    const startsLater = Number.isFinite(ended) ? Math.max(0, endedThen - ended) : 0
    endThen.set(row, end(row) + startsLater + (longer[row] ?? 0))
  }
  passUntil(Number.POSITIVE_INFINITY)
  return Number.isFinite(ended) ? Math.max(0, endedThen - ended) : 0
}
