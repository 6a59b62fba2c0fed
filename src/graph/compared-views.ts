/** What the read functions look at: rollups of the window asked about, and of a time that counts as normal. */
import type { RollupKind, RollupSeries, RollupView } from '../model/rollup.ts'

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

/** Series of a kind from both views, by key; `service` narrows both. */
export function pairSeries(views: ComparedViews, kind: RollupKind, service?: string): SeriesPair[] {
  const pairs = new Map<
    string,
    { key: readonly string[]; window: RollupSeries | null; baseline: RollupSeries | null }
  >()
  for (const series of views.window.series(kind, service)) {
    pairs.set(series.key.join('\u0000'), { key: series.key, window: series, baseline: null })
  }
  for (const series of views.baseline?.series(kind, service) ?? []) {
    const text = series.key.join('\u0000')
    const known = pairs.get(text)
    if (known === undefined) pairs.set(text, { key: series.key, window: null, baseline: series })
    else known.baseline = series
  }
  return [...pairs.keys()].sort().flatMap(text => pairs.get(text) ?? [])
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
