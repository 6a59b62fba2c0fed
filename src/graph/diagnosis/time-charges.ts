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

/** For every span the first child that enters another service, -1 for none. */
export function remoteChildren(set: TraceSet): Int32Array {
  const child = new Int32Array(set.spans).fill(-1)
  for (let row = 0; row < set.spans; row++) {
    const above = set.parent[row] ?? -1
    if (above < 0 || set.entry[row] !== row) continue
    if (child[above] === -1) child[above] = row
  }
  return child
}

class Sweep {
  readonly #set: TraceSet
  readonly #charged: Float64Array
  readonly #activeChildren: Uint32Array
  readonly #remoteActive: Uint32Array

  constructor(set: TraceSet, charged: Float64Array) {
    this.#set = set
    this.#charged = charged
    this.#activeChildren = new Uint32Array(set.spans)
    this.#remoteActive = new Uint32Array(set.spans)
  }

  run(from: number, to: number, waits: readonly RetryWait[]): void {
    const { startMs, endMs } = this.#set
    const events: number[] = []
    for (let row = from; row < to; row++) {
      if ((endMs[row] ?? 0) <= (startMs[row] ?? 0)) continue
      events.push(row * 2, row * 2 + 1)
    }
    // Waits come behind the rows of the trace: they begin and end as spans do.
    for (let i = 0; i < waits.length; i++) events.push((to + i) * 2, (to + i) * 2 + 1)
    const timeOf = (event: number) => {
      const row = event >>> 1
      if (row >= to) return ((event & 1) === 0 ? waits[row - to]?.fromMs : waits[row - to]?.toMs) ?? 0
      return ((event & 1) === 0 ? startMs[row] : endMs[row]) ?? 0
    }
    events.sort((a, b) => timeOf(a) - timeOf(b) || (b & 1) - (a & 1) || a - b)
    const active = new Set<number>()
    let last = 0
    for (const event of events) {
      const now = timeOf(event)
      if (now > last) this.#share(active, now - last)
      last = now
      const wait = waits[(event >>> 1) - to]
      if (wait === undefined) this.#apply(event, active)
      else this.#wait(wait, (event & 1) === 0 ? 1 : -1)
    }
  }

  #wait({ call }: RetryWait, by: number): void {
    const entry = this.#set.entry[call] ?? call
    this.#remoteActive[entry] = (this.#remoteActive[entry] ?? 0) + by
  }

  #apply(event: number, active: Set<number>): void {
    const row = event >>> 1
    const begins = (event & 1) === 0
    const by = begins ? 1 : -1
    const above = this.#set.parent[row] ?? -1
    if (begins) active.add(row)
    else active.delete(row)
    if (above >= 0) this.#activeChildren[above] = (this.#activeChildren[above] ?? 0) + by
    const waiting = this.#waitingEntry(row, above)
    if (waiting >= 0) this.#remoteActive[waiting] = (this.#remoteActive[waiting] ?? 0) + by
  }

  /** The entry that waits for another service while this span runs, -1 for none. */
  #waitingEntry(row: number, above: number): number {
    const { kind, entry } = this.#set
    if (kind[row] === spanKinds.client) return entry[row] ?? row
    if (above < 0 || entry[row] !== row || kind[row] === spanKinds.consumer) return -1
    const caller = kind[above]
    return caller === spanKinds.client || caller === spanKinds.producer ? -1 : (entry[above] ?? -1)
  }

  #share(active: ReadonlySet<number>, ms: number): void {
    const leaves: number[] = []
    for (const row of active) if (this.#owns(row)) leaves.push(row)
    for (const row of leaves) this.#charged[row] = (this.#charged[row] ?? 0) + ms / leaves.length
  }

  #owns(row: number): boolean {
    if (this.#activeChildren[row] !== 0) return false
    return this.#set.kind[row] === spanKinds.client || this.#remoteActive[this.#set.entry[row] ?? row] === 0
  }
}
