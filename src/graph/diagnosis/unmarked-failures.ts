/**
 * Failures that no status tells of, where a program's spans have none: a call that is made again although it was over, and
 * below which an answer came far sooner than answers do. A retry alone may be a loop, and haste alone a cache; together
 * they are a refusal. Whoever asks again is not what is wrong.
 */
import { type Haste, hastyAnswers } from './hasty-answers.ts'
import { remoteChildren } from './time-charges.ts'
import { spanKinds, type TraceSet } from './trace-set.ts'

/** The set with such spans marked as failed; the same set if there are none. */
export function markUnmarkedFailures(set: TraceSet, haste: Haste): TraceSet {
  const soon = hastyAnswers(set, haste)
  const repeated = soon.length === 0 ? new Set<number>() : repeatedCalls(set, haste.mute)
  let failed: Uint8Array | null = null
  for (const { row } of soon) {
    const call = repeatedAbove(set, row, repeated)
    if (call < 0) continue
    failed ??= set.failed.slice()
    for (let at = row; at !== call; at = set.parent[at] ?? -1) {
      if (haste.mute.has(set.service[at] ?? 0)) failed[at] = 1
    }
    failed[call] = 1
  }
  return failed === null ? set : { ...set, failed }
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
