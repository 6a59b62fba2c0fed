/**
 * What is wrong, since when, why, who is hit, and how sure: compares a window with a baseline and ranks the
 * places where the difference begins. Deterministic: the same data and arguments give the same answer.
 */
import { blastRadius } from './blast-radius.ts'
import type { Candidate } from './candidates.ts'
import { tellingChanges } from './changes.ts'
import { coverageOf } from './coverage.ts'
import { decidingObservation } from './deciding.ts'
import type { Diagnosis, DiagnosisInput } from './diagnosis.ts'
import { trafficChanges } from './entry-traffic.ts'
import { exemplars, noExemplars } from './exemplars.ts'
import { affectedEntries } from './impact.ts'
import { judge } from './judge.ts'
import { listOnsets } from './onsets.ts'
import { ruleOut } from './ruled-out.ts'
import { bias, roundTo } from './score.ts'

/**
 * Answers a question about a window. Throws what the reader or the deadline throws, nothing of its own; a
 * window without data is an answer (`insufficient_data`).
 */
export async function diagnose(input: DiagnosisInput): Promise<Diagnosis> {
  const { baseline, evidence, verdict, all, unrelated, named } = await judge(input)
  const first = named[0]
  const second = named[1]
  const affected = affectedEntries(evidence)
  input.deadline.check()
  const changes = tellingChanges(evidence)
  input.deadline.check()
  const onsets = named.length === 0 ? [] : listOnsets(evidence, named, affected)
  const wrong = verdict !== 'healthy' && verdict !== 'insufficient_data'
  const traces = wrong ? exemplars(evidence, named, affected) : noExemplars
  return {
    verdict,
    bias,
    window: input.window,
    baseline,
    service: input.service,
    causes: named.map(candidate => candidate.cause),
    sharedWithFirst: named.map(candidate => (candidate === first ? null : sharedTraces(candidate, first))),
    ruledOut: ruleOut({
      evidence,
      named,
      all,
      unrelated,
      affected,
      onsets,
      changes,
      symptom: evidence.symptom,
    }),
    onsets,
    blastRadius:
      first === undefined ? { services: [], propagation: [] } : blastRadius(evidence, first, affected),
    changes,
    traffic: trafficChanges(evidence),
    exemplars: traces.shown,
    shapesLeftOut: traces.leftOut,
    deciding: decidingObservation(evidence, verdict, first, second),
    coverage: await coverageOf(input, evidence),
  }
}

/** Share of the candidate's traces that show the first one too; null without any. */
function sharedTraces({ traces }: Candidate, first: Candidate | undefined): number | null {
  if (first === undefined || traces.size === 0) return null
  return roundTo([...traces].filter(trace => first.traces.has(trace)).length / traces.size, 3)
}
