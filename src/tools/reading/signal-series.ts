/** Everything of a rollup view that goes up and down, as values per time window. */
import type { RollupSeries, RollupView } from '../../model/rollup.ts'
import type { TemplateRecord } from '../../model/store.ts'

export const signalKinds = ['requests', 'errors', 'latency'] as const
export type SignalKind = (typeof signalKinds)[number]

export interface Signal {
  /** Tells it from all others of a view. */
  readonly id: string
  readonly service: string
  readonly of: 'service' | 'edge' | 'template' | 'metric'
  readonly kind: SignalKind | 'records' | 'value'
  /** Callee, pattern, or metric with instance and attributes; empty for a service. */
  readonly name: string
  /** NaN in windows in which it is not known. */
  readonly values: Float64Array
}

export function listSignals(view: RollupView, templates: readonly TemplateRecord[]): readonly Signal[] {
  const patterns = new Map(templates.map(record => [`${record.service}\n${record.id}`, record.pattern]))
  return [
    ...view.series('service').flatMap(series => callSignals(series, 'service')),
    ...view.series('edge').flatMap(series => callSignals(series, 'edge')),
    ...view.series('template').map(series => templateSignal(series, patterns)),
    ...view.series('metric').map(metricSignal),
  ]
}

function callSignals(series: RollupSeries, of: 'service' | 'edge'): readonly Signal[] {
  const [service = '', name = ''] = series.key
  const { count, errors, sum } = series
  const made = (kind: SignalKind, values: Float64Array): Signal => ({
    id: `${of}\n${kind}\n${series.key.join('\n')}`,
    service,
    of,
    kind,
    name: of === 'service' ? '' : name,
    values,
  })
  const perCall = (part: Float64Array) =>
    part.map((value, at) => ((count[at] ?? 0) > 0 ? value / (count[at] ?? 1) : Number.NaN))
  return [made('requests', count), made('errors', perCall(errors)), made('latency', perCall(sum))]
}

function templateSignal(series: RollupSeries, patterns: ReadonlyMap<string, string>): Signal {
  const [service = '', id = ''] = series.key
  const name = patterns.get(`${service}\n${id}`) ?? id
  return {
    id: `template\n${series.key.join('\n')}`,
    service,
    of: 'template',
    kind: 'records',
    name,
    values: series.count,
  }
}

/** Increase of a sum, mean of everything else. */
function metricSignal(series: RollupSeries): Signal {
  const [service = '', metric = '', instance = '', attributes = '', , type = ''] = series.key
  const name = [metric, instance, attributes].filter(part => part !== '').join(' ')
  const values = series.sum.map((sum, at) => {
    const points = series.count[at] ?? 0
    return points === 0 ? Number.NaN : type === 'sum' ? sum : sum / points
  })
  return { id: `metric\n${series.key.join('\n')}`, service, of: 'metric', kind: 'value', name, values }
}
