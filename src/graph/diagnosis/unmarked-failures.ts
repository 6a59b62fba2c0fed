/**
 * Failures that no status tells of, where a program's spans have none: a call that is made again although it was over, and
 * below which an answer came far sooner than answers do. A retry alone may be a loop, and haste alone a cache; together
 * they are a refusal. Whoever asks again is not what is wrong.
 */
import { type Callees, silentCallee } from './charge-samples.ts'
import { quantileOf, sortedCopy } from './robust.ts'
import { remoteChildren } from './time-charges.ts'
import { spanKinds, type TraceSet } from './trace-set.ts'

/** Answers of the baseline below which nobody knows how soon they come. */
const minAnswers = 8
/** An answer comes too soon if it took less than this part of what nineteen in twenty took. */
const hastyPart = 0.5
const soonQuantile = 0.05

/** Both sets with such spans marked as failed; the same sets where every service tells how its spans ended. */
export function markUnmarkedFailures(
  window: TraceSet,
  baseline: TraceSet,
  callees: Callees,
): { readonly window: TraceSet; readonly baseline: TraceSet } {
  const mute = muteServices([window, baseline])
  if (mute.size === 0) return { window, baseline }
  const limits = hasteLimits(baseline, callees)
  const marked = (set: TraceSet): TraceSet => {
    const failed = failuresIn({ set, callees, limits, mute })
    return failed === null ? set : { ...set, failed }
  }
  return { window: marked(window), baseline: marked(baseline) }
}

/** Services of which no span says how it ended, whether well or badly. */
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

/** Who answers: the operation that a service was entered with, or what a call without a server span was for. */
function answerKey(set: TraceSet, row: number, callees: Callees): string | null {
  const own = `${set.service[row]} ${set.name[row]}`
  if (set.entry[row] === row) return own
  const silent = silentCallee(set, row, callees)
  return silent < 0 ? null : `${own} ${silent}`
}

/** Entries that were called, and calls that only their caller saw. */
function answers(set: TraceSet): readonly number[] {
  const child = remoteChildren(set)
  const rows: number[] = []
  for (let row = 0; row < set.spans; row++) {
    const called = set.entry[row] === row && (set.parent[row] ?? -1) >= 0
    const unanswered = set.kind[row] === spanKinds.client && (child[row] ?? -1) < 0
    if (called || unanswered) rows.push(row)
  }
  return rows
}

/** Below how many milliseconds an answer came too soon, by `answerKey`. */
function hasteLimits(baseline: TraceSet, callees: Callees): ReadonlyMap<string, number> {
  const times = new Map<string, number[]>()
  for (const row of answers(baseline)) {
    const key = answerKey(baseline, row, callees)
    if (key === null) continue
    const list = times.get(key)
    if (list === undefined) times.set(key, [lengthOf(baseline, row)])
    else list.push(lengthOf(baseline, row))
  }
  return new Map(
    [...times]
      .filter(([, list]) => list.length >= minAnswers)
      .map(([key, list]) => [key, quantileOf(sortedCopy(list), soonQuantile) * hastyPart]),
  )
}

interface Unmarked {
  readonly set: TraceSet
  readonly callees: Callees
  readonly limits: ReadonlyMap<string, number>
  readonly mute: ReadonlySet<number>
}

/** `failed` with such spans added; null if there are none. */
function failuresIn({ set, callees, limits, mute }: Unmarked): Uint8Array | null {
  const repeated = repeatedCalls(set, mute)
  if (repeated.size === 0) return null
  let failed: Uint8Array | null = null
  for (const row of answers(set)) {
    if (!mute.has(set.service[row] ?? 0)) continue
    const key = answerKey(set, row, callees)
    if (key === null || lengthOf(set, row) >= (limits.get(key) ?? 0)) continue
    const call = repeatedAbove(set, row, repeated)
    if (call < 0) continue
    failed ??= set.failed.slice()
    for (let at = row; at !== call; at = set.parent[at] ?? -1) {
      if (mute.has(set.service[at] ?? 0)) failed[at] = 1
    }
    failed[call] = 1
  }
  return failed
}

/** The innermost repeated call that a row is part of, -1 for none. */
function repeatedAbove(set: TraceSet, row: number, repeated: ReadonlySet<number>): number {
  for (let at = row; at >= 0; at = set.parent[at] ?? -1) if (repeated.has(at)) return at
  return -1
}

/** Answered calls of one span to one place that came one after the other, the last of them included. */
function repeatedCalls(set: TraceSet, mute: ReadonlySet<number>): ReadonlySet<number> {
  const child = remoteChildren(set)
  const last = new Map<string, number>()
  const repeated = new Set<number>()
  for (let row = 0; row < set.spans; row++) {
    const callee = child[row] ?? -1
    if (set.kind[row] !== spanKinds.client || callee < 0 || !mute.has(set.service[row] ?? 0)) continue
    const key = `${set.parent[row]} ${set.name[row]} ${set.service[callee]} ${set.name[callee]}`
    const before = last.get(key)
    if (before !== undefined && (set.endMs[before] ?? 0) <= (set.startMs[row] ?? 0)) {
      repeated.add(before)
      repeated.add(row)
    }
    last.set(key, row)
  }
  return repeated
}

function lengthOf(set: TraceSet, row: number): number {
  return (set.endMs[row] ?? 0) - (set.startMs[row] ?? 0)
}
