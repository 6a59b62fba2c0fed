/**
 * Which service entries were hit: failed, or slower than their own baseline's tail, callees included. The
 * symptom side of an incident, as callers see it, not its cause.
 */
import type { Evidence } from './evidence.ts'
import { pairOf } from './names.ts'
import { quantileOf, sortedCopy } from './robust.ts'
import type { TraceSet } from './trace-set.ts'

export interface ServiceImpact {
  readonly entries: number
  readonly hit: number
  readonly failed: number
  /**
   * Share of entries hit beyond the share hit in the baseline, 0 to 1; like all shares here of the requests
   * themselves, of which a sampler may have kept some kinds more often than others.
   */
  readonly share: number
  readonly baseShare: number
  /** Sampled traces with a hit entry. */
  readonly traces: ReadonlySet<number>
}

export interface Impact {
  /** One byte per row of the window's set: 1 for an entry that was hit. */
  readonly hit: Uint8Array
  /** By index into `Names`. */
  readonly services: ReadonlyMap<number, ServiceImpact>
}

/** Tail of the baseline beyond which an entry counts as slow. */
const tailQuantile = 0.99
/** How far beyond the tail an entry must be, since the tail of a few dozen entries is only their largest. */
const margin = 1.25

export function affectedEntries(evidence: Evidence): Impact {
  const window = evidence.window.set
  const baseline = evidence.baseline.set
  const limits = entryLimits(baseline)
  const hit = markHit(window, limits)
  const baseHit = markHit(baseline, limits)
  const before = countHits(baseline, baseHit)
  const services = new Map<number, ServiceImpact>()
  for (const [service, counts] of countHits(window, hit)) {
    const base = before.get(service)
    const baseShare = base === undefined ? 0 : base.hitWeight / base.weight
    const share = Math.max(0, counts.hitWeight / counts.weight - baseShare)
    const { entries, failed, traces } = counts
    services.set(service, { entries, hit: counts.hit, failed, traces, share, baseShare })
  }
  return { hit, services }
}

/** Beyond which an entry counts as slow, per service and operation, milliseconds; see `limitOf`. */
export function entryLimits(set: TraceSet): ReadonlyMap<number, number> {
  const durations = new Map<number, number[]>()
  for (let row = 0; row < set.spans; row++) {
    if (set.entry[row] !== row) continue
    const key = keyOf(set, row)
    const list = durations.get(key) ?? []
    list.push((set.endMs[row] ?? 0) - (set.startMs[row] ?? 0))
    durations.set(key, list)
  }
  return new Map(
    [...durations].map(([key, list]) => [key, quantileOf(sortedCopy(list), tailQuantile) * margin]),
  )
}

/** The limit of a row's service and operation; infinite for one that the baseline does not know. */
export function limitOf(limits: ReadonlyMap<number, number>, set: TraceSet, row: number): number {
  return limits.get(keyOf(set, row)) ?? Number.POSITIVE_INFINITY
}

function keyOf(set: TraceSet, row: number): number {
  return pairOf(set.service[row] ?? 0, set.name[row] ?? 0)
}

function markHit(set: TraceSet, limits: ReadonlyMap<number, number>): Uint8Array {
  const hit = new Uint8Array(set.spans)
  for (let row = 0; row < set.spans; row++) {
    if (set.entry[row] !== row) continue
    const slow = (set.endMs[row] ?? 0) - (set.startMs[row] ?? 0) > limitOf(limits, set, row)
    hit[row] = slow || set.failed[row] === 1 ? 1 : 0
  }
  return hit
}

interface Counts {
  entries: number
  hit: number
  failed: number
  /** Requests that the entries, and the hit ones, stand for. */
  weight: number
  hitWeight: number
  traces: Set<number>
}

function newCounts(): Counts {
  return { entries: 0, hit: 0, failed: 0, weight: 0, hitWeight: 0, traces: new Set() }
}

function countHits(set: TraceSet, hit: Uint8Array): Map<number, Counts> {
  const counts = new Map<number, Counts>()
  for (let row = 0; row < set.spans; row++) {
    if (set.entry[row] !== row) continue
    const service = set.service[row] ?? 0
    const own = counts.get(service) ?? newCounts()
    const weight = set.weight[set.trace[row] ?? 0] ?? 1
    own.entries++
    own.weight += weight
    own.failed += set.failed[row] ?? 0
    if (hit[row] === 1) {
      own.hit++
      own.hitWeight += weight
      own.traces.add(set.trace[row] ?? 0)
    }
    counts.set(service, own)
  }
  return counts
}
