/** Findings from failed spans: where errors begin. */

import type { EvidenceHandle } from './diagnosis.ts'
import type { ErrorShift } from './error-origins.ts'
import type { Evidence } from './evidence.ts'
import {
  errorReachOf,
  type Finding,
  halfErrorRise,
  makeFeature,
  onsetOf,
  reports,
  soleInstance,
  sureness,
  traceHandle,
} from './finding.ts'

/** Part of the value that depends on how many of all newly failing traces began to fail here. */
const explainedPart = 0.4

/** The strongest place per service at which errors began. */
export function errorFeature(evidence: Evidence): readonly Finding[] {
  const best = new Map<number, Finding>()
  const failing = new Set(evidence.errors.flatMap(shift => [...shift.traces]))
  for (const shift of evidence.errors) {
    const found = findingOf(evidence, shift, failing.size)
    const known = best.get(shift.service)
    if (known === undefined || found.feature.value > known.feature.value) best.set(shift.service, found)
  }
  return [...best.values()]
}

function findingOf(evidence: Evidence, shift: ErrorShift, failing: number): Finding {
  const { names, window } = evidence
  const service = names.text(shift.service)
  const operation = names.text(shift.operation)
  const explained = 1 - explainedPart + (explainedPart * shift.failed) / failing
  const reach = errorReachOf(shift.total, window.set.traces)
  const value = sureness(shift.evidence) * (shift.rise / (shift.rise + halfErrorRise)) * reach * explained
  const measured = {
    failed_requests: shift.failed,
    requests: shift.total,
    baseline_failed_requests: shift.baseFailed,
    baseline_requests: shift.baseTotal,
    failing_traces: failing,
    evidence_nats: shift.evidence,
  }
  const caller = names.text(shift.caller)
  const edge: readonly EvidenceHandle[] = caller === '' ? [] : [{ kind: 'edge', caller, callee: service }]
  const handles: readonly EvidenceHandle[] = [
    ...traceHandle(evidence, shift.traces),
    { kind: 'operation', service, operation },
    ...edge,
  ]
  return {
    service,
    peer: shift.silent && !reports(evidence, shift.service),
    feature: makeFeature('error_origin', value, measured, handles),
    place: { operation, instance: soleInstance(evidence, shift.service, shift.traces) },
    traces: shift.traces,
    onsetMs: onsetOf(evidence, shift.traces),
  }
}
