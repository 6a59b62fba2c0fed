/**
 * Which charged times left the baseline's own tail: counts of requests beyond it rather than means, so that
 * one slow outlier is nothing and one slow operation among many is not averaged away.
 */
import { type ChargeKey, type ChargeSample, type ChargeSamples, valuesPerTrace } from './charge-samples.ts'
import { type LoadEffect, noEffect, type OfferedLoad } from './offered-load.ts'
import type { Patience } from './patience.ts'
import { quantileOf, sortedCopy } from './robust.ts'
import { riseEvidence } from './two-sample.ts'

/** Traces' worth of values beyond the limit and of all values; a trace counts once, split over its values. */
export interface Counts {
  readonly beyond: number
  readonly total: number
  readonly baseBeyond: number
  readonly baseTotal: number
}

export interface TimeShift extends Counts {
  readonly key: ChargeKey
  /** Limit beyond which a value counts, and the baseline's median, milliseconds. */
  readonly limitMs: number
  readonly medianMs: number
  /** Nats. */
  readonly evidence: number
  /** Part of the rise that is neither common to the whole system nor explained by more traffic, 0 to 1. */
  readonly ownPart: number
  /** Rise of the share beyond the limit, what more traffic explains of it, and what rose everywhere. */
  readonly rise: number
  readonly load: LoadEffect
  readonly commonRise: number
  /** Traces with a value beyond the limit and their excess, milliseconds. */
  readonly traces: ReadonlyMap<number, number>
}

/** The tail of the baseline starts here; fewer than twenty values make it the largest of them. */
const tailQuantile = 0.95
/** Values the baseline needs before it has a tail. */
const minBaseline = 3
/** A value must pass the limit by this share: clocks tick, and a tie with the largest one seen is no excess. */
const margin = 0.05

/** What the samples are looked at with. */
export interface ShiftContext {
  /** Null: nothing is put down to traffic. */
  readonly load: OfferedLoad | null
  readonly patience: Patience
}

/** Values per window that a key needs to say anything about the system as a whole. */
const minCommon = 8

/**
 * What rose, strongest evidence first, ties by key. What goes with more traffic is no fault of the place
 * where it shows. What rose everywhere at once (a busy host, a pause of everything) is nobody's own either:
 * since time is charged once, most keys stay as they were when one service is at fault, so the median rise over
 * all keys is taken off each. Throws what `patience` throws.
 */
export function timeShifts(
  window: ChargeSamples,
  baseline: ChargeSamples,
  { load, patience }: ShiftContext,
): readonly TimeShift[] {
  const shifts: TimeShift[] = []
  const keys = [...window.keys()].sort()
  for (const text of keys) {
    patience.check()
    const now = window.get(text)
    const before = baseline.get(text)
    if (now === undefined || before === undefined || before.ms.length < minBaseline) continue
    shifts.push(shiftOf(now, before, load))
  }
  const common = commonRise(shifts)
  return shifts
    .map(shift => withoutCommon(shift, common))
    .filter(shift => shift.rise > 0)
    .sort((a, b) => b.evidence - a.evidence)
}

/** The rise that traffic does not explain. */
function leftOf({ rise, load }: TimeShift): number {
  return Math.max(0, rise - load.rise)
}

/** Median rise over keys with enough values; 0 if there are too few of them to speak of a system. */
function commonRise(shifts: readonly TimeShift[]): number {
  const rises = shifts.filter(shift => Math.min(shift.total, shift.baseTotal) >= minCommon).map(leftOf)
  return rises.length < minBaseline ? 0 : quantileOf(sortedCopy(rises), 0.5)
}

function withoutCommon(shift: TimeShift, common: number): TimeShift {
  const explained = common + shift.load.rise
  if (explained <= 0 || shift.rise <= 0) return shift
  return { ...shift, commonRise: common, ...leftUnexplained(shift, explained) }
}

/**
 * What is left of a rise after so much of the share beyond the limit is explained: it counts as if the baseline
 * had had it. The more is explained, the less is left.
 */
export function leftUnexplained(
  { beyond, total, baseBeyond, baseTotal }: Counts,
  explained: number,
): Pick<TimeShift, 'evidence' | 'ownPart'> {
  const expected = Math.min(baseTotal, baseBeyond + explained * baseTotal)
  const rise = beyond / total - baseBeyond / baseTotal
  return {
    evidence: riseEvidence(beyond, total, expected, baseTotal),
    ownPart: rise <= 0 ? 0 : Math.max(0, 1 - explained / rise),
  }
}

function shiftOf(now: ChargeSample, before: ChargeSample, load: OfferedLoad | null): TimeShift {
  const sorted = sortedCopy(before.ms)
  const medianMs = quantileOf(sorted, 0.5)
  const limitMs = quantileOf(sorted, tailQuantile) * (1 + margin)
  const here = clustered(now, limitMs)
  const there = clustered(before, limitMs)
  const traces = new Map<number, number>()
  for (let i = 0; i < now.ms.length; i++) {
    const ms = now.ms[i] as number
    if (ms <= limitMs) continue
    const trace = now.trace[i] ?? 0
    traces.set(trace, (traces.get(trace) ?? 0) + ms - medianMs)
  }
  const rise = Math.max(0, here.beyond / here.total - there.beyond / there.total)
  const effect = (rise > 0 ? load?.effect(now, before, limitMs) : undefined) ?? noEffect
  return {
    key: now.key,
    limitMs,
    medianMs,
    beyond: here.beyond,
    total: here.total,
    baseBeyond: there.beyond,
    baseTotal: there.total,
    evidence: riseEvidence(here.beyond, here.total, there.beyond, there.total),
    ownPart: 1,
    rise,
    commonRise: 0,
    load: { ...effect, rise: Math.min(rise, effect.rise) },
    traces,
  }
}

/** Values of one trace are not independent: together they count as one. */
function clustered(sample: ChargeSample, limitMs: number): { beyond: number; total: number } {
  const { ms, trace } = sample
  const values = valuesPerTrace(sample)
  let beyond = 0
  let total = 0
  for (let i = 0; i < ms.length; i++) {
    if ((ms[i] as number) > limitMs) beyond += 1 / (values[i] as number)
    if (i === 0 || trace[i] !== trace[i - 1]) total++
  }
  return { beyond, total }
}
