/**
 * Where errors begin: the deepest failed span with no failed span anywhere below it. Its callers carry the
 * same error upwards and are victims, not causes; a span in between that does not call itself failed (a
 * server that answers with a client error, say) does not make its caller a cause.
 */
import { type Callees, destinationOf, silentCallees } from './charge-samples.ts'
import { type Names, pairOf } from './names.ts'
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
  readonly usual: ReadonlyMap<number, number>
  /** Callers that give up on a silent callee sooner than it usually answers; see `waitKey`. */
  readonly cutShort: ReadonlySet<number>
}

/** Answers of an operation below which nobody knows how long callers usually wait. */
const minAnswers = 8
/** How far beyond the slowest usual answers one is still usual, as for entries. */
const waitMargin = 1.25

export function learnWaits(window: TraceSet, baseline: TraceSet, callees: Callees): Waits {
  return { usual: usualWaits(baseline), cutShort: cutShort(window, baseline, callees) }
}

/** Learns from calls that were answered. */
function usualWaits(set: TraceSet): ReadonlyMap<number, number> {
  const waits = new Map<number, number[]>()
  const child = remoteChildren(set)
  for (let row = 0; row < set.spans; row++) {
    const callee = child[row] as number
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

function calleeKey(set: TraceSet, callee: number): number {
  return pairOf(set.service[callee] ?? 0, set.name[callee] ?? 0)
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
  const silent = silentCallees(set, callees)
  const origins: ErrorOrigin[] = []
  for (let row = 0; row < set.spans; row++) {
    if (set.failed[row] !== 1 || failedBelow[row] === 1) continue
    origins.push(originAt({ set, row, callee: child[row] ?? -1, silent: silent[row] ?? -1 }, waits))
  }
  return origins
}

/** A failed span, the first span of another service below it, and whom it is meant for otherwise, -1 for none. */
interface FailedSpan {
  readonly set: TraceSet
  readonly row: number
  readonly callee: number
  readonly silent: number
}

function originAt({ set, row, callee, silent }: FailedSpan, waits: Waits): ErrorOrigin {
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
  /** The one that came by last: spans come trace by trace. */
  lastPassed: number
}

/** Per service and operation: traces that came by and traces in which an error began there. */
function countOrigins(
  set: TraceSet,
  callees: Callees,
  { names, waits }: { readonly names: Names; readonly waits: Waits },
): ReadonlyMap<string, Place> {
  const places = new Places(names)
  const child = remoteChildren(set)
  const silent = silentCallees(set, callees)
  for (let row = 0; row < set.spans; row++) {
    const trace = set.trace[row] as number
    const service = set.service[row] as number
    const operation = set.name[row] as number
    if (set.entry[row] === row) pass(places.of(service, operation, 0), trace)
    const unanswered = set.kind[row] === spanKinds.client && (child[row] as number) < 0
    const callee = unanswered ? (silent[row] as number) : destinationOf(set, row)
    if (callee >= 0) pass(places.of(callee, operation, service), trace)
  }
  for (const origin of errorOrigins(set, callees, waits)) {
    const at = places.of(origin.service, origin.operation, origin.caller)
    at.failed.add(origin.trace)
    at.passed.add(origin.trace)
    if (origin.silent) at.silent = true
  }
  return places.byText
}

function pass(place: Place, trace: number): void {
  if (place.lastPassed !== trace) place.passed.add(trace)
  place.lastPassed = trace
}

/** By service and operation: by their texts, which are made once for each. */
class Places {
  readonly byText = new Map<string, Place>()
  readonly #names: Names
  readonly #known = new Map<number, Place>()

  constructor(names: Names) {
    this.#names = names
  }

  /** `caller` is that of whoever asks first. */
  of(service: number, operation: number, caller: number): Place {
    const pair = pairOf(service, operation)
    const known = this.#known.get(pair)
    if (known !== undefined) return known
    const text = `${this.#names.text(service)}\n${this.#names.text(operation)}`
    const sets = { failed: new Set<number>(), passed: new Set<number>() }
    const fresh = { service, operation, caller, silent: false, ...sets, lastPassed: -1 }
    const place = this.byText.get(text) ?? fresh
    this.byText.set(text, place)
    this.#known.set(pair, place)
    return place
  }
}
