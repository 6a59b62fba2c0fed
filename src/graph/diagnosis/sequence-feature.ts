/** Findings from sequences: work that is skipped, errors that are logged, branches nobody took before. */

import type { EvidenceHandle, FeatureName } from './diagnosis.ts'
import type { Evidence } from './evidence.ts'
import { type Finding, makeFeature, onsetOf, reachOf, strengthOf, traceHandle } from './finding.ts'
import { errorSeverity } from './log-lines.ts'
import { templateOf } from './log-runs.ts'
import { runEnd, runStart, type Step } from './sequences.ts'
import type { StepOrigin } from './step-origins.ts'

/** A known step that became common may be a shift in what is asked for; one never taken before is not. */
const risenPart = 0.6
/** The same for a known branch that leaves nothing out. */
const risenBranchPart = 1 / 3

/** The strongest step per service; all steps of one service witness the same deviation. */
export function sequenceFeatures(evidence: Evidence): readonly Finding[] {
  const best = new Map<number, Strongest>()
  for (const origin of evidence.steps) {
    const name = featureOf(evidence, origin.step)
    const value =
      origin.strength * partOf(origin.step) * reachOf(origin.traces.size, evidence.window.set.traces)
    if (value <= 0) continue
    const strength = strengthOf(name, value)
    const known = best.get(origin.step.service)
    if (known === undefined || strength > known.strength)
      best.set(origin.step.service, { strength, origin, name, value })
  }
  return [...best.values()].map(({ origin, name, value }) => findingOf(evidence, origin, name, value))
}

interface Strongest {
  readonly strength: number
  readonly origin: StepOrigin
  readonly name: FeatureName
  readonly value: number
}

function featureOf(evidence: Evidence, step: Step): FeatureName {
  const template = templateOf(evidence.names, evidence.templates, step.to)
  if (step.kind !== 'missing' && template !== undefined && template.severity >= errorSeverity)
    return 'error_logs'
  return step.skips ? 'skipped_work' : 'new_branch'
}

function partOf(step: Step): number {
  if (step.kind !== 'risen') return 1
  // An entry that does nothing at all any more is no other branch.
  if (step.from === runStart && step.to === runEnd) return 1
  return step.skips ? risenPart : risenBranchPart
}

function findingOf(evidence: Evidence, origin: StepOrigin, name: FeatureName, value: number): Finding {
  const { step } = origin
  const { names } = evidence
  const service = names.text(step.service)
  const operation = step.context.split('\n')[1] ?? ''
  const measured = {
    [step.kind === 'missing' ? 'runs_without_it' : 'runs_with_it']: step.taken,
    runs: step.reached,
    baseline_runs_alike: step.baseTaken,
    baseline_runs: step.baseReached,
    runs_not_explained: origin.own,
    ...(origin.elsewhere > 0 ? { runs_of_callers_explained: origin.elsewhere } : {}),
    evidence_nats: step.evidence,
  }
  const handles: readonly EvidenceHandle[] = [
    ...traceHandle(evidence, origin.traces),
    ...stepHandles(evidence, service, step),
  ]
  return {
    service,
    peer: false,
    feature: makeFeature(name, value, measured, handles),
    place: { operation },
    traces: origin.traces,
    onsetMs: onsetOf(evidence, origin.traces),
  }
}

/** The tokens of a step as things that can be looked up. */
function stepHandles(evidence: Evidence, service: string, step: Step): readonly EvidenceHandle[] {
  const handles: EvidenceHandle[] = []
  for (const token of [step.to, step.from]) {
    if (token < 0) continue
    const template = templateOf(evidence.names, evidence.templates, token)
    if (template !== undefined) {
      handles.push({ kind: 'template', service, templateId: template.id, pattern: template.pattern })
      continue
    }
    const text = evidence.names.text(token)
    if (text.startsWith('span:')) handles.push({ kind: 'operation', service, operation: text.slice(5) })
  }
  return handles
}
