/** Two windows side by side, from rollups alone: what is new, gone, slower, failing, called more often. */
import type { RollupKind, RollupSeries, RollupView } from '../../model/rollup.ts'
import {
  type Difference,
  differencesOf,
  type Observed,
  type Sides,
  strongest,
  type TemplateDifference,
  templateDifference,
  unseen,
  worstFirst,
} from './differences.ts'

export interface Side {
  readonly count: number
  readonly errors: number
  readonly p95Ms: number
}

export interface ServiceComparison {
  readonly service: string
  readonly before: Side
  readonly after: Side
}

export interface Comparison {
  /** By name. */
  readonly services: readonly ServiceComparison[]
  /** What became worse first, the strongest of it first. */
  readonly differences: readonly Difference[]
  readonly templates: readonly TemplateDifference[]
}

/** Of a quantile of a rollup; see `RollupSeries.quantile`. */
const sketchError = 0.02

function observe(series: RollupSeries | undefined): Observed {
  if (series === undefined) return unseen
  return {
    count: series.total('count'),
    errors: series.total('errors'),
    precision: sketchError,
    quantile: q => series.quantile(q),
    countAbove: ms => series.countAbove(ms),
  }
}

/** What a service's line shows of it. */
export function sideOf(observed: Observed): Side {
  return { count: observed.count, errors: observed.errors, p95Ms: observed.quantile(0.95) }
}

interface Pair extends Sides<Observed> {
  readonly key: readonly string[]
}

function pairsOf(view: RollupView, base: RollupView, kind: RollupKind, service?: string): readonly Pair[] {
  const pairs = new Map<string, Pair>()
  for (const series of base.series(kind, service))
    pairs.set(series.key.join('\n'), { key: series.key, before: observe(series), after: unseen })
  for (const series of view.series(kind, service)) {
    const key = series.key.join('\n')
    const before = pairs.get(key)?.before ?? unseen
    pairs.set(key, { key: series.key, before, after: observe(series) })
  }
  return [...pairs.values()]
}

interface Views {
  readonly view: RollupView
  readonly base: RollupView
  readonly service: string | undefined
  /** Of every service. */
  readonly requests: ReadonlyMap<string, Sides<number>>
}

const noRequests: Sides<number> = { before: 0, after: 0 }

/** SpanKind numbers whose calls per request say something: internal, client and producer spans. */
const madeByService = new Set(['1', '3', '4'])

function compareOperations({ view, base, service, requests }: Views): readonly Difference[] {
  return pairsOf(view, base, 'operation', service).flatMap(pair => {
    const [owner = '', name = '', kind = ''] = pair.key
    const subject = { of: 'operation', service: owner, name } as const
    const found = differencesOf(subject, pair, requests.get(owner) ?? noRequests)
    return madeByService.has(kind)
      ? found
      : found.filter(difference => difference.unit !== 'calls_per_request')
  })
}

function compareEdges({ view, base, service, requests }: Views): readonly Difference[] {
  return pairsOf(view, base, 'edge', service).flatMap(pair => {
    const [caller = '', callee = ''] = pair.key
    const subject = { of: 'edge', service: caller, name: callee } as const
    return differencesOf(subject, pair, requests.get(caller) ?? noRequests)
  })
}

function compareTemplates({ view, base, service, requests }: Views): readonly TemplateDifference[] {
  const lengths = { before: base.toMs - base.fromMs, after: view.toMs - view.fromMs }
  return pairsOf(view, base, 'template', service).flatMap(({ key, before, after }) => {
    const [owner = '', templateId = ''] = key
    const own = requests.get(owner)
    // Per request where there are requests, so that more traffic is no change; else per time.
    const exposure = own !== undefined && own.before > 0 && own.after > 0 ? own : lengths
    const counts = { before: before.count, after: after.count }
    const found = templateDifference({ service: owner, templateId }, counts, exposure)
    return found === null ? [] : [found]
  })
}

/** What differs between the two; `service` narrows to one and its edges. */
export function compareRollups(view: RollupView, base: RollupView, service?: string): Comparison {
  const services = pairsOf(view, base, 'service', service).map(pair => ({
    service: pair.key[0] ?? '',
    before: sideOf(pair.before),
    after: sideOf(pair.after),
  }))
  // Edges of a service include those of its callers, whose requests count as well.
  const requests = new Map(
    pairsOf(view, base, 'service').map(pair => [
      pair.key[0] ?? '',
      { before: pair.before.count, after: pair.after.count },
    ]),
  )
  const views = { view, base, service, requests }
  return {
    services: services.toSorted((a, b) => (a.service < b.service ? -1 : 1)),
    differences: worstFirst([...compareOperations(views), ...compareEdges(views)]),
    templates: strongest(compareTemplates(views), one => one.templateId),
  }
}
