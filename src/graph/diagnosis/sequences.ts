/**
 * What follows what: child spans of one parent, and log templates within one service entry, start and end
 * included. Only the step from one token to the next is looked at, given the one before, so that a shift in
 * the mix of requests is no symptom while a step nobody has taken before is one, and so is a step that was
 * always taken and is missing.
 */
import { orderOf } from './number-order.ts'
import { endless, type Patience, paced, stride } from './patience.ts'
import { riseEvidence } from './two-sample.ts'

/** Tokens that frame every run. Real tokens are positive. */
export const runStart = -1
export const runEnd = -2

/** A sequence of tokens and its distinct steps: successors of each token reached. */
export interface Pattern {
  readonly tokens: readonly number[]
  readonly steps: ReadonlyMap<number, ReadonlySet<number>>
}

/** What runs have in common that begin with the same tokens. */
export interface Beginning {
  readonly token: number
  /** Without the token; null before the first one. */
  readonly before: Beginning | null
  readonly next: Map<number, Beginning>
  pattern: Pattern | null
}

/** Most runs are alike: each sequence is taken apart once. */
export class PatternPool {
  /** Before the first token. */
  readonly start: Beginning = { token: runStart, before: null, next: new Map(), pattern: null }

  of(tokens: readonly number[]): Pattern {
    let at = this.start
    for (const token of tokens) at = this.after(at, token)
    return this.patternOf(at)
  }

  /** One token later. */
  after(at: Beginning, token: number): Beginning {
    const known = at.next.get(token)
    if (known !== undefined) return known
    const longer = { token, before: at, next: new Map(), pattern: null }
    at.next.set(token, longer)
    return longer
  }

  /** Of a run that ends here. */
  patternOf(at: Beginning): Pattern {
    if (at.pattern === null) {
      const tokens = tokensUpTo(at)
      at.pattern = { tokens, steps: stepsOf(tokens) }
    }
    return at.pattern
  }
}

function tokensUpTo(end: Beginning): readonly number[] {
  const tokens: number[] = []
  for (let at = end; at.before !== null; at = at.before) tokens.push(at.token)
  return tokens.reverse()
}

/** One run of a context: what happened in order inside one span or one service entry. */
export interface Run {
  /** Index into `Names`: who did it. */
  readonly service: number
  /** What kind of run: steps are compared within it only. */
  readonly context: string
  readonly trace: number
  /** Row of the service entry it belongs to. */
  readonly entry: number
  /** What happened in order, shared by all runs in which the same happened. */
  readonly pattern: Pattern
  /** When each token happened, milliseconds. */
  readonly times: readonly number[]
  readonly startMs: number
  readonly endMs: number
  /** Whether the entry failed or logged an error. */
  readonly unhealthy: boolean
}

/** Never seen before; known but far more common than before; always taken before and now left out. */
export type StepKind = 'unseen' | 'risen' | 'missing'

/** A step that is more common in the window than the baseline lets expect. */
export interface Step {
  readonly kind: StepKind
  readonly context: string
  readonly service: number
  readonly from: number
  readonly to: number
  /** Runs that took it (left it out, for `missing`), and runs that could have: they reached `from`. */
  readonly taken: number
  readonly reached: number
  readonly baseTaken: number
  readonly baseReached: number
  /** Nats. */
  readonly evidence: number
  /** Work is left out: the step is missing, or leads past what used to come here. */
  readonly skips: boolean
}

/** Parts of the baseline compared with each other, to learn how much a share drifts by itself. */
const baselineParts = 4
/** A step belongs to the routine of its context from this share of runs on. */
const routineShare = 0.8

interface Count {
  reached: number
  readonly taken: Map<number, number>
  readonly reachedPart: number[]
  readonly takenPart: Map<number, number[]>
}

interface ContextCounts {
  readonly service: number
  readonly steps: Map<number, Count>
}

type StepTable = ReadonlyMap<string, ContextCounts>

function stepsOf(tokens: readonly number[]): Map<number, Set<number>> {
  const steps = new Map<number, Set<number>>()
  let from = runStart
  for (let i = 0; i <= tokens.length; i++) {
    const to = tokens[i] ?? runEnd
    const successors = steps.get(from)
    if (successors === undefined) steps.set(from, new Set([to]))
    else successors.add(to)
    from = to
  }
  return steps
}

function noParts(): number[] {
  return new Array<number>(baselineParts).fill(0)
}

/** Counts every step at most once per run; runs by start. */
function countStepsOf(runs: readonly Run[], patience: Patience): StepTable {
  const table = new Map<string, ContextCounts>()
  const contexts = new Map<string, Run[]>()
  for (let i = 0; i < runs.length; i++) {
    if (i % stride === 0) patience.check()
    const run = runs[i] as Run
    const list = contexts.get(run.context)
    if (list === undefined) contexts.set(run.context, [run])
    else list.push(run)
  }
  for (const [key, list] of paced(contexts, patience)) {
    const context: ContextCounts = { service: list[0]?.service ?? 0, steps: new Map() }
    for (const [pattern, parts] of countPatterns(list)) countPattern(context, pattern, parts)
    table.set(key, context)
  }
  return table
}

/** Runs per pattern and part of the time; parts hold as many runs each. */
function countPatterns(runs: readonly Run[]): Map<Pattern, number[]> {
  const counts = new Map<Pattern, number[]>()
  for (let i = 0; i < runs.length; i++) {
    const { pattern } = runs[i] as Run
    const known = counts.get(pattern)
    const parts = known ?? noParts()
    if (known === undefined) counts.set(pattern, parts)
    const part = Math.floor((i * baselineParts) / runs.length)
    parts[part] = (parts[part] as number) + 1
  }
  return counts
}

function countPattern(context: ContextCounts, pattern: Pattern, parts: readonly number[]): void {
  const runs = parts.reduce((sum, count) => sum + count, 0)
  for (const [from, successors] of pattern.steps) {
    let count = context.steps.get(from)
    if (count === undefined) {
      count = {
        reached: 0,
        taken: new Map(),
        reachedPart: noParts(),
        takenPart: new Map(),
      }
      context.steps.set(from, count)
    }
    count.reached += runs
    addParts(count.reachedPart, parts)
    for (const to of successors) {
      count.taken.set(to, (count.taken.get(to) ?? 0) + runs)
      const taken = count.takenPart.get(to) ?? noParts()
      addParts(taken, parts)
      count.takenPart.set(to, taken)
    }
  }
}

function addParts(into: number[], parts: readonly number[]): void {
  for (let part = 0; part < baselineParts; part++) into[part] = (into[part] ?? 0) + (parts[part] ?? 0)
}

/**
 * Steps that rose or went missing, strongest first. Healthy runs are compared with healthy runs, so that a
 * recovery, which brings back what failing runs left out, is no symptom; failing runs with all runs. Throws what
 * `patience` throws.
 */
export function risenSteps(
  windowRuns: readonly Run[],
  baselineRuns: readonly Run[],
  patience: Patience = endless,
): readonly Step[] {
  const [runs, baseRuns] = [byStart(windowRuns), byStart(baselineRuns)]
  const countSteps = (some: readonly Run[]) => countStepsOf(some, patience)
  const all = countSteps(baseRuns)
  const healthyBase = baseRuns.filter(run => !run.unhealthy)
  const healthyBefore = healthyBase.length === baseRuns.length ? all : countSteps(healthyBase)
  const healthyNow = countSteps(runs.filter(run => !run.unhealthy))
  const unhealthy = runs.filter(run => run.unhealthy)
  const risen = [
    ...unseenSteps(healthyNow, healthyNow, healthyBefore, all),
    ...knownSteps(healthyNow, healthyBefore),
  ]
  if (unhealthy.length > 0) risen.push(...unseenSteps(countSteps(unhealthy), countSteps(runs), all, all))
  return risen.sort(
    (a, b) =>
      b.evidence - a.evidence ||
      (a.context < b.context ? -1 : a.context > b.context ? 1 : a.from - b.from || a.to - b.to),
  )
}

function byStart(runs: readonly Run[]): readonly Run[] {
  const sorted: Run[] = []
  for (const at of orderOf(runs.map(run => run.startMs))) sorted.push(runs[at] as Run)
  return sorted
}

/**
 * Steps the baseline never took. They are compared with the share that Good-Turing gives to everything
 * unseen after a token: the part of its steps that were seen once.
 */
function unseenSteps(now: StepTable, chances: StepTable, before: StepTable, everSeen: StepTable): Step[] {
  const found: Step[] = []
  for (const [context, counts] of now) {
    const known = before.get(context)
    if (known === undefined) continue
    for (const [from, count] of counts.steps) {
      const base = known.steps.get(from)
      if (base === undefined) continue
      const reached = chances.get(context)?.steps.get(from)?.reached ?? count.reached
      for (const [to, taken] of count.taken) {
        if (everSeen.get(context)?.steps.get(from)?.taken.has(to) === true) continue
        const evidence = riseEvidence(taken, reached, seenOnce(base), base.reached)
        if (evidence <= 0) continue
        const place = { context, service: counts.service, from, to }
        const figures = { taken, reached, baseTaken: 0, baseReached: base.reached, evidence }
        found.push({ kind: 'unseen', ...place, ...figures, skips: leadsPast(known, base, to) })
      }
    }
  }
  return found
}

function seenOnce(base: Count): number {
  let once = 0
  for (const taken of base.taken.values()) if (taken === 1) once++
  return base.reached <= 1 ? 0 : once
}

/** Whether `to` used to come after the usual next step, so that going straight to it leaves that step out. */
function leadsPast(known: ContextCounts, base: Count, to: number): boolean {
  let usual = runEnd
  let most = 0
  for (const [step, taken] of base.taken) {
    if (taken > most || (taken === most && step < usual)) {
      most = taken
      usual = step
    }
  }
  if (usual === runEnd || usual === to) return false
  if (to === runEnd) return true
  const seen = new Set<number>([usual])
  const open = [usual]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const next of known.steps.get(at)?.taken.keys() ?? []) {
      if (next === to) return true
      if (seen.has(next)) continue
      seen.add(next)
      open.push(next)
    }
  }
  return false
}

function knownSteps(now: StepTable, before: StepTable): Step[] {
  const found: Step[] = []
  for (const [context, counts] of now) {
    const known = before.get(context)
    if (known === undefined) continue
    for (const [from, count] of counts.steps) {
      const base = known.steps.get(from)
      if (base === undefined) continue
      for (const [to, baseTaken] of base.taken) {
        const place = { context, service: counts.service, from, to }
        const risen = risenStep(place, count, base, known)
        if (risen !== null) found.push(risen)
        if (baseTaken < routineShare * base.reached) continue
        const missing = missingStep(place, count, base)
        if (missing !== null) found.push(missing)
      }
    }
  }
  return found
}

type Place = Pick<Step, 'context' | 'service' | 'from' | 'to'>

function risenStep(place: Place, now: Count, base: Count, known: ContextCounts): Step | null {
  const taken = now.taken.get(place.to) ?? 0
  const expected = worstShare(base, place.to, false) * base.reached
  const evidence = riseEvidence(taken, now.reached, expected, base.reached)
  if (evidence <= 0) return null
  const baseTaken = base.taken.get(place.to) ?? 0
  const counts = { taken, reached: now.reached, baseTaken, baseReached: base.reached }
  return { kind: 'risen', ...place, ...counts, evidence, skips: leadsPast(known, base, place.to) }
}

function missingStep(place: Place, now: Count, base: Count): Step | null {
  const taken = now.reached - (now.taken.get(place.to) ?? 0)
  if (replaced(place.to, now, base) > taken / now.reached / 2) return null
  const expected = worstShare(base, place.to, true) * base.reached
  const evidence = riseEvidence(taken, now.reached, expected, base.reached)
  if (evidence <= 0) return null
  const baseTaken = base.reached - (base.taken.get(place.to) ?? 0)
  const counts = { taken, reached: now.reached, baseTaken, baseReached: base.reached }
  return { kind: 'missing', ...place, ...counts, evidence, skips: true }
}

/** Share of runs by which other steps from the same token rose: they took the place of a missing one. */
function replaced(missing: number, now: Count, base: Count): number {
  let rise = 0
  for (const [to, taken] of now.taken) {
    if (to === missing) continue
    rise += Math.max(0, taken / now.reached - (base.taken.get(to) ?? 0) / base.reached)
  }
  return rise
}

/**
 * Largest share of a step (or of its absence) in any part of the baseline, drawn towards the share of the
 * whole by one run: what drifted before may drift again.
 */
function worstShare(base: Count, to: number, absent: boolean): number {
  const taken = base.taken.get(to) ?? 0
  const whole = (absent ? base.reached - taken : taken) / base.reached
  const parts = base.takenPart.get(to)
  let worst = whole
  for (let part = 0; part < baselineParts; part++) {
    const reached = base.reachedPart[part] ?? 0
    if (reached === 0) continue
    const here = parts?.[part] ?? 0
    const share = ((absent ? reached - here : here) + whole) / (reached + 1)
    if (share > worst) worst = share
  }
  return worst
}
