/** A comparison of two windows or versions as tables. */
import type { ChangeEvent } from '../../graph/changes.ts'
import type { TimeRange } from '../../model/time.ts'
import type { Table } from '../answer/draft.ts'
import type { AttributeComparison } from './compare-attributes.ts'
import type { Comparison } from './compare-rollups.ts'
import type { Difference } from './differences.ts'

export interface ServiceAttributes {
  readonly service: string
  readonly compared: AttributeComparison
}

/** Rates are left out where the two sides are of the same time. */
export function serviceTable(comparison: Comparison, window: TimeRange, baseline: TimeRange | null): Table {
  const seconds = (range: TimeRange): number => (range.toMs - range.fromMs) / 1_000
  const share = (errors: number, count: number): number | null =>
    count === 0 ? null : (errors / count) * 100
  const strength = new Map<string, number>()
  for (const difference of comparison.differences)
    strength.set(difference.service, Math.max(strength.get(difference.service) ?? 0, difference.strength))
  const counts = baseline === null
  return {
    name: 'services',
    columns: [
      { name: 'service', kind: 'svc' },
      { name: counts ? 'requests_before' : 'per_s_before', kind: 'word' },
      { name: counts ? 'requests' : 'per_s', kind: 'word' },
      { name: 'error_pct_before', kind: 'word' },
      { name: 'error_pct', kind: 'word' },
      { name: 'p95_ms_before', kind: 'word' },
      { name: 'p95_ms', kind: 'word' },
    ],
    rows: comparison.services.map(({ service, before: then, after: now }) => ({
      importance: 40 + Math.min(30, strength.get(service) ?? 0),
      cells: [
        service,
        counts ? then.count : then.count / seconds(baseline),
        counts ? now.count : now.count / seconds(window),
        share(then.errors, then.count),
        share(now.errors, now.count),
        then.p95Ms,
        now.p95Ms,
      ],
    })),
    paged: false,
  }
}

export function differenceTable(differences: readonly Difference[]): Table {
  return {
    name: 'differences',
    columns: [
      { name: 'change', kind: 'word' },
      { name: 'of', kind: 'word' },
      { name: 'service', kind: 'svc' },
      { name: 'name', kind: 'text' },
      { name: 'before', kind: 'word' },
      { name: 'after', kind: 'word' },
      { name: 'unit', kind: 'word' },
      { name: 'change_low', kind: 'word' },
      { name: 'change_high', kind: 'word' },
      { name: 'strength', kind: 'word' },
    ],
    rows: differences.map((difference, at) => ({
      importance: 100 - at * 0.5,
      cells: [
        difference.kind,
        difference.of,
        difference.service,
        difference.name,
        difference.before,
        difference.after,
        difference.unit,
        difference.change?.low ?? null,
        difference.change?.high ?? null,
        Math.round(difference.strength * 10) / 10,
      ],
    })),
    paged: false,
  }
}

export function templateTable(comparison: Comparison, patterns: ReadonlyMap<string, string>): Table {
  return {
    name: 'templates',
    columns: [
      { name: 'change', kind: 'word' },
      { name: 'service', kind: 'svc' },
      { name: 'before', kind: 'word' },
      { name: 'after', kind: 'word' },
      { name: 'template_id', kind: 'id' },
      { name: 'pattern', kind: 'text' },
    ],
    rows: comparison.templates.map((entry, at) => ({
      importance: 90 - at,
      cells: [
        entry.kind,
        entry.service,
        entry.before,
        entry.after,
        entry.templateId,
        patterns.get(`${entry.service}\n${entry.templateId}`) ?? '',
      ],
    })),
    paged: false,
  }
}

export function attributeTable(all: readonly ServiceAttributes[]): Table {
  const percent = (share: number): number => Math.round(share * 1_000) / 10
  return {
    name: 'attributes',
    columns: [
      { name: 'service', kind: 'svc' },
      { name: 'key', kind: 'text' },
      { name: 'value', kind: 'text' },
      { name: 'before_pct', kind: 'word' },
      { name: 'after_pct', kind: 'word' },
    ],
    rows: all.flatMap(({ service, compared: { shifts } }) =>
      shifts.map((shift, at) => ({
        importance: 80 - at,
        cells: [service, shift.key, shift.value, percent(shift.beforeShare), percent(shift.afterShare)],
      })),
    ),
    paged: false,
  }
}

/** When what came and went, the most telling kinds first. */
export function changeTable(changes: readonly ChangeEvent[]): Table {
  return {
    name: 'changes',
    columns: [
      { name: 'change', kind: 'word' },
      { name: 'service', kind: 'svc' },
      { name: 'at', kind: 'time' },
      { name: 'count', kind: 'word' },
      { name: 'name', kind: 'text' },
    ],
    rows: changes.map((change, at) => ({
      importance: 92 - at,
      cells: [change.kind, change.service, change.atMs, change.count, change.name],
    })),
    paged: false,
  }
}
