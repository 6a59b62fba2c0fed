/** A scenario played on the stored traces of a window: which requests would fail, or end how much later. */
import type { Deadline } from '../../model/reader.ts'
import type { Names } from '../diagnosis/names.ts'
import { roundTo } from '../diagnosis/score.ts'
import type { TraceSet } from '../diagnosis/trace-set.ts'
import { shareInterval } from '../share-interval.ts'
import { replayDelay } from './delay.ts'
import { type ReplayedFailures, replayFailure } from './failure.ts'
import type { Spread } from './spread.ts'
import { markTargets, rowsAbove, type Target } from './target.ts'

export type Scenario = { readonly kind: 'fails' } | { readonly kind: 'slower'; readonly delayMs: number }

/** Requests of one kind. Shares are of the requests themselves, of which a sampler may have kept some more often. */
export interface ReplayedRequests {
  readonly service: string
  /** Empty for all requests of the service. */
  readonly operation: string
  /** Requests replayed, and those that lead to the target. */
  readonly replayed: number
  readonly through: number
  /** Where the share that leads to it lies, with 95 % certainty by the number replayed. */
  readonly throughShare: number
  readonly throughLow: number
  readonly throughHigh: number
  /** `fails`: expected share that fails, and the range that the measured chances allow. Else null. */
  readonly fails: { readonly share: number; readonly low: number; readonly high: number } | null
  /** `slower`; else null. */
  readonly later: Lateness | null
}

export interface Lateness {
  /** Share of all requests that would end at least `noticeMs` later. */
  readonly share: number
  /** Of those that lead to the target, the share whose other work hides the delay. */
  readonly hiddenShare: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p50ThenMs: number
  readonly p95Ms: number
  readonly p95ThenMs: number
  readonly p99Ms: number
  readonly p99ThenMs: number
}

export interface Replay {
  /** Requests from outside together, and by service and operation: most through the target first. */
  readonly all: ReplayedRequests
  readonly entryPoints: readonly ReplayedRequests[]
  /** Services that call the target, directly or not, without itself. */
  readonly callers: readonly ReplayedRequests[]
  /** `fails`: edges on which failures climbed, most often measured first. */
  readonly spread: readonly Spread[]
}

export interface ReplayInput {
  readonly set: TraceSet
  readonly names: Names
  readonly target: Target
  readonly scenario: Scenario
  /** How failures were seen to cross edges. */
  readonly spread: readonly Spread[]
  readonly deadline: Deadline
}

/** Less than this nobody notices, nor do clocks tell. */
export const noticeMs = 1

export function replay(input: ReplayInput): Replay {
  const { set, names, target, scenario, spread, deadline } = input
  const marked = markTargets(set, names, target)
  const failures = scenario.kind === 'fails' ? replayFailure(set, names, marked, spread, deadline) : null
  const longer = scenario.kind === 'slower' ? replayDelay(set, marked, scenario.delayMs, deadline) : null
  const outcome = { set, through: rowsAbove(set, marked), failures, longer }
  const entries = [...set.entry.keys()].filter(row => set.entry[row] === row)
  const kindOf = (row: number) => `${set.service[row]} ${set.name[row]}`
  const roots = rootsAmong(set, Map.groupBy(entries, kindOf))
  const describe = (rows: readonly number[], operation: boolean): ReplayedRequests => {
    const service = names.text(set.service[rows[0] ?? 0] ?? 0)
    return summarize(outcome, rows, service, operation ? names.text(set.name[rows[0] ?? 0] ?? 0) : '')
  }
  const callers = [...Map.groupBy(entries, row => set.service[row]).values()]
    .map(rows => describe(rows, false))
    .filter(one => one.through > 0 && one.service !== target.service)
  return {
    all: summarize(outcome, roots, '', ''),
    entryPoints: worstFirst([...Map.groupBy(roots, kindOf).values()].map(rows => describe(rows, true))),
    callers: worstFirst(callers),
    spread: failures === null ? [] : usedSpread(failures, spread),
  }
}

/**
 * Requests from outside. One whose parent was not seen is one of them if that is how most of its kind come, as from
 * browsers that send nothing; else its trace was cut off.
 */
function rootsAmong(set: TraceSet, kinds: ReadonlyMap<string, readonly number[]>): readonly number[] {
  return [...kinds.values()].flatMap(rows => {
    const parentless = rows.filter(row => (set.parent[row] ?? -1) < 0)
    const usual = parentless.length * 2 > rows.length
    return usual ? parentless : parentless.filter(row => set.orphan[row] === 0)
  })
}

const unmeasured = (caller: string, callee: string): Spread => ({
  caller,
  callee,
  calleeFailed: 0,
  callerFailed: 0,
  probability: null,
  low: 0,
  high: 1,
  otherwise: null,
})

function usedSpread({ used }: ReplayedFailures, spread: readonly Spread[]): readonly Spread[] {
  const byEdge = new Map(spread.map(one => [`${one.caller}\u0000${one.callee}`, one]))
  const edges = [...used].map((key): Spread => {
    const [caller = '', callee = ''] = key.split('\u0000')
    return byEdge.get(key) ?? unmeasured(caller, callee)
  })
  return edges.sort(
    (a, b) =>
      b.calleeFailed - a.calleeFailed || (`${a.caller}\n${a.callee}` < `${b.caller}\n${b.callee}` ? -1 : 1),
  )
}

const worstFirst = (all: readonly ReplayedRequests[]): readonly ReplayedRequests[] =>
  all.toSorted(
    (a, b) =>
      b.through - a.through || (`${a.service}\n${a.operation}` < `${b.service}\n${b.operation}` ? -1 : 1),
  )

interface Outcome {
  readonly set: TraceSet
  readonly through: Uint8Array
  readonly failures: ReplayedFailures | null
  readonly longer: Float64Array | null
}

function summarize(
  outcome: Outcome,
  rows: readonly number[],
  service: string,
  operation: string,
): ReplayedRequests {
  const { set, through, failures, longer } = outcome
  const all = sumOfWeights(set, rows)
  const shareOf = (value: (row: number) => number) =>
    all === 0 ? 0 : roundTo(rows.reduce((sum, row) => sum + weightOf(set, row) * value(row), 0) / all, 4)
  const throughShare = shareOf(row => through[row] ?? 0)
  const { low, high } = shareInterval(throughShare, rows.length)
  return {
    service,
    operation,
    replayed: rows.length,
    through: rows.filter(row => through[row] === 1).length,
    throughShare,
    throughLow: low,
    throughHigh: high,
    fails:
      failures === null
        ? null
        : {
            share: shareOf(row => failures.expected[row] ?? 0),
            low: shareOf(row => failures.low[row] ?? 0),
            high: shareOf(row => failures.high[row] ?? 0),
          },
    later: longer === null ? null : latenessOf(set, rows, { longer, through }, shareOf),
  }
}

function weightOf({ weight, trace }: TraceSet, row: number): number {
  return weight[trace[row] ?? 0] ?? 1
}

function sumOfWeights(set: TraceSet, rows: readonly number[]): number {
  return rows.reduce((sum, row) => sum + weightOf(set, row), 0)
}

function latenessOf(
  set: TraceSet,
  rows: readonly number[],
  { longer, through }: { readonly longer: Float64Array; readonly through: Uint8Array },
  shareOf: (value: (row: number) => number) => number,
): Lateness {
  const now = (row: number) => (set.endMs[row] ?? 0) - (set.startMs[row] ?? 0)
  const then = (row: number) => now(row) + (longer[row] ?? 0)
  const isLater = (row: number) => (longer[row] ?? 0) >= noticeMs
  const leading = rows.filter(row => through[row] === 1)
  const hidden = sumOfWeights(
    set,
    leading.filter(row => !isLater(row)),
  )
  const quantile = (q: number, of: (row: number) => number) => roundTo(weightedQuantile(set, rows, of, q), 1)
  return {
    share: shareOf(row => (isLater(row) ? 1 : 0)),
    hiddenShare: leading.length === 0 ? 0 : roundTo(hidden / sumOfWeights(set, leading), 4),
    meanMs: shareOf(row => longer[row] ?? 0),
    p50Ms: quantile(0.5, now),
    p50ThenMs: quantile(0.5, then),
    p95Ms: quantile(0.95, now),
    p95ThenMs: quantile(0.95, then),
    p99Ms: quantile(0.99, now),
    p99ThenMs: quantile(0.99, then),
  }
}

/** The smallest value that so large a part of the requests does not exceed; NaN for none. */
function weightedQuantile(
  set: TraceSet,
  rows: readonly number[],
  of: (row: number) => number,
  q: number,
): number {
  const points = rows
    .map(row => ({ value: of(row), weight: weightOf(set, row) }))
    .sort((a, b) => a.value - b.value)
  const limit = points.reduce((sum, point) => sum + point.weight, 0) * q
  let sum = 0
  for (const { value, weight } of points) {
    sum += weight
    if (sum >= limit - 1e-9) return value
  }
  return Number.NaN
}
