/** Services and the calls between them over a window, each against its own baseline. */
import type { RollupSeries } from '../model/rollup.ts'
import { type ComparedViews, pairSeries, type SeriesPair, shown, totalOf } from './compared-views.ts'
import { type Health, healthOf, healthOrder, type RequestSummary, summarise } from './request-summary.ts'

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
  /** Most worrying first, then by requests, then by name. */
  readonly services: readonly MapService[]
  readonly edges: readonly MapEdge[]
  /** Edges whose two ends are there but whose calls were all before the window. */
  readonly silentEdges: number
}

export interface MapOptions {
  /** Only what can be reached from this service, against and along calls. */
  readonly focus?: string
  /** Calls away from the focus; default 1. */
  readonly depth?: number
}

/** The map of the window. A peer that goes by the name of a known service is that service. */
export function serviceMap(views: ComparedViews, options: MapOptions = {}): ServiceMap {
  const services = pairSeries(views, 'service')
  const known = new Set(services.map(pair => pair.key[0] ?? ''))
  const edges = pairSeries(views, 'edge').filter(pair => (pair.key[0] ?? '') !== (pair.key[1] ?? ''))
  const near = options.focus === undefined ? null : reach(edges, options.focus, options.depth ?? 1)
  const inside = (pair: SeriesPair) =>
    near === null || (near.has(pair.key[0] ?? '') && near.has(pair.key[1] ?? ''))
  const shownEdges = edges.filter(inside)
  const called = new Set(edges.filter(pair => isUsed(pair)).map(pair => pair.key[1] ?? ''))
  const mapped = shownEdges.filter(isUsed).map(pair => mapEdge(views, pair, known))
  const ends = new Set(mapped.flatMap(edge => [edge.caller, edge.callee]))
  const nodes = services
    .filter(pair =>
      near === null ? pair.window !== null || ends.has(pair.key[0] ?? '') : near.has(pair.key[0] ?? ''),
    )
    .map(pair => mapService(views, pair, called))
  const names = new Set(nodes.map(node => node.service))
  const others = [...ends].filter(name => !names.has(name)).sort()
  const peers = others.map(name => mapPeer(views, name, shownEdges, called))
  return {
    services: [...nodes, ...peers].sort(byWorry(one => one.service)),
    edges: mapped.sort(byWorry(edge => `${edge.caller}\u0000${edge.callee}\u0000${edge.connection}`)),
    silentEdges: shownEdges.filter(pair => !isUsed(pair)).length,
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
  return pair.window !== null && (totalOf(pair.window.count) > 0 || pair.key[2] === 'metric')
}

function secondsOf(views: ComparedViews): { window: number; baseline: number } {
  const { window, baseline } = views
  return {
    window: window.length * window.stepSeconds,
    baseline: baseline === null ? 0 : baseline.length * baseline.stepSeconds,
  }
}

function mapService(views: ComparedViews, pair: SeriesPair, called: ReadonlySet<string>): MapService {
  const summary = summarise(pair.window, views.window)
  const service = pair.key[0] ?? ''
  return {
    service,
    peer: false,
    entryPoint: !called.has(service),
    ...summary,
    selfMsPerRequest: summary.requests > 0 ? shown(totalOf(pair.window?.self) / summary.requests) : null,
    health: healthOf(pair.window, pair.baseline, secondsOf(views)),
  }
}

function mapEdge(views: ComparedViews, pair: SeriesPair, services: ReadonlySet<string>): MapEdge {
  const [caller = '', callee = '', connection = '', kind = ''] = pair.key
  const paired = totalOf(pair.window?.paired)
  return {
    caller,
    callee,
    connection,
    toPeer: kind === 'peer' && !services.has(callee),
    ...summarise(pair.window, views.window),
    gapMsPerCall: paired > 0 ? shown(totalOf(pair.window?.self) / paired) : null,
    health: healthOf(pair.window, pair.baseline, secondsOf(views)),
  }
}

/** A callee without series of its own, as its callers see it; the busiest edge gives latency and health. */
function mapPeer(
  views: ComparedViews,
  name: string,
  edges: readonly SeriesPair[],
  called: ReadonlySet<string>,
): MapService {
  const incoming = edges.filter(pair => pair.key[1] === name && isUsed(pair))
  const busiest = incoming.toSorted((a, b) => totalOf(b.window?.count) - totalOf(a.window?.count))[0]
  const sumOf = (column: (series: RollupSeries) => ArrayLike<number>) =>
    incoming.reduce((sum, pair) => sum + (pair.window === null ? 0 : totalOf(column(pair.window))), 0)
  const requests = sumOf(series => series.count)
  const errors = sumOf(series => series.errors)
  const seconds = secondsOf(views).window
  const healths = incoming.map(pair => healthOf(pair.window, pair.baseline, secondsOf(views)))
  return {
    service: name,
    peer: incoming.every(pair => pair.key[3] === 'peer') && incoming.length > 0,
    entryPoint: !called.has(name),
    ...summarise(busiest?.window ?? null, views.window),
    requests,
    errors,
    perS: seconds > 0 ? (shown(requests / seconds) ?? 0) : 0,
    errorPct: requests > 0 ? shown((100 * errors) / requests) : null,
    selfMsPerRequest: null,
    health: healthOrder.find(health => healths.includes(health)) ?? 'unknown',
  }
}

function byWorry<T extends { health: Health; requests: number }>(nameOf: (one: T) => string) {
  return (a: T, b: T): number =>
    healthOrder.indexOf(a.health) - healthOrder.indexOf(b.health) ||
    b.requests - a.requests ||
    (nameOf(a) < nameOf(b) ? -1 : 1)
}
