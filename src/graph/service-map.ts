/** Services and the calls between them over a window, each against its own baseline. */

import type { RollupView } from '../model/rollup.ts'
import { type ComparedViews, pairSeries, type SeriesPair, shown } from './compared-views.ts'
import { type Health, healthOf, healthOrder, type RequestSummary, summarise } from './request-summary.ts'
import { compareKeys } from './rollups/series-keys.ts'

export interface MapService extends RequestSummary {
  readonly service: string
  /** Sends no telemetry of its own: known from its callers' client spans alone, whose figures are given. */
  readonly peer: boolean
  /** Nobody in the map calls it. */
  readonly entryPoint: boolean
  /** Own time of its spans (without calls to others) per request; null without requests. */
  readonly selfMsPerRequest: number | null
  readonly health: Health
}

export interface MapEdge extends RequestSummary {
  readonly caller: string
  readonly callee: string
  /** `rpc`, `messaging`, `link`, `database`, `external` or `metric`. */
  readonly connection: string
  readonly toPeer: boolean
  /** Client minus server duration per call where both spans were seen: network, queueing; null without. */
  readonly gapMsPerCall: number | null
  readonly health: Health
}

export interface ServiceMap {
  /** Most worrying first, then by requests, then by name; at most `limit` of each. */
  readonly services: readonly MapService[]
  readonly edges: readonly MapEdge[]
  /** How many there are without the limit. */
  readonly totalServices: number
  readonly totalEdges: number
  /** Edges whose two ends are there but whose calls were all before the window. */
  readonly silentEdges: number
}

export interface MapOptions {
  /** Only what can be reached from this service, against and along calls. */
  readonly focus?: string
  /** Calls away from the focus; default 1. */
  readonly depth?: number
  /** Services and edges given at most, each; default all. Quantiles are worked out for these only. */
  readonly limit?: number
}

/** Maps kept for one pair of views: the questions of one investigation differ in little. */
const maxMapsOfViews = 8
const knownMaps = new WeakMap<RollupView, Map<string, { baseline: RollupView | null; map: ServiceMap }>>()

/**
 * The map of the window. A peer that goes by the name of a known service is that service. Views never change, so
 * the same question about the same ones is answered once.
 */
export function serviceMap(views: ComparedViews, options: MapOptions = {}): ServiceMap {
  const { focus, depth, limit } = options
  const key = JSON.stringify([focus ?? null, depth ?? 1, limit ?? null])
  const maps = knownMaps.get(views.window) ?? new Map()
  const known = maps.get(key)
  if (known !== undefined && known.baseline === views.baseline) return known.map
  const map = drawMap(views, options)
  if (maps.size >= maxMapsOfViews) maps.clear()
  knownMaps.set(views.window, maps.set(key, { baseline: views.baseline, map }))
  return map
}

/** The calls from and to one service, in the order of a map; the service may be a peer. */
export function edgesOf(views: ComparedViews, service: string): readonly MapEdge[] {
  const used = pairSeries(views, 'edge', service).filter(pair => !isLoop(pair) && isUsed(pair))
  const seconds = secondsOf(views)
  const known = { has: (name: string) => pairSeries(views, 'service', name).length > 0 }
  return used
    .map(pair => ({ name: pair.key, ...judged(pair, seconds) }))
    .sort((a, b) => byWorry(a, b) || compareKeys(a.name, b.name))
    .map(call => mapEdge(views, call.pair, call.health, known))
}

function isLoop(pair: SeriesPair): boolean {
  return (pair.key[0] ?? '') === (pair.key[1] ?? '')
}

function drawMap(views: ComparedViews, options: MapOptions): ServiceMap {
  const services = pairSeries(views, 'service')
  const known = new Set(services.map(pair => pair.key[0] ?? ''))
  const edges = pairSeries(views, 'edge').filter(pair => !isLoop(pair))
  const near = options.focus === undefined ? null : reach(edges, options.focus, options.depth ?? 1)
  const inside = (name: string | undefined) => near === null || near.has(name ?? '')
  const nearEdges = near === null ? edges : edges.filter(pair => inside(pair.key[0]) && inside(pair.key[1]))
  const used = nearEdges.filter(isUsed)
  const called = new Set((near === null ? used : edges.filter(isUsed)).map(pair => pair.key[1] ?? ''))
  const ends = new Set(used.map(pair => pair.key[0] ?? ''))
  for (const pair of used) ends.add(pair.key[1] ?? '')
  const seconds = secondsOf(views)
  const nodes: Node[] = services
    .filter(
      pair => inside(pair.key[0]) && (near !== null || pair.window !== null || ends.has(pair.key[0] ?? '')),
    )
    .map(pair => ({ name: pair.key[0] ?? '', ...judged(pair, seconds), incoming: [] }))
  for (const [name, incoming] of callsOfPeers(used, known)) nodes.push(peerNode(name, incoming, seconds))
  const calls = used.map(pair => judged(pair, seconds))
  const limit = options.limit ?? Number.POSITIVE_INFINITY
  return {
    services: mostWorrying(nodes, limit, (a, b) => (a.name < b.name ? -1 : 1)).map(node =>
      node.pair === null ? mapPeer(views, node, called) : mapService(views, node, node.pair, called),
    ),
    // Pairs come sorted by key, and sorting keeps the order of equals.
    edges: mostWorrying(calls, limit, () => 0).map(call => mapEdge(views, call.pair, call.health, known)),
    totalServices: nodes.length,
    totalEdges: calls.length,
    silentEdges: nearEdges.length - used.length,
  }
}

/** Calls by their end, for ends that have no series of their own, whether they call or are called; by name. */
function callsOfPeers(
  used: readonly SeriesPair[],
  known: ReadonlySet<string>,
): readonly (readonly [string, readonly SeriesPair[]])[] {
  const peers = new Map<string, SeriesPair[]>()
  for (const pair of used) {
    const [caller = '', callee = ''] = pair.key
    if (!known.has(caller) && !peers.has(caller)) peers.set(caller, [])
    if (known.has(callee)) continue
    const incoming = peers.get(callee)
    if (incoming === undefined) peers.set(callee, [pair])
    else incoming.push(pair)
  }
  return [...peers].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** The first `limit` in order of worry; of ten thousand that are equally well only so many are sorted by name. */
function mostWorrying<J extends Judged>(
  all: readonly J[],
  limit: number,
  byName: (a: J, b: J) => number,
): J[] {
  const order = (a: J, b: J): number => byWorry(a, b) || byName(a, b)
  if (all.length <= limit) return all.toSorted(order)
  const worries = Float64Array.from(all, worryOf)
  const last = worries.toSorted()[limit - 1] as number
  return all
    .filter((_, at) => (worries[at] as number) <= last)
    .sort(order)
    .slice(0, limit)
}

/** Lower is worse: by health, then by requests, of which nobody has 2^40. */
function worryOf({ health, requests }: Judged): number {
  return healthOrder.indexOf(health) * 2 ** 40 - Math.min(requests, 2 ** 40 - 1)
}

interface Judged {
  readonly health: Health
  readonly requests: number
}

interface Node extends Judged {
  readonly name: string
  /** Null for one without series of its own. */
  readonly pair: SeriesPair | null
  /** Calls to a peer. */
  readonly incoming: readonly SeriesPair[]
}

function judged(pair: SeriesPair, seconds: Seconds): Judged & { readonly pair: SeriesPair } {
  const health = healthOf(pair.window, pair.baseline, seconds)
  return { pair, health, requests: Math.max(0, pair.window?.total('count') ?? 0) }
}

/** A callee without series of its own: as bad as the worst of its calls. */
function peerNode(name: string, incoming: readonly SeriesPair[], seconds: Seconds): Node {
  const calls = incoming.map(pair => judged(pair, seconds))
  const healths = new Set(calls.map(call => call.health))
  return {
    name,
    pair: null,
    incoming,
    health: healthOrder.find(health => healths.has(health)) ?? 'unknown',
    requests: calls.reduce((sum, call) => sum + call.requests, 0),
  }
}

/** Services at most `depth` calls from the focus, in either direction. */
function reach(edges: readonly SeriesPair[], focus: string, depth: number): Set<string> {
  const near = new Set([focus])
  for (let step = 0; step < depth; step++) {
    const before = new Set(near)
    for (const pair of edges) {
      const [caller = '', callee = ''] = pair.key
      if (before.has(caller)) near.add(callee)
      if (before.has(callee)) near.add(caller)
    }
    if (near.size === before.size) break
  }
  return near
}

function isUsed(pair: SeriesPair): boolean {
  return pair.window !== null && (pair.window.total('count') > 0 || pair.key[2] === 'metric')
}

interface Seconds {
  readonly window: number
  readonly baseline: number
}

function secondsOf(views: ComparedViews): Seconds {
  const { window, baseline } = views
  return {
    window: window.length * window.stepSeconds,
    baseline: baseline === null ? 0 : baseline.length * baseline.stepSeconds,
  }
}

function mapService(
  views: ComparedViews,
  node: Node,
  pair: SeriesPair,
  called: ReadonlySet<string>,
): MapService {
  const summary = summarise(pair.window, views.window)
  const { requests } = summary
  return {
    service: node.name,
    peer: false,
    entryPoint: !called.has(node.name),
    ...summary,
    selfMsPerRequest: requests > 0 ? shown((pair.window?.total('self') ?? 0) / requests) : null,
    health: node.health,
  }
}

function mapEdge(
  views: ComparedViews,
  pair: SeriesPair,
  health: Health,
  services: { has(name: string): boolean },
): MapEdge {
  const [caller = '', callee = '', connection = '', kind = ''] = pair.key
  const paired = pair.window?.total('paired') ?? 0
  return {
    caller,
    callee,
    connection,
    toPeer: kind === 'peer' && !services.has(callee),
    ...summarise(pair.window, views.window),
    gapMsPerCall: paired > 0 ? shown((pair.window?.total('self') ?? 0) / paired) : null,
    health,
  }
}

/** A callee without series of its own, as its callers see it; the busiest edge gives the latency. */
function mapPeer(views: ComparedViews, node: Node, called: ReadonlySet<string>): MapService {
  const busiest = node.incoming.toSorted(
    (a, b) => (b.window?.total('count') ?? 0) - (a.window?.total('count') ?? 0),
  )[0]
  const errors = node.incoming.reduce((sum, pair) => sum + Math.max(0, pair.window?.total('errors') ?? 0), 0)
  const seconds = secondsOf(views).window
  return {
    service: node.name,
    peer: node.incoming.length > 0 && node.incoming.every(pair => pair.key[3] === 'peer'),
    entryPoint: !called.has(node.name),
    ...summarise(busiest?.window ?? null, views.window),
    requests: node.requests,
    errors,
    perS: seconds > 0 ? (shown(node.requests / seconds) ?? 0) : 0,
    errorPct: node.requests > 0 ? shown((100 * errors) / node.requests) : null,
    selfMsPerRequest: null,
    health: node.health,
  }
}

function byWorry(a: Judged, b: Judged): number {
  return healthOrder.indexOf(a.health) - healthOrder.indexOf(b.health) || b.requests - a.requests
}
