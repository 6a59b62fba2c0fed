/** Services somebody might suspect, and the fact that excludes each. */
import type { ChangeEvent } from '../changes.ts'
import { related } from './call-paths.ts'
import type { Candidate } from './candidates.ts'
import type { Onset, RuledOut } from './diagnosis.ts'
import { minTrafficNats } from './entry-traffic.ts'
import type { Evidence } from './evidence.ts'
import type { Impact } from './impact.ts'
import { onsetPrecisionMs } from './onsets.ts'
import { roundTo } from './score.ts'
import { riseEvidence } from './two-sample.ts'

/** Services listed at most; those that look worst come first. */
const maxRuledOut = 8
/** A service shows the symptom from this share of hit requests on. */
const symptomShare = 0.05

export interface RuleOutInput {
  readonly evidence: Evidence
  readonly named: readonly Candidate[]
  readonly all: readonly Candidate[]
  /** Candidates that no call path links to the symptom. */
  readonly unrelated: readonly Candidate[]
  readonly affected: Impact
  readonly onsets: readonly Onset[]
  readonly changes: readonly ChangeEvent[]
  readonly symptom: string | null
}

export function ruleOut(input: RuleOutInput): readonly RuledOut[] {
  const { evidence, named, symptom } = input
  const suspects = new Set(named.map(candidate => candidate.cause.location.service))
  const found = new Map<string, RuledOut>()
  const add = (entry: RuledOut) => {
    if (!suspects.has(entry.service) && !found.has(entry.service)) found.set(entry.service, entry)
  }
  for (const entry of withoutPath(input)) add(entry)
  for (const entry of explainedByTraffic(input)) add(entry)
  for (const entry of explainedByCallee(input)) add(entry)
  for (const entry of symptomsOnly(input)) add(entry)
  for (const entry of harmlessChanges(input)) add(entry)
  if (named.length > 0) for (const entry of restOf(evidence, symptom)) add(entry)
  return [...found.values()].slice(0, maxRuledOut)
}

/** Something is wrong there, but it is another matter. */
function withoutPath({ unrelated }: RuleOutInput): RuledOut[] {
  return unrelated.map(({ cause }) => ({
    service: cause.location.service,
    reason: 'no_path',
    explainedBy: '',
    measured: { own_score: cause.score },
  }))
}

/** Places that became slower, by no more than more requests from outside let expect. */
function explainedByTraffic({ evidence }: RuleOutInput): RuledOut[] {
  const entry = evidence.traffic.find(one => one.now > one.before)
  if (entry === undefined) return []
  return evidence.shifts
    .filter(
      shift =>
        shift.load.rise >= shift.rise / 2 &&
        riseEvidence(shift.beyond, shift.total, shift.baseBeyond, shift.baseTotal) >= minTrafficNats,
    )
    .map(shift => ({
      service: evidence.names.text(shift.key.owner),
      reason: 'explained_by_traffic',
      explainedBy: evidence.names.text(entry.service),
      measured: {
        slow_share: roundTo(shift.beyond / shift.total, 3),
        baseline_slow_share: roundTo(shift.baseBeyond / shift.baseTotal, 3),
        slow_share_by_traffic: roundTo(shift.load.rise, 3),
        limit_ms: roundTo(shift.limitMs, 1),
      },
    }))
}

/** Unusual steps that lie above a deviation of a callee. */
function explainedByCallee({ evidence }: RuleOutInput): RuledOut[] {
  const entries: RuledOut[] = []
  for (const { step, own, explainedBy } of evidence.steps) {
    if (explainedBy === 0 || own > step.taken / 2) continue
    entries.push({
      service: evidence.names.text(step.service),
      reason: 'explained_by_callee',
      explainedBy: evidence.names.text(explainedBy),
      measured: {
        runs: step.taken,
        runs_explained: roundTo(step.taken - own, 1),
        evidence_nats: roundTo(step.evidence, 1),
      },
    })
  }
  return entries
}

/** Services whose requests were hit although their own time, errors and sequences did not change. */
function symptomsOnly({ evidence, named, all, affected, onsets }: RuleOutInput): RuledOut[] {
  const first = named[0]
  if (first === undefined) return []
  const explanation = first.cause.kind === 'surge' ? 'explained_by_traffic' : 'explained_by_callee'
  const moved = new Map(all.toReversed().map(candidate => [candidate.cause.location.service, candidate]))
  return [...affected.services]
    .filter(([, hit]) => hit.share >= symptomShare)
    .sort((a, b) => b[1].share - a[1].share || a[0] - b[0])
    .map(([id, hit]) => {
      const service = evidence.names.text(id)
      const shared = [...hit.traces].filter(trace => first.traces.has(trace)).length
      const score = moved.get(service)?.cause.score ?? 0
      const explained = shared * 2 >= hit.traces.size
      const afterMs = onsets.find(onset => onset.service === service)?.afterMs ?? 0
      const later = afterMs > onsetPrecisionMs(evidence.window.range)
      return {
        service,
        reason: explained ? explanation : later ? ('later' as const) : ('unchanged' as const),
        explainedBy: explained ? first.cause.location.service : '',
        measured: {
          hit_requests: hit.hit,
          requests: hit.entries,
          hit_traces_through_cause: shared,
          hit_traces: hit.traces.size,
          own_score: score,
          ...(later ? { after_ms: afterMs } : {}),
        },
      }
    })
}

/** Releases and restarts that did no harm. */
function harmlessChanges({ changes }: RuleOutInput): RuledOut[] {
  return changes
    .filter(change => change.kind === 'new_version' || change.kind === 'restart')
    .map(change => ({
      service: change.service,
      reason: 'harmless_change',
      explainedBy: '',
      measured: { at_ms: change.atMs, requests_since: change.count },
    }))
}

/** Everybody else: no path from the symptom, or nothing moved. */
function restOf(evidence: Evidence, symptom: string | null): RuledOut[] {
  const connected = related(evidence.edges, symptom)
  const services = new Set(evidence.windowView.series('service').map(series => series.key[0] ?? ''))
  return [...services].sort().map(service => ({
    service,
    reason: connected !== null && !connected.has(service) ? ('no_path' as const) : ('unchanged' as const),
    explainedBy: '',
    measured: {},
  }))
}
