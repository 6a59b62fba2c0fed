/**
 * Who took an unusual step first: a step is put down to the callee whose own unusual step, or failure, lies
 * below it in the same trace, and between siblings mostly to the one that deviated earliest. Only deviations
 * that are about as strong explain one another.
 */
import type { ErrorOrigin } from './error-origins.ts'
import { type Run, runEnd, runStart, type Step } from './sequences.ts'
import type { TraceSet } from './trace-set.ts'
import { type Answers, borneOut, explainedByAnswers, explainingPart } from './wordless-answers.ts'

export interface StepOrigin {
  readonly step: Step
  /** Runs' worth of the step that nothing below or before it explains, at most `step.taken`. */
  readonly own: number
  /** 0 to 1: how sure, times how much of what reached it took it, borne out by what it explains, times the part it owns. */
  readonly strength: number
  /** Runs of its callers' steps that it explains, although it was not taken in them. */
  readonly elsewhere: number
  /** Traces in which it was taken without such an explanation, and those in which it explains others. */
  readonly traces: ReadonlySet<number>
  /** Service whose deviation explains most of the rest, 0 for none. */
  readonly explainedBy: number
}

interface Mark {
  readonly step: number
  readonly trace: number
  readonly entry: number
  readonly service: number
  readonly timeMs: number
}

interface Deviation {
  readonly service: number
  readonly strength: number
}

/** Rise of the share that writes a new error that is half of everything, as for failed spans. */
const halfErrorRise = 0.1
/** Evidence in nats at which a step is more likely a change than chance, by e to one. */
const sureNats = 8

/**
 * How much a step says before anybody else is heard. The rise is squared, because a step that all requests
 * take is a change of the program, while one that some of them take may as well be a change of the requests;
 * but not for doing nothing at all, which is no branch of any program that used to do something. An error that
 * nobody wrote before is wrong however few write it, and counts as a failed span does.
 */
export function stepStrength(step: Step, isErrorLine: (token: number) => boolean): number {
  const before = step.baseReached === 0 ? 0 : step.baseTaken / step.baseReached
  const rise = Math.max(0, step.taken / step.reached - before)
  const idle = step.from === runStart && step.to === runEnd
  const sure = 1 - Math.exp(-step.evidence / sureNats)
  if (step.kind === 'unseen' && isErrorLine(step.to)) return sure * (rise / (rise + halfErrorRise))
  return sure * (idle ? rise : rise * rise)
}

/** What steps are looked at with. */
export interface StepContext extends Answers {
  readonly set: TraceSet
  /** Places where errors began. */
  readonly errors: readonly ErrorOrigin[]
  /** Whether a token stands for a line of error severity. */
  readonly isErrorLine: (token: number) => boolean
}

/** Splits every step between the entries that took it. */
export function stepOrigins(
  steps: readonly Step[],
  runs: readonly Run[],
  context: StepContext,
): readonly StepOrigin[] {
  const { set, errors, isErrorLine } = context
  const strength = steps.map(step => stepStrength(step, isErrorLine))
  const elsewhere = explainedByAnswers(steps, strength, context)
  const marks = markRuns(steps, runs)
  const below = deviationsBelow(marks, strength, errors, set)
  const own = new Float64Array(steps.length)
  const marked = new Float64Array(steps.length)
  const traces = steps.map(() => new Set<number>())
  const explained = steps.map(() => new Map<number, number>())
  const answered = new Float64Array(steps.length)
  for (const group of byTrace(marks)) {
    const before: Deviation[] = []
    for (const mark of group) {
      const strong = strength[mark.step] ?? 0
      marked[mark.step] = (marked[mark.step] ?? 0) + 1
      const callee = below.get(mark.entry)
      if (callee !== undefined && callee.strength >= explainingPart * strong) {
        const counts = explained[mark.step]
        counts?.set(callee.service, (counts.get(callee.service) ?? 0) + 1)
        continue
      }
      const reason = elsewhere[mark.step] ?? -1
      if (reason >= 0) {
        const service = steps[reason]?.service ?? 0
        const counts = explained[mark.step]
        counts?.set(service, (counts.get(service) ?? 0) + 1)
        traces[reason]?.add(mark.trace)
        answered[mark.step] = (answered[mark.step] ?? 0) + 1
        continue
      }
      const earlier = new Set(
        before
          .filter(other => other.service !== mark.service && other.strength >= explainingPart * strong)
          .map(other => other.service),
      )
      before.push({ service: mark.service, strength: strong })
      own[mark.step] = (own[mark.step] ?? 0) + 1 / (earlier.size + 1)
      traces[mark.step]?.add(mark.trace)
    }
  }
  const partAnswered = (i: number) => (answered[i] ?? 0) / Math.max(1, marked[i] ?? 0)
  const support = borneOut(steps, strength, elsewhere, partAnswered)
  return steps.map((step, i) => {
    const share = (own[i] ?? 0) / Math.max(1, marked[i] ?? 0)
    const { runs, doubt } = support.get(i) ?? { runs: 0, doubt: 1 }
    const alone = strength[i] ?? 0
    return {
      step,
      own: share * step.taken,
      strength: (doubt < 1 ? 1 - (1 - alone) * doubt : alone) * share,
      elsewhere: runs,
      traces: traces[i] ?? new Set(),
      explainedBy: mostCommon(explained[i] ?? new Map()),
    }
  })
}

function mostCommon(counts: ReadonlyMap<number, number>): number {
  let best = 0
  let most = 0
  for (const [service, count] of counts) {
    if (count > most || (count === most && service < best)) {
      best = service
      most = count
    }
  }
  return best
}

/** One mark per run and step it took, or left out. */
function markRuns(steps: readonly Step[], runs: readonly Run[]): readonly Mark[] {
  const wanted = new Map<string, number[]>()
  for (const [i, step] of steps.entries()) {
    const list = wanted.get(step.context)
    if (list === undefined) wanted.set(step.context, [i])
    else list.push(i)
  }
  const marks: Mark[] = []
  for (const run of runs) {
    const candidates = wanted.get(run.context)
    if (candidates === undefined) continue
    const taken = run.pattern.steps
    for (const index of candidates) {
      const step = steps[index]
      const successors = step === undefined ? undefined : taken.get(step.from)
      if (step === undefined || successors === undefined) continue
      if (step.kind !== 'unseen' && run.unhealthy) continue
      if (successors.has(step.to) === (step.kind === 'missing')) continue
      marks.push({
        step: index,
        trace: run.trace,
        entry: run.entry,
        service: run.service,
        timeMs: timeOf(run, step),
      })
    }
  }
  return marks
}

/** When the run deviated: at the token it should not have reached, or at its end. */
function timeOf(run: Run, step: Step): number {
  if (step.kind === 'missing' || step.to === runEnd) return run.endMs
  return run.times[run.pattern.tokens.indexOf(step.to)] ?? run.endMs
}

/** For every entry above a deviation: the strongest one below it, in another service. */
function deviationsBelow(
  marks: readonly Mark[],
  strength: readonly number[],
  errors: readonly ErrorOrigin[],
  set: TraceSet,
): Map<number, Deviation> {
  const own = new Map<number, number>()
  for (const mark of marks) {
    own.set(mark.entry, Math.max(own.get(mark.entry) ?? 0, strength[mark.step] ?? 0))
  }
  const below = new Map<number, Deviation>()
  for (const { row, service } of errors) {
    const entry = set.entry[row] ?? row
    own.set(entry, 1)
    // The call failed here, but whoever was called is to blame: that explains this very entry.
    if (service !== set.service[entry]) below.set(entry, { service, strength: 1 })
  }
  for (const [start, strong] of [...own].sort((a, b) => b[1] - a[1] || a[0] - b[0])) {
    const service = below.get(start)?.service ?? set.service[start] ?? 0
    let above = set.parent[start] ?? -1
    while (above >= 0) {
      const entry = set.entry[above] ?? above
      if (set.service[entry] !== service && !below.has(entry)) below.set(entry, { service, strength: strong })
      above = set.parent[entry] ?? -1
    }
  }
  return below
}

function byTrace(marks: readonly Mark[]): readonly (readonly Mark[])[] {
  const groups = new Map<number, Mark[]>()
  for (const mark of marks) {
    const group = groups.get(mark.trace)
    if (group === undefined) groups.set(mark.trace, [mark])
    else group.push(mark)
  }
  for (const group of groups.values())
    if (group.length > 1) group.sort((a, b) => a.timeMs - b.timeMs || a.step - b.step)
  return [...groups.values()]
}
