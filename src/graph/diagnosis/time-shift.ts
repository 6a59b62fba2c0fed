/**
 * Which charged times left the baseline's own tail: counts of requests beyond it rather than means, so that
 * one slow outlier is nothing and one slow operation among many is not averaged away.
 */
import type { ChargeKey, ChargeSample, ChargeSamples } from './charge-samples.ts'
import { quantileOf, sortedCopy } from './robust.ts'
import type { TraceSet } from './trace-set.ts'
import { riseEvidence } from './two-sample.ts'

export interface TimeShift {
  readonly key: ChargeKey
  /** Limit beyond which a value counts, and the baseline's median, milliseconds. */
  readonly limitMs: number
  readonly medianMs: number
  /** Traces' worth of values beyond the limit and of all values; a trace counts once, split over its values. */
  readonly beyond: number
  readonly total: number
  readonly baseBeyond: number
  readonly baseTotal: number
  /** Nats. */
  readonly evidence: number
  /** Part of the rise that is not common to the whole system, 0 to 1. */
  readonly ownPart: number
  /** Time above the baseline's median, summed over the values beyond the limit, milliseconds. */
  readonly excessMs: number
  /** Traces with a value beyond the limit and their excess, milliseconds. */
  readonly traces: ReadonlyMap<number, number>
}

/** The tail of the baseline starts here; fewer than twenty values make it the largest of them. */
const tailQuantile = 0.95
/** Values the baseline needs before it has a tail. */
const minBaseline = 3
/** A value must pass the limit by this share: clocks tick, and a tie with the largest one seen is no excess. */
const margin = 0.05

/** Values per window that a key needs to say anything about the system as a whole. */
const minCommon = 8

/**
 * Shifts with any evidence, strongest first, ties by key. What rose everywhere at once (a busy host, a pause
 * of everything) is nobody's own: since time is charged once, most keys stay as they were when one service is
 * at fault, so the median rise over all keys is taken off each.
 */
export function timeShifts(
  window: ChargeSamples,
  baseline: ChargeSamples,
  set: TraceSet,
): readonly TimeShift[] {
  const shifts: TimeShift[] = []
  const keys = [...window.keys()].sort()
  for (const text of keys) {
    const now = window.get(text)
    const before = baseline.get(text)
    if (now === undefined || before === undefined || before.ms.length < minBaseline) continue
    shifts.push(shiftOf(now, before, set))
  }
  const common = commonRise(shifts)
  return shifts
    .map(shift => withoutCommon(shift, common))
    .filter(shift => shift.evidence > 0)
    .sort((a, b) => b.evidence - a.evidence)
}

function riseOf({ beyond, total, baseBeyond, baseTotal }: TimeShift): number {
  return Math.max(0, beyond / total - baseBeyond / baseTotal)
}

/** Median rise over keys with enough values; 0 if there are too few of them to speak of a system. */
function commonRise(shifts: readonly TimeShift[]): number {
  const rises = shifts.filter(shift => Math.min(shift.total, shift.baseTotal) >= minCommon).map(riseOf)
  return rises.length < minBaseline ? 0 : quantileOf(sortedCopy(rises), 0.5)
}

function withoutCommon(shift: TimeShift, common: number): TimeShift {
  const { beyond, total, baseBeyond, baseTotal } = shift
  const rise = riseOf(shift)
  if (common <= 0 || rise <= 0) return shift
  const expected = Math.min(baseTotal, baseBeyond + common * baseTotal)
  return {
    ...shift,
    evidence: riseEvidence(beyond, total, expected, baseTotal),
    ownPart: Math.max(0, 1 - common / rise),
  }
}

function shiftOf(now: ChargeSample, before: ChargeSample, set: TraceSet): TimeShift {
  const sorted = sortedCopy(before.ms)
  const medianMs = quantileOf(sorted, 0.5)
  const limitMs = quantileOf(sorted, tailQuantile) * (1 + margin)
  const here = clustered(now, limitMs)
  const there = clustered(before, limitMs)
  const traces = new Map<number, number>()
  let excessMs = 0
  for (const [i, ms] of now.ms.entries()) {
    if (ms <= limitMs) continue
    const trace = now.trace[i] ?? 0
    const weight = set.weight[trace] ?? 1
    excessMs += (ms - medianMs) * weight
    traces.set(trace, (traces.get(trace) ?? 0) + ms - medianMs)
  }
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
    excessMs,
    traces,
  }
}

/** Values of one trace are not independent: together they count as one. */
function clustered(sample: ChargeSample, limitMs: number): { beyond: number; total: number } {
  const values = new Map<number, number>()
  for (const trace of sample.trace) values.set(trace, (values.get(trace) ?? 0) + 1)
  let beyond = 0
  for (const [i, ms] of sample.ms.entries()) {
    if (ms > limitMs) beyond += 1 / (values.get(sample.trace[i] ?? 0) ?? 1)
  }
  return { beyond, total: values.size }
}
