/** From evidence to a verdict and a ranking: everything that decides, and nothing that only explains. */
import type { TimeRange } from '../../model/time.ts'
import { related } from './call-paths.ts'
import { type Candidate, rankCandidates } from './candidates.ts'
import { enoughData } from './coverage.ts'
import type { DiagnosisInput, Verdict } from './diagnosis.ts'
import { type Evidence, gatherEvidence } from './evidence.ts'
import { unwatchedDestinations } from './message-losses.ts'
import { sightOf } from './sight.ts'
import { verdictOf } from './verdict.ts'
import { defaultBaseline, withoutOverlap } from './windows.ts'

export interface Judgement {
  readonly baseline: TimeRange
  readonly evidence: Evidence
  readonly verdict: Verdict
  /** Candidates with a call path to the service asked about, best first; all of them if nobody named one. */
  readonly all: readonly Candidate[]
  /** The others. */
  readonly unrelated: readonly Candidate[]
  /** Those that the answer lists: causes of a healthy window are suspicions at most and say nothing. */
  readonly named: readonly Candidate[]
}

/** Causes listed at most; whoever wants more asks for one service. */
const maxCauses = 5
const noCandidates: readonly Candidate[] = []

/** Throws what the reader or the deadline throws. */
export async function judge(input: DiagnosisInput): Promise<Judgement> {
  const { reader, window, service, deadline } = input
  const baseline = withoutOverlap(input.baseline ?? defaultBaseline(window), window)
  const evidence = await gatherEvidence({ reader, window, baseline, service, deadline })
  const enough = enoughData(evidence)
  const connected = related(evidence.edges, evidence.symptom)
  const ranked = enough ? rankCandidates(evidence, deadline) : noCandidates
  const isRelated = ({ cause }: Candidate) => connected === null || connected.has(cause.location.service)
  const all = ranked.filter(isRelated)
  const unrelated = ranked.filter(candidate => !isRelated(candidate)).slice(0, maxCauses)
  const unwatched = unwatchedDestinations(evidence.window, evidence.baseline)
  const hurt = evidence.hurt.value
  const verdict = verdictOf(all, { enough, hurt, sight: sightOf(evidence), unwatched })
  const named = verdict === 'healthy' ? noCandidates : all.slice(0, maxCauses)
  deadline.check()
  return { baseline, evidence, verdict, all, unrelated, named }
}
