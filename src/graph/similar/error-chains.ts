/**
 * How errors ran through traces: from where one began, up through the requests that failed with it, to where it
 * was withstood or came out. Chains of the same steps, the same type and the same log template are one.
 */
import { createHash } from 'node:crypto'
import { type Callees, learnCallees } from '../diagnosis/charge-samples.ts'
import { errorOrigins } from '../diagnosis/error-origins.ts'
import { errorSeverity, type LogLine } from '../diagnosis/log-lines.ts'
import type { Names } from '../diagnosis/names.ts'
import type { TraceSet } from '../diagnosis/trace-set.ts'

export interface ChainStep {
  readonly service: string
  readonly operation: string
}

export interface ErrorChain {
  /** Eight hex digits of its steps, type and template. */
  readonly id: string
  /** Who failed, where the error began first. */
  readonly steps: readonly ChainStep[]
  /** The request in which it ended without failing; null if it came out. */
  readonly withstoodBy: ChainStep | null
  readonly errorType: string
  /** Number of the first error template that the origin wrote; 0 for none. */
  readonly template: number
  readonly traces: number
  /** Traces at the source that these stand for. */
  readonly weight: number
  readonly firstMs: number
  readonly lastMs: number
  /** Traces that show it, the smallest ids. */
  readonly traceIds: readonly string[]
  /** All of them, as indices into the set. */
  readonly members: readonly number[]
}

/** Steps of a chain at most; longer ones are a loop. */
const maxSteps = 32
/** Traces kept of each. */
const maxExamples = 3

type Seen = 'traces' | 'weight' | 'firstMs' | 'lastMs' | 'traceIds' | 'members'

interface Growing {
  readonly chain: Omit<ErrorChain, Seen>
  readonly traces: Set<number>
}

/** Most frequent first, ties by id; of all traces, or of one. */
export function errorChains(
  set: TraceSet,
  names: Names,
  lines: readonly LogLine[],
  only?: number,
): readonly ErrorChain[] {
  const callees: Callees = learnCallees([set])
  const templates = firstErrorTemplates(lines)
  const found = new Map<string, Growing>()
  for (const origin of errorOrigins(set, callees)) {
    if (only !== undefined && origin.trace !== only) continue
    const first = {
      service: names.text(origin.service),
      operation: names.text(origin.operation),
    }
    const { steps, withstoodBy } = climb(set, names, origin.row, first)
    const errorType = names.text(set.errorType[origin.row] ?? 0)
    const template = templates.get(set.entry[origin.row] ?? origin.row) ?? 0
    const text = JSON.stringify([steps, withstoodBy, errorType, template])
    const known = found.get(text)
    if (known !== undefined) {
      known.traces.add(origin.trace)
      continue
    }
    const id = createHash('sha256').update(text).digest('hex').slice(0, 8)
    const chain = { id, steps, withstoodBy, errorType, template }
    found.set(text, { chain, traces: new Set([origin.trace]) })
  }
  return [...found.values()]
    .map(({ chain, traces }) => ({ ...chain, ...seenIn(set, [...traces]) }))
    .sort((a, b) => b.weight - a.weight || (a.id < b.id ? -1 : 1))
}

function seenIn(set: TraceSet, traces: readonly number[]): Pick<ErrorChain, Seen> {
  const starts = traces.map(trace => set.startMs[set.first[trace] ?? 0] ?? 0)
  return {
    traces: traces.length,
    weight: traces.reduce((sum, trace) => sum + (set.weight[trace] ?? 1), 0),
    firstMs: Math.min(...starts),
    lastMs: Math.max(...starts),
    traceIds: traces
      .map(trace => set.traceIds[trace] ?? '')
      .sort()
      .slice(0, maxExamples),
    members: traces,
  }
}

/** By row of the entry that wrote it, the first in time; ties by number, so that order of arrival does not matter. */
function firstErrorTemplates(lines: readonly LogLine[]): ReadonlyMap<number, number> {
  const first = new Map<number, LogLine>()
  for (const line of lines) {
    if (line.severity < errorSeverity) continue
    const known = first.get(line.entry)
    const earlier =
      known === undefined ||
      line.timeMs < known.timeMs ||
      (line.timeMs === known.timeMs && line.template < known.template)
    if (earlier) first.set(line.entry, line)
  }
  return new Map([...first].map(([entry, line]) => [entry, line.template]))
}

/** Requests above a failed span, as long as they failed too. */
function climb(
  set: TraceSet,
  names: Names,
  row: number,
  first: ChainStep,
): Pick<ErrorChain, 'steps' | 'withstoodBy'> {
  const steps = [first]
  const stepAt = (entry: number): ChainStep => ({
    service: names.text(set.service[entry] ?? 0),
    operation: names.text(set.name[entry] ?? 0),
  })
  let entry = set.entry[row] ?? row
  // An error of a call is one of its callee if that sends nothing: then its own request is the next step.
  let above = first.service === stepAt(entry).service ? (set.parent[entry] ?? -1) : row
  while (above >= 0 && steps.length < maxSteps) {
    entry = set.entry[above] ?? above
    if (set.failed[entry] !== 1) return { steps, withstoodBy: stepAt(entry) }
    steps.push(stepAt(entry))
    above = set.parent[entry] ?? -1
  }
  return { steps, withstoodBy: null }
}

/** What chains are compared by: who failed, in what, whom they took along, and as what. */
export function chainFeatures(chain: ErrorChain): readonly string[] {
  const { steps, errorType, template, withstoodBy } = chain
  const [origin] = steps
  return [
    `origin ${origin?.service} ${origin?.operation}`,
    ...(errorType === '' ? [] : [`type ${errorType}`]),
    ...(template === 0 ? [] : [`template ${template}`]),
    ...(withstoodBy === null ? [] : [`withstood ${withstoodBy.service}`]),
    ...steps.flatMap(step => [`service ${step.service}`, `operation ${step.service} ${step.operation}`]),
    ...steps.slice(1).map((step, at) => `edge ${step.service} ${steps[at]?.service}`),
  ]
}
