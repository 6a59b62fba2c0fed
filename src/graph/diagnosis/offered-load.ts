/**
 * How much of a slow-down goes with more traffic. A place that is asked for more serves each request later, and
 * that is no fault of its own. Its own requests tell how much later: some come while it is busy, some while it is
 * idle, in quiet times as well. Two relations are looked for, and the one that explains more is taken:
 *
 * - Meeting others: share of slow requests over the number of requests that arrived shortly before. Where few
 *   requests tell little, the slope leans on what chance meetings would give: slow ones in proportion to the load.
 * - Queueing: time over the wait that a queue would have, if every request took as long as it did before (the
 *   recursion of Lindley, "The theory of queues with a single server", 1952). At most the whole wait counts.
 *
 * Both look at what arrived, never at what is still there: a place that becomes slow by itself piles up requests,
 * but it does not make more of them come, so its own fault is not explained away. Nor does a fault that begins
 * together with a surge look like a relation between the two (see `load-slope.ts`). Callers that only repeat
 * their calls raise the load, but not from outside.
 */
import type { TimeRange } from '../../model/time.ts'
import { type ChargeKey, type ChargeSample, type ChargeSamples, valuesPerTrace } from './charge-samples.ts'
import { leaningOn, type Points, shrunk, slopeWithin } from './load-slope.ts'
import { Places } from './places.ts'
import { activeMs, stretchOf } from './windows.ts'

/** One window: what was charged in it, and the times that were read. */
export interface LoadSide {
  readonly charges: ChargeSamples
  /** Times read, apart and sorted. */
  readonly parts: readonly TimeRange[]
  /** Share of these times' traces that were read, 0 to 1. */
  readonly kept: number
}

export interface LoadEffect {
  /** Rise of the share of slow requests that more traffic explains, 0 to 1. */
  readonly rise: number
  /** Mean number of requests of others that had arrived within the horizon before each. */
  readonly before: number
  readonly now: number
  readonly horizonMs: number
}

/** Nothing is put down to traffic. */
export const noEffect: LoadEffect = { rise: 0, before: 0, now: 0, horizonMs: 0 }

/**
 * How far back others are counted, in tails of the baseline: an order of magnitude above the time a request takes,
 * for what one request leaves behind (a flush, a pause for collection) hits those that come after.
 */
const horizonTails = 10
/** Values that a relation needs on each side. */
const minValues = 20

/** Requests as both relations see them, in columns. */
interface Values {
  readonly ms: Float64Array
  readonly weight: Float64Array
  /** Number of the stretch. */
  readonly stretch: Float64Array
  /** Requests of others that came within the horizon before it. */
  readonly others: Float64Array
  readonly waitMs: Float64Array
}

interface Half extends LoadSide {
  readonly stretchMs: number
  readonly places: Places
  /** Calls and traces per active time by owner. */
  readonly calls: ReadonlyMap<number, number>
  readonly traces: ReadonlyMap<number, number>
}

/** Compares the load of two windows place by place. */
export class OfferedLoad {
  readonly #now: Half
  readonly #before: Half
  readonly #longestHorizonMs: number

  constructor(window: LoadSide, baseline: LoadSide) {
    const stretchMs = stretchOf(window.parts)
    const usual = baseline.charges
    this.#now = halfOf(window, usual, stretchMs)
    this.#before = halfOf(baseline, usual, stretchMs)
    const lengths = [...window.parts, ...baseline.parts].map(part => part.toMs - part.fromMs)
    this.#longestHorizonMs = Math.min(stretchMs, ...lengths)
  }

  /** By what factor more (or fewer) requests from outside reach this owner, directly or not; 1 if unknown. */
  factor(owner: number): number {
    return ratio(this.#now.traces.get(owner), this.#before.traces.get(owner))
  }

  /** What more traffic explains of the share of values above `limitMs`. */
  effect(now: ChargeSample, before: ChargeSample, limitMs: number): LoadEffect {
    const outside = this.#outsidePart(now.key)
    if (outside === 0) return noEffect
    const horizonMs = Math.min(horizonTails * limitMs, this.#longestHorizonMs)
    const here = valuesOf(now, this.#now, horizonMs)
    const there = valuesOf(before, this.#before, horizonMs)
    if (Math.min(here.ms.length, there.ms.length) < minValues) return noEffect
    const rise = outside * Math.max(byMeeting(here, there, limitMs), byQueueing(here, there, limitMs))
    const mean = (values: Values) => meanOf(values, values.others)
    return { rise: Math.min(1, rise), now: mean(here), before: mean(there), horizonMs }
  }

  /** Part of the additional calls that comes with additional requests from outside, 0 to 1. */
  #outsidePart(key: ChargeKey): number {
    const more = this.factor(key.owner) - 1
    const moreCalls = ratio(this.#now.calls.get(key.owner), this.#before.calls.get(key.owner)) - 1
    if (more <= 0 || moreCalls <= 0) return 0
    return Math.min(1, more / moreCalls)
  }
}

function ratio(now: number | undefined, before: number | undefined): number {
  return now === undefined || before === undefined || before <= 0 ? 1 : now / before
}

/** Rise of the slow share: slope over the number of others, times the rise of that number. At least 0. */
function byMeeting(here: Values, there: Values, limitMs: number): number {
  const slow = ({ ms }: Values) => ms.map(one => (one > limitMs ? 1 : 0))
  const slowBefore = slow(there)
  const before = meanOf(there, there.others)
  const expected = before <= 0 ? 0 : meanOf(there, slowBefore) / before
  const x = joined(here.others, there.others)
  const slope = leaningOn(
    slopeWithin({ ...both(here, there), x, y: joined(slow(here), slowBefore) }),
    expected,
  )
  return Math.max(0, slope * (meanOf(here, here.others) - before))
}

/** Part of the slow share that would not be slow without the wait, beyond what the baseline has of it. */
function byQueueing(here: Values, there: Values, limitMs: number): number {
  const [x, y] = [joined(here.waitMs, there.waitMs), joined(here.ms, there.ms)]
  const slope = Math.min(1, shrunk(slopeWithin({ ...both(here, there), x, y })))
  if (slope <= 0) return 0
  const waiting = ({ ms, waitMs }: Values) =>
    ms.map((one, i) => (one > limitMs && one - slope * (waitMs[i] as number) <= limitMs ? 1 : 0))
  return Math.max(0, meanOf(here, waiting(here)) - meanOf(there, waiting(there)))
}

/** Stretches of the baseline are counted below zero: they are none of the window's. */
function both(here: Values, there: Values): Pick<Points, 'weight' | 'stretch'> {
  const before = there.stretch.map(number => -1 - number)
  return { weight: joined(here.weight, there.weight), stretch: joined(here.stretch, before) }
}

function joined(here: Float64Array, there: Float64Array): Float64Array {
  const all = new Float64Array(here.length + there.length)
  all.set(here)
  all.set(there, here.length)
  return all
}

function meanOf({ weight }: Values, figure: Float64Array): number {
  let sum = 0
  let weights = 0
  for (let i = 0; i < figure.length; i++) {
    sum += (figure[i] as number) * (weight[i] as number)
    weights += weight[i] as number
  }
  return sum / weights
}

function halfOf(side: LoadSide, usual: ChargeSamples, stretchMs: number): Half {
  const calls = new Map<number, number>()
  // A wait is nothing that arrives.
  const arrived = [...side.charges.values()].filter(({ key }) => key.kind !== 'wait')
  for (const { key, trace } of arrived) calls.set(key.owner, (calls.get(key.owner) ?? 0) + trace.length)
  const traces = tracesPerOwner(arrived)
  const times = [...side.charges.values()].map(({ atMs }) => atMs)
  const time = Math.max(1, activeMs(times, side.parts, stretchMs)) * side.kept
  return {
    ...side,
    stretchMs,
    places: new Places(side, usual),
    calls: new Map([...calls].map(([owner, count]) => [owner, count / time])),
    traces: new Map([...traces].map(([owner, seen]) => [owner, seen / time])),
  }
}

function tracesPerOwner(charges: readonly ChargeSample[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>()
  for (const [owner, samples] of Map.groupBy(charges, ({ key }) => key.owner)) {
    const seen = new Set<number>()
    for (const { trace } of samples)
      for (let i = 0; i < trace.length; i++) if (trace[i] !== trace[i - 1]) seen.add(trace[i] as number)
    counts.set(owner, seen.size)
  }
  return counts
}

/** Values whose whole horizon was read. */
function valuesOf(sample: ChargeSample, half: Half, horizonMs: number): Values {
  const perTrace = valuesPerTrace(sample)
  const places = half.places.of(sample.key)
  const values = newValues(sample.ms.length)
  let count = 0
  for (let i = 0; i < perTrace.length; i++) {
    const at = sample.atMs[i] as number
    const part = half.parts.findIndex(({ fromMs, toMs }) => at - horizonMs >= fromMs && at < toMs)
    const place = places.get(sample.instance[i] as number)
    if (part < 0 || place === undefined) continue
    const others = place.othersWithin(sample.trace[i] as number, at - horizonMs, at)
    values.ms[count] = sample.ms[i] as number
    values.weight[count] = 1 / (perTrace[i] as number)
    values.stretch[count] = part * stretchesOfPart + Math.floor(at / half.stretchMs)
    values.others[count] = others / half.kept
    values.waitMs[count] = place.waitAt(at)
    count++
  }
  return firstOf(values, count)
}

/** More than any time has: of a millisecond each they take a thousand years. */
const stretchesOfPart = 2 ** 45

function newValues(count: number): Values {
  const column = () => new Float64Array(count)
  return { ms: column(), weight: column(), stretch: column(), others: column(), waitMs: column() }
}

function firstOf({ ms, weight, stretch, others, waitMs }: Values, count: number): Values {
  const cut = (column: Float64Array) => column.subarray(0, count)
  return {
    ms: cut(ms),
    weight: cut(weight),
    stretch: cut(stretch),
    others: cut(others),
    waitMs: cut(waitMs),
  }
}
