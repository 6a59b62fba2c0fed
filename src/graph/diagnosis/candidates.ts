/** Suspects: the findings of each service together, and a surge by itself, scored and put in order. */
import { callFeature } from './call-feature.ts'
import type { Cause, FaultKind, Feature, FeatureName, Location } from './diagnosis.ts'
import { errorFeature } from './error-feature.ts'
import type { Evidence } from './evidence.ts'
import type { Finding } from './finding.ts'
import { flowFeatures } from './flow-feature.ts'
import { hasteFeature } from './haste-feature.ts'
import { messageFeature } from './message-feature.ts'
import type { Patience } from './patience.ts'
import { releaseFeatures } from './release-feature.ts'
import { resourceFeatures } from './resource-feature.ts'
import { roundTo, scoreOf, sumOf } from './score.ts'
import { sequenceFeatures } from './sequence-feature.ts'
import { surgeFeature } from './surge-feature.ts'
import { tallyFeatures } from './tally-feature.ts'
import { timeFeatures } from './time-feature.ts'

export interface Candidate {
  readonly cause: Cause
  /** Log-odds that its features add. */
  readonly sum: number
  readonly findings: readonly Finding[]
  /** Sampled traces of the window that show any of them. */
  readonly traces: ReadonlySet<number>
}

/** Log-odds below which a finding is noise that only costs the reader's time. */
const minContribution = 0.05

/** Best first, ties by name. Throws what `patience` throws, which is asked between kinds and between candidates. */
export function rankCandidates(evidence: Evidence, patience: Patience): readonly Candidate[] {
  const suspects = new Map<string, Finding[]>()
  for (const finding of findAll(evidence, patience)) {
    const { value, weight } = finding.feature
    if (finding.service === '' || value * weight < minContribution) continue
    const suspect = suspectOf(finding)
    const list = suspects.get(suspect)
    if (list === undefined) suspects.set(suspect, [finding])
    else list.push(finding)
  }
  const found: { readonly suspect: string; readonly candidate: Candidate }[] = []
  for (const [suspect, findings] of suspects) {
    patience.check()
    found.push({ suspect, candidate: candidateOf(findings[0]?.service ?? '', findings) })
  }
  return found
    .sort((a, b) => b.candidate.sum - a.candidate.sum || (a.suspect < b.suspect ? -1 : 1))
    .map(({ candidate }) => candidate)
}

/** A flood is not the fault of the service by which it enters: the two are told apart. */
function suspectOf({ service, feature }: Finding): string {
  return feature.name === 'entry_traffic' ? `${service}\n${feature.name}` : service
}

const kindsOfEvidence: readonly ((evidence: Evidence) => readonly Finding[])[] = [
  timeFeatures,
  callFeature,
  errorFeature,
  messageFeature,
  hasteFeature,
  sequenceFeatures,
  resourceFeatures,
  flowFeatures,
]

function findAll(evidence: Evidence, patience: Patience): readonly Finding[] {
  const found = kindsOfEvidence.flatMap(find => {
    patience.check()
    return find(evidence)
  })
  const once = lessHaste(evidence, strongestErrorLogs([...found, ...tallyFeatures(evidence)]))
  return [...once, ...releaseFeatures(evidence, once), ...surgeFeature(evidence)]
}

/** A request whose spans were kept tells its errors twice, by its own lines and among those of all: once counts. */
function strongestErrorLogs(found: readonly Finding[]): readonly Finding[] {
  const strongest = new Map<string, Finding>()
  for (const finding of found) {
    if (finding.feature.name !== 'error_logs') continue
    const known = strongest.get(finding.service)
    if (known === undefined || finding.feature.value > known.feature.value) {
      strongest.set(finding.service, finding)
    }
  }
  return found.filter(
    finding => finding.feature.name !== 'error_logs' || strongest.get(finding.service) === finding,
  )
}

/**
 * An answer comes too soon because work was skipped: one fault, which the stronger of the two tells; and none of the
 * service's if a callee is the reason why it was skipped.
 */
const toldBySteps: ReadonlySet<FeatureName> = new Set(['skipped_work', 'new_branch', 'error_logs'])

function lessHaste({ steps, names }: Evidence, found: readonly Finding[]): readonly Finding[] {
  const excused = new Set(
    steps
      .filter(({ step, explainedBy }) => step.skips && explainedBy !== 0)
      .map(({ step }) => names.text(step.service)),
  )
  const told = new Map<string, number>()
  for (const { service, feature } of found) {
    if (!toldBySteps.has(feature.name)) continue
    told.set(service, Math.max(told.get(service) ?? 0, contribution(feature)))
  }
  return found.filter(
    ({ service, feature }) =>
      feature.name !== 'hasty_answers' ||
      (!excused.has(service) && contribution(feature) > (told.get(service) ?? 0)),
  )
}

function candidateOf(service: string, found: readonly Finding[]): Candidate {
  const findings = [...found].sort(
    (a, b) => contribution(b.feature) - contribution(a.feature) || (a.feature.name < b.feature.name ? -1 : 1),
  )
  const features = findings.map(finding => finding.feature)
  const onsets = findings.map(finding => finding.onsetMs).filter(onset => onset !== null)
  return {
    cause: {
      location: locationOf(service, findings),
      kind: kindOf(features),
      score: scoreOf(features),
      features,
      onsetMs: onsets.length === 0 ? null : Math.min(...onsets),
    },
    sum: roundTo(sumOf(features), 6),
    findings,
    traces: new Set(findings.flatMap(finding => [...finding.traces])),
  }
}

function contribution(feature: Feature): number {
  return feature.weight * feature.value
}

/** Each part of the place from the strongest finding that knows it. */
function locationOf(service: string, findings: readonly Finding[]): Location {
  const part = (name: keyof Finding['place']): string => {
    for (const { place } of findings) {
      const text = place[name]
      if (text !== undefined && text !== '') return text
    }
    return ''
  }
  return {
    service,
    peer: findings.some(finding => finding.peer),
    operation: part('operation'),
    caller: part('caller'),
    instance: part('instance'),
    resource: part('resource'),
    version: part('version'),
  }
}

const kinds: Readonly<Record<FeatureName, FaultKind>> = {
  own_time: 'slow',
  network_gap: 'slow',
  unexplained_latency: 'slow',
  error_origin: 'failing',
  error_logs: 'failing',
  unexplained_errors: 'failing',
  skipped_work: 'not_called',
  new_branch: 'changed',
  resource: 'saturated',
  release: 'changed',
  entry_traffic: 'surge',
  more_calls: 'changed',
  lost_messages: 'failing',
  hasty_answers: 'changed',
}

/** A resource that is part of the reason explains slowness, a release explains anything; else the strongest. */
function kindOf(features: readonly Feature[]): FaultKind {
  const strongest = features[0]
  if (strongest === undefined) return 'changed'
  if (features.some(feature => feature.name === 'release' && feature.value >= 0.5)) return 'changed'
  const kind = kinds[strongest.name]
  const resource = features.find(feature => feature.name === 'resource')
  if (kind === 'slow' && resource !== undefined && contribution(resource) >= 1) return 'saturated'
  return kind
}
