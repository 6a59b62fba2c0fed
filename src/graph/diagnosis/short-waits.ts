/**
 * Callers that give up on a callee without telemetry sooner than it usually answers: then the callee fails in their
 * eyes only. Such calls end at the caller's limit: hardly one lasts longer, where many used to.
 */
import { type Callees, silentCallees } from './charge-samples.ts'
import { pairOf } from './names.ts'
import { quantileOf, sortedCopy } from './robust.ts'
import { remoteChildren } from './time-charges.ts'
import { spanKinds, type TraceSet } from './trace-set.ts'

/** Calls on a side below which nobody knows how long they take. */
const minCalls = 8
/** How much longer than the upper quarter of the failed calls a call lasts that was not cut short, timers being late. */
const beyond = 1.25
/** So many of the usual answers must take longer than that, and at most so many of all calls may do so now. */
const usuallyBeyond = 0.25
const nowBeyond = 0.15
/** A callee that refuses does so at once; it is the caller that gives up if so many answers used to be faster. */
const usuallyFaster = 0.1

interface Calls {
  readonly failed: number[]
  readonly all: number[]
}

/** Caller and silent callee, as `waitKey` names them. */
export function cutShort(window: TraceSet, baseline: TraceSet, callees: Callees): ReadonlySet<number> {
  const before = callsOf(baseline, callees)
  const found = new Set<number>()
  for (const [key, now] of callsOf(window, callees)) {
    const usual = before.get(key)
    if (usual !== undefined && isCutShort(now, usual)) found.add(key)
  }
  return found
}

export function waitKey(caller: number, callee: number): number {
  return pairOf(caller, callee)
}

function isCutShort({ failed, all }: Calls, usual: Calls): boolean {
  if (failed.length < minCalls || usual.all.length < minCalls) return false
  const limits = sortedCopy(failed)
  const middleMs = quantileOf(limits, 0.5)
  const longMs = quantileOf(limits, 0.75) * beyond
  const shareAbove = (calls: readonly number[], ms: number) =>
    calls.filter(each => each > ms).length / calls.length
  return (
    shareAbove(usual.all, longMs) >= usuallyBeyond &&
    shareAbove(all, longMs) <= nowBeyond &&
    shareAbove(usual.all, middleMs) <= 1 - usuallyFaster
  )
}

function callsOf(set: TraceSet, callees: Callees): ReadonlyMap<number, Calls> {
  const calls = new Map<number, Calls>()
  const child = remoteChildren(set)
  const silent = silentCallees(set, callees)
  for (let row = 0; row < set.spans; row++) {
    if (set.kind[row] !== spanKinds.client || (child[row] ?? -1) >= 0) continue
    const callee = silent[row] ?? -1
    if (callee < 0) continue
    const key = waitKey(set.service[row] ?? 0, callee)
    const of = calls.get(key) ?? { failed: [], all: [] }
    calls.set(key, of)
    const ms = (set.endMs[row] ?? 0) - (set.startMs[row] ?? 0)
    of.all.push(ms)
    if (set.failed[row] === 1) of.failed.push(ms)
  }
  return calls
}
