/** Who can be reached from whom along call edges. */
import type { RollupView } from '../../model/rollup.ts'
import type { FlowEdge } from './flow-shift.ts'

/** Distinct call edges of several views, sorted. */
export function callEdges(views: readonly RollupView[]): readonly FlowEdge[] {
  const edges = new Map<string, FlowEdge>()
  for (const view of views) {
    for (const series of view.series('edge')) {
      const [caller = '', callee = ''] = series.key
      edges.set(`${caller}\n${callee}`, { caller, callee })
    }
  }
  return [...edges].sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([, edge]) => edge)
}

/** The service with all its callees, direct and indirect, or all its callers. */
export function reachable(
  edges: readonly FlowEdge[],
  service: string,
  direction: 'callees' | 'callers',
): ReadonlySet<string> {
  const next = new Map<string, string[]>()
  for (const { caller, callee } of edges) {
    const [from, to] = direction === 'callees' ? [caller, callee] : [callee, caller]
    const list = next.get(from)
    if (list === undefined) next.set(from, [to])
    else list.push(to)
  }
  const seen = new Set([service])
  const open = [service]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const to of next.get(at) ?? []) {
      if (seen.has(to)) continue
      seen.add(to)
      open.push(to)
    }
  }
  return seen
}

/**
 * Services that can have to do with a symptom: what it calls, and what calls it. Null when nobody is named or
 * no edge of it is known, for then nothing can be excluded.
 */
export function related(edges: readonly FlowEdge[], symptom: string | null): ReadonlySet<string> | null {
  if (symptom === null) return null
  const below = reachable(edges, symptom, 'callees')
  const above = reachable(edges, symptom, 'callers')
  return below.size + above.size === 2 ? null : new Set([...below, ...above])
}

/** For every direct or indirect caller of a service the callee that is next on its shortest way there; ties by name. */
export function nextTowards(edges: readonly FlowEdge[], service: string): ReadonlyMap<string, string> {
  const callersOf = Map.groupBy(edges, edge => edge.callee)
  const next = new Map<string, string>()
  let reached = [service]
  while (reached.length > 0) {
    const further: string[] = []
    for (const callee of reached.toSorted()) {
      for (const { caller } of callersOf.get(callee) ?? []) {
        if (caller === service || next.has(caller)) continue
        next.set(caller, callee)
        further.push(caller)
      }
    }
    reached = further
  }
  return next
}
