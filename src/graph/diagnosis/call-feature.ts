/** Findings from call counts: who calls others more often than it used to, and what that costs its requests. */
import type { CallShift } from './call-counts.ts'
import type { EvidenceHandle } from './diagnosis.ts'
import type { Evidence } from './evidence.ts'
import { type Finding, makeFeature, onsetOf, soleInstance, sureness, traceHandle } from './finding.ts'
import { traceDurations } from './trace-set.ts'

/** The costliest shift per calling service. */
export function callFeature(evidence: Evidence): readonly Finding[] {
  const durations = traceDurations(evidence.window.set)
  const best = new Map<number, Finding>()
  for (const shift of evidence.calls) {
    const found = findingOf(evidence, shift, durations)
    const known = best.get(shift.service)
    if (known === undefined || found.feature.value > known.feature.value) best.set(shift.service, found)
  }
  return [...best.values()]
}

function findingOf(evidence: Evidence, shift: CallShift, durations: Float64Array): Finding {
  const { names } = evidence
  const service = names.text(shift.service)
  const operation = names.text(shift.operation)
  const callee = names.text(shift.callee)
  const traces = new Set(shift.traces.keys())
  let exposed = 0
  let extra = 0
  for (const trace of exposedTraces(evidence, shift)) {
    const duration = durations[trace] ?? 0
    exposed += duration
    // Calls at the same time take no longer than the trace does.
    extra += Math.min(duration, shift.traces.get(trace) ?? 0)
  }
  const measured = {
    calls_per_request: shift.now,
    baseline_calls_per_request: shift.before,
    requests_beyond: shift.beyond,
    requests: shift.entries,
    baseline_requests_beyond: shift.baseBeyond,
    baseline_requests: shift.baseEntries,
    own_part: shift.ownPart,
    extra_ms: extra / Math.max(1, traces.size),
    evidence_nats: shift.evidence,
  }
  const handles: readonly EvidenceHandle[] = [
    ...traceHandle(evidence, traces),
    { kind: 'operation', service, operation },
    { kind: 'edge', caller: service, callee },
  ]
  return {
    service,
    peer: false,
    feature: makeFeature(
      'more_calls',
      exposed > 0 ? (sureness(shift.evidence) * shift.ownPart * extra) / exposed : 0,
      measured,
      handles,
    ),
    place: { operation, instance: soleInstance(evidence, shift.service, traces) },
    traces,
    onsetMs: onsetOf(evidence, traces),
  }
}

/** Traces with an entry of this operation. */
function exposedTraces({ window: { set } }: Evidence, shift: CallShift): ReadonlySet<number> {
  const traces = new Set<number>()
  for (let row = 0; row < set.spans; row++) {
    if (set.entry[row] !== row || set.service[row] !== shift.service) continue
    if (set.name[row] === shift.operation) traces.add(set.trace[row] ?? 0)
  }
  return traces
}
