/** Who suffers when a service fails: its callers, their callers, up to where requests come in. */
import type { RollupView } from '../model/rollup.ts'
import { shown } from './compared-views.ts'

export interface AffectedCaller {
  readonly service: string
  /** Nobody calls it: requests from outside arrive here. */
  readonly entryPoint: boolean
  /** Calls away from the failing service; 0 is the service itself. */
  readonly distance: number
  readonly requests: number
  /**
   * Share of its requests that lead to the failing service, 0 to 1: calls per request along every edge, never
   * more than one, and edges of one caller taken as independent. Null where requests are not known.
   */
  readonly exposedShare: number | null
  /** `exposedShare` times requests, rounded; null where that is not known. */
  readonly exposedRequests: number | null
}

/** How failures crossed one edge in the window: counts of calls, from the edge's and the caller's rollups. */
export interface ImpactEdge {
  readonly caller: string
  readonly callee: string
  readonly connection: string
  readonly calls: number
  readonly failedCalls: number
  /** Calls per request of the caller; null where its requests are not known. */
  readonly callsPerRequest: number | null
}

export interface BlastRadius {
  readonly service: string
  /** Itself first, then by exposed requests, distance and name. */
  readonly callers: readonly AffectedCaller[]
  readonly edges: readonly ImpactEdge[]
}

/** Callers further away are left out: real call chains are shorter, and a cycle must end. */
export const maxDistance = 16

interface Edge {
  readonly caller: string
  readonly callee: string
  readonly connection: string
  calls: number
  failed: number
}

/** The callers of a service or peer in the window; only itself if nobody calls it. */
export function blastRadius(view: RollupView, service: string): BlastRadius {
  const { requests, edges, callersOf } = callGraphOf(view)
  const distance = distances(callersOf, service)
  const inside = edges.filter(edge => distance.has(edge.caller) && distance.has(edge.callee))
  const towards = inside.filter(edge => edge.caller !== service)
  const exposed = exposures(towards, service, requests, distance)
  const callers = [...distance].map(([name, away]): AffectedCaller => {
    const count = requests.get(name) ?? 0
    const share = exposed.get(name) ?? null
    return {
      service: name,
      entryPoint: !callersOf.has(name),
      distance: away,
      requests: count,
      exposedShare: share === null ? null : shown(share),
      exposedRequests: share === null ? null : Math.round(share * count),
    }
  })
  return {
    service,
    callers: callers.sort(
      (a, b) =>
        Number(a.distance !== 0) - Number(b.distance !== 0) ||
        (b.exposedRequests ?? 0) - (a.exposedRequests ?? 0) ||
        a.distance - b.distance ||
        (a.service < b.service ? -1 : 1),
    ),
    edges: towards.map(edge => ({
      caller: edge.caller,
      callee: edge.callee,
      connection: edge.connection,
      calls: edge.calls,
      failedCalls: edge.failed,
      callsPerRequest: perRequest(edge, requests),
    })),
  }
}

interface CallGraph {
  readonly requests: ReadonlyMap<string, number>
  readonly edges: readonly Edge[]
  readonly callersOf: ReadonlyMap<string, readonly Edge[]>
}

/** Views never change, so the calls of one are gathered once. */
const knownGraphs = new WeakMap<RollupView, CallGraph>()

function callGraphOf(view: RollupView): CallGraph {
  const known = knownGraphs.get(view)
  if (known !== undefined) return known
  const edges = usedEdges(view)
  const services = view.series('service')
  const graph = {
    requests: new Map(services.map(series => [series.key[0] ?? '', Math.max(0, series.total('count'))])),
    edges,
    callersOf: Map.groupBy(edges, edge => edge.callee),
  }
  knownGraphs.set(view, graph)
  return graph
}

function usedEdges(view: RollupView): Edge[] {
  return view
    .series('edge')
    .map(series => ({
      caller: series.key[0] ?? '',
      callee: series.key[1] ?? '',
      connection: series.key[2] ?? '',
      calls: Math.max(0, series.total('count')),
      failed: Math.max(0, series.total('errors')),
    }))
    .filter(edge => edge.caller !== edge.callee && (edge.calls > 0 || edge.connection === 'metric'))
}

/** Calls between each caller and the service, fewest. */
function distances(callersOf: ReadonlyMap<string, readonly Edge[]>, service: string): Map<string, number> {
  const distance = new Map([[service, 0]])
  let reached = [service]
  for (let away = 1; away <= maxDistance && reached.length > 0; away++) {
    const next: string[] = []
    for (const name of reached) {
      for (const { caller } of callersOf.get(name) ?? []) {
        if (distance.has(caller)) continue
        distance.set(caller, away)
        next.push(caller)
      }
    }
    reached = next
  }
  return distance
}

/**
 * Shares by distance, nearest first, so that each service is computed from callees that are nearer; calls to
 * one that is equally far or farther would count a way twice.
 */
function exposures(
  edges: readonly Edge[],
  service: string,
  requests: ReadonlyMap<string, number>,
  distance: ReadonlyMap<string, number>,
): Map<string, number> {
  const exposed = new Map([[service, 1]])
  const names = [...distance.keys()].sort(
    (a, b) => (distance.get(a) ?? 0) - (distance.get(b) ?? 0) || (a < b ? -1 : 1),
  )
  const callsOf = Map.groupBy(edges, edge => edge.caller)
  for (const name of names) {
    if (name === service) continue
    let spared = 1
    let known = false
    for (const edge of callsOf.get(name) ?? []) {
      if ((distance.get(edge.callee) ?? 0) >= (distance.get(name) ?? 0)) continue
      const ratio = perRequest(edge, requests)
      const behind = exposed.get(edge.callee)
      if (ratio === null || behind === undefined) continue
      known = true
      spared *= 1 - Math.min(1, ratio) * behind
    }
    if (known) exposed.set(name, 1 - spared)
  }
  return exposed
}

function perRequest(edge: Edge, requests: ReadonlyMap<string, number>): number | null {
  const count = requests.get(edge.caller) ?? 0
  return count > 0 ? shown(edge.calls / count) : null
}
