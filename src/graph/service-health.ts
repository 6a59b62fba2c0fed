/** One service against its own baseline: requests, operations, dependencies, resources, logs, changes. */
import type { RollupSeries, RollupView } from '../model/rollup.ts'
import type { TemplateRecord } from '../model/store.ts'
import { type Anomaly, findAnomalies } from './anomalies.ts'
import { type ChangeEvent, listChanges } from './changes.ts'
import { type ComparedViews, pairSeries, type SeriesPair, shown, totalOf } from './compared-views.ts'
import { type Health, healthOf, healthOrder, type RequestSummary, summarise } from './request-summary.ts'
import { edgesOf, type MapEdge } from './service-map.ts'
import { medianOf, spreadOf } from './shift/robust-statistics.ts'

export interface OperationHealth extends RequestSummary {
  readonly operation: string
  /** SpanKind number. */
  readonly kind: number
  readonly selfMsPerCall: number | null
  readonly health: Health
  readonly baseline: RequestSummary | null
}

export interface InstanceHealth extends RequestSummary {
  readonly instance: string
  readonly version: string
  readonly process: string
}

export interface MetricHealth {
  readonly metric: string
  readonly instance: string
  readonly attributes: string
  readonly unit: string
  /** Mean of the window's values (for a counter the increase per second), and the baseline's median of the same. */
  readonly value: number | null
  readonly baselineValue: number | null
  readonly max: number | null
  /** Distance from the baseline in its own robust deviations; null without a baseline or without any scatter. */
  readonly deviations: number | null
}

export interface TemplateHealth {
  readonly templateId: string
  readonly pattern: string
  readonly severity: number
  readonly count: number
  /** What the baseline's rate makes of the window's length; null without a baseline. */
  readonly expectedCount: number | null
}

export interface ServiceHealth {
  readonly service: string
  readonly health: Health
  readonly requests: RequestSummary
  readonly baseline: RequestSummary | null
  /** Most worrying first, then most called; the same for all lists. */
  readonly operations: readonly OperationHealth[]
  readonly instances: readonly InstanceHealth[]
  readonly callers: readonly MapEdge[]
  readonly callees: readonly MapEdge[]
  readonly metrics: readonly MetricHealth[]
  /** Those at WARN and above, and those that are new; by how far they exceed what was expected. */
  readonly templates: readonly TemplateHealth[]
  readonly anomalies: readonly Anomaly[]
  readonly changes: readonly ChangeEvent[]
}

export interface HealthOptions {
  readonly templates?: readonly TemplateRecord[]
  readonly check?: () => void
}

const warnSeverity = 13

/** Everything known of one service; null if neither view has heard of it. */
export function serviceHealth(
  views: ComparedViews,
  service: string,
  options: HealthOptions = {},
): ServiceHealth | null {
  const request = pairSeries(views, 'service', service)[0]
  const operations = pairSeries(views, 'operation', service)
  const metrics = pairSeries(views, 'metric', service)
  const logs = pairSeries(views, 'severity', service)
  const edges = edgesOf(views, service)
  if (request === undefined && operations.length + metrics.length + logs.length + edges.length === 0) {
    return null
  }
  const about = { service, ...options }
  const healths = operations.map(pair => operationHealth(views, pair))
  const own = healthOf(request?.window ?? null, request?.baseline ?? null, secondsOf(views))
  return {
    service,
    health: own,
    requests: summarise(request?.window ?? null, views.window),
    baseline: views.baseline === null ? null : summarise(request?.baseline ?? null, views.baseline),
    operations: healths.filter(one => one.requests > 0 || (one.baseline?.requests ?? 0) > 0).sort(byWorry),
    instances: views.window.series('instance', service).map(series => instanceHealth(series, views.window)),
    callers: edges.filter(edge => edge.callee === service),
    callees: edges.filter(edge => edge.caller === service),
    metrics: metrics.map(pair => metricHealth(views, pair)).sort(byDeviation),
    templates: templateHealths(views, service, options.templates ?? []),
    anomalies: findAnomalies(views, about).filter(one => one.service === service),
    changes: listChanges(views, about),
  }
}

function secondsOf(views: ComparedViews): { window: number; baseline: number } {
  const of = (view: RollupView | null) => (view === null ? 0 : view.length * view.stepSeconds)
  return { window: of(views.window), baseline: of(views.baseline) }
}

function operationHealth(views: ComparedViews, pair: SeriesPair): OperationHealth {
  const summary = summarise(pair.window, views.window)
  return {
    operation: pair.key[1] ?? '',
    kind: Number(pair.key[2] ?? 0),
    ...summary,
    selfMsPerCall: summary.requests > 0 ? shown((pair.window?.total('self') ?? 0) / summary.requests) : null,
    health: healthOf(pair.window, pair.baseline, secondsOf(views)),
    baseline: views.baseline === null ? null : summarise(pair.baseline, views.baseline),
  }
}

function instanceHealth(series: RollupSeries, view: RollupView): InstanceHealth {
  const [, instance = '', version = '', process = ''] = series.key
  return { instance, version, process, ...summarise(series, view) }
}

function metricHealth(views: ComparedViews, pair: SeriesPair): MetricHealth {
  const [, metric = '', instance = '', attributes = '', unit = '', type = ''] = pair.key
  const now = valuesOf(pair.window, type, views.window.stepSeconds)
  const before = valuesOf(pair.baseline, type, views.baseline?.stepSeconds ?? 1)
  const value = now.length === 0 ? Number.NaN : totalOf(now) / now.length
  const usual = medianOf(before)
  const spread = spreadOf(before)
  return {
    metric,
    instance,
    attributes,
    unit: type === 'sum' ? `${unit}/s` : unit,
    value: shown(value),
    baselineValue: shown(usual),
    max: pair.window === null || now.length === 0 ? null : shown(largest(pair.window)),
    deviations: spread > 0 ? shown((value - usual) / spread) : null,
  }
}

/** A value per window that has data: its mean, or for counters the increase per second. */
function valuesOf(series: RollupSeries | null, type: string, stepSeconds: number): number[] {
  if (series === null) return []
  const values: number[] = []
  for (let i = 0; i < series.count.length; i++) {
    const count = series.count[i] ?? 0
    if (count > 0) values.push((series.sum[i] ?? 0) / (type === 'sum' ? stepSeconds : count))
  }
  return values
}

function largest(series: RollupSeries): number {
  let max = Number.NEGATIVE_INFINITY
  for (let i = 0; i < series.max.length; i++) {
    if ((series.count[i] ?? 0) > 0) max = Math.max(max, series.max[i] ?? max)
  }
  return max
}

function templateHealths(
  views: ComparedViews,
  service: string,
  templates: readonly TemplateRecord[],
): TemplateHealth[] {
  const records = new Map(templates.filter(one => one.service === service).map(one => [one.id, one]))
  const seconds = secondsOf(views)
  const scale = seconds.baseline > 0 ? seconds.window / seconds.baseline : 0
  return pairSeries(views, 'template', service)
    .map(pair => {
      const record = records.get(pair.key[1] ?? '')
      return {
        templateId: pair.key[1] ?? '',
        pattern: record?.pattern ?? '',
        severity: record?.severity ?? 0,
        count: pair.window?.total('count') ?? 0,
        expectedCount:
          views.baseline === null ? null : (shown((pair.baseline?.total('count') ?? 0) * scale) ?? 0),
      }
    })
    .filter(one => one.count > 0 && (one.severity >= warnSeverity || one.expectedCount === 0))
    .sort((a, b) => excess(b) - excess(a) || (a.templateId < b.templateId ? -1 : 1))
}

function excess(one: TemplateHealth): number {
  return one.count - (one.expectedCount ?? 0)
}

function byWorry(a: OperationHealth, b: OperationHealth): number {
  return (
    healthOrder.indexOf(a.health) - healthOrder.indexOf(b.health) ||
    b.requests - a.requests ||
    (`${a.operation} ${a.kind}` < `${b.operation} ${b.kind}` ? -1 : 1)
  )
}

function byDeviation(a: MetricHealth, b: MetricHealth): number {
  const text = (one: MetricHealth) => `${one.metric}\u0000${one.instance}\u0000${one.attributes}`
  return Math.abs(b.deviations ?? 0) - Math.abs(a.deviations ?? 0) || (text(a) < text(b) ? -1 : 1)
}
