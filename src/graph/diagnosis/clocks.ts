/** Services whose clocks disagree with their callers': their spans were moved before anything was read from them. */
import type { ClockOffset } from './diagnosis.ts'
import type { Names } from './names.ts'
import { quantileOf } from './robust.ts'
import type { TraceSet } from './trace-set.ts'

/** Clocks that are kept by NTP agree within this time, milliseconds; half of it is the network's own doing. */
const tolerableMs = 100
/** Entries of a service from which on a disagreement is the clock's and not one odd span's. */
const minEntries = 3

/**
 * Farthest off first, ties by name. A clock is off by the same for every request; spans that had to be moved by
 * something else each time were late for another reason. A service none of whose spans had to be moved is right, or alone.
 */
export function clockOffsets(set: TraceSet, names: Names): readonly ClockOffset[] {
  const moved = new Map<number, number[]>()
  for (let row = 0; row < set.spans; row++) {
    if (set.entry[row] !== row || (set.parent[row] ?? -1) < 0) continue
    const service = set.service[row] ?? 0
    const list = moved.get(service)
    if (list === undefined) moved.set(service, [set.movedMs[row] ?? 0])
    else list.push(set.movedMs[row] ?? 0)
  }
  const offsets: ClockOffset[] = []
  for (const [service, list] of moved) {
    // The middle one of those that moved: a clock that jumped within the window was right before.
    const far = list.filter(ms => Math.abs(ms) > tolerableMs).sort((a, b) => a - b)
    const middle = quantileOf(far, 0.5)
    const alike = far.filter(ms => Math.abs(ms - middle) <= tolerableMs)
    if (far.length < minEntries || alike.length * 2 < far.length) continue
    offsets.push({ service: names.text(service), aheadMs: -Math.round(middle) })
  }
  return offsets.sort((a, b) => Math.abs(b.aheadMs) - Math.abs(a.aheadMs) || (a.service < b.service ? -1 : 1))
}
