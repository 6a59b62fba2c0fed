/**
 * Work that is left out because of an answer. Who stops right after a call may do so because of what came back, of which
 * nobody knows where neither spans nor logs tell how a call ended. If the callee leaves work out too, be it in other
 * requests and about as much, its answers are the reason, and what its callers left out bears that out: a change in what
 * is asked for does not show in several places at once.
 */
import type { Step } from './sequences.ts'

/** A deviation explains another from this part of the other's strength on. */
export const explainingPart = 0.5

export interface Answers {
  /** Whom a token stands for a call to, 0 for none. */
  readonly calleeOf: (token: number) => number
  /** Services that say neither in spans nor in logs how anything ended; see `ofWordless`. */
  readonly wordless: ReadonlySet<number>
}

/** For each step the one of a callee that explains it, -1 for none. */
export function explainedByAnswers(
  steps: readonly Step[],
  strength: readonly number[],
  { calleeOf, wordless }: Answers,
): readonly number[] {
  if (wordless.size < 2) return steps.map(() => -1)
  const reasons = steps.map(({ service, from, skips }, i) => {
    const callee = skips && wordless.has(service) ? calleeOf(from) : 0
    if (callee === 0 || callee === service || !wordless.has(callee)) return -1
    let best = -1
    for (const [j, other] of steps.entries()) {
      const strong = strength[j] ?? 0
      if (other.service !== callee || !other.skips || strong < explainingPart * (strength[i] ?? 0)) continue
      if (best < 0 || strong > (strength[best] ?? 0)) best = j
    }
    return best
  })
  return reasons.map((reason, i) => (leadsBack(reasons, i) ? -1 : reason))
}

/** Services that call each other would explain each other away. */
function leadsBack(reasons: readonly number[], start: number): boolean {
  let at = reasons[start] ?? -1
  for (let left = reasons.length; at >= 0 && left > 0; left--) {
    if (at === start) return true
    at = reasons[at] ?? -1
  }
  return false
}

export interface BorneOut {
  /** Runs of callers that a step explains. */
  readonly runs: number
  /** Part of the doubt about it that they leave, 1 without any. */
  readonly doubt: number
}

/** `part` is the part of each step's runs that its reason explains. Of one operation the strongest step counts. */
export function borneOut(
  steps: readonly Step[],
  strength: readonly number[],
  reasons: readonly number[],
  part: (step: number) => number,
): ReadonlyMap<number, BorneOut> {
  const strongest = new Map<
    string,
    { readonly reason: number; readonly step: number; readonly strong: number }
  >()
  for (const [step, { context }] of steps.entries()) {
    const reason = reasons[step] ?? -1
    const strong = (strength[step] ?? 0) * part(step)
    const key = `${reason}\n${context}`
    if (reason < 0 || strong <= (strongest.get(key)?.strong ?? 0)) continue
    strongest.set(key, { reason, step, strong })
  }
  const found = new Map<number, BorneOut>()
  for (const { reason, step, strong } of strongest.values()) {
    const { runs, doubt } = found.get(reason) ?? { runs: 0, doubt: 1 }
    found.set(reason, { runs: runs + (steps[step]?.taken ?? 0) * part(step), doubt: doubt * (1 - strong) })
  }
  return found
}
