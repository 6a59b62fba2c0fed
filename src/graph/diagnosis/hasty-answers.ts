/**
 * Answers that come far sooner than answers do: what refuses or has lost its memory needs no time. All there is to see of
 * errors where a service's spans never say how they ended and no log does; where they do, a fast answer is a fast answer.
 */
import { type Callees, silentCallees } from './charge-samples.ts'
import { quantileOf, sortedCopy } from './robust.ts'
import type { Sample } from './sampling.ts'
import { remoteChildren } from './time-charges.ts'
import { spanKinds, type TraceSet } from './trace-set.ts'
import { riseEvidence } from './two-sample.ts'

/** Answers of the baseline below which nobody knows how soon they come. */
const minAnswers = 8
/** An answer comes too soon if it took less than this part of what nineteen in twenty took. */
const hastyPart = 0.5
const soonQuantile = 0.05

/** What haste is measured by. */
export interface Haste {
  /** Services of which no span says how it ended, whether well or badly. */
  readonly mute: ReadonlySet<number>
  readonly callees: Callees
  /** Below how many milliseconds an answer came too soon, by whose it is. */
  readonly limits: ReadonlyMap<string, number>
}

export function learnHaste(window: TraceSet, baseline: TraceSet, callees: Callees): Haste {
  const mute = muteServices([window, baseline])
  const times = new Map<string, number[]>()
  for (const { row, key } of mute.size === 0 ? [] : answers(baseline, { mute, callees })) {
    const list = times.get(key)
    if (list === undefined) times.set(key, [lengthOf(baseline, row)])
    else list.push(lengthOf(baseline, row))
  }
  const limits = new Map<string, number>()
  for (const [key, list] of times) {
    if (list.length >= minAnswers) limits.set(key, quantileOf(sortedCopy(list), soonQuantile) * hastyPart)
  }
  return { mute, callees, limits }
}

function muteServices(sets: readonly TraceSet[]): ReadonlySet<number> {
  const all = new Set<number>()
  const telling = new Set<number>()
  for (const set of sets) {
    for (let row = 0; row < set.spans; row++) {
      const service = set.service[row] ?? 0
      all.add(service)
      if (set.tells[row] === 1) telling.add(service)
    }
  }
  return all.difference(telling)
}

/** The same without services that write logs: those tell of errors. */
export function ofWordless(haste: Haste, samples: readonly Pick<Sample, 'set' | 'lines'>[]): Haste {
  const writing = new Set<number>()
  for (const { set, lines } of samples) {
    for (const { entry } of lines) writing.add(set.service[entry] ?? 0)
  }
  return { ...haste, mute: haste.mute.difference(writing) }
}

interface Answer {
  /** An entry that was called, or a call that only its caller saw. */
  readonly row: number
  /** Whose answer it is, by the service whose span it is. */
  readonly key: string
  readonly service: number
}

function answers(set: TraceSet, { mute, callees }: Omit<Haste, 'limits'>): readonly Answer[] {
  const child = remoteChildren(set)
  const silent = silentCallees(set, callees)
  const found: Answer[] = []
  for (let row = 0; row < set.spans; row++) {
    const own = set.service[row] ?? 0
    if (!mute.has(own)) continue
    const key = `${own} ${set.name[row]}`
    if (set.entry[row] === row) {
      if ((set.parent[row] ?? -1) >= 0) found.push({ row, key, service: own })
      continue
    }
    if (set.kind[row] !== spanKinds.client || (child[row] ?? -1) >= 0) continue
    const service = silent[row] ?? -1
    if (service >= 0) found.push({ row, key: `${key} ${service}`, service })
  }
  return found
}

/** Answers that came too soon. */
export function hastyAnswers(set: TraceSet, haste: Haste): readonly Answer[] {
  if (haste.limits.size === 0) return []
  return answers(set, haste).filter(({ row, key }) => lengthOf(set, row) < (haste.limits.get(key) ?? 0))
}

export interface HasteShift {
  /** Whose answers come too soon, and to what: indices into `Names`. */
  readonly service: number
  readonly operation: number
  /** Traces with such an answer, and with any. */
  readonly hasty: number
  readonly total: number
  readonly baseHasty: number
  readonly baseTotal: number
  /** Nats. */
  readonly evidence: number
  readonly traces: ReadonlySet<number>
}

/** Places from which more answers come too soon than did, strongest first. What failed plainly is no matter of haste. */
export function hasteShifts(window: TraceSet, baseline: TraceSet, haste: Haste): readonly HasteShift[] {
  if (hastyAnswers(window, haste).length === 0) return []
  const now = countHasty(window, haste)
  const before = countHasty(baseline, haste)
  const shifts: HasteShift[] = []
  for (const [key, { service, operation, hasty, all }] of now) {
    const base = before.get(key)
    const baseHasty = base?.hasty.size ?? 0
    const baseTotal = base?.all.size ?? 0
    const evidence = riseEvidence(hasty.size, all.size, baseHasty, baseTotal)
    const counts = { hasty: hasty.size, total: all.size, baseHasty, baseTotal, evidence }
    if (evidence > 0) shifts.push({ service, operation, ...counts, traces: hasty })
  }
  return shifts.sort((a, b) => b.evidence - a.evidence || a.service - b.service || a.operation - b.operation)
}

interface Place {
  readonly service: number
  readonly operation: number
  readonly hasty: Set<number>
  readonly all: Set<number>
}

/** Of hasty answers one below the other only the deepest counts: the others had less to wait for. */
function countHasty(set: TraceSet, haste: Haste): ReadonlyMap<string, Place> {
  const soon = hastyAnswers(set, haste)
  const above = new Set<number>()
  for (const { row } of soon) {
    for (let at = set.parent[row] ?? -1; at >= 0 && !above.has(at); at = set.parent[at] ?? -1) above.add(at)
  }
  const places = new Map<string, Place>()
  for (const { row, key, service } of answers(set, haste)) {
    const place = places.get(key) ?? {
      ...{ service, operation: set.name[row] ?? 0 },
      ...{ hasty: new Set<number>(), all: new Set<number>() },
    }
    places.set(key, place)
    place.all.add(set.trace[row] ?? 0)
  }
  for (const { row, key } of soon) {
    if (!above.has(row) && set.failed[row] !== 1) places.get(key)?.hasty.add(set.trace[row] ?? 0)
  }
  return places
}

function lengthOf(set: TraceSet, row: number): number {
  return (set.endMs[row] ?? 0) - (set.startMs[row] ?? 0)
}
