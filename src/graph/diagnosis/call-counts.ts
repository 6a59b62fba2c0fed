/**
 * How many calls a request makes: per entry operation and callee. A query for every row instead of one for all of
 * them slows a request down without any of the calls being slow, so nothing that looks at single calls sees it.
 */
import { type Callees, silentCallees } from './charge-samples.ts'
import { type Names, pairOf } from './names.ts'
import { endless, type Patience, stride } from './patience.ts'
import { quantileOf, sortedCopy } from './robust.ts'
import { remoteChildren } from './time-charges.ts'
import { spanKinds, type TraceSet } from './trace-set.ts'
import { riseEvidence } from './two-sample.ts'

/** Successful calls of one healthy service entry to one callee: a repetition after a failure is no habit. */
interface EntryCalls {
  readonly trace: number
  calls: number
  /** Time these calls took together, milliseconds. */
  ms: number
}

interface CallSample {
  readonly service: number
  readonly operation: number
  readonly callee: number
  /** Healthy entries that called it at all: whether they do is a matter of branches, not of habit. */
  readonly entries: readonly EntryCalls[]
  /** Calls per trace of the whole sample. */
  readonly perTrace: number
}

export interface CallShift {
  readonly service: number
  readonly operation: number
  readonly callee: number
  /** Healthy entries with more calls than the baseline's tail has, and all that call. */
  readonly beyond: number
  readonly entries: number
  readonly baseBeyond: number
  readonly baseEntries: number
  /** Mean calls per entry that calls. */
  readonly before: number
  readonly now: number
  /**
   * Part of the rise that is more calls per request from outside as well, 0 to 1: who takes several requests at
   * a time makes more calls each time when there are more of them.
   */
  readonly ownPart: number
  /** Nats. */
  readonly evidence: number
  /** Traces with such entries, and the time that calls beyond the usual number took in them, milliseconds. */
  readonly traces: ReadonlyMap<number, number>
}

/** Entries that the baseline needs before it has a tail. */
const minEntries = 8
const tailQuantile = 0.95

/** Operations that call somebody more often than they used to, strongest first. Throws what `patience` throws. */
export function callShifts(
  window: TraceSet,
  baseline: TraceSet,
  { names, callees, patience = endless }: { names: Names; callees: Callees; patience?: Patience },
): readonly CallShift[] {
  const before = collectCalls(baseline, names, callees, patience)
  const shifts: CallShift[] = []
  const samples = [...collectCalls(window, names, callees, patience)].sort((a, b) => (a[0] < b[0] ? -1 : 1))
  for (const [text, sample] of samples) {
    const base = before.get(text)
    if (base === undefined || base.entries.length < minEntries) continue
    const shift = shiftOf(sample, base)
    if (shift.evidence > 0) shifts.push(shift)
  }
  return shifts.sort((a, b) => b.evidence - a.evidence)
}

function shiftOf(now: CallSample, before: CallSample): CallShift {
  const { service, operation, callee, entries } = now
  const counts = sortedCopy(before.entries.map(({ calls }) => calls))
  const limit = quantileOf(counts, tailQuantile)
  const usual = quantileOf(counts, 0.5)
  const beyond = entries.filter(({ calls }) => calls > limit)
  const baseBeyond = before.entries.filter(({ calls }) => calls > limit).length
  const traces = new Map<number, number>()
  for (const { trace, calls, ms } of beyond) {
    traces.set(trace, (traces.get(trace) ?? 0) + ms * (1 - usual / calls))
  }
  const means = { before: callsPerEntry(before), now: callsPerEntry(now) }
  const more = means.now / means.before - 1
  return {
    service,
    operation,
    callee,
    beyond: beyond.length,
    entries: entries.length,
    baseBeyond,
    baseEntries: before.entries.length,
    ...means,
    ownPart: more <= 0 ? 0 : Math.min(1, Math.max(0, (now.perTrace / before.perTrace - 1) / more)),
    evidence: riseEvidence(beyond.length, entries.length, baseBeyond, before.entries.length),
    traces,
  }
}

function callsPerEntry({ entries }: CallSample): number {
  return entries.reduce((sum, { calls }) => sum + calls, 0) / entries.length
}

function collectCalls(
  set: TraceSet,
  names: Names,
  callees: Callees,
  patience: Patience,
): ReadonlyMap<string, CallSample> {
  const child = remoteChildren(set)
  const silent = silentCallees(set, callees)
  const samples = new CallSamples(set, names)
  for (let row = 0; row < set.spans; row++) {
    if (row % stride === 0) patience.check()
    const entry = set.entry[row] ?? row
    if (set.kind[row] !== spanKinds.client || set.failed[row] === 1 || set.failed[entry] === 1) continue
    const answering = child[row] ?? -1
    const callee = (answering >= 0 ? set.service[answering] : silent[row]) ?? -1
    if (callee <= 0) continue
    const { entries } = samples.of(entry, callee)
    const own = entries.get(entry) ?? { trace: set.trace[row] ?? 0, calls: 0, ms: 0 }
    if (own.calls === 0) entries.set(entry, own)
    own.calls++
    own.ms += (set.endMs[row] ?? 0) - (set.startMs[row] ?? 0)
  }
  return new Map(
    [...samples.byText].map(([key, { entry, callee, entries }]) => {
      const all = [...entries.values()]
      const perTrace = all.reduce((sum, { calls }) => sum + calls, 0) / set.traces
      const place = { service: set.service[entry] ?? 0, operation: set.name[entry] ?? 0, callee }
      return [key, { ...place, entries: all, perTrace }]
    }),
  )
}

interface GrowingSample {
  readonly entry: number
  readonly callee: number
  readonly entries: Map<number, EntryCalls>
}

/** By service, operation and callee: by their texts, which are made once for each. */
class CallSamples {
  readonly byText = new Map<string, GrowingSample>()
  readonly #set: TraceSet
  readonly #names: Names
  readonly #known = new Map<number, Map<number, GrowingSample>>()

  constructor(set: TraceSet, names: Names) {
    this.#set = set
    this.#names = names
  }

  of(entry: number, callee: number): GrowingSample {
    const [service, operation] = [this.#set.service[entry] ?? 0, this.#set.name[entry] ?? 0]
    const place = pairOf(service, operation)
    const known = this.#known.get(place)?.get(callee)
    if (known !== undefined) return known
    const text = [service, operation, callee].map(part => this.#names.text(part)).join('\n')
    const sample = this.byText.get(text) ?? { entry, callee, entries: new Map<number, EntryCalls>() }
    this.byText.set(text, sample)
    const callees = this.#known.get(place) ?? new Map<number, GrowingSample>()
    this.#known.set(place, callees.set(callee, sample))
    return sample
  }
}
