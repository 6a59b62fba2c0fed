/** Two windows side by side, from rollups alone: what is new, gone, slower, failing, called more often. */
import type { RollupKind, RollupSeries, RollupView } from '../../model/rollup.ts'

/** Differences this many standard errors from none are named; with a thousand operations chance makes none. */
const significance = 4.5
/** Effects below these are real and do not matter. */
const leastErrorShare = 0.01
const leastTimeRatio = 1.2
const leastTimeMs = 1
const leastCallRatio = 1.5
/** Fewer occurrences on one side may be missing from the other by chance. */
const leastCount = 5

export interface Side {
  readonly count: number
  readonly errors: number
  readonly p50Ms: number
  readonly p95Ms: number
}

export interface ServiceComparison {
  readonly service: string
  readonly before: Side
  readonly after: Side
}

export type DifferenceKind =
  | 'new'
  | 'gone'
  | 'failing'
  | 'recovered'
  | 'slower'
  | 'faster'
  | 'called_more_often'
  | 'called_less_often'

export interface Difference {
  readonly kind: DifferenceKind
  /** What it is about: an operation, or a call edge. */
  readonly of: 'operation' | 'edge'
  readonly service: string
  /** Operation, or callee. */
  readonly name: string
  /** In `unit`. */
  readonly before: number
  readonly after: number
  readonly unit: 'calls' | 'error_pct' | 'p95_ms' | 'calls_per_request'
  /** Standard errors from no difference; what ranks them. */
  readonly strength: number
}

export interface TemplateDifference {
  readonly kind: 'new' | 'gone' | 'risen' | 'fallen'
  readonly service: string
  readonly templateId: string
  /** Records in each window. */
  readonly before: number
  readonly after: number
  readonly strength: number
}

export interface Comparison {
  /** By name. */
  readonly services: readonly ServiceComparison[]
  /** Strongest first. */
  readonly differences: readonly Difference[]
  readonly templates: readonly TemplateDifference[]
}

const sumOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0)
const nothing: Side = { count: 0, errors: 0, p50Ms: Number.NaN, p95Ms: Number.NaN }

function sideOf(series: RollupSeries | undefined): Side {
  if (series === undefined) return nothing
  return {
    count: sumOf(series.count),
    errors: sumOf(series.errors),
    p50Ms: series.quantile(0.5),
    p95Ms: series.quantile(0.95),
  }
}

interface Pair {
  readonly key: readonly string[]
  readonly before: RollupSeries | undefined
  readonly after: RollupSeries | undefined
}

function pairsOf(view: RollupView, base: RollupView, kind: RollupKind, service?: string): readonly Pair[] {
  const pairs = new Map<string, Pair>()
  for (const series of base.series(kind, service))
    pairs.set(series.key.join('\n'), { key: series.key, before: series, after: undefined })
  for (const series of view.series(kind, service)) {
    const key = series.key.join('\n')
    pairs.set(key, { key: series.key, before: pairs.get(key)?.before, after: series })
  }
  return [...pairs.values()]
}

/** Standard errors between two shares, with one added to each side so that small counts stay small. */
function shareDistance(hits: number, total: number, baseHits: number, baseTotal: number): number {
  if (total === 0 || baseTotal === 0) return 0
  const pooled = (hits + baseHits + 1) / (total + baseTotal + 2)
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / total + 1 / baseTotal))
  return error === 0 ? 0 : (hits / total - baseHits / baseTotal) / error
}

/** Standard errors between two rates of counts. */
function rateDistance(count: number, exposure: number, baseCount: number, baseExposure: number): number {
  if (exposure === 0 || baseExposure === 0) return 0
  const variance = (count + 1) / exposure ** 2 + (baseCount + 1) / baseExposure ** 2
  return (count / exposure - baseCount / baseExposure) / Math.sqrt(variance)
}

interface Subject {
  readonly of: Difference['of']
  readonly service: string
  readonly name: string
}

function timeDifference(subject: Subject, pair: Pair, before: Side, after: Side): Difference | null {
  if (pair.after === undefined || pair.before === undefined) return null
  const slower = after.p95Ms > before.p95Ms
  const limit = slower ? before.p95Ms : before.p50Ms
  const distance = shareDistance(
    pair.after.countAbove(limit),
    after.count,
    pair.before.countAbove(limit),
    before.count,
  )
  const ratio = slower ? after.p95Ms / before.p95Ms : before.p95Ms / after.p95Ms
  const matters = ratio >= leastTimeRatio && Math.abs(after.p95Ms - before.p95Ms) >= leastTimeMs
  const strength = slower ? distance : -distance
  if (!matters || strength < significance) return null
  const kind = slower ? 'slower' : 'faster'
  return { ...subject, kind, before: before.p95Ms, after: after.p95Ms, unit: 'p95_ms', strength }
}

function errorDifference(subject: Subject, before: Side, after: Side): Difference | null {
  const distance = shareDistance(after.errors, after.count, before.errors, before.count)
  const change = after.errors / after.count - before.errors / before.count
  if (Math.abs(distance) < significance || Math.abs(change) < leastErrorShare) return null
  return {
    ...subject,
    kind: distance > 0 ? 'failing' : 'recovered',
    before: (before.errors / before.count) * 100,
    after: (after.errors / after.count) * 100,
    unit: 'error_pct',
    strength: Math.abs(distance),
  }
}

interface Requests {
  readonly before: number
  readonly after: number
}

function callDifference(subject: Subject, before: Side, after: Side, requests: Requests): Difference | null {
  if (requests.before < leastCount || requests.after < leastCount) return null
  const perBefore = before.count / requests.before
  const perAfter = after.count / requests.after
  const ratio = Math.max(perAfter / perBefore, perBefore / perAfter)
  const distance = rateDistance(after.count, requests.after, before.count, requests.before)
  if (ratio < leastCallRatio || Math.abs(distance) < significance) return null
  return {
    ...subject,
    kind: distance > 0 ? 'called_more_often' : 'called_less_often',
    before: perBefore,
    after: perAfter,
    unit: 'calls_per_request',
    strength: Math.abs(distance),
  }
}

function presenceDifference(subject: Subject, before: Side, after: Side): Difference | null {
  const kind = before.count === 0 ? 'new' : 'gone'
  const count = Math.max(before.count, after.count)
  if (count < leastCount) return null
  return {
    ...subject,
    kind,
    before: before.count,
    after: after.count,
    unit: 'calls',
    strength: Math.sqrt(count),
  }
}

function differencesOf(subject: Subject, pair: Pair, requests: Requests): readonly Difference[] {
  const before = sideOf(pair.before)
  const after = sideOf(pair.after)
  if (before.count === 0 || after.count === 0) {
    // A service that is silent on one side is a matter of the service, not of each of its operations.
    const silent = requests.before === 0 || requests.after === 0
    const found = silent ? null : presenceDifference(subject, before, after)
    return found === null ? [] : [found]
  }
  const found = [
    errorDifference(subject, before, after),
    timeDifference(subject, pair, before, after),
    callDifference(subject, before, after, requests),
  ]
  return found.filter(difference => difference !== null)
}

/** SpanKind numbers whose calls per request say something: internal, client and producer spans. */
const madeByService = new Set(['1', '3', '4'])

function compareOperations(
  view: RollupView,
  base: RollupView,
  service: string | undefined,
  requests: ReadonlyMap<string, Requests>,
) {
  return pairsOf(view, base, 'operation', service).flatMap(pair => {
    const [owner = '', name = '', kind = ''] = pair.key
    const own = requests.get(owner) ?? { before: 0, after: 0 }
    const found = differencesOf({ of: 'operation', service: owner, name }, pair, own)
    return madeByService.has(kind)
      ? found
      : found.filter(difference => difference.unit !== 'calls_per_request')
  })
}

function compareEdges(
  view: RollupView,
  base: RollupView,
  service: string | undefined,
  requests: ReadonlyMap<string, Requests>,
) {
  return pairsOf(view, base, 'edge', service).flatMap(pair => {
    const [caller = '', callee = ''] = pair.key
    return differencesOf(
      { of: 'edge', service: caller, name: callee },
      pair,
      requests.get(caller) ?? { before: 0, after: 0 },
    )
  })
}

function compareTemplates(
  view: RollupView,
  base: RollupView,
  service: string | undefined,
  requests: ReadonlyMap<string, Requests>,
) {
  const lengths = { before: base.toMs - base.fromMs, after: view.toMs - view.fromMs }
  return pairsOf(view, base, 'template', service).flatMap((pair): readonly TemplateDifference[] => {
    const [owner = '', templateId = ''] = pair.key
    const before = sideOf(pair.before).count
    const after = sideOf(pair.after).count
    const own = requests.get(owner)
    // Per request where there are requests, so that more traffic is no change; else per time.
    const exposure = own !== undefined && own.before > 0 && own.after > 0 ? own : lengths
    const distance = rateDistance(after, exposure.after, before, exposure.before)
    const ratio = (after / exposure.after + Number.EPSILON) / (before / exposure.before + Number.EPSILON)
    const subject = { service: owner, templateId, before, after, strength: Math.abs(distance) }
    if (before === 0) return after >= leastCount ? [{ ...subject, kind: 'new' }] : []
    if (after === 0) return before >= leastCount ? [{ ...subject, kind: 'gone' }] : []
    if (Math.abs(distance) < significance || Math.max(ratio, 1 / ratio) < leastCallRatio) return []
    return [{ ...subject, kind: distance > 0 ? 'risen' : 'fallen' }]
  })
}

const strongest = <T extends { readonly strength: number; readonly service: string }>(
  list: readonly T[],
  nameOf: (one: T) => string,
): readonly T[] =>
  list.toSorted(
    (a, b) =>
      b.strength - a.strength || (`${a.service}\n${nameOf(a)}` < `${b.service}\n${nameOf(b)}` ? -1 : 1),
  )

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
      { before: sideOf(pair.before).count, after: sideOf(pair.after).count },
    ]),
  )
  const differences = [
    ...compareOperations(view, base, service, requests),
    ...compareEdges(view, base, service, requests),
  ]
  return {
    services: services.toSorted((a, b) => (a.service < b.service ? -1 : 1)),
    differences: strongest(differences, one => `${one.of}\n${one.name}\n${one.kind}`),
    templates: strongest(compareTemplates(view, base, service, requests), one => one.templateId),
  }
}
