/**
 * How likely each request of stored traces would have failed if every call to one service had: failures climb
 * from call to caller with the chance measured for that edge. Where none was ever seen, a caller that waited for
 * the answer is taken to fail, and the range says that nobody knows.
 */
import type { Names } from '../diagnosis/names.ts'
import { endless, type Patience, paced } from '../diagnosis/patience.ts'
import type { TraceSet } from '../diagnosis/trace-set.ts'
import { type CallGroup, callGroups, type Spread } from './spread.ts'
import { rowsAbove } from './target.ts'

/** Chances of failure, 0 to 1, one per row; only those of service entries mean anything. */
export interface ReplayedFailures {
  readonly expected: Float64Array
  readonly low: Float64Array
  readonly high: Float64Array
  /** Edges on which failures climbed, as `caller\0callee`; what the answer rests on. */
  readonly used: ReadonlySet<string>
}

/** Throws what `patience` throws. */
export function replayFailure(
  set: TraceSet,
  names: Names,
  marked: Uint8Array,
  spread: readonly Spread[],
  patience: Patience = endless,
): ReplayedFailures {
  const byEdge = new Map(spread.map(one => [`${one.caller}\u0000${one.callee}`, one]))
  const groups = Map.groupBy(concernedGroups(set, marked), group => group.entry)
  const made = () => Float64Array.from(marked)
  const replay = new FailureReplay({ expected: made(), low: made(), high: made(), used: new Set() }, groups)
  for (const entry of paced(deepestEntries(set, groups.keys()), patience)) {
    replay.settle(entry, group => {
      const key = `${names.text(group.caller)}\u0000${names.text(group.callee)}`
      return { key, spread: byEdge.get(key) }
    })
  }
  return replay.failures
}

function concernedGroups(set: TraceSet, marked: Uint8Array): readonly CallGroup[] {
  const concerned = rowsAbove(set, marked)
  return callGroups(set).filter(({ calls }) => calls.some(row => concerned[row] === 1))
}

/** Entries with the most spans above them first, so that callees are settled before their callers. */
function deepestEntries(set: TraceSet, entries: Iterable<number>): readonly number[] {
  const depthOf = (row: number): number => {
    let depth = 0
    for (let at = set.parent[row] ?? -1; at >= 0; at = set.parent[at] ?? -1) depth++
    return depth
  }
  return [...entries]
    .map(row => ({ row, depth: depthOf(row) }))
    .sort((a, b) => b.depth - a.depth || a.row - b.row)
    .map(({ row }) => row)
}

interface MutableFailures extends ReplayedFailures {
  readonly used: Set<string>
}

interface Known {
  readonly key: string
  readonly spread: Spread | undefined
}

class FailureReplay {
  readonly failures: MutableFailures
  readonly #groups: ReadonlyMap<number, readonly CallGroup[]>

  constructor(failures: MutableFailures, groups: ReadonlyMap<number, readonly CallGroup[]>) {
    this.failures = failures
    this.#groups = groups
  }

  /** A request withstands the failures of different callees independently; calls of one group fail together. */
  settle(entry: number, known: (group: CallGroup) => Known): void {
    const { expected, low, high, used } = this.failures
    if (expected[entry] === 1) return
    let spared = 1
    let sparedLow = 1
    let sparedHigh = 1
    for (const group of this.#groups.get(entry) ?? []) {
      const { key, spread } = known(group)
      const worst = (column: Float64Array) => Math.max(...group.calls.map(row => column[row] ?? 0))
      const reached = worst(high)
      if (reached === 0) continue
      used.add(key)
      spared *= 1 - (spread?.probability ?? 1) * worst(expected)
      sparedLow *= 1 - (spread?.low ?? 0) * worst(low)
      sparedHigh *= 1 - (spread?.high ?? 1) * reached
    }
    expected[entry] = 1 - spared
    low[entry] = 1 - sparedLow
    high[entry] = 1 - sparedHigh
  }
}
