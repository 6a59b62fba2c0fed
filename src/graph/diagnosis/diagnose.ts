/**
 * What is wrong, since when, why, who is hit, and how sure: compares a window with a baseline and ranks the
 * places where the difference begins. Deterministic: the same data and arguments give the same answer.
 */
import { blastRadius } from './blast-radius.ts'
import { tellingChanges } from './changes.ts'
import { coverageOf } from './coverage.ts'
import { decidingObservation } from './deciding.ts'
import type { Diagnosis, DiagnosisInput } from './diagnosis.ts'
import { trafficChanges } from './entry-traffic.ts'
import { exemplars } from './exemplars.ts'
import { affectedEntries } from './impact.ts'
import { judge } from './judge.ts'
import { listOnsets } from './onsets.ts'
import { ruleOut } from './ruled-out.ts'
import { bias } from './score.ts'

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
