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
import type { ChargeKey, ChargeSample, ChargeSamples } from './charge-samples.ts'
import { leaningOn, type Point, shrunk, slopeWithin } from './load-slope.ts'
import { type Place, placeKey, placesOf, within } from './places.ts'
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

/** A request as both relations see it. */
interface Value {
  readonly ms: number
  readonly weight: number
  readonly stretch: string
  /** Requests of others that came within the horizon before it. */
  readonly others: number
  readonly waitMs: number
}

interface Half extends LoadSide {
  readonly stretchMs: number
  /** Made when first asked for: without more traffic nobody asks. */
  readonly places: () => ReadonlyMap<string, Place>
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
    if (Math.min(here.length, there.length) < minValues) return noEffect
    const rise = outside * Math.max(byMeeting(here, there, limitMs), byQueueing(here, there, limitMs))
    const mean = (values: readonly Value[]) => meanOf(values, value => value.others)
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
function byMeeting(here: readonly Value[], there: readonly Value[], limitMs: number): number {
  const slow = ({ ms }: Value) => (ms > limitMs ? 1 : 0)
  const others = ({ others: count }: Value) => count
  const before = meanOf(there, others)
  const expected = before <= 0 ? 0 : meanOf(there, slow) / before
  const slope = leaningOn(slopeWithin(pointsOf(here, there, others, slow)), expected)
  return Math.max(0, slope * (meanOf(here, others) - before))
}

/** Part of the slow share that would not be slow without the wait, beyond what the baseline has of it. */
function byQueueing(here: readonly Value[], there: readonly Value[], limitMs: number): number {
  const time = ({ ms }: Value) => ms
  const wait = ({ waitMs }: Value) => waitMs
  const slope = Math.min(1, shrunk(slopeWithin(pointsOf(here, there, wait, time))))
  if (slope <= 0) return 0
  const waiting = ({ ms, waitMs }: Value) => (ms > limitMs && ms - slope * waitMs <= limitMs ? 1 : 0)
  return Math.max(0, meanOf(here, waiting) - meanOf(there, waiting))
}

type Figure = (value: Value) => number

function pointsOf(here: readonly Value[], there: readonly Value[], x: Figure, y: Figure): readonly Point[] {
  const point = (side: string) => (value: Value) => ({
    x: x(value),
    y: y(value),
    weight: value.weight,
    stretch: `${side} ${value.stretch}`,
  })
  return [...here.map(point('now')), ...there.map(point('before'))]
}

function meanOf(values: readonly Value[], figure: Figure): number {
  let sum = 0
  let weights = 0
  for (const value of values) {
    sum += figure(value) * value.weight
    weights += value.weight
  }
  return sum / weights
}

function halfOf(side: LoadSide, usual: ChargeSamples, stretchMs: number): Half {
  let places: ReadonlyMap<string, Place> | undefined
  const calls = new Map<number, number>()
  const traces = new Map<number, Set<number>>()
  for (const { key, trace } of side.charges.values()) {
    // A wait is nothing that arrives.
    if (key.kind === 'wait') continue
    calls.set(key.owner, (calls.get(key.owner) ?? 0) + trace.length)
    const seen = traces.get(key.owner) ?? new Set()
    traces.set(key.owner, seen)
    for (const one of trace) seen.add(one)
  }
  const times = [...side.charges.values()].flatMap(({ atMs }) => atMs)
  const time = Math.max(1, activeMs(times, side.parts, stretchMs)) * side.kept
  return {
    ...side,
    stretchMs,
    places: () => {
      places ??= placesOf(side, usual)
      return places
    },
    calls: new Map([...calls].map(([owner, count]) => [owner, count / time])),
    traces: new Map([...traces].map(([owner, seen]) => [owner, seen.size / time])),
  }
}

/** Values whose whole horizon was read. */
function valuesOf(sample: ChargeSample, half: Half, horizonMs: number): readonly Value[] {
  const perTrace = new Map<number, number>()
  for (const trace of sample.trace) perTrace.set(trace, (perTrace.get(trace) ?? 0) + 1)
  const values: Value[] = []
  for (const [i, at] of sample.atMs.entries()) {
    const part = half.parts.findIndex(({ fromMs, toMs }) => at - horizonMs >= fromMs && at < toMs)
    const place = half.places().get(placeKey(sample.key, sample.instance[i] ?? 0))
    if (part < 0 || place === undefined) continue
    const trace = sample.trace[i] ?? 0
    const own = place.perTrace.get(trace) ?? []
    const others = within(place.all, at - horizonMs, at) - within(own, at - horizonMs, at)
    values.push({
      ms: sample.ms[i] ?? 0,
      weight: 1 / (perTrace.get(trace) ?? 1),
      stretch: `${part} ${Math.floor(at / half.stretchMs)}`,
      others: others / half.kept,
      waitMs: place.waitAt(at),
    })
  }
  return values
}
