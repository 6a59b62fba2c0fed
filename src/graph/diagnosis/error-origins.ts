/**
 * Where errors begin: the deepest failed span with no failed span anywhere below it. Its callers carry the
 * same error upwards and are victims, not causes; a span in between that does not call itself failed (a
 * server that answers with a client error, say) does not make its caller a cause.
 */
import { type Callees, destinationOf, silentCallee } from './charge-samples.ts'
import type { Names } from './names.ts'
import { quantileOf, sortedCopy } from './robust.ts'
import { cutShort, waitKey } from './short-waits.ts'
import { remoteChildren } from './time-charges.ts'
import { spanKinds, type TraceSet } from './trace-set.ts'
import { riseEvidence } from './two-sample.ts'

export interface ErrorOrigin {
  /** Indices into `Names`. */
  readonly service: number
  readonly operation: number
  /** The failing call was seen from its caller only. */
  readonly silent: boolean
  readonly caller: number
  readonly row: number
  readonly trace: number
}

/** How long callers have patience. */
export interface Waits {
  /** What they usually wait for an answer at most, milliseconds, by callee and its operation. */
  readonly usual: ReadonlyMap<string, number>
  /** Callers that give up on a silent callee sooner than it usually answers; see `waitKey`. */
  readonly cutShort: ReadonlySet<string>
}

/** Answers of an operation below which nobody knows how long callers usually wait. */
const minAnswers = 8
/** How far beyond the slowest usual answers one is still usual, as for entries. */
const waitMargin = 1.25

export function learnWaits(window: TraceSet, baseline: TraceSet, callees: Callees): Waits {
  return { usual: usualWaits(baseline), cutShort: cutShort(window, baseline, callees) }
}

/** Learns from calls that were answered. */
function usualWaits(set: TraceSet): ReadonlyMap<string, number> {
  const waits = new Map<string, number[]>()
  for (const [row, callee] of remoteChildren(set).entries()) {
    if (callee < 0 || set.kind[row] !== spanKinds.client || set.failed[row] === 1) continue
    const key = calleeKey(set, callee)
    const list = waits.get(key) ?? []
    waits.set(key, list)
    list.push((set.endMs[row] ?? 0) - (set.startMs[row] ?? 0))
  }
  return new Map(
    [...waits]
      .filter(([, list]) => list.length >= minAnswers)
      .map(([key, list]) => [key, quantileOf(sortedCopy(list), 0.99) * waitMargin]),
  )
}

function calleeKey(set: TraceSet, callee: number): string {
  return `${set.service[callee]} ${set.name[callee]}`
}

/** No wait is usual: whoever gave up had waited for too long. */
const nothingUsual: Waits = { usual: new Map(), cutShort: new Set() }

/** Failed spans of a set whose cause is not below them. */
export function errorOrigins(
  set: TraceSet,
  callees: Callees,
  waits: Waits = nothingUsual,
): readonly ErrorOrigin[] {
  const failedBelow = new Uint8Array(set.spans)
  for (let row = 0; row < set.spans; row++) {
    if (set.failed[row] !== 1) continue
    let above = set.parent[row] ?? -1
    while (above >= 0 && failedBelow[above] === 0) {
      failedBelow[above] = 1
      above = set.parent[above] ?? -1
    }
  }
  const child = remoteChildren(set)
  const origins: ErrorOrigin[] = []
  for (let row = 0; row < set.spans; row++) {
    if (set.failed[row] !== 1 || failedBelow[row] === 1) continue
    origins.push(originAt({ set, row, callee: child[row] ?? -1 }, callees, waits))
  }
  return origins
}

/** A failed span, and the first span of another service below it, -1 for none. */
interface FailedSpan {
  readonly set: TraceSet
  readonly row: number
  readonly callee: number
}

function originAt({ set, row, callee }: FailedSpan, callees: Callees, waits: Waits): ErrorOrigin {
  const service = set.service[row] ?? 0
  const entry = set.entry[row] ?? row
  const own = { service, operation: set.name[entry] ?? 0, silent: false, caller: 0 }
  const at = { row, trace: set.trace[row] ?? 0 }
  const destination = destinationOf(set, row)
  if (destination >= 0) return silentOrigin(set, row, destination)
  if (set.kind[row] !== spanKinds.client) return { ...own, ...at }
  if (callee >= 0) {
    // The caller gave up while the callee was still at work: the callee was too slow, and did not fail; unless it
    // took no longer than callers used to wait, then the caller has lost its patience.
    const answeredMs = set.endMs[callee] ?? 0
    const gaveUp = answeredMs > (set.endMs[row] ?? 0)
    const waitedMs = answeredMs - (set.startMs[row] ?? 0)
    const impatient = waitedMs <= (waits.usual.get(calleeKey(set, callee)) ?? Number.NEGATIVE_INFINITY)
    if (!gaveUp || impatient) return { ...own, ...at }
    return {
      service: set.service[callee] ?? 0,
      operation: set.name[callee] ?? 0,
      silent: false,
      caller: service,
      ...at,
    }
  }
  const silent = silentCallee(set, row, callees)
  if (silent < 0 || waits.cutShort.has(waitKey(service, silent))) return { ...own, ...at }
  return silentOrigin(set, row, silent)
}

/** The error began at what sends no telemetry: a span of its caller says so. */
function silentOrigin(set: TraceSet, row: number, silent: number): ErrorOrigin {
  return {
    service: silent,
    operation: set.name[row] ?? 0,
    silent: true,
    caller: set.service[row] ?? 0,
    row,
    trace: set.trace[row] ?? 0,
  }
}

export interface ErrorShift {
  readonly service: number
  readonly operation: number
  readonly silent: boolean
  readonly caller: number
  /** Traces with an error that began here, and traces that came by here. */
  readonly failed: number
  readonly total: number
  readonly baseFailed: number
  readonly baseTotal: number
  /** Rise of the failing share of the requests that the traces stand for, 0 to 1. */
  readonly rise: number
  /** Nats. */
  readonly evidence: number
  readonly traces: ReadonlySet<number>
}

/** Places where more errors begin than in the baseline, strongest first. */
export function errorShifts(
  window: TraceSet,
  baseline: TraceSet,
  callees: Callees,
  names: Names,
): readonly ErrorShift[] {
  const waits = learnWaits(window, baseline, callees)
  const now = countOrigins(window, callees, { names, waits })
  const before = countOrigins(baseline, callees, { names, waits })
  const shifts: ErrorShift[] = []
  for (const [key, here] of [...now].sort((a, b) => (a[0] < b[0] ? -1 : 1))) {
    if (here.failed.size === 0) continue
    const there = before.get(key)
    const baseFailed = there?.failed.size ?? 0
    const baseTotal = there?.passed.size ?? 0
    // An operation the baseline never saw is compared with how often anything fails there.
    const evidence = riseEvidence(
      here.failed.size,
      here.passed.size,
      baseFailed,
      baseTotal === 0 ? Math.min(1, baseline.traces) : baseTotal,
    )
    if (evidence <= 0) continue
    shifts.push({
      service: here.service,
      operation: here.operation,
      silent: here.silent,
      caller: here.caller,
      failed: here.failed.size,
      total: here.passed.size,
      baseFailed,
      baseTotal,
      rise: Math.max(0, shareOf(window, here) - (there === undefined ? 0 : shareOf(baseline, there))),
      evidence,
      traces: here.failed,
    })
  }
  return shifts.sort((a, b) => b.evidence - a.evidence)
}

/** Of the requests themselves: a sampler may keep failing ones more often than others. */
function shareOf({ weight }: TraceSet, { failed, passed }: Place): number {
  const requests = (traces: ReadonlySet<number>): number => {
    let sum = 0
    for (const trace of traces) sum += weight[trace] ?? 1
    return sum
  }
  return failed.size === 0 ? 0 : requests(failed) / requests(passed)
}

interface Place {
  readonly service: number
  readonly operation: number
  readonly caller: number
  silent: boolean
  readonly failed: Set<number>
  readonly passed: Set<number>
}

/** Per service and operation: traces that came by and traces in which an error began there. */
function countOrigins(
  set: TraceSet,
  callees: Callees,
  { names, waits }: { readonly names: Names; readonly waits: Waits },
): Map<string, Place> {
  const places = new Map<string, Place>()
  const child = remoteChildren(set)
  const place = (service: number, operation: number, caller: number): Place => {
    const key = `${names.text(service)}\n${names.text(operation)}`
    let found = places.get(key)
    if (found === undefined) {
      found = { service, operation, caller, silent: false, failed: new Set(), passed: new Set() }
      places.set(key, found)
    }
    return found
  }
  for (let row = 0; row < set.spans; row++) {
    const trace = set.trace[row] ?? 0
    if (set.entry[row] === row) place(set.service[row] ?? 0, set.name[row] ?? 0, 0).passed.add(trace)
    const unanswered = set.kind[row] === spanKinds.client && (child[row] ?? -1) < 0
    const silent = unanswered ? silentCallee(set, row, callees) : destinationOf(set, row)
    if (silent >= 0) place(silent, set.name[row] ?? 0, set.service[row] ?? 0).passed.add(trace)
  }
  for (const origin of errorOrigins(set, callees, waits)) {
    const at = place(origin.service, origin.operation, origin.caller)
    at.failed.add(origin.trace)
    at.passed.add(origin.trace)
    if (origin.silent) at.silent = true
  }
  return places
}
