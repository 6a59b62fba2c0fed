/** A finding: one feature of one service, with the place it points to and what shows it. */
import type { EvidenceHandle, Feature, FeatureName, Location, Measured } from './diagnosis.ts'
import type { Evidence } from './evidence.ts'
import { roundTo, weights } from './score.ts'

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
    value: roundTo(Math.min(1, Math.max(0, value)), 4),
    weight: weights[name],
    measured: Object.fromEntries(rounded),
    evidence,
  }
}

/** Sureness of evidence in nats, 0 to 1, saturating: counts of one incident are not independent. */
export function sureness(nats: number): number {
  return 1 - Math.exp(-nats / 8)
}

/** Part of an operation's requests beyond which a finding is about the system and not about the operation. */
const rareShare = 0.08

/** How much it matters that `traces` of all sampled traces are concerned: half at one in twelve. */
export function reachOf(traces: number, all: number): number {
  const share = all === 0 ? 0 : traces / all
  return share / (share + rareShare)
}

/** Up to three trace ids, the first by id: which ones does not matter, that they stay the same does. */
export function traceHandle(evidence: Evidence, traces: Iterable<number>): readonly EvidenceHandle[] {
  const rows = [...traces].sort((a, b) => a - b).slice(0, 3)
  if (rows.length === 0) return []
  return [{ kind: 'traces', traceIds: rows.map(row => evidence.window.set.traceIds[row] ?? '') }]
}

/** Start of the earliest of these traces. */
export function earliestMs(evidence: Evidence, traces: Iterable<number>): number | null {
  const { first, startMs } = evidence.window.set
  let earliest = Number.POSITIVE_INFINITY
  for (const trace of traces) earliest = Math.min(earliest, startMs[first[trace] ?? 0] ?? earliest)
  return Number.isFinite(earliest) ? earliest : null
}

/** Whether a service has spans of its own in either window. */
export function reports(evidence: Evidence, service: number): boolean {
  return evidence.window.set.service.includes(service) || evidence.baseline.set.service.includes(service)
}
