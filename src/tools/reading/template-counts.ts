/** Log templates with how often and when they were written in a window, from rollups. */
import type { RollupView } from '../../model/rollup.ts'
import type { TemplateRecord } from '../../model/store.ts'
import type { Cell, Column } from '../answer/draft.ts'
import { severityName } from './log-lines.ts'

export interface TemplateCount {
  readonly service: string
  readonly id: string
  /** Empty for a template that is not known any more. */
  readonly pattern: string
  /** The highest SeverityNumber it was written with. */
  readonly severity: number
  readonly count: number
  /** Starts of the first and last rollup window that hold it. */
  readonly firstMs: number
  readonly lastMs: number
}

/** How an answer shows them; `templateCells` makes the cells of a row. */
export const templateColumns: readonly Column[] = [
  { name: 'service', kind: 'svc' },
  { name: 'severity', kind: 'word' },
  { name: 'count', kind: 'word' },
  { name: 'first', kind: 'time' },
  { name: 'last', kind: 'time' },
  { name: 'template_id', kind: 'id' },
  { name: 'pattern', kind: 'text' },
]

export function templateCells(one: TemplateCount): readonly Cell[] {
  return [one.service, severityName(one.severity), one.count, one.firstMs, one.lastMs, one.id, one.pattern]
}

export function countTemplates(
  view: RollupView,
  templates: readonly TemplateRecord[],
  service?: string,
): readonly TemplateCount[] {
  const byId = new Map(templates.map(record => [`${record.service}\n${record.id}`, record]))
  const start = (at: number): number => view.fromMs + at * view.stepSeconds * 1_000
  return view.series('template', service).flatMap((series): TemplateCount[] => {
    const [name = '', id = ''] = series.key
    const record = byId.get(`${name}\n${id}`)
    const first = series.count.findIndex(count => count > 0)
    const last = series.count.findLastIndex(count => count > 0)
    if (first < 0) return []
    return [
      {
        service: name,
        id,
        pattern: record?.pattern ?? '',
        severity: record?.severity ?? 0,
        count: series.total('count'),
        firstMs: start(first),
        lastMs: start(last),
      },
    ]
  })
}
