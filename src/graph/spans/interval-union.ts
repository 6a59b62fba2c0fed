/**
 * How much of a span its direct children cover: concurrent ones once, and only inside the span. Times are
 * whole nanoseconds, so that the sum is the same in any order.
 */
import type { SpanTable } from './span-table.ts'

let starts = new Float64Array(64)
let ends = new Float64Array(64)

/**
 * Nanoseconds of the span in `slot` during which at least one of its first `maxChildren` children ran. A
 * child of another service that sticks out although it would fit was timed by another clock; it is taken as
 * lying inside.
 */
export function coveredNs(spans: SpanTable, slot: number, maxChildren: number): number {
  const durationNs = spans.durationNs[slot] ?? 0
  if (durationNs <= 0) return 0
  const startHi = spans.startHi[slot] ?? 0
  const startLo = spans.startLo[slot] ?? 0
  let count = 0
  for (
    let child = (spans.firstChild[slot] ?? 0) - 1;
    child >= 0 && count < maxChildren;
    child = (spans.nextChild[child] ?? 0) - 1
  ) {
    const childNs = spans.durationNs[child] ?? 0
    let from = ((spans.startHi[child] ?? 0) - startHi) * 4294967296 + ((spans.startLo[child] ?? 0) - startLo)
    const foreign = spans.service[child] !== spans.service[slot]
    if (foreign && childNs <= durationNs) from = Math.min(Math.max(from, 0), durationNs - childNs)
    const to = Math.min(durationNs, from + childNs)
    from = Math.max(0, from)
    if (to > from) count = insert(count, from, to)
  }
  if (count === 0) return 0
  let covered = 0
  let reached = 0
  for (let i = 0; i < count; i++) {
    const from = Math.max(reached, starts[i] ?? 0)
    const to = ends[i] ?? 0
    if (to > from) {
      covered += to - from
      reached = to
    }
  }
  return covered
}

/** Keeps `starts` sorted; children mostly come in order, so the search begins at the end that fits. */
function insert(count: number, from: number, to: number): number {
  if (count === starts.length) grow()
  let low = 0
  let high = count
  if (count > 0 && (starts[count - 1] ?? 0) <= from) low = count
  else if (count > 0 && (starts[0] ?? 0) > from) high = 0
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((starts[middle] ?? 0) <= from) low = middle + 1
    else high = middle
  }
  if (low < count) {
    starts.copyWithin(low + 1, low, count)
    ends.copyWithin(low + 1, low, count)
  }
  starts[low] = from
  ends[low] = to
  return count + 1
}

function grow(): void {
  const widerStarts = new Float64Array(starts.length * 2)
  const widerEnds = new Float64Array(ends.length * 2)
  widerStarts.set(starts)
  widerEnds.set(ends)
  starts = widerStarts
  ends = widerEnds
}
