/**
 * What is wrong, since when, why, who is hit, and how sure: compares a window with a baseline and ranks the
 * places where the difference begins. Deterministic: the same data and arguments give the same answer.
 */
import type { TimeRange } from '../../model/time.ts'
import { blastRadius } from './blast-radius.ts'
import { related } from './call-paths.ts'
import { type Candidate, rankCandidates } from './candidates.ts'
import { tellingChanges } from './changes.ts'
import { coverageOf, enoughData } from './coverage.ts'
import { decidingObservation } from './deciding.ts'
import type { Diagnosis, DiagnosisInput, Verdict } from './diagnosis.ts'
import { trafficChanges } from './entry-traffic.ts'
import { type Evidence, gatherEvidence } from './evidence.ts'
import { exemplars } from './exemplars.ts'
import { affectedEntries } from './impact.ts'
import { listOnsets } from './onsets.ts'
import { ruleOut } from './ruled-out.ts'
import { bias } from './score.ts'
import { verdictOf } from './verdict.ts'
import { defaultBaseline, withoutOverlap } from './windows.ts'

/** Causes listed at most; whoever wants more asks for one service. */
const maxCauses = 5
/** Causes of a healthy window are suspicions at most and say nothing. */
const noCauses: readonly Candidate[] = []

/**
 * Answers a question about a window. Throws what the reader or the deadline throws, nothing of its own; a
 * window without data is an answer (`insufficient_data`).
 */
export async function diagnose(input: DiagnosisInput): Promise<Diagnosis> {
  const { reader, window, service, deadline } = input
  const baseline = withoutOverlap(input.baseline ?? defaultBaseline(window), window)
  const evidence = await gatherEvidence({ reader, window, baseline, service, deadline })
  const enough = enoughData(evidence)
  const connected = related(evidence.edges, service)
  const ranked = enough ? rankCandidates(evidence, deadline) : noCauses
  const isRelated = ({ cause }: Candidate) => connected === null || connected.has(cause.location.service)
  const all = ranked.filter(isRelated)
  const unrelated = ranked.filter(candidate => !isRelated(candidate)).slice(0, maxCauses)
  const verdict = verdictOf(all, enough, evidence.hurt.value)
  const named = verdict === 'healthy' ? noCauses : all.slice(0, maxCauses)
  deadline.check()
  return assemble({ input, baseline, evidence, verdict, all, unrelated, named })
}

interface Parts {
  readonly input: DiagnosisInput
  readonly baseline: TimeRange
  readonly evidence: Evidence
  readonly verdict: Verdict
  readonly all: readonly Candidate[]
  readonly unrelated: readonly Candidate[]
  readonly named: readonly Candidate[]
}

async function assemble(parts: Parts): Promise<Diagnosis> {
  const { input, baseline, evidence, verdict, all, unrelated, named } = parts
  const first = named[0]
  const second = named[1]
  const affected = affectedEntries(evidence)
  input.deadline.check()
  const changes = tellingChanges(evidence)
  input.deadline.check()
  return {
    verdict,
    bias,
    window: input.window,
    baseline,
    service: input.service,
    causes: named.map(candidate => candidate.cause),
    ruledOut: ruleOut({ evidence, named, all, unrelated, affected, changes, symptom: input.service }),
    onsets: named.length === 0 ? [] : listOnsets(evidence, named, affected),
    blastRadius:
      first === undefined ? { services: [], propagation: [] } : blastRadius(evidence, first, affected),
    changes,
    traffic: trafficChanges(evidence),
    exemplars: exemplars(evidence, named),
    deciding:
      first === undefined || second === undefined ? null : decidingObservation(evidence, first, second),
    coverage: await coverageOf(input, evidence),
  }
}
