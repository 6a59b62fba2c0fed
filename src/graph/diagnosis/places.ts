/** Where requests wait: the instances that serve them, or a peer as a whole, with what arrived there and when. */
import type { TimeRange } from '../../model/time.ts'
import { type ChargeKey, type ChargeSample, type ChargeSamples, kindWith } from './charge-samples.ts'
import { orderOf } from './number-order.ts'

export interface Place {
  /** How many requests of other traces arrived here within [fromMs, toMs). */
  othersWithin(trace: number, fromMs: number, toMs: number): number
  /** Wait of somebody who arrives at this time, behind requests that take as long as they usually do. */
  waitAt(atMs: number): number
}

/**
 * How busy a place may have been before it began to queue. Places that served more at once than one in a row
 * could are taken to have had room for a quarter more.
 */
const usualUse = 0.8

interface Side {
  readonly charges: ChargeSamples
  readonly parts: readonly TimeRange[]
  readonly kept: number
}

/** Places of one side by owner and kind: those of an owner are made when somebody asks for one. */
export class Places {
  readonly #side: Side
  readonly #charged: ReadonlyMap<number, readonly ChargeEntry[]>
  readonly #usual: ChargeSamples
  readonly #usually: ReadonlyMap<number, readonly ChargeEntry[]>
  readonly #known = new Map<number, ReadonlyMap<number, Place>>()

  /** `usual` is the baseline's charges: how long each kind of request took then, and how many were served at once. */
  constructor(side: Side, usual: ChargeSamples) {
    this.#side = side
    this.#charged = Map.groupBy(side.charges, ownerOf)
    this.#usual = usual
    this.#usually = Map.groupBy(usual, ownerOf)
  }

  /** Places of the owner of a key, by instance. */
  of(key: ChargeKey): ReadonlyMap<number, Place> {
    const owner = kindWith(key.owner, key.kind)
    const known = this.#known.get(owner)
    if (known !== undefined) return known
    const { parts, kept } = this.#side
    const width = widthOf(this.#usually.get(owner) ?? []) * kept
    const places = new Map<number, Place>()
    for (const [instance, arrivals] of this.#arrivals(owner))
      places.set(instance, new ServingPlace(arrivals, parts, width))
    this.#known.set(owner, places)
    return places
  }

  #arrivals(owner: number): ReadonlyMap<number, Arrivals> {
    const all = new Map<number, Arrivals>()
    for (const [text, { atMs, trace, instance }] of this.#charged.get(owner) ?? []) {
      const workMs = mean(this.#usual.get(text)?.ms ?? [])
      for (let i = 0; i < atMs.length; i++) {
        const known = all.get(instance[i] as number)
        const arrivals = known ?? { atMs: [], trace: [], workMs: [] }
        if (known === undefined) all.set(instance[i] as number, arrivals)
        arrivals.atMs.push(atMs[i] as number)
        arrivals.trace.push(trace[i] as number)
        arrivals.workMs.push(workMs)
      }
    }
    return all
  }
}

type ChargeEntry = readonly [string, ChargeSample]

/** Owner and kind: what the instances of a place have in common. */
function ownerOf([, { key }]: ChargeEntry): number {
  return kindWith(key.owner, key.kind)
}

/** How many requests the instances of an owner can serve at once, at least 1: the busiest of them tells. */
function widthOf(usual: readonly ChargeEntry[]): number {
  const busy = new Map<number, { ms: number; fromMs: number; toMs: number }>()
  for (const [, { atMs, ms, instance }] of usual) {
    for (let i = 0; i < atMs.length; i++) {
      const at = atMs[i] as number
      const known = busy.get(instance[i] as number)
      const one = known ?? { ms: 0, fromMs: at, toMs: at }
      if (known === undefined) busy.set(instance[i] as number, one)
      one.ms += ms[i] as number
      one.fromMs = Math.min(one.fromMs, at)
      one.toMs = Math.max(one.toMs, at)
    }
  }
  let width = 1
  for (const { ms, fromMs, toMs } of busy.values())
    if (toMs > fromMs) width = Math.max(width, ms / (toMs - fromMs) / usualUse)
  return width
}

/** In parallel lists. */
interface Arrivals {
  readonly atMs: number[]
  readonly trace: number[]
  /** How long such a request usually takes, milliseconds. */
  readonly workMs: number[]
}

class ServingPlace implements Place {
  /** Arrival times, ascending, milliseconds, and the wait of each. */
  readonly #atMs: Float64Array
  readonly #waitMs: Float64Array
  /** The same times trace by trace, with the traces, ascending. */
  readonly #ownMs: Float64Array
  readonly #trace: Float64Array

  constructor({ atMs, trace, workMs }: Arrivals, parts: readonly TimeRange[], width: number) {
    const byTime = orderOf(atMs)
    this.#atMs = picked(atMs, byTime)
    this.#waitMs = waitsOf(this.#atMs, picked(workMs, byTime), parts, width)
    const byTrace = orderOf(trace)
    this.#ownMs = picked(atMs, byTrace)
    this.#trace = picked(trace, byTrace)
  }

  othersWithin(trace: number, fromMs: number, toMs: number): number {
    let own = 0
    for (let at = firstAtOrAfter(this.#trace, trace); this.#trace[at] === trace; at++) {
      const ms = this.#ownMs[at] as number
      if (ms >= fromMs && ms < toMs) own++
    }
    return firstAtOrAfter(this.#atMs, toMs) - firstAtOrAfter(this.#atMs, fromMs) - own
  }

  waitAt(atMs: number): number {
    return this.#waitMs[firstAtOrAfter(this.#atMs, atMs)] ?? 0
  }
}

function picked(values: readonly number[], order: Uint32Array): Float64Array {
  const some = new Float64Array(order.length)
  for (let i = 0; i < order.length; i++) some[i] = values[order[i] as number] as number
  return some
}

/** Wait of each arrival behind those before it, nothing at the beginning of each time that was read. */
function waitsOf(
  atMs: Float64Array,
  workMs: Float64Array,
  parts: readonly TimeRange[],
  width: number,
): Float64Array {
  const waits = new Float64Array(atMs.length)
  let waitMs = 0
  let lastMs = Number.NEGATIVE_INFINITY
  for (let i = 0; i < atMs.length; i++) {
    const at = atMs[i] as number
    const begins = parts.some(({ fromMs }) => lastMs < fromMs && at >= fromMs)
    const wait = begins ? 0 : Math.max(0, waitMs - (at - lastMs))
    waits[i] = wait
    waitMs = wait + (workMs[i] as number) / width
    lastMs = at
  }
  return waits
}

/** Index of the first element that is not below `at`; the length if there is none. */
function firstAtOrAfter(sorted: Float64Array, at: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as number) < at) low = middle + 1
    else high = middle
  }
  return low
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}
