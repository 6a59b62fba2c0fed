/** Findings from metrics and call edges alone. */

import type { EvidenceHandle } from './diagnosis.ts'
import type { Evidence } from './evidence.ts'
import { type Finding, makeFeature } from './finding.ts'
import type { FlowShift } from './flow-shift.ts'
import type { MetricRole } from './metric-meaning.ts'

export function flowFeatures(evidence: Evidence): readonly Finding[] {
  return evidence.flows.filter(shift => shift.strength > 0).map(shift => findingOf(evidence, shift))
}

function findingOf(evidence: Evidence, shift: FlowShift): Finding {
  const slow = shift.kind === 'latency'
  const measured = {
    [slow ? 'extra_s' : 'failed_requests']: shift.kept,
    [slow ? 'extra_with_callees_s' : 'failed_with_callees']: shift.total,
    share_kept: shift.share,
    steps_beyond: shift.beyond,
    steps: shift.steps,
    [slow ? 'before_s' : 'before_failing_share']: shift.before,
    [slow ? 'now_s' : 'now_failing_share']: shift.now,
    evidence_nats: shift.evidence,
  }
  const roles: readonly MetricRole[] = slow ? ['latency'] : ['availability', 'errors']
  const { fromMs, stepMs } = evidence.flowGrid
  return {
    service: shift.service,
    peer: false,
    feature: makeFeature(
      slow ? 'unexplained_latency' : 'unexplained_errors',
      shift.strength,
      measured,
      metricHandle(evidence, shift.service, roles),
    ),
    place: {},
    traces: new Set(),
    onsetMs: shift.firstStep < 0 ? null : fromMs + shift.firstStep * stepMs,
  }
}

function metricHandle(
  evidence: Evidence,
  service: string,
  roles: readonly MetricRole[],
): readonly EvidenceHandle[] {
  for (const series of evidence.windowSeries.values()) {
    if (series.id.service === service && roles.includes(series.role))
      return [{ kind: 'metric', ...series.id }]
  }
  return []
}
