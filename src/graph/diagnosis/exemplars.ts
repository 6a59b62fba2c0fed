/** The smallest set of traces that shows every failure shape, with counts. */
import type { Candidate } from './candidates.ts'
import type { Exemplar } from './diagnosis.ts'
import type { Evidence } from './evidence.ts'
import type { Impact } from './impact.ts'
import { traceDurations } from './trace-set.ts'

/** Shapes listed at most. */
const maxExemplars = 6

export interface Exemplars {
  readonly shown: readonly Exemplar[]
  /** Shapes with something that none of these shows. */
  readonly leftOut: number
}

export const noExemplars: Exemplars = { shown: [], leftOut: 0 }

/**
 * Traces of the same tags are one shape: `service operation failed` (or `slow`, or `ok`) for the request from outside,
 * and `service: feature` for what deviates in it. Shapes are taken greedily until every tag is shown; ties go to the
 * more frequent shape, then to its text.
 */
export function exemplars(evidence: Evidence, candidates: readonly Candidate[], impact: Impact): Exemplars {
  const tags = new Map<number, string[]>()
  for (const { findings } of candidates) {
    for (const { service, feature, traces } of findings) {
      for (const trace of traces) {
        const list = tags.get(trace)
        const tag = `${service}: ${feature.name}`
        if (list === undefined) tags.set(trace, [tag])
        else if (!list.includes(tag)) list.push(tag)
      }
    }
  }
  const outcomes = outcomesOf(evidence, impact)
  for (const trace of unexplained(outcomes, tags)) tags.set(trace, [])
  const shapes = new Map<string, number[]>()
  for (const [trace, list] of [...tags].sort((a, b) => a[0] - b[0])) {
    const shape = [...(outcomes.get(trace) ?? endedWell(evidence, trace)), ...list].join(separator)
    const members = shapes.get(shape)
    if (members === undefined) shapes.set(shape, [trace])
    else members.push(trace)
  }
  const { chosen, leftOut } = cover(shapes)
  return { shown: chosen.map(([shape, traces]) => exemplarOf(evidence, shape, traces)), leftOut }
}

/** No name that a shape is made of has a line feed in practice; if one has, it shows as two tags. */
const separator = '\n'

/** Part of all traces that were hit from which an ending without any feature is a shape, and traces it must have. */
const leastPart = 0.05
const leastTraces = 3

/** Traces that show no feature and ended as too many did to be the baseline's own tail. */
function unexplained(
  outcomes: ReadonlyMap<number, readonly string[]>,
  tags: ReadonlyMap<number, readonly string[]>,
): readonly number[] {
  const plain = [...outcomes].filter(([trace]) => !tags.has(trace))
  const least = Math.max(leastTraces, outcomes.size * leastPart)
  return [...Map.groupBy(plain, ([, ended]) => ended.join(separator)).values()]
    .filter(group => group.length >= least)
    .flatMap(group => group.map(([trace]) => trace))
}

/** That a deviation did no harm to whoever asked is a shape of its own. */
function endedWell({ window: { set }, names }: Evidence, trace: number): readonly string[] {
  const root = set.first[trace] ?? 0
  return [`${names.text(set.service[root] ?? 0)} ${names.text(set.name[root] ?? 0)} ok`]
}

/** How the requests from outside of a trace ended, those that were hit. */
function outcomesOf(
  { window: { set }, names }: Evidence,
  { hit }: Impact,
): ReadonlyMap<number, readonly string[]> {
  const outcomes = new Map<number, string[]>()
  for (let row = 0; row < set.spans; row++) {
    if ((set.parent[row] ?? -1) >= 0 || hit[row] !== 1) continue
    const how = set.failed[row] === 1 ? 'failed' : 'slow'
    const outcome = `${names.text(set.service[row] ?? 0)} ${names.text(set.name[row] ?? 0)} ${how}`
    const trace = set.trace[row] ?? 0
    const known = outcomes.get(trace)
    if (known === undefined) outcomes.set(trace, [outcome])
    else if (!known.includes(outcome)) known.push(outcome)
  }
  return outcomes
}

type Shape = readonly [string, readonly number[]]

function cover(shapes: ReadonlyMap<string, readonly number[]>): {
  readonly chosen: readonly Shape[]
  readonly leftOut: number
} {
  const open = new Set([...shapes.keys()].flatMap(shape => shape.split(separator)))
  const chosen: Shape[] = []
  const left = [...shapes].sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1))
  while (open.size > 0 && chosen.length < maxExemplars) {
    let best = -1
    let most = 0
    for (const [i, [shape]] of left.entries()) {
      const fresh = shape.split(separator).filter(tag => open.has(tag)).length
      if (fresh > most) {
        most = fresh
        best = i
      }
    }
    const [taken] = best < 0 ? [] : left.splice(best, 1)
    if (taken === undefined) break
    for (const tag of taken[0].split(separator)) open.delete(tag)
    chosen.push(taken)
  }
  const leftOut = left.filter(([shape]) => shape.split(separator).some(tag => open.has(tag))).length
  return { chosen, leftOut }
}

/** The longest trace of a shape stands for it: it shows most of what went wrong. */
function exemplarOf(evidence: Evidence, shape: string, traces: readonly number[]): Exemplar {
  const { set } = evidence.window
  const durations = traceDurations(set)
  let longest = traces[0] ?? 0
  for (const trace of traces) if ((durations[trace] ?? 0) > (durations[longest] ?? 0)) longest = trace
  return {
    traceId: set.traceIds[longest] ?? '',
    startMs: Math.round(set.startMs[set.first[longest] ?? 0] ?? 0),
    durationMs: Math.round((durations[longest] ?? 0) * 10) / 10,
    shape: shape.replaceAll(separator, ', '),
    traces: traces.length,
  }
}
