/** Findings from the instances' own resources. */

import type { Evidence } from './evidence.ts'
import { type Finding, makeFeature } from './finding.ts'

/** The strongest rise per service. */
export function resourceFeatures(evidence: Evidence): readonly Finding[] {
  const best = new Map<string, Finding>()
  for (const shift of evidence.resources) {
    const { id } = shift
    // Shifts come strongest first.
    if (best.has(id.service)) continue
    const measured = {
      before: shift.before,
      ...(shift.expected === shift.before ? {} : { expected_with_traffic: shift.expected }),
      now: shift.now,
      spreads: Math.min(shift.spreads, 1000),
      effect: shift.effect,
    }
    best.set(id.service, {
      service: id.service,
      peer: false,
      feature: makeFeature('resource', shift.strength, measured, [{ kind: 'metric', ...id }]),
      place: { instance: id.instance, resource: id.metric },
      traces: new Set(),
      onsetMs: shift.onsetMs,
    })
  }
  return [...best.values()]
}
