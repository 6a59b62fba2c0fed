/**
 * How firm an answer may be. Firm needs strength, an effect that matters and a lead over the runner-up; being
 * sure of the wrong service costs more than asking for another look.
 */
import type { Candidate } from './candidates.ts'
import type { FeatureName, Verdict } from './diagnosis.ts'
import { bias, weights } from './score.ts'
import type { Sight } from './sight.ts'

/** Log-odds at which a cause is as likely as not: where evidence makes up for the bias. */
const firmSum = -bias
/** Lead over the second in log-odds: five to one. */
export const firmLead = 1.6
/** Log-odds from which nothing but a second kind of signal is missing for certainty. */
const confirmedSum = firmSum + 2.2
/** A family of signals bears witness from this contribution on. */
const witnessSum = 1
/** Below this nothing is left that the baseline's own unrest would not explain. */
const quietSum = 0.9

/** Kinds of signal that come about independently of each other. */
const families: Readonly<Record<FeatureName, string>> = {
  own_time: 'time',
  network_gap: 'time',
  unexplained_latency: 'time',
  error_origin: 'errors',
  unexplained_errors: 'errors',
  error_logs: 'logs',
  skipped_work: 'sequences',
  new_branch: 'sequences',
  resource: 'resources',
  release: 'releases',
  entry_traffic: 'traffic',
  more_calls: 'calls',
  lost_messages: 'messages',
  hasty_answers: 'errors',
}

/** Part of the services about which silence may mean nothing while a system is still called healthy. */
const blindPart = 0.25

/** What a verdict depends on beside the candidates. */
export interface Circumstances {
  /** There is data on both sides. */
  readonly enough: boolean
  /** How much requests from outside suffer, 0 to 1: a system whose users wait is not healthy. */
  readonly hurt: number
  readonly sight: Sight
  /** Destinations in everyday use of which a loss of half of the messages would not have shown. */
  readonly unwatched: number
}

export function verdictOf(
  candidates: readonly Candidate[],
  { enough, hurt, sight, unwatched }: Circumstances,
): Verdict {
  if (!enough) return 'insufficient_data'
  const [first] = candidates
  if (first === undefined || first.sum < quietSum) {
    if (hurt * weights.entry_traffic >= firmSum) return 'inconclusive'
    if (unwatched === 0 && sight.blind <= blindPart * sight.services) return 'healthy'
    return first === undefined ? 'insufficient_data' : 'inconclusive'
  }
  if (first.sum < firmSum || candidates.slice(1).some(other => isRival(first, other))) return 'inconclusive'
  const witnesses = new Set(
    first.cause.features
      .filter(feature => feature.weight * feature.value >= witnessSum)
      .map(feature => families[feature.name]),
  )
  return first.sum >= confirmedSum && witnesses.size >= 2 ? 'confirmed' : 'likely'
}

/** Share of the fewer traces of two candidates up to which they are about different requests. */
const sharedPart = 0.1

/**
 * Whether another candidate may be the cause instead: it is close, and not plainly a second incident beside the first,
 * which is firm by itself and shows in other requests. An echo of the first shows in the same ones.
 */
function isRival(first: Candidate, other: Candidate): boolean {
  if (first.sum - other.sum >= firmLead) return false
  const fewer = Math.min(first.traces.size, other.traces.size)
  if (other.sum < firmSum || fewer === 0) return true
  const shared = [...first.traces].filter(trace => other.traces.has(trace)).length
  return shared > sharedPart * fewer
}

/** Whether two candidates are too close to tell apart. */
export function nearTie(first: Candidate, second: Candidate): boolean {
  return second.sum >= quietSum && first.sum - second.sum < firmLead
}
