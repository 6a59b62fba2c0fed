/**
 * Waiting before a call that failed is made again. It is the caller that waits, but for the callee's sake: charged to
 * the caller's own time, whoever waits for a broken service would look slow. Waits are compared with waits instead, so
 * that a caller which waits longer than it used to is seen, and one which only has to wait more often is not.
 */
import { spanKinds, type TraceSet } from './trace-set.ts'

/** From the end of a failed call to the start of its repetition. */
export interface RetryWait {
  /** Row of the failed call. */
  readonly call: number
  readonly fromMs: number
  readonly toMs: number
}

export type RetryWaits = ReadonlyMap<number, readonly RetryWait[]>

/** By trace. `calleeOf` says whom a client span was meant for; calls of one span to one place by one name are alike. */
export function retryWaits(set: TraceSet, calleeOf: (row: number) => number): RetryWaits {
  const found = new Map<number, RetryWait[]>()
  const parents = parentsOfFailedCalls(set)
  if (parents.size === 0) return found
  for (const calls of callsAlike(set, parents, calleeOf)) {
    for (const [i, call] of calls.entries()) {
      if (set.failed[call] !== 1) continue
      const fromMs = set.endMs[call] ?? 0
      const toMs = nextStart(set, calls, i + 1, fromMs)
      if (toMs <= fromMs) continue
      const trace = set.trace[call] ?? 0
      const waits = found.get(trace) ?? []
      found.set(trace, waits)
      waits.push({ call, fromMs, toMs })
    }
  }
  return found
}

/** Start of the first of these calls from `first` on that begins at `fromMs` or later; `fromMs` for none. */
function nextStart(set: TraceSet, calls: readonly number[], first: number, fromMs: number): number {
  for (let i = first; i < calls.length; i++) {
    const startMs = set.startMs[calls[i] ?? 0] ?? 0
    if (startMs >= fromMs) return startMs
  }
  return fromMs
}

function parentsOfFailedCalls(set: TraceSet): ReadonlySet<number> {
  const parents = new Set<number>()
  for (let row = 0; row < set.spans; row++) {
    const parent = set.parent[row] ?? -1
    if (set.failed[row] === 1 && set.kind[row] === spanKinds.client && parent >= 0) parents.add(parent)
  }
  return parents
}

/** Calls below these spans that are alike, each group by start. */
function callsAlike(
  set: TraceSet,
  parents: ReadonlySet<number>,
  calleeOf: (row: number) => number,
): Iterable<readonly number[]> {
  const groups = new Map<string, number[]>()
  for (let row = 0; row < set.spans; row++) {
    const parent = set.parent[row] ?? -1
    if (set.kind[row] !== spanKinds.client || !parents.has(parent)) continue
    const key = `${parent} ${set.name[row]} ${calleeOf(row)}`
    const calls = groups.get(key) ?? []
    groups.set(key, calls)
    calls.push(row)
  }
  for (const calls of groups.values()) {
    calls.sort((a, b) => (set.startMs[a] ?? 0) - (set.startMs[b] ?? 0) || a - b)
  }
  return groups.values()
}
