/** Findings from answers that come too soon: all that is seen of errors where neither status nor log tells of them. */
import type { Evidence } from './evidence.ts'
import {
  errorReachOf,
  type Finding,
  halfErrorRise,
  makeFeature,
  onsetOf,
  reports,
  sureness,
  traceHandle,
} from './finding.ts'
import type { HasteShift } from './hasty-answers.ts'

/** The strongest place per service. */
export function hasteFeature(evidence: Evidence): readonly Finding[] {
  const best = new Map<number, Finding>()
  for (const shift of evidence.haste) {
    const found = findingOf(evidence, shift)
    const known = best.get(shift.service)
    if (known === undefined || found.feature.value > known.feature.value) best.set(shift.service, found)
  }
  return [...best.values()]
}

function findingOf(evidence: Evidence, shift: HasteShift): Finding {
  const { names, window } = evidence
  const { hasty, total, baseHasty, baseTotal, traces } = shift
  const service = names.text(shift.service)
  const operation = names.text(shift.operation)
  const rise = Math.max(0, hasty / total - (baseTotal === 0 ? 0 : baseHasty / baseTotal))
  const reach = errorReachOf(total, window.set.traces)
  const value = sureness(shift.evidence) * (rise / (rise + halfErrorRise)) * reach
  const measured = {
    hasty_requests: hasty,
    requests: total,
    baseline_hasty_requests: baseHasty,
    baseline_requests: baseTotal,
    evidence_nats: shift.evidence,
  }
  return {
    service,
    peer: !reports(evidence, shift.service),
    feature: makeFeature('hasty_answers', value, measured, [
      ...traceHandle(evidence, traces),
      { kind: 'operation', service, operation },
    ]),
    place: { operation },
    traces,
    onsetMs: onsetOf(evidence, traces),
  }
}
