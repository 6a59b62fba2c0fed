/**
 * Whether an instance uses more of a resource than it did: a shift against its own spread, gated by what the
 * shift amounts to beside what others of the system use, so that three millicores instead of one stay noise.
 */
import { metricWords } from './metric-meaning.ts'
import type { MetricSeries, SeriesId } from './metric-series.ts'
import { median, quantileOf, robustSpread, sortedCopy } from './robust.ts'

export interface ResourceShift {
  readonly id: SeriesId
  readonly role: MetricSeries['role']
  readonly before: number
  /** What the present traffic lets expect; `before` without a change of it. */
  readonly expected: number
  readonly now: number
  /** Shift in spreads of the series' own history. */
  readonly spreads: number
  /** Shift relative to what instances of this system typically use, 0 to 1. */
  readonly effect: number
  /** How sure it is that the shift is more than the series' own unrest, 0 to 1. */
  readonly sureness: number
  /** 0 to 1: how sure, times how much; see `together`. */
  readonly strength: number
  /** Time of the first value above the history's range, milliseconds. */
  readonly onsetMs: number | null
}

/** Values of history needed before a shift can be told from noise. */
const minHistory = 3
/** Values from which a history shows its own tail; with fewer, part of the sureness is missing. */
const tailHistory = 8
/** Shift, in spreads, at which it is as likely as not real; spreads of heavy-tailed series mislead below. */
const halfSpreads = 6

/**
 * Rises of resource series against their history, strongest first. `trafficFactor` says by what factor more
 * requests reach a service: processor time grows with them (the utilization law: use = rate x time of each), so
 * that much more of it is expected.
 */
export function resourceShifts(
  window: ReadonlyMap<string, MetricSeries>,
  history: ReadonlyMap<string, MetricSeries>,
  trafficFactor: (service: string) => number = () => 1,
): readonly ResourceShift[] {
  const typical = typicalLevels(history)
  const known = limitKnown(window)
  const shifts = new Map<string, ResourceShift[]>()
  for (const [key, now] of window) {
    const before = history.get(key)
    if (before === undefined || !isResource(now) || before.values.length < minHistory) continue
    if (utilizationShare(now) === null && known.has(resourceKey(now))) continue
    const factor = now.role === 'cpu' ? Math.max(1, trafficFactor(now.id.service)) : 1
    const shift = shiftOf(now, before, typical.get(now.id.metric) ?? 0, factor)
    if (shift === null) continue
    const ofResource = shifts.get(resourceKey(now)) ?? []
    shifts.set(resourceKey(now), ofResource)
    ofResource.push(shift)
  }
  return [...shifts.values()]
    .flatMap(together)
    .sort((a, b) => b.strength - a.strength || compareIds(a.id, b.id))
}

/**
 * A shift by this many spreads lies a fifth beyond what 19 in 20 values of a series reach: enough to say how much, not
 * how sure.
 */
const outsideSpreads = 2

/**
 * Several metrics of one resource of one instance tell of one shift: the surest says that there is one, the largest how
 * much of it there is. Of a process on a busy machine the share of a processor that it got is steady and small, the
 * share of time its event loop had no time for is large and unsteady.
 */
function together(shifts: readonly ResourceShift[]): readonly ResourceShift[] {
  if (shifts.length < 2) return shifts
  const sureness = Math.max(...shifts.map(shift => shift.sureness))
  const outside = shifts.filter(({ spreads }) => spreads >= outsideSpreads)
  const effect = Math.max(0, ...outside.map(shift => shift.effect))
  const strength = sureness * effect
  return shifts.map(shift => (shift.strength >= strength ? shift : { ...shift, sureness, effect, strength }))
}

/** What turns a value into a share of its limit, where the metric says that it is one; else null. */
function utilizationShare(series: MetricSeries): number | null {
  const words = metricWords(series.id.metric)
  const share = words.some(word => word === 'utilization' || word === 'percent' || word === 'ratio')
  if (series.unit === '%') return 0.01
  return share ? (series.unit === '1' || series.unit === '' ? 1 : 0.01) : null
}

/**
 * Of several metrics of one resource of one instance, those that know their limit speak alone: an amount
 * without one cannot tell a busy process from an exhausted one.
 */
function limitKnown(series: ReadonlyMap<string, MetricSeries>): ReadonlySet<string> {
  const known = new Set<string>()
  for (const one of series.values()) {
    if (isResource(one) && utilizationShare(one) !== null) known.add(resourceKey(one))
  }
  return known
}

function resourceKey(series: MetricSeries): string {
  return `${series.id.service}\n${series.id.instance}\n${series.role}`
}

function isResource(series: MetricSeries): boolean {
  return series.role === 'cpu' || series.role === 'memory' || series.role === 'other_resource'
}

function compareIds(a: SeriesId, b: SeriesId): number {
  return a.service < b.service ? -1 : a.service > b.service ? 1 : a.metric < b.metric ? -1 : 1
}

/** Upper quartile over instances of their median use, per metric: what counts as much in this system. */
function typicalLevels(history: ReadonlyMap<string, MetricSeries>): Map<string, number> {
  const perMetric = new Map<string, number[]>()
  for (const series of history.values()) {
    if (!isResource(series)) continue
    const list = perMetric.get(series.id.metric)
    const level = Math.abs(median(series.values))
    if (list === undefined) perMetric.set(series.id.metric, [level])
    else list.push(level)
  }
  return new Map([...perMetric].map(([metric, levels]) => [metric, quantileOf(sortedCopy(levels), 0.75)]))
}

function shiftOf(
  now: MetricSeries,
  before: MetricSeries,
  typical: number,
  factor: number,
): ResourceShift | null {
  const centre = median(before.values)
  // The upper half of the window: a fault may take up only part of it.
  const level = quantileOf(sortedCopy(now.values), 0.75)
  const expected = Math.max(centre, centre * factor)
  const rise = level - expected
  if (rise <= 0) return null
  const sorted = sortedCopy(before.values)
  const enough = sorted.length >= tailHistory
  // A few values have no tail to speak of; then the window has to lie beyond all of them.
  if (!enough && level <= (sorted.at(-1) ?? 0)) return null
  const reach = enough ? Math.max(0, quantileOf(sorted, 0.95) - centre) : 0
  const spread = Math.max(robustSpread(before.values), reach / 1.645, Math.abs(centre) * 0.02, 1e-12)
  const spreads = rise / spread
  const share = utilizationShare(now)
  const effect =
    share === null
      ? rise / (rise + Math.max(typical, Math.abs(centre)))
      : Math.min(1, Math.max(0, rise * share))
  const known = enough ? 1 : sorted.length / (sorted.length + tailHistory)
  const sureness = (known * spreads ** 2) / (spreads ** 2 + halfSpreads ** 2)
  const limit = expected + Math.max(3 * spread, rise / 2)
  const first = now.values.findIndex(value => value > limit)
  return {
    id: now.id,
    role: now.role,
    before: centre,
    expected,
    now: level,
    spreads,
    effect,
    sureness,
    strength: sureness * effect,
    onsetMs: first < 0 ? null : (now.timesMs[first] ?? null),
  }
}
