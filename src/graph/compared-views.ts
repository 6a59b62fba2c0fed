/** What the read functions look at: rollups of the window asked about, and of a time that counts as normal. */
import type { RollupKind, RollupSeries, RollupView } from '../model/rollup.ts'
import { compareKeys } from './rollups/series-keys.ts'

export interface ComparedViews {
  readonly window: RollupView
  /** Null when there is nothing to compare with: then no health is judged and nothing is an anomaly. */
  readonly baseline: RollupView | null
}

/** A series of the window with its counterpart in the baseline. */
export interface SeriesPair {
  readonly key: readonly string[]
  /** Null when it is in one of the two only. */
  readonly window: RollupSeries | null
  readonly baseline: RollupSeries | null
}

/** Series of a kind from both views, by key; `service` narrows both. Views give them sorted, so they are merged. */
export function pairSeries(views: ComparedViews, kind: RollupKind, service?: string): SeriesPair[] {
  const now = views.window.series(kind, service)
  const before = views.baseline?.series(kind, service) ?? []
  const pairs: SeriesPair[] = []
  let i = 0
  let j = 0
  while (i < now.length || j < before.length) {
    const window = now[i] ?? null
    const baseline = before[j] ?? null
    const order = window === null ? 1 : baseline === null ? -1 : orderOf(window.key, baseline.key)
    if (order <= 0) i++
    if (order >= 0) j++
    pairs.push({
      key: (order <= 0 ? window : baseline)?.key ?? [],
      window: order <= 0 ? window : null,
      baseline: order >= 0 ? baseline : null,
    })
  }
  return pairs
}

/** Views of one reader name a series by the same key, so that most pairs are known without a comparison. */
function orderOf(a: readonly string[], b: readonly string[]): number {
  return a === b ? 0 : compareKeys(a, b)
}

/** Sum of a column. */
export function totalOf(column: ArrayLike<number> | undefined): number {
  let total = 0
  for (let i = 0; i < (column?.length ?? 0); i++) total += column?.[i] ?? 0
  return total
}

/** A number for showing: three significant decimals below one, else three decimals. NaN becomes null. */
export function shown(value: number): number | null {
  if (!Number.isFinite(value)) return null
  const scale = Math.abs(value) >= 1 || value === 0 ? 1e3 : 10 ** (3 - Math.ceil(Math.log10(Math.abs(value))))
  return Math.round(value * scale) / scale
}
