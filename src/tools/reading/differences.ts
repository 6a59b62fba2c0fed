/** One thing on two sides, as counts, failures and durations: what differs beyond chance, and by how much. */
import {
  differenceInterval,
  type Estimate,
  type Interval,
  quantileInterval,
  shareInterval,
} from '../../graph/share-interval.ts'

/** Differences this many standard errors from none are named; with a thousand operations chance makes none. */
export const significance = 4.5
/** Effects below these are real and do not matter. */
const leastErrorShare = 0.01
const leastTimeRatio = 1.2
const leastTimeMs = 1
export const leastCallRatio = 1.5
/** Fewer occurrences on one side may be missing from the other by chance. */
export const leastCount = 5

/** What was seen of it on one side. */
export interface Observed {
  readonly count: number
  readonly errors: number
  /** Relative error of the quantiles, as a sketch has one. */
  readonly precision: number
  /** Milliseconds; NaN without any. */
  quantile(q: number): number
  countAbove(ms: number): number
}

export const unseen: Observed = {
  count: 0,
  errors: 0,
  precision: 0,
  quantile: () => Number.NaN,
  countAbove: () => 0,
}

export interface Sides<T> {
  readonly before: T
  readonly after: T
}

export type DifferenceKind =
  | 'new'
  | 'gone'
  | 'failing'
  | 'recovered'
  | 'slower'
  | 'faster'
  | 'called_more_often'
  | 'called_less_often'
  | 'more_critical'
  | 'less_critical'

export interface Difference {
  readonly kind: DifferenceKind
  /** What it is about: a service, an operation, or a call edge. */
  readonly of: 'service' | 'operation' | 'edge'
  readonly service: string
  /** Operation, or callee; empty for the service itself. */
  readonly name: string
  /** In `unit`. */
  readonly before: number
  readonly after: number
  readonly unit: 'calls' | 'error_pct' | 'p95_ms' | 'calls_per_request' | 'critical_path_pct'
  /** Where `after - before` lies with 95 % certainty; null where the thing is on one side only. */
  readonly change: Interval | null
  /** Standard errors from no difference, for a critical path at most its effect; what ranks them. */
  readonly strength: number
}

export type Subject = Pick<Difference, 'of' | 'service' | 'name'>

/** Standard errors between two shares, with one added to each side so that small counts stay small. */
export function shareDistance(hits: number, total: number, baseHits: number, baseTotal: number): number {
  if (total === 0 || baseTotal === 0) return 0
  const pooled = (hits + baseHits + 1) / (total + baseTotal + 2)
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / total + 1 / baseTotal))
  return error === 0 ? 0 : (hits / total - baseHits / baseTotal) / error
}

const rateError = (count: number, exposure: number): number => Math.sqrt(count + 1) / exposure

/** Standard errors between two rates of counts. */
export function rateDistance(
  count: number,
  exposure: number,
  baseCount: number,
  baseExposure: number,
): number {
  if (exposure === 0 || baseExposure === 0) return 0
  const error = Math.hypot(rateError(count, exposure), rateError(baseCount, baseExposure))
  return (count / exposure - baseCount / baseExposure) / error
}

function scaled({ low, high }: Interval, by: number): Interval {
  return { low: low * by, high: high * by }
}

function tailOf(side: Observed): Estimate {
  const { low, high } = quantileInterval(0.95, side.count, q => side.quantile(q))
  return { value: side.quantile(0.95), low: low * (1 - side.precision), high: high * (1 + side.precision) }
}

function timeDifference(subject: Subject, { before, after }: Sides<Observed>): Difference | null {
  const now = tailOf(after)
  const then = tailOf(before)
  const slower = now.value > then.value
  const limit = slower ? then.value : before.quantile(0.5)
  const distance = shareDistance(after.countAbove(limit), after.count, before.countAbove(limit), before.count)
  const ratio = slower ? now.value / then.value : then.value / now.value
  const matters = ratio >= leastTimeRatio && Math.abs(now.value - then.value) >= leastTimeMs
  const strength = slower ? distance : -distance
  const change = differenceInterval(now, then)
  // Of a few requests the tail may have moved either way, however sure it is that the middle has.
  const open = slower ? change.low <= 0 : change.high >= 0
  if (!matters || open || strength < significance) return null
  return {
    ...subject,
    kind: slower ? 'slower' : 'faster',
    before: then.value,
    after: now.value,
    unit: 'p95_ms',
    change,
    strength,
  }
}

function failureShare({ errors, count }: Observed): Estimate {
  return { value: errors / count, ...shareInterval(errors / count, count) }
}

function errorDifference(subject: Subject, { before, after }: Sides<Observed>): Difference | null {
  const distance = shareDistance(after.errors, after.count, before.errors, before.count)
  const now = failureShare(after)
  const then = failureShare(before)
  if (Math.abs(distance) < significance || Math.abs(now.value - then.value) < leastErrorShare) return null
  return {
    ...subject,
    kind: distance > 0 ? 'failing' : 'recovered',
    before: then.value * 100,
    after: now.value * 100,
    unit: 'error_pct',
    change: scaled(differenceInterval(now, then), 100),
    strength: Math.abs(distance),
  }
}

function callRate(count: number, requests: number): Estimate {
  const value = count / requests
  const reach = 1.96 * rateError(count, requests)
  return { value, low: Math.max(0, value - reach), high: value + reach }
}

function callDifference(
  subject: Subject,
  { before, after }: Sides<Observed>,
  requests: Sides<number>,
): Difference | null {
  if (requests.before < leastCount || requests.after < leastCount) return null
  const then = callRate(before.count, requests.before)
  const now = callRate(after.count, requests.after)
  const ratio = Math.max(now.value / then.value, then.value / now.value)
  const distance = rateDistance(after.count, requests.after, before.count, requests.before)
  if (ratio < leastCallRatio || Math.abs(distance) < significance) return null
  return {
    ...subject,
    kind: distance > 0 ? 'called_more_often' : 'called_less_often',
    before: then.value,
    after: now.value,
    unit: 'calls_per_request',
    change: differenceInterval(now, then),
    strength: Math.abs(distance),
  }
}

function presenceDifference(subject: Subject, { before, after }: Sides<Observed>): Difference | null {
  const count = Math.max(before.count, after.count)
  if (count < leastCount) return null
  return {
    ...subject,
    kind: before.count === 0 ? 'new' : 'gone',
    before: before.count,
    after: after.count,
    unit: 'calls',
    change: null,
    strength: Math.sqrt(count),
  }
}

/**
 * All differences of one thing; `requests` of its service on both sides are what calls are counted by. A service
 * that is silent on one side is a matter of the service, not of each of its operations.
 */
export function differencesOf(
  subject: Subject,
  sides: Sides<Observed>,
  requests: Sides<number>,
): readonly Difference[] {
  if (sides.before.count === 0 || sides.after.count === 0) {
    const silent = requests.before === 0 || requests.after === 0
    const found = silent ? null : presenceDifference(subject, sides)
    return found === null ? [] : [found]
  }
  const found = [
    errorDifference(subject, sides),
    timeDifference(subject, sides),
    callDifference(subject, sides, requests),
  ]
  return found.filter(difference => difference !== null)
}

export interface TemplateDifference {
  readonly kind: 'new' | 'gone' | 'risen' | 'fallen'
  readonly service: string
  readonly templateId: string
  /** Records on each side. */
  readonly before: number
  readonly after: number
  readonly strength: number
}

/** Records against requests, or against time where there are none; null without a difference that matters. */
export function templateDifference(
  subject: Pick<TemplateDifference, 'service' | 'templateId'>,
  { before, after }: Sides<number>,
  exposure: Sides<number>,
): TemplateDifference | null {
  const distance = rateDistance(after, exposure.after, before, exposure.before)
  const ratio = (after / exposure.after + Number.EPSILON) / (before / exposure.before + Number.EPSILON)
  const found = { ...subject, before, after, strength: Math.abs(distance) }
  if (before === 0) return after >= leastCount ? { ...found, kind: 'new' } : null
  if (after === 0) return before >= leastCount ? { ...found, kind: 'gone' } : null
  if (Math.abs(distance) < significance || Math.max(ratio, 1 / ratio) < leastCallRatio) return null
  return { ...found, kind: distance > 0 ? 'risen' : 'fallen' }
}

/** By strength, then service and what `nameOf` gives. */
export function strongest<T extends { readonly strength: number; readonly service: string }>(
  list: readonly T[],
  nameOf: (one: T) => string,
): readonly T[] {
  return list.toSorted(
    (a, b) =>
      b.strength - a.strength || (`${a.service}\n${nameOf(a)}` < `${b.service}\n${nameOf(b)}` ? -1 : 1),
  )
}

const better: ReadonlySet<DifferenceKind> = new Set([
  'recovered',
  'faster',
  'called_less_often',
  'less_critical',
])

/** What became worse, or came or went, before what became better; within these the strongest first. */
export function worstFirst(differences: readonly Difference[]): readonly Difference[] {
  const sorted = strongest(differences, differenceName)
  return [...sorted.filter(one => !better.has(one.kind)), ...sorted.filter(one => better.has(one.kind))]
}

const differenceName = (one: Difference): string => `${one.of}\n${one.name}\n${one.kind}`
