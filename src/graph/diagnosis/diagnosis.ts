/**
 * The answer to "what is wrong, since when, why, who is hit, and how sure": plain data, the same for the
 * same data and arguments. Names inside are telemetry written by strangers; whoever shows them fences them.
 */
import type { Coverage, Deadline, TelemetryReader } from '../../model/reader.ts'
import type { TimeRange } from '../../model/time.ts'
import type { ChangeEvent } from '../changes.ts'

export interface DiagnosisInput {
  readonly reader: TelemetryReader
  /** The time asked about, half-open. */
  readonly window: TimeRange
  /** What healthy looks like; it may lie anywhere. Null: the time before the window is taken. */
  readonly baseline: TimeRange | null
  /** The service whose symptom raised the question; null when nobody named one. */
  readonly service: string | null
  readonly deadline: Deadline
}

/**
 * - `confirmed`: strong evidence from more than one kind of signal, a large effect, a clear lead
 * - `likely`: strong evidence, an effect that matters, a lead over the runner-up
 * - `inconclusive`: something changed, but not enough to name one cause; `deciding` may say what would
 * - `healthy`: enough data on both sides, and nothing beyond what the baseline itself shows
 * - `insufficient_data`: too little telemetry in the window or in the baseline to say anything
 */
export type Verdict = 'confirmed' | 'likely' | 'inconclusive' | 'healthy' | 'insufficient_data'

/** `surge`: no fault of the system's own; more requests come from outside than it serves in time. */
export type FaultKind = 'slow' | 'failing' | 'not_called' | 'saturated' | 'changed' | 'surge'

/** Where a reader can check a statement. Times are milliseconds; a range is half-open. */
export type EvidenceHandle =
  | { readonly kind: 'traces'; readonly traceIds: readonly string[] }
  | {
      readonly kind: 'template'
      readonly service: string
      readonly templateId: string
      readonly pattern: string
    }
  | {
      readonly kind: 'metric'
      readonly service: string
      readonly metric: string
      readonly instance: string
      readonly attributes: string
    }
  | { readonly kind: 'operation'; readonly service: string; readonly operation: string }
  | { readonly kind: 'edge'; readonly caller: string; readonly callee: string }
  | { readonly kind: 'version'; readonly service: string; readonly version: string }

/** Named figures behind a feature, in the unit their name ends with. */
export type Measured = Readonly<Record<string, number>>

/** One reason to suspect a candidate. `value` lies in [0, 1]; `weight` is a constant of the method. */
export interface Feature {
  readonly name: FeatureName
  readonly value: number
  readonly weight: number
  readonly measured: Measured
  readonly evidence: readonly EvidenceHandle[]
}

export type FeatureName =
  | 'own_time'
  | 'network_gap'
  | 'error_origin'
  | 'error_logs'
  | 'skipped_work'
  | 'new_branch'
  | 'resource'
  | 'unexplained_latency'
  | 'unexplained_errors'
  | 'release'
  | 'entry_traffic'
  | 'more_calls'
  | 'lost_messages'
  | 'hasty_answers'

/** What is to blame. A part that is not known is the empty string. */
export interface Location {
  readonly service: string
  /** A service that sends no telemetry of its own (a database, a third party). */
  readonly peer: boolean
  readonly operation: string
  /** Caller of the edge concerned, when the fault shows for one caller only. */
  readonly caller: string
  readonly instance: string
  /** Name of the metric of the resource that is exhausted. */
  readonly resource: string
  readonly version: string
}

export interface Cause {
  readonly location: Location
  readonly kind: FaultKind
  /** `1 / (1 + exp(-(bias + sum(weight * value))))` over `features`, three decimals; see `score.ts`. */
  readonly score: number
  readonly features: readonly Feature[]
  /** Onset of this service's own deviation, milliseconds; null if none could be placed. */
  readonly onsetMs: number | null
}

export type ExclusionReason =
  /** Its own time, errors, sequences and resources are within the baseline's range. */
  | 'unchanged'
  /** It moved only after the first cause did. */
  | 'later'
  /** Its deviation goes with a deviation of a service it calls. */
  | 'explained_by_callee'
  /** It became slower as far as more requests from outside make it slower. */
  | 'explained_by_traffic'
  /** No call path from the symptom to it. */
  | 'no_path'
  /** The same change came without harm: an innocent restart or release. */
  | 'harmless_change'

export interface RuledOut {
  readonly service: string
  readonly reason: ExclusionReason
  /** The service that explains it, where there is one; the entry, if it is traffic. */
  readonly explainedBy: string
  readonly measured: Measured
}

/** When a service deviated; ordered by onset. */
export interface Onset {
  readonly service: string
  readonly onsetMs: number
  /** Null while it lasts to the end of the window. */
  readonly endMs: number | null
  readonly signal: 'errors' | 'latency' | 'traces' | 'logs' | 'resource'
  /** The service it calls on its shortest way to the first cause; empty for that itself, and where there is none. */
  readonly through: string
  /** Milliseconds after the first cause; null if that has no onset. Clocks and counting make some thousand nothing. */
  readonly afterMs: number | null
}

export interface AffectedService {
  readonly service: string
  /** Calls from outside reach it first. */
  readonly entryPoint: boolean
  readonly requests: number
  /** Share of its requests in the window that pass through the first cause, 0 to 1. */
  readonly exposedShare: number
  /** Share of its requests in the window that failed or were slower than the baseline's tail, 0 to 1. */
  readonly affectedShare: number
}

/** How failures cross one call edge, counted in traces of the window. */
export interface Propagation {
  readonly caller: string
  readonly callee: string
  /** Callee entries that failed, and the caller entries among theirs that failed too. */
  readonly calleeFailed: number
  readonly callerFailed: number
  /** callerFailed / calleeFailed; null without a failed callee. */
  readonly probability: number | null
}

export interface BlastRadius {
  /** Callers of the first cause, direct and indirect, and itself; most affected first. */
  readonly services: readonly AffectedService[]
  readonly propagation: readonly Propagation[]
}

/** Requests from outside whose rate changed. */
export interface TrafficChange {
  /** The service they enter first. */
  readonly service: string
  readonly beforePerS: number
  readonly nowPerS: number
  /** Null for less traffic. */
  readonly onsetMs: number | null
}

/** A trace that stands for a failure shape: what came out at its entry, and which features it shows. */
export interface Exemplar {
  readonly traceId: string
  readonly startMs: number
  readonly durationMs: number
  /** How its requests from outside ended, then services and features in words of this file: `service: feature`. */
  readonly shape: string
  /** Sampled traces of that shape in the window. */
  readonly traces: number
}

/**
 * What would decide between two causes that are close, or between one that is too weak to be named and none: an
 * observation, as something a tool can fetch.
 */
export interface DecidingObservation {
  readonly first: string
  /** Empty for none. */
  readonly second: string
  readonly look:
    | { readonly at: 'trace'; readonly traceId: string }
    | { readonly at: 'metric'; readonly service: string; readonly metric: string }
    | { readonly at: 'logs'; readonly service: string }
    | { readonly at: 'edge'; readonly caller: string; readonly callee: string }
    | { readonly at: 'wider_window'; readonly window: TimeRange }
}

export interface SampledWindow {
  readonly range: TimeRange
  /** Spans read, and the traces made of them. */
  readonly spans: number
  readonly traces: number
  /** Share of the window's spans that were read, 0 to 1. */
  readonly share: number
  readonly logRecords: number
  readonly metricSeries: number
}

export interface DiagnosisCoverage {
  readonly window: SampledWindow
  readonly baseline: SampledWindow
  /** `given`, `before` (default: healthy time before the window) or `none` (nothing stored there). */
  readonly baselineOrigin: 'given' | 'before' | 'none'
  /** Spans of the window whose parent was never seen. */
  readonly orphanSpans: number
  /** Services whose clocks disagree with their callers', farthest off first. */
  readonly clocks: readonly ClockOffset[]
  /** Services that the baseline has spans of and the window has none, by name. */
  readonly silent: readonly string[]
  /** Whether something not seen may be read as something that did not happen. */
  readonly absenceIsEvidence: boolean
  readonly stored: Coverage
  readonly notes: readonly CoverageNote[]
}

export interface ClockOffset {
  readonly service: string
  /** By how much it is ahead of its callers, milliseconds; negative if it is behind. */
  readonly aheadMs: number
}

export type CoverageNote =
  | 'no_spans'
  | 'no_logs'
  | 'no_metrics'
  | 'no_baseline'
  | 'short_baseline'
  | 'few_traces'
  | 'clock_skew'
  | 'silent_services'
  | 'sampled_at_source'
  | 'sampled_here'
  | 'lag'
  | 'corrupt_segments'

export interface Diagnosis {
  readonly verdict: Verdict
  /** Constant of the link from features to scores. */
  readonly bias: number
  readonly window: TimeRange
  readonly baseline: TimeRange | null
  readonly service: string | null
  /** Best first; ties by service name. */
  readonly causes: readonly Cause[]
  readonly ruledOut: readonly RuledOut[]
  readonly onsets: readonly Onset[]
  readonly blastRadius: BlastRadius
  readonly changes: readonly ChangeEvent[]
  /** An observation, no reproach. Largest first; empty while traffic is what it was, or if it is not known. */
  readonly traffic: readonly TrafficChange[]
  readonly exemplars: readonly Exemplar[]
  /** Failure shapes that the exemplars leave out. */
  readonly shapesLeftOut: number
  /** For every cause the share of its traces that show the first one too; null for the first and without traces. */
  readonly sharedWithFirst: readonly (number | null)[]
  readonly deciding: DecidingObservation | null
  readonly coverage: DiagnosisCoverage
}
