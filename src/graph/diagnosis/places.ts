/** Where requests wait: the instances that serve them, or a peer as a whole, with what arrived there and when. */
import type { TimeRange } from '../../model/time.ts'
import type { ChargeKey, ChargeSamples } from './charge-samples.ts'

export interface Place {
  /** Arrival times, ascending, milliseconds: all of them, and those of each trace. */
  readonly all: readonly number[]
  readonly perTrace: ReadonlyMap<number, readonly number[]>
  /** Wait of somebody who arrives at this time, behind requests that take as long as they usually do. */
  waitAt(atMs: number): number
}

/**
 * How busy a place may have been before it began to queue. Places that served more at once than one in a row
 * could are taken to have had room for a quarter more.
 */
const usualUse = 0.8

interface Arrival {
  readonly atMs: number
  readonly trace: number
  /** How long such a request usually takes, milliseconds. */
  readonly workMs: number
}

export function placeKey(key: ChargeKey, instance: number): string {
  return `${key.owner} ${key.kind} ${instance}`
}

/** `usual` is the baseline's charges: how long each kind of request took then, and how many were served at once. */
export function placesOf(
  side: { readonly charges: ChargeSamples; readonly parts: readonly TimeRange[]; readonly kept: number },
  usual: ChargeSamples,
): ReadonlyMap<string, Place> {
  const arrivals = new Map<string, Arrival[]>()
  for (const [text, sample] of side.charges) {
    const workMs = mean(usual.get(text)?.ms ?? [])
    for (const [i, atMs] of sample.atMs.entries()) {
      const key = placeKey(sample.key, sample.instance[i] ?? 0)
      const arrival = { atMs, trace: sample.trace[i] ?? 0, workMs }
      const list = arrivals.get(key)
      if (list === undefined) arrivals.set(key, [arrival])
      else list.push(arrival)
    }
  }
  const width = widths(usual)
  return new Map(
    [...arrivals].map(([key, list]) => [
      key,
      placeOf(list, side.parts, (width.get(kindOf(key)) ?? 1) * side.kept),
    ]),
  )
}

/** Owner and kind of a place: what its instances have in common. */
function kindOf(key: string): string {
  return key.slice(0, key.lastIndexOf(' '))
}

/** How many requests the instances of an owner can serve at once, at least 1: the busiest of them tells. */
function widths(usual: ChargeSamples): ReadonlyMap<string, number> {
  const busy = new Map<string, { ms: number; fromMs: number; toMs: number }>()
  for (const sample of usual.values()) {
    for (const [i, atMs] of sample.atMs.entries()) {
      const key = placeKey(sample.key, sample.instance[i] ?? 0)
      const known = busy.get(key) ?? { ms: 0, fromMs: atMs, toMs: atMs }
      known.ms += sample.ms[i] ?? 0
      known.fromMs = Math.min(known.fromMs, atMs)
      known.toMs = Math.max(known.toMs, atMs)
      busy.set(key, known)
    }
  }
  const width = new Map<string, number>()
  for (const [key, { ms, fromMs, toMs }] of busy) {
    const atOnce = toMs > fromMs ? ms / (toMs - fromMs) : 0
    width.set(kindOf(key), Math.max(1, width.get(kindOf(key)) ?? 1, atOnce / usualUse))
  }
  return width
}

function placeOf(arrivals: readonly Arrival[], parts: readonly TimeRange[], width: number): Place {
  const sorted = [...arrivals].sort((a, b) => a.atMs - b.atMs || a.trace - b.trace)
  const all = sorted.map(({ atMs }) => atMs)
  const perTrace = new Map<number, number[]>()
  for (const { atMs, trace } of sorted) {
    const own = perTrace.get(trace)
    if (own === undefined) perTrace.set(trace, [atMs])
    else own.push(atMs)
  }
  const waits = waitsOf(sorted, parts, width)
  return { all, perTrace, waitAt: atMs => waits[firstAtOrAfter(all, atMs)] ?? 0 }
}

/** Wait of each arrival behind those before it, nothing at the beginning of each time that was read. */
function waitsOf(sorted: readonly Arrival[], parts: readonly TimeRange[], width: number): readonly number[] {
  let waitMs = 0
  let lastMs = Number.NEGATIVE_INFINITY
  return sorted.map(({ atMs, workMs }) => {
    const begins = parts.some(({ fromMs }) => lastMs < fromMs && atMs >= fromMs)
    const wait = begins ? 0 : Math.max(0, waitMs - (atMs - lastMs))
    waitMs = wait + workMs / width
    lastMs = atMs
    return wait
  })
}

/** How many of these ascending times lie within [fromMs, toMs). */
export function within(sorted: readonly number[], fromMs: number, toMs: number): number {
  return firstAtOrAfter(sorted, toMs) - firstAtOrAfter(sorted, fromMs)
}

/** Index of the first element that is not below `at`; the length if there is none. */
function firstAtOrAfter(sorted: readonly number[], at: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? 0) < at) low = middle + 1
    else high = middle
  }
  return low
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}
