/**
 * Extra seconds and failed requests flow along call edges from callee to caller: a service keeps what its
 * callees do not explain. Weighted by requests, because a slow call made once a minute slows nobody down.
 */
import { reachable } from './call-paths.ts'
import type { ServiceFlow } from './flow-series.ts'
import { quantileOf, sortedCopy } from './robust.ts'
import { riseEvidence } from './two-sample.ts'

export interface FlowEdge {
  readonly caller: string
  readonly callee: string
}

export type FlowKind = 'latency' | 'errors'

export interface FlowShift {
  readonly service: string
  readonly kind: FlowKind
  /** Seconds (or failed requests) per step that this service adds, beyond the baseline's, summed. */
  readonly kept: number
  /** The same before callees were taken off. */
  readonly total: number
  /** `kept` as a share of all that is kept along the paths asked about. */
  readonly share: number
  /** Steps beyond the baseline's tail, of steps with data. */
  readonly beyond: number
  readonly steps: number
  /** Nats. */
  readonly evidence: number
  /** Index of the first step beyond the tail, -1 for none. */
  readonly firstStep: number
  readonly before: number
  readonly now: number
  /** 0 to 1: how sure that it moved, times its share of what the symptom needs explained. */
  readonly strength: number
}

export interface FlowInput {
  readonly window: ReadonlyMap<string, ServiceFlow>
  readonly baseline: ReadonlyMap<string, ServiceFlow>
  readonly edges: readonly FlowEdge[]
  /** Only what this service can reach counts, if it is named and known. */
  readonly symptom: string | null
}

/** Nats at which a rise is more likely a change than chance, by e to one. */
const sureNats = 8
/** A value this many times as far from usual as the tail begins is no matter of counting steps any more. */
const maxReach = 3
/** What a shift counts for that does not show in the service asked about. */
const unrelatedPart = 0.1
/** Quantile of the baseline beyond which a step counts. */
const tailQuantile = 0.98

interface Excess {
  readonly amounts: Float64Array
  readonly beyond: number
  readonly steps: number
  readonly baseBeyond: number
  readonly baseSteps: number
  readonly firstStep: number
  readonly before: number
  readonly now: number
  /** Largest distance from usual, in distances at which the tail begins, at most `maxReach`. */
  readonly reach: number
}

/** Shifts of one kind, largest share first, ties by name. */
export function flowShifts(input: FlowInput, kind: FlowKind): readonly FlowShift[] {
  const callees = calleesOf(input.edges)
  const asked = askedServices(input)
  const excess = new Map<string, Excess>()
  for (const service of [...input.window.keys()].sort()) {
    const found = excessOf(input.window.get(service), input.baseline.get(service), kind)
    if (found !== null) excess.set(service, found)
  }
  const symptom = input.symptom === null ? undefined : excess.get(input.symptom)
  const relevant = relevantSteps(input.symptom, symptom)
  const kept = new Map<string, number>()
  let all = 0
  for (const [service, own] of excess) {
    if (!asked.has(service)) continue
    const amount = keep(service, own, { excess, callees, flows: input.window }, relevant)
    kept.set(service, amount)
    all += amount
  }
  const unrelated = input.symptom !== null && symptom !== undefined && symptom.beyond === 0
  const part = unrelated ? unrelatedPart : symptom === undefined ? 1 : surenessOf(symptom)
  const shifts: FlowShift[] = []
  for (const [service, amount] of kept) {
    const own = excess.get(service)
    if (own !== undefined && amount > 0) shifts.push(shiftOf(service, kind, own, { amount, all, part }))
  }
  return shifts.sort((a, b) => b.strength - a.strength || (a.service < b.service ? -1 : 1))
}

/** Steps in which the service asked about deviates; all of them if it never does or nobody is named. */
function relevantSteps(name: string | null, symptom: Excess | undefined): (step: number) => boolean {
  if (name === null || symptom === undefined || symptom.beyond === 0) return () => true
  return step => (symptom.amounts[step] ?? 0) > 0
}

function evidenceOf(own: Excess): number {
  return riseEvidence(own.beyond, own.steps, own.baseBeyond, own.baseSteps)
}

function surenessOf(own: Excess): number {
  return 1 - Math.exp((-evidenceOf(own) * own.reach) / sureNats)
}

interface Kept {
  readonly amount: number
  readonly all: number
  readonly part: number
}

function shiftOf(service: string, kind: FlowKind, own: Excess, kept: Kept): FlowShift {
  const { beyond, steps, firstStep, before, now } = own
  const evidence = evidenceOf(own)
  const total = own.amounts.reduce((sum, value) => sum + value, 0)
  const share = kept.all > 0 ? kept.amount / kept.all : 0
  const strength = surenessOf(own) * share * kept.part
  const figures = { kept: kept.amount, total, share, beyond, steps, evidence, firstStep, before, now }
  return { service, kind, ...figures, strength }
}

function calleesOf(edges: readonly FlowEdge[]): Map<string, string[]> {
  const callees = new Map<string, string[]>()
  for (const { caller, callee } of edges) {
    const list = callees.get(caller)
    if (list === undefined) callees.set(caller, [callee])
    else if (!list.includes(callee)) list.push(callee)
  }
  return callees
}

/** What the symptom can come from; everything while no call from or to it is known, for nothing excludes anybody. */
function askedServices({ edges, symptom, window }: FlowInput): ReadonlySet<string> {
  const known = edges.some(({ caller, callee }) => caller === symptom || callee === symptom)
  return symptom === null || !known ? new Set(window.keys()) : reachable(edges, symptom, 'callees')
}

function excessOf(
  now: ServiceFlow | undefined,
  before: ServiceFlow | undefined,
  kind: FlowKind,
): Excess | null {
  if (now === undefined || before === undefined) return null
  const values = kind === 'latency' ? now.latency : now.failing
  const history = [...(kind === 'latency' ? before.latency : before.failing)].filter(Number.isFinite)
  if (history.length < 3) return null
  const sorted = sortedCopy(history)
  const usual = quantileOf(sorted, 0.5)
  const limit = quantileOf(sorted, tailQuantile)
  const amounts = new Float64Array(values.length)
  let beyond = 0
  let steps = 0
  let firstStep = -1
  let most = usual
  for (const [i, value] of values.entries()) {
    if (!Number.isFinite(value)) continue
    steps++
    if (value <= limit) continue
    beyond++
    if (firstStep < 0) firstStep = i
    most = Math.max(most, value)
    const requests = now.requests[i] ?? Number.NaN
    amounts[i] = (value - usual) * (Number.isFinite(requests) ? requests : 1)
  }
  const baseBeyond = sorted.filter(value => value > limit).length
  const reach = Math.min(maxReach, (most - usual) / Math.max(limit - usual, 1e-12))
  return {
    amounts,
    beyond,
    steps,
    baseBeyond,
    baseSteps: sorted.length,
    firstStep,
    before: usual,
    now: most,
    reach,
  }
}

interface Graph {
  readonly excess: ReadonlyMap<string, Excess>
  readonly callees: ReadonlyMap<string, readonly string[]>
  readonly flows: ReadonlyMap<string, ServiceFlow>
}

/** Excess of a service minus that of its callees, each callee split between its callers by their requests. */
function keep(service: string, own: Excess, graph: Graph, relevant: (step: number) => boolean): number {
  let kept = 0
  for (let i = 0; i < own.amounts.length; i++) {
    let rest = own.amounts[i] ?? 0
    if (rest <= 0 || !relevant(i)) continue
    for (const callee of graph.callees.get(service) ?? []) {
      const amount = graph.excess.get(callee)?.amounts[i] ?? 0
      if (amount > 0) rest -= amount * shareOfCalls(service, callee, i, graph)
    }
    kept += Math.max(0, rest)
  }
  return kept
}

function shareOfCalls(caller: string, callee: string, step: number, graph: Graph): number {
  const requestsOf = (service: string) => {
    const requests = graph.flows.get(service)?.requests[step] ?? Number.NaN
    return Number.isFinite(requests) ? Math.max(requests, 1e-9) : 1
  }
  let all = 0
  for (const [other, callees] of graph.callees) if (callees.includes(callee)) all += requestsOf(other)
  return all === 0 ? 1 : requestsOf(caller) / all
}
