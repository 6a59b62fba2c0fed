/**
 * What the end of each request waited for: backwards from its end always the child that ended last, and between
 * children the span itself. Every instant of the request belongs to exactly one span.
 */
import { endless, type Patience, paced } from '../diagnosis/patience.ts'
import type { TraceSet } from '../diagnosis/trace-set.ts'
import { answeredCalls, childrenOf, isWaitedFor } from './target.ts'

/** Milliseconds of the critical path that each span spends itself. Throws what `patience` throws. */
export function criticalTime(set: TraceSet, patience: Patience = endless): Float64Array {
  const critical = new Float64Array(set.spans)
  const children = childrenOf(set)
  const walk = { set, children, critical }
  for (const trace of paced(set.traceIds.keys(), patience)) {
    const to = set.first[trace + 1] ?? 0
    for (let row = set.first[trace] ?? 0; row < to; row++) if ((set.parent[row] ?? -1) < 0) follow(walk, row)
  }
  return critical
}

interface PathWalk {
  readonly set: TraceSet
  readonly children: (row: number) => readonly number[]
  readonly critical: Float64Array
}

function follow({ set, children, critical }: PathWalk, root: number): void {
  // A child that began before its parent by another clock begins with it.
  const stack = [{ row: root, fromMs: set.startMs[root] ?? 0, untilMs: set.endMs[root] ?? 0 }]
  for (let step = stack.pop(); step !== undefined; step = stack.pop()) {
    const { row, fromMs } = step
    let until = step.untilMs
    let own = 0
    const end = (child: number) => set.endMs[child] ?? 0
    const byEnd = [...children(row)].sort((a, b) => end(b) - end(a) || a - b)
    for (const child of byEnd) {
      // What ends a little late by another clock ends with its parent.
      const late = end(child) > (set.endMs[row] ?? 0)
      const endMs = late && isWaitedFor(set, child, row) ? Math.min(end(child), until) : end(child)
      const startMs = Math.max(set.startMs[child] ?? 0, fromMs)
      if (endMs > until || endMs <= startMs || !isWaitedFor(set, child, row)) continue
      own += until - endMs
      stack.push({ row: child, fromMs: startMs, untilMs: endMs })
      until = startMs
    }
    critical[row] = own + Math.max(0, until - fromMs)
  }
}

/**
 * Share of each trace's critical path that every service has, 0 to 1, by index into `Names` and then by trace;
 * services that send nothing are charged for the calls to them. Traces without length are left out.
 */
export function criticalShares(
  set: TraceSet,
  patience: Patience = endless,
): ReadonlyMap<number, ReadonlyMap<number, number>> {
  const critical = criticalTime(set, patience)
  const answered = answeredCalls(set)
  const total = new Float64Array(set.traces)
  for (let row = 0; row < set.spans; row++) {
    const trace = set.trace[row] ?? 0
    total[trace] = (total[trace] ?? 0) + (critical[row] ?? 0)
  }
  const shares = new Map<number, Map<number, number>>()
  for (let row = 0; row < set.spans; row++) {
    const trace = set.trace[row] ?? 0
    const all = total[trace] ?? 0
    const own = critical[row] ?? 0
    if (all === 0 || own === 0) continue
    const silent = set.peer[row] !== 0 && answered[row] === 0 && set.entry[row] !== row
    const owner = (silent ? set.peer[row] : set.service[row]) ?? 0
    const byTrace = shares.get(owner) ?? new Map<number, number>()
    byTrace.set(trace, (byTrace.get(trace) ?? 0) + own / all)
    shares.set(owner, byTrace)
  }
  return shares
}
