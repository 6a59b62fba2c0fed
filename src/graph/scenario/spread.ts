/**
 * How often a request fails when all its calls to a service have failed. Counted by request and not by call, so
 * that a call that was retried with success is no failure that the caller withstood.
 */
import type { Names } from '../diagnosis/names.ts'
import { roundTo } from '../diagnosis/score.ts'
import { spanKinds, type TraceSet } from '../diagnosis/trace-set.ts'
import { type Interval, shareInterval } from '../share-interval.ts'
import { answeredCalls, isWaitedFor } from './target.ts'

export interface Spread {
  readonly caller: string
  readonly callee: string
  /** Requests of the caller whose calls to an operation of the callee all failed, and those that failed too. */
  readonly calleeFailed: number
  readonly callerFailed: number
  /** Of the requests themselves, of which a sampler may have kept some kinds more often; null without any. */
  readonly probability: number | null
  /** Where that share lies with 95 % certainty; 0 and 1 without any. */
  readonly low: number
  readonly high: number
  /** Share of the caller's requests with calls that all went well and that failed all the same; null without any. */
  readonly otherwise: number | null
}

/** Calls from one request to one operation of another service. */
export interface CallGroup {
  /** Row of the span with which the caller was entered. */
  readonly entry: number
  /** Indices into `Names`. */
  readonly caller: number
  readonly callee: number
  /** Rows of the spans with which the callee was entered, or of the calls where it sends none. */
  readonly calls: readonly number[]
}

/** All calls between services that the caller waited for, by request, callee and operation. */
export function callGroups(set: TraceSet): readonly CallGroup[] {
  const groups = new Map<string, { entry: number; caller: number; callee: number; calls: number[] }>()
  const answered = answeredCalls(set)
  for (let row = 0; row < set.spans; row++) {
    const found = callAt(set, answered, row)
    if (found === null) continue
    const { entry, callee } = found
    const key = `${entry} ${callee} ${set.name[row] ?? 0}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { entry, caller: set.service[entry] ?? 0, callee, calls: [row] })
    else group.calls.push(row)
  }
  return [...groups.values()]
}

/** The request that made this call and whom it called; null for spans that are no call somebody waited for. */
function callAt(
  set: TraceSet,
  answered: Uint8Array,
  row: number,
): { readonly entry: number; readonly callee: number } | null {
  const above = set.parent[row] ?? -1
  if (set.entry[row] === row) {
    if (above < 0) return null
    const entry = set.entry[above] ?? above
    return isWaitedFor(set, row, entry) ? { entry, callee: set.service[row] ?? 0 } : null
  }
  const entry = set.entry[row] ?? row
  const called = set.kind[row] === spanKinds.client && set.peer[row] !== 0 && answered[row] === 0
  return called && isWaitedFor(set, row, entry) ? { entry, callee: set.peer[row] ?? 0 } : null
}

/** The call has failed, as either end saw it. */
function hasFailed(set: TraceSet, row: number): boolean {
  const above = set.parent[row] ?? -1
  return (
    set.failed[row] === 1 || (above >= 0 && set.kind[above] === spanKinds.client && set.failed[above] === 1)
  )
}

interface Tally {
  readonly caller: number
  readonly callee: number
  failed: number
  callerFailed: number
  weight: number
  callerWeight: number
  wellWeight: number
  anywayWeight: number
}

/** One row per edge met in the set, sorted by caller and callee. */
export function measureSpread(set: TraceSet, names: Names): readonly Spread[] {
  const tallies = new Map<string, Tally>()
  for (const { entry, caller, callee, calls } of callGroups(set)) {
    const key = `${caller} ${callee}`
    const tally = tallies.get(key) ?? { ...emptyTally, caller, callee }
    tallies.set(key, tally)
    count(tally, calls.filter(row => hasFailed(set, row)).length / calls.length, {
      failed: set.failed[entry] === 1,
      weight: set.weight[set.trace[entry] ?? 0] ?? 1,
    })
  }
  return [...tallies.values()]
    .map(tally => {
      const share = tally.failed === 0 ? null : tally.callerWeight / tally.weight
      return {
        caller: names.text(tally.caller),
        callee: names.text(tally.callee),
        calleeFailed: tally.failed,
        callerFailed: tally.callerFailed,
        probability: share === null ? null : roundTo(share, 4),
        otherwise: tally.wellWeight === 0 ? null : roundTo(tally.anywayWeight / tally.wellWeight, 4),
        ...roundedInterval(share ?? 0, tally.failed),
      }
    })
    .sort((a, b) => (`${a.caller}\u0000${a.callee}` < `${b.caller}\u0000${b.callee}` ? -1 : 1))
}

function roundedInterval(share: number, count: number): Interval {
  const { low, high } = shareInterval(share, count)
  return { low: roundTo(low, 4), high: roundTo(high, 4) }
}

const emptyTally = { failed: 0, callerFailed: 0, weight: 0, callerWeight: 0, wellWeight: 0, anywayWeight: 0 }

/** Requests some of whose calls failed and some did not say nothing of either. */
function count(
  tally: Tally,
  failedPart: number,
  caller: { readonly failed: boolean; readonly weight: number },
): void {
  if (failedPart === 0) {
    tally.wellWeight += caller.weight
    if (caller.failed) tally.anywayWeight += caller.weight
  }
  if (failedPart < 1) return
  tally.failed++
  tally.weight += caller.weight
  if (!caller.failed) return
  tally.callerFailed++
  tally.callerWeight += caller.weight
}
