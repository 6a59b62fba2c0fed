/** Findings from the instances' own resources. */

import type { Evidence } from './evidence.ts'
import { type Finding, makeFeature } from './finding.ts'

/** The strongest rise per service. */
export function resourceFeatures(evidence: Evidence): readonly Finding[] {
  const best = new Map<string, Finding>()
  const strongest = new Map<string, number>()
  for (const shift of evidence.resources) {
    const { id } = shift
    const unusual = evidence.habits.resource(id.service, id.metric)
    const strength = shift.strength * unusual
    if (strength <= (strongest.get(id.service) ?? 0)) continue
    strongest.set(id.service, strength)
    const measured = {
      before: shift.before,
      ...(shift.expected === shift.before ? {} : { expected_with_traffic: shift.expected }),
      now: shift.now,
      spreads: Math.min(shift.spreads, 1000),
      sureness: shift.sureness,
      effect: shift.effect,
      ...(unusual < 1 ? { part_not_usual_at_this_time: unusual } : {}),
    }
    best.set(id.service, {
      service: id.service,
      peer: false,
      feature: makeFeature('resource', strength, measured, [{ kind: 'metric', ...id }]),
      place: { instance: id.instance, resource: id.metric },
      traces: new Set(),
      onsetMs: shift.onsetMs,
    })
  }
  return [...best.values()]
}
