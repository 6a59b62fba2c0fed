/**
 * Time, charged once: at every instant of a trace the deepest active spans share it, so that a slow callee
 * does not make its callers look slow. Local spans get nothing while a remote call of the same entry runs.
 * What is left on a client span is neither caller's nor callee's code: queueing, network, connection set-up.
 */
import { endless, type Patience, paced } from './patience.ts'
import type { RetryWait, RetryWaits } from './retry-waits.ts'
import { spanKinds, type TraceSet } from './trace-set.ts'

const noWaits: RetryWaits = new Map()
const none: readonly RetryWait[] = []

/**
 * Milliseconds charged to every span of the set. While an entry waits to repeat a call, its own spans are charged
 * nothing. Throws what `patience` throws.
 */
export function chargeTime(
  set: TraceSet,
  patience: Patience = endless,
  waits: RetryWaits = noWaits,
): Float64Array {
  const charged = new Float64Array(set.spans)
  const sweep = new Sweep(set, charged)
  for (const t of paced(set.traceIds.keys(), patience)) {
    sweep.run(set.first[t] ?? 0, set.first[t + 1] ?? 0, waits.get(t) ?? none)
  }
  return charged
}

/** By the parents: a dozen rules ask for the same, and sets that differ in their marks share them. */
const remote = new WeakMap<Int32Array, Int32Array>()

/** For every span the first child that enters another service, -1 for none; not to be written to. */
export function remoteChildren(set: TraceSet): Int32Array {
  const known = remote.get(set.parent)
  if (known !== undefined) return known
  const child = new Int32Array(set.spans).fill(-1)
  for (let row = 0; row < set.spans; row++) {
    const above = set.parent[row] ?? -1
    if (above < 0 || set.entry[row] !== row) continue
    if (child[above] === -1) child[above] = row
  }
  remote.set(set.parent, child)
  return child
}

/** Up to so many events are put in order one by one, which for two dozen beats a sort with comparisons by far. */
const fewEvents = 96

/** An event is twice the number of its row in the trace, or behind these of a wait, and one more for the end. */
class Sweep {
  readonly #set: TraceSet
  readonly #charged: Float64Array
  readonly #activeChildren: Uint32Array
  readonly #remoteActive: Uint32Array
  /** When events happen, and events in their order; used again from trace to trace. */
  #timeMs = new Float64Array(fewEvents)
  #events = new Uint32Array(fewEvents)
  /** The first so many rows are active. */
  #active = new Uint32Array(fewEvents)
  #activeCount = 0

  constructor(set: TraceSet, charged: Float64Array) {
    this.#set = set
    this.#charged = charged
    this.#activeChildren = new Uint32Array(set.spans)
    this.#remoteActive = new Uint32Array(set.spans)
  }

  run(from: number, to: number, waits: readonly RetryWait[]): void {
    const count = this.#order(from, to, waits)
    this.#activeCount = 0
    let last = 0
    for (let i = 0; i < count; i++) {
      const event = this.#events[i] as number
      const now = this.#timeMs[event] as number
      if (now > last) this.#share(now - last)
      last = now
      const row = from + (event >>> 1)
      const wait = waits[row - to]
      if (wait === undefined) this.#apply(row, (event & 1) === 0)
      else this.#wait(wait, (event & 1) === 0 ? 1 : -1)
    }
  }

  /** Puts the events of the rows in order; returns how many there are. */
  #order(from: number, to: number, waits: readonly RetryWait[]): number {
    const { startMs, endMs } = this.#set
    const most = (to - from + waits.length) * 2
    if (this.#events.length < most) {
      this.#timeMs = new Float64Array(most)
      this.#events = new Uint32Array(most)
      this.#active = new Uint32Array(most)
    }
    const few = most <= fewEvents
    let count = 0
    const add = (number: number, start: number, end: number): void => {
      for (let event = number * 2; event <= number * 2 + 1; event++) {
        this.#timeMs[event] = (event & 1) === 0 ? start : end
        this.#events[count] = event
        if (few) this.#moveBack(count)
        count++
      }
    }
    for (let row = from; row < to; row++) {
      const start = startMs[row] as number
      const end = endMs[row] as number
      if (end > start) add(row - from, start, end)
    }
    // Waits come behind the rows of the trace: they begin and end as spans do.
    for (const [i, { fromMs, toMs }] of waits.entries()) add(to - from + i, fromMs, toMs)
    if (!few) this.#events.subarray(0, count).sort((a, b) => this.#compare(a, b))
    return count
  }

  #moveBack(from: number): void {
    const events = this.#events
    const event = events[from] as number
    let at = from
    for (; at > 0 && this.#compare(event, events[at - 1] as number) < 0; at--)
      events[at] = events[at - 1] as number
    events[at] = event
  }

  /** Of what happens at once, ends come first. */
  #compare(a: number, b: number): number {
    return (this.#timeMs[a] as number) - (this.#timeMs[b] as number) || (b & 1) - (a & 1) || a - b
  }

  #wait({ call }: RetryWait, by: number): void {
    const entry = this.#set.entry[call] as number
    this.#remoteActive[entry] = (this.#remoteActive[entry] as number) + by
  }

  #apply(row: number, begins: boolean): void {
    const by = begins ? 1 : -1
    const above = this.#set.parent[row] as number
    if (begins) this.#active[this.#activeCount++] = row
    else this.#leave(row)
    if (above >= 0) this.#activeChildren[above] = (this.#activeChildren[above] as number) + by
    const waiting = this.#waitingEntry(row, above)
    if (waiting >= 0) this.#remoteActive[waiting] = (this.#remoteActive[waiting] as number) + by
  }

  #leave(row: number): void {
    const active = this.#active
    const last = --this.#activeCount
    let at = last
    while (active[at] !== row) at--
    active[at] = active[last] as number
  }

  /** The entry that waits for another service while this span runs, -1 for none. */
  #waitingEntry(row: number, above: number): number {
    const { kind, entry } = this.#set
    if (kind[row] === spanKinds.client) return entry[row] as number
    if (above < 0 || entry[row] !== row || kind[row] === spanKinds.consumer) return -1
    const caller = kind[above]
    return caller === spanKinds.client || caller === spanKinds.producer ? -1 : (entry[above] as number)
  }

  #share(ms: number): void {
    const active = this.#active
    let owners = 0
    for (let i = 0; i < this.#activeCount; i++) if (this.#owns(active[i] as number)) owners++
    for (let i = 0; i < this.#activeCount && owners > 0; i++) {
      const row = active[i] as number
      if (this.#owns(row)) this.#charged[row] = (this.#charged[row] as number) + ms / owners
    }
  }

  #owns(row: number): boolean {
    if (this.#activeChildren[row] !== 0) return false
    return (
      this.#set.kind[row] === spanKinds.client || this.#remoteActive[this.#set.entry[row] as number] === 0
    )
  }
}
