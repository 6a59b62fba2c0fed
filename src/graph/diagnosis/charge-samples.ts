/**
 * Charged time per owner and operation: one value per service entry for its own time, one per call for the
 * gap between client and server span, one per call for a peer that sends no telemetry.
 */
import { type Names, pairOf } from './names.ts'
import { endless, type Patience } from './patience.ts'
import { retryWaits } from './retry-waits.ts'
import { chargeTime, remoteChildren } from './time-charges.ts'
import { spanKinds, type TraceSet } from './trace-set.ts'

/** Whose time it is: its own code, the way to it, a peer seen only from its callers, or waiting to ask again. */
export type ChargeKind = 'self' | 'gap' | 'peer' | 'wait'

export interface ChargeKey {
  readonly kind: ChargeKind
  /** Indices into `Names`: who is charged, for which operation, called by whom (0 for `self` and `wait`). */
  readonly owner: number
  readonly operation: number
  readonly caller: number
}

/** Values of one key in one window, as parallel lists, trace by trace. */
export interface ChargeSample {
  readonly key: ChargeKey
  readonly ms: number[]
  /** Trace of each value. */
  readonly trace: number[]
  /** When the request arrived, milliseconds. */
  readonly atMs: number[]
  /** Instance that served it, as an index into `Names`; 0 where nobody knows. */
  readonly instance: number[]
}

/** For each value of a sample how many values its trace has there. */
export function valuesPerTrace({ trace }: Pick<ChargeSample, 'trace'>): Uint32Array {
  const counts = new Uint32Array(trace.length)
  for (let from = 0, to = 0; from < trace.length; from = to) {
    while (to < trace.length && trace[to] === trace[from]) to++
    counts.fill(to - from, from, to)
  }
  return counts
}

/** Samples by key text, which sorts like owner, operation, kind, caller. */
export type ChargeSamples = ReadonlyMap<string, ChargeSample>

/**
 * Which service answers a client span of this service and name, learnt from calls whose server span was seen;
 * so that calls to a service that has fallen silent are still charged to it. By service and name, then by peer.
 */
export type Callees = ReadonlyMap<number, ReadonlyMap<number, number>>

/** Learns callees from several windows; names that reach more than one service are left out. */
export function learnCallees(sets: readonly TraceSet[]): Callees {
  const callees = new Map<number, Map<number, number>>()
  for (const set of sets) {
    const child = remoteChildren(set)
    for (let row = 0; row < set.spans; row++) {
      const callee = child[row] as number
      if (callee < 0 || set.kind[row] !== spanKinds.client) continue
      const caller = pairOf(set.service[row] as number, set.name[row] as number)
      const byPeer = callees.get(caller) ?? new Map<number, number>()
      callees.set(caller, byPeer)
      const peer = set.peer[row] as number
      const service = set.service[callee] as number
      const known = byPeer.get(peer)
      if (known !== service) byPeer.set(peer, known === undefined ? service : -1)
    }
  }
  return callees
}

/** Of one diagnosis, by callees and by a column of the set, which sets that differ in their marks share. */
const silent = new WeakMap<Callees, WeakMap<Uint32Array, Int32Array>>()

/**
 * For every row whom a client span there would be meant for if it has no server span: a known callee, else its peer,
 * else -1. Not to be written to.
 */
export function silentCallees(set: TraceSet, callees: Callees): Int32Array {
  const bySet = silent.get(callees) ?? new WeakMap<Uint32Array, Int32Array>()
  silent.set(callees, bySet)
  const known = bySet.get(set.peer)
  if (known !== undefined) return known
  const found = new Int32Array(set.spans)
  for (let row = 0; row < set.spans; row++) {
    const peer = set.peer[row] as number
    const callee = callees.get(pairOf(set.service[row] as number, set.name[row] as number))?.get(peer) ?? -1
    found[row] = callee > 0 ? callee : peer === 0 ? -1 : peer
  }
  bySet.set(set.peer, found)
  return found
}

/** Where a producer span sends to, which takes the message before the span ends: a broker; -1 for any other span. */
export function destinationOf(set: TraceSet, row: number): number {
  const peer = set.kind[row] === spanKinds.producer ? (set.peer[row] ?? 0) : 0
  return peer === 0 ? -1 : peer
}

/** Throws what `patience` throws. */
export function collectCharges(
  set: TraceSet,
  names: Names,
  callees: Callees,
  patience: Patience = endless,
): ChargeSamples {
  const samples = new Samples(set, names)
  const child = remoteChildren(set)
  const silent = silentCallees(set, callees)
  const waits = retryWaits(set, row => {
    const callee = child[row] as number
    return (callee >= 0 ? set.service[callee] : silent[row]) as number
  })
  const charged = chargeTime(set, patience, waits)
  const self = new Float64Array(set.spans)
  for (let row = 0; row < set.spans; row++) {
    const ms = charged[row] as number
    const caller = set.service[row] as number
    const callee = child[row] as number
    if (set.kind[row] === spanKinds.client) {
      if (callee >= 0) {
        const owner = set.service[callee] as number
        samples.add(samples.of('gap', owner, set.name[callee] as number, caller), ms, row, callee)
        continue
      }
      const owner = silent[row] as number
      if (owner >= 0) {
        samples.add(samples.of('peer', owner, set.name[row] as number, caller), ms, row, -1)
        continue
      }
    }
    const destination = destinationOf(set, row)
    if (destination >= 0) {
      samples.add(samples.of('peer', destination, set.name[row] as number, caller), ms, row, -1)
      continue
    }
    const entry = set.entry[row] as number
    self[entry] = (self[entry] as number) + ms
  }
  for (const { call, fromMs, toMs } of [...waits.values()].flat()) {
    samples.add(samples.of('wait', set.service[call] ?? 0, set.name[call] ?? 0, 0), toMs - fromMs, call, call)
  }
  for (let row = 0; row < set.spans; row++) {
    if (set.entry[row] !== row) continue
    const own = samples.of('self', set.service[row] as number, set.name[row] as number, 0)
    samples.add(own, self[row] as number, row, row)
  }
  return samples.byText
}

const kindNumbers = { self: 0, gap: 1, peer: 2, wait: 3 } as const

/** A kind of charge and somebody, whose it is or who called, as one number. */
export function kindWith(somebody: number, kind: ChargeKind): number {
  return somebody * 4 + kindNumbers[kind]
}

/** Samples by the text of their keys, which is made once for each. */
class Samples {
  readonly byText = new Map<string, ChargeSample>()
  readonly #set: TraceSet
  readonly #names: Names
  /** By owner and operation, then by caller and kind. */
  readonly #known = new Map<number, Map<number, ChargeSample>>()

  constructor(set: TraceSet, names: Names) {
    this.#set = set
    this.#names = names
  }

  /** A value seen at `row`, of a request that `server` served, -1 if nobody knows. */
  add(sample: ChargeSample, ms: number, row: number, server: number): void {
    sample.ms.push(ms)
    sample.trace.push(this.#set.trace[row] as number)
    sample.atMs.push(this.#set.startMs[row] as number)
    sample.instance.push(server < 0 ? 0 : (this.#set.instance[server] as number))
  }

  of(kind: ChargeKind, owner: number, operation: number, caller: number): ChargeSample {
    const place = pairOf(owner, operation)
    const way = kindWith(caller, kind)
    const known = this.#known.get(place)?.get(way)
    if (known !== undefined) return known
    const key = { kind, owner, operation, caller }
    const text = [key.owner, key.operation].map(id => this.#names.text(id))
    text.push(key.kind, this.#names.text(key.caller))
    // Names with line feeds may make the same text of two keys.
    const same = this.byText.get(text.join('\n'))
    const sample = same ?? { key, ms: [], trace: [], atMs: [], instance: [] }
    this.byText.set(text.join('\n'), sample)
    const ways = this.#known.get(place) ?? new Map<number, ChargeSample>()
    this.#known.set(place, ways.set(way, sample))
    return sample
  }
}
