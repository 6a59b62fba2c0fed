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

/** What a service or peer is called, and whatever is said of it, stand under its number. */
interface CallGraph {
  readonly names: readonly string[]
  readonly numbers: ReadonlyMap<string, number>
  /** 0 where they are not known. */
  readonly requests: readonly number[]
  readonly edges: readonly Edge[]
  readonly edgesTo: readonly (readonly Edge[])[]
  readonly edgesFrom: readonly (readonly Edge[])[]
}

interface Edge {
  readonly caller: number
  readonly callee: number
  readonly connection: string
  readonly calls: number
  readonly failed: number
  readonly callsPerRequest: number | null
}

/** The callers of a service or peer in the window; only itself if nobody calls it. */
export function blastRadius(view: RollupView, service: string): BlastRadius {
  const graph = callGraphOf(view)
  const target = graph.numbers.get(service)
  if (target === undefined) return { service, callers: [alone(service)], edges: [] }
  const distance = new Int32Array(graph.names.length).fill(unreached)
  const reached = reach(graph, target, distance)
  const exposed = exposures(graph, reached, distance)
  const callers = reached.map((number): AffectedCaller => {
    const requests = graph.requests[number] ?? 0
    const share = exposed[number] ?? Number.NaN
    const known = !Number.isNaN(share)
    return {
      service: graph.names[number] ?? '',
      entryPoint: graph.edgesTo[number]?.length === 0,
      distance: distance[number] as number,
      requests,
      exposedShare: known ? shown(share) : null,
      exposedRequests: known ? Math.round(share * requests) : null,
    }
  })
  const towards = graph.edges.filter(
    ({ caller, callee }) => (distance[caller] as number) > 0 && distance[callee] !== unreached,
  )
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
      caller: graph.names[edge.caller] ?? '',
      callee: graph.names[edge.callee] ?? '',
      connection: edge.connection,
      calls: edge.calls,
      failedCalls: edge.failed,
      callsPerRequest: edge.callsPerRequest,
    })),
  }
}

/** What is said of a service that the window does not know. */
function alone(service: string): AffectedCaller {
  return { service, entryPoint: true, distance: 0, requests: 0, exposedShare: 1, exposedRequests: 0 }
}

/** Views never change, so the calls of one are gathered once. */
const knownGraphs = new WeakMap<RollupView, CallGraph>()

function callGraphOf(view: RollupView): CallGraph {
  const known = knownGraphs.get(view)
  if (known !== undefined) return known
  const names: string[] = []
  const numbers = new Map<string, number>()
  const requests: number[] = []
  const numberOf = (name: string): number => {
    const number = numbers.get(name) ?? names.push(name) - 1
    numbers.set(name, number)
    return number
  }
  for (const series of view.series('service'))
    requests[numberOf(series.key[0] ?? '')] = Math.max(0, series.total('count'))
  const edges = usedEdges(view, requests, numberOf)
  const edgesTo: Edge[][] = names.map(() => [])
  const edgesFrom: Edge[][] = names.map(() => [])
  for (const edge of edges) {
    edgesTo[edge.callee]?.push(edge)
    edgesFrom[edge.caller]?.push(edge)
  }
  const graph = { names, numbers, requests, edges, edgesTo, edgesFrom }
  knownGraphs.set(view, graph)
  return graph
}

function usedEdges(
  view: RollupView,
  requests: readonly number[],
  numberOf: (name: string) => number,
): readonly Edge[] {
  const edges: Edge[] = []
  for (const series of view.series('edge')) {
    const [from = '', to = '', connection = ''] = series.key
    const calls = Math.max(0, series.total('count'))
    if (from === to || (calls === 0 && connection !== 'metric')) continue
    const failed = Math.max(0, series.total('errors'))
    const caller = numberOf(from)
    const count = requests[caller] ?? 0
    const callsPerRequest = count > 0 ? shown(calls / count) : null
    edges.push({ caller, callee: numberOf(to), connection, calls, failed, callsPerRequest })
  }
  return edges
}

const unreached = -1

/** All who call the target, itself first, nearest first; sets the fewest calls between them in `distance`. */
function reach({ edgesTo }: CallGraph, target: number, distance: Int32Array): readonly number[] {
  const reached = [target]
  distance[target] = 0
  for (let next = 0; next < reached.length; next++) {
    const number = reached[next] as number
    const away = (distance[number] as number) + 1
    if (away > maxDistance) break
    for (const { caller } of edgesTo[number] ?? []) {
      if (distance[caller] !== unreached) continue
      distance[caller] = away
      reached.push(caller)
    }
  }
  return reached
}

/**
 * Shares by number, NaN where they are not known. Nearest first, so that each service is computed from callees that are
 * nearer; calls to one that is equally far or farther would count a way twice.
 */
function exposures(
  { names, edgesFrom }: CallGraph,
  reached: readonly number[],
  distance: Int32Array,
): Float64Array {
  const exposed = new Float64Array(names.length).fill(Number.NaN)
  for (const number of reached) {
    const away = distance[number] as number
    let spared = away === 0 ? 0 : 1
    let known = away === 0
    for (const { callee, callsPerRequest } of edgesFrom[number] ?? []) {
      const behind = exposed[callee] as number
      if (callsPerRequest === null || (distance[callee] as number) >= away || Number.isNaN(behind)) continue
      known = true
      spared *= 1 - Math.min(1, callsPerRequest) * behind
    }
    if (known) exposed[number] = 1 - spared
  }
  return exposed
}
