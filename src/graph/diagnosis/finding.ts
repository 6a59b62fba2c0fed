/** A finding: one feature of one service, with the place it points to and what shows it. */
import type { EvidenceHandle, Feature, FeatureName, Location, Measured } from './diagnosis.ts'
import type { Evidence } from './evidence.ts'
import { orderOf } from './number-order.ts'
import { roundTo, weights } from './score.ts'
import type { TraceSet } from './trace-set.ts'

/** One feature of one service, with the place it points to and the traces that show it. */
export interface Finding {
  readonly service: string
  /** Sends no telemetry of its own. */
  readonly peer: boolean
  readonly feature: Feature
  /** Parts of the location that this finding knows. */
  readonly place: Partial<Omit<Location, 'service' | 'peer'>>
  /** Sampled traces of the window that show it, as indices into its trace set. */
  readonly traces: ReadonlySet<number>
  /** Earliest sign, milliseconds; null if the finding has no time. */
  readonly onsetMs: number | null
}

/** Builds a feature: value and figures rounded, so that an answer is short and the same everywhere. */
export function makeFeature(
  name: FeatureName,
  value: number,
  measured: Measured,
  evidence: readonly EvidenceHandle[],
): Feature {
  const rounded = Object.entries(measured).map(([key, figure]) => [key, roundTo(figure, 3)] as const)
  return {
    name,
    value: boundedValue(value),
    weight: weights[name],
    measured: Object.fromEntries(rounded),
    evidence,
  }
}

function boundedValue(value: number): number {
  return roundTo(Math.min(1, Math.max(0, value)), 4)
}

/** What a feature of this value would add to a score. */
export function strengthOf(name: FeatureName, value: number): number {
  return boundedValue(value) * weights[name]
}

/** Sureness of evidence in nats, 0 to 1, saturating: counts of one incident are not independent. */
export function sureness(nats: number): number {
  return 1 - Math.exp(-nats / 8)
}

/** Part of an operation's requests beyond which a finding is about the system and not about the operation. */
const rareShare = 0.06

/** The same for errors that a span's status tells: nobody has to guess that they are bad. */
const rareErrorShare = 0.04

/** Rise of the failing share that is half of everything: one request in ten is an incident to its users. */
export const halfErrorRise = 0.1

/** How much it matters that `traces` of all sampled traces are concerned: half at one in sixteen. */
export function reachOf(traces: number, all: number): number {
  return half(all === 0 ? 0 : traces / all, rareShare)
}

/** How much it matters that errors began in an operation that `traces` of all sampled traces use. */
export function errorReachOf(traces: number, all: number): number {
  return half(all === 0 ? 0 : traces / all, rareErrorShare)
}

/** 0 to 1, one half at `at`. */
function half(value: number, at: number): number {
  return value / (value + at)
}

/** Up to three trace ids, the first by id: which ones does not matter, that they stay the same does. */
export function traceHandle(evidence: Evidence, traces: Iterable<number>): readonly EvidenceHandle[] {
  const rows = [...traces].sort((a, b) => a - b).slice(0, 3)
  if (rows.length === 0) return []
  return [{ kind: 'traces', traceIds: rows.map(row => evidence.window.set.traceIds[row] ?? '') }]
}

/** One in twenty evenly spread sequences reaches farther, in standard deviations (Kolmogorov and Smirnov). */
const evenReach = 1.22

/**
 * When the traces became frequent: the point in the order of all traces after which they keep coming more
 * often than over the whole window (the minimum of the cumulative sum of differences from the mean; Page,
 * "Continuous inspection schemes", 1954). A few early outliers do not move it. Where they come evenly the minimum is
 * chance, and it was so from the first of them on. Null for no traces.
 */
export function onsetOf(evidence: Evidence, traces: ReadonlySet<number>): number | null {
  const { set } = evidence.window
  if (traces.size === 0) return null
  const order = tracesByStart(set)
  const mean = traces.size / set.traces
  let sum = 0
  let lowest = 0
  let after = 0
  for (let i = 0; i < order.length; i++) {
    sum += (traces.has(order[i] as number) ? 1 : 0) - mean
    if (sum < lowest - 1e-9) {
      lowest = sum
      after = i + 1
    }
  }
  const chance = evenReach * Math.sqrt(set.traces * mean * (1 - mean))
  if (-lowest <= chance) after = 0
  const first = order.subarray(after).find(trace => traces.has(trace))
  return first === undefined ? null : startOf(set, first)
}

function startOf(set: TraceSet, trace: number): number {
  return set.startMs[set.first[trace] ?? 0] ?? 0
}

/** Of one set all findings ask for the same. */
const orders = new WeakMap<TraceSet, Uint32Array>()

function tracesByStart(set: TraceSet): Uint32Array {
  const known = orders.get(set)
  if (known !== undefined) return known
  const startMs = new Float64Array(set.traces)
  for (let trace = 0; trace < set.traces; trace++) startMs[trace] = startOf(set, trace)
  const order = orderOf(startMs)
  orders.set(set, order)
  return order
}

/** Share of the bad requests on one instance from which the instance, not the service, is the place. */
const soleShare = 0.9
/** And at most this share of all requests, for an instance that serves nearly everything shows nothing. */
const soleLoad = 0.75

/** The one instance on which these traces went bad; empty if they did so on several, or there is only one. */
export function soleInstance(evidence: Evidence, service: number, traces: ReadonlySet<number>): string {
  const { set } = evidence.window
  const all = new Map<number, number>()
  const bad = new Map<number, number>()
  let entries = 0
  let badEntries = 0
  for (let row = 0; row < set.spans; row++) {
    if (set.service[row] !== service || set.entry[row] !== row) continue
    const instance = set.instance[row] ?? 0
    entries++
    all.set(instance, (all.get(instance) ?? 0) + 1)
    if (!traces.has(set.trace[row] ?? 0)) continue
    badEntries++
    bad.set(instance, (bad.get(instance) ?? 0) + 1)
  }
  for (const [instance, count] of bad) {
    const load = (all.get(instance) ?? 0) / entries
    if (count >= soleShare * badEntries && load <= soleLoad) return evidence.names.text(instance)
  }
  return ''
}

/** Whether a service has spans of its own in either window. */
export function reports(evidence: Evidence, service: number): boolean {
  return evidence.window.set.service.includes(service) || evidence.baseline.set.service.includes(service)
}
