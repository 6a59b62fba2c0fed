/** The smallest set of traces that shows every failure shape, with counts. */
import type { Candidate } from './candidates.ts'
import type { Exemplar } from './diagnosis.ts'
import type { Evidence } from './evidence.ts'
import { traceDurations } from './trace-set.ts'

/** Shapes listed at most. */
const maxExemplars = 4

/**
 * Traces of the same tags (`service: feature`) are one shape. Shapes are taken greedily until every tag is
 * shown; ties go to the more frequent shape, then to its text.
 */
export function exemplars(evidence: Evidence, candidates: readonly Candidate[]): readonly Exemplar[] {
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
  const shapes = new Map<string, number[]>()
  for (const [trace, list] of [...tags].sort((a, b) => a[0] - b[0])) {
    const shape = list.join(', ')
    const members = shapes.get(shape)
    if (members === undefined) shapes.set(shape, [trace])
    else members.push(trace)
  }
  return cover(shapes).map(([shape, traces]) => exemplarOf(evidence, shape, traces))
}

function cover(shapes: ReadonlyMap<string, readonly number[]>): readonly [string, readonly number[]][] {
  const open = new Set([...shapes.keys()].flatMap(shape => shape.split(', ')))
  const chosen: [string, readonly number[]][] = []
  const left = [...shapes].sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1))
  while (open.size > 0 && chosen.length < maxExemplars) {
    let best = -1
    let most = 0
    for (const [i, [shape]] of left.entries()) {
      const fresh = shape.split(', ').filter(tag => open.has(tag)).length
      if (fresh > most) {
        most = fresh
        best = i
      }
    }
    const [taken] = best < 0 ? [] : left.splice(best, 1)
    if (taken === undefined) break
    for (const tag of taken[0].split(', ')) open.delete(tag)
    chosen.push(taken)
  }
  return chosen
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
    shape,
    traces: traces.length,
  }
}
