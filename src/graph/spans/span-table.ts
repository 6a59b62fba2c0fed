/**
 * The spans that may still meet a parent, a child or a link: columns in a ring, found by span id and trace.
 * A slot is taken for a span, or for a parent that was named and has not come yet. When the ring is full the
 * oldest slot is given up, so memory is bounded and what can be joined depends only on how many spans lie in
 * between, never on clocks.
 */
import type { SpanRow } from './span-row.ts'

export const slotState = { empty: 0, awaited: 1, present: 2 } as const

export class SpanTable {
  readonly limit: number
  /** Called before a slot is given up. */
  readonly #onEvict: (slot: number) => void
  #capacity: number
  #used = 0
  #oldest = 0
  /**
   * Pairs of slot + 1 and hash of the id, with linear probing. What a slot held before it was given up stays
   * and matches nothing, until so many are used that the table is made anew: taking each one out read the ids
   * of its neighbours from all over the columns, a quarter of the time of counting a span.
   */
  #table: Int32Array
  #places = 0

  idHi: Uint32Array
  idLo: Uint32Array
  traceHi: Uint32Array
  traceLo: Uint32Array
  state: Uint8Array
  kind: Uint8Array
  failed: Uint8Array
  /** Bits of `slotMark`. */
  marks: Uint8Array
  peerConnection: Uint8Array
  startHi: Uint32Array
  startLo: Uint32Array
  durationNs: Float64Array
  /** Self time already told to the sink. */
  toldSelfNs: Float64Array
  window: Uint32Array
  service: Uint32Array
  operation: Uint32Array
  peer: Uint32Array
  /** Slot + 1 of the parent, 0 for none. */
  parent: Int32Array
  /** Slot + 1; children of a slot are a doubly linked list. */
  firstChild: Int32Array
  nextChild: Int32Array
  previousChild: Int32Array

  constructor(limit: number, onEvict: (slot: number) => void) {
    this.limit = limit
    this.#onEvict = onEvict
    this.#capacity = Math.min(limit, 1024)
    this.#table = new Int32Array(tableSize(this.#capacity))
    const words = () => new Uint32Array(this.#capacity)
    const bytes = () => new Uint8Array(this.#capacity)
    const doubles = () => new Float64Array(this.#capacity)
    const slots = () => new Int32Array(this.#capacity)
    this.idHi = words()
    this.idLo = words()
    this.traceHi = words()
    this.traceLo = words()
    this.state = bytes()
    this.kind = bytes()
    this.failed = bytes()
    this.marks = bytes()
    this.peerConnection = bytes()
    this.startHi = words()
    this.startLo = words()
    this.durationNs = doubles()
    this.toldSelfNs = doubles()
    this.window = words()
    this.service = words()
    this.operation = words()
    this.peer = words()
    this.parent = slots()
    this.firstChild = slots()
    this.nextChild = slots()
    this.previousChild = slots()
  }

  /** Slots in use; those below it may be `empty` only while one is being replaced. */
  get used(): number {
    return this.#used
  }

  /** Slot of the span with this id in this trace, present or awaited; -1 if there is none. */
  find(traceHi: number, traceLo: number, idHi: number, idLo: number): number {
    const table = this.#table
    const mask = (table.length >> 1) - 1
    const wanted = hash(idHi, idLo)
    let at = wanted & mask
    for (;;) {
      const slot = (table[at * 2] ?? 0) - 1
      if (slot < 0) return -1
      if (
        table[at * 2 + 1] === wanted &&
        this.idLo[slot] === idLo &&
        this.idHi[slot] === idHi &&
        this.traceLo[slot] === traceLo &&
        this.traceHi[slot] === traceHi
      ) {
        return slot
      }
      at = (at + 1) & mask
    }
  }

  /**
   * Reads the places at which the ids of a batch are looked for. They lie all over some megabytes, and reads that do not
   * wait for each other take a fraction of the time that one after the other takes: what follows finds them in the cache.
   */
  approach(ids: DataView, count: number): void {
    const table = this.#table
    const mask = (table.length >> 1) - 1
    let any = 0
    for (let row = 0; row < count; row++) {
      const at = hash(ids.getUint32(row * 8), ids.getUint32(row * 8 + 4)) & mask
      any |= table[at * 2] ?? 0
    }
    // Never so; but what nobody looks at would not be read.
    if (any < 0) throw new Error('a slot has no number')
  }

  /** A slot for an id that is not there yet, in state `awaited`; the oldest slot goes when all are taken. */
  take(traceHi: number, traceLo: number, idHi: number, idLo: number): number {
    if (this.#used === this.#capacity && this.#capacity < this.limit) this.#grow()
    let slot = this.#used
    if (slot < this.#capacity) {
      this.#used++
    } else {
      slot = this.#oldest
      this.#oldest = (this.#oldest + 1) % this.#capacity
      this.#onEvict(slot)
    }
    this.idHi[slot] = idHi
    this.idLo[slot] = idLo
    this.traceHi[slot] = traceHi
    this.traceLo[slot] = traceLo
    this.state[slot] = slotState.awaited
    this.marks[slot] = 0
    this.parent[slot] = 0
    this.firstChild[slot] = 0
    this.nextChild[slot] = 0
    this.previousChild[slot] = 0
    this.toldSelfNs[slot] = 0
    // Three quarters of the places at most: beyond it probing gets long.
    if ((this.#places + 1) * 8 > this.#table.length * 3) this.#rehash()
    else this.#place(slot)
    return slot
  }

  /** Writes what a span says of itself into its slot. */
  fill(slot: number, span: SpanRow): void {
    this.state[slot] = slotState.present
    this.kind[slot] = span.kind
    this.failed[slot] = span.failed ? 1 : 0
    this.peerConnection[slot] = span.peerConnection
    this.startHi[slot] = span.startHi
    this.startLo[slot] = span.startLo
    this.durationNs[slot] = span.durationNs
    this.window[slot] = span.window
    this.service[slot] = span.service
    this.operation[slot] = span.operation
    this.peer[slot] = span.peer
  }

  /** Puts `child` at the head of the children of `parent`. */
  attach(child: number, parent: number): void {
    const head = this.firstChild[parent] ?? 0
    this.parent[child] = parent + 1
    this.nextChild[child] = head
    this.previousChild[child] = 0
    if (head > 0) this.previousChild[head - 1] = child + 1
    this.firstChild[parent] = child + 1
  }

  /** Takes `child` out of its parent's children. */
  detach(child: number): void {
    const parent = (this.parent[child] ?? 0) - 1
    if (parent < 0) return
    const next = this.nextChild[child] ?? 0
    const previous = this.previousChild[child] ?? 0
    if (previous > 0) this.nextChild[previous - 1] = next
    else this.firstChild[parent] = next
    if (next > 0) this.previousChild[next - 1] = previous
    this.parent[child] = 0
  }

  #place(slot: number): void {
    const table = this.#table
    const mask = (table.length >> 1) - 1
    const value = hash(this.idHi[slot] ?? 0, this.idLo[slot] ?? 0)
    let at = value & mask
    while (table[at * 2] !== 0) at = (at + 1) & mask
    table[at * 2] = slot + 1
    table[at * 2 + 1] = value
    this.#places++
  }

  #grow(): void {
    const capacity = Math.min(this.limit, this.#capacity * 2)
    this.#capacity = capacity
    this.idHi = widen(this.idHi, new Uint32Array(capacity))
    this.idLo = widen(this.idLo, new Uint32Array(capacity))
    this.traceHi = widen(this.traceHi, new Uint32Array(capacity))
    this.traceLo = widen(this.traceLo, new Uint32Array(capacity))
    this.state = widen(this.state, new Uint8Array(capacity))
    this.kind = widen(this.kind, new Uint8Array(capacity))
    this.failed = widen(this.failed, new Uint8Array(capacity))
    this.marks = widen(this.marks, new Uint8Array(capacity))
    this.peerConnection = widen(this.peerConnection, new Uint8Array(capacity))
    this.startHi = widen(this.startHi, new Uint32Array(capacity))
    this.startLo = widen(this.startLo, new Uint32Array(capacity))
    this.durationNs = widen(this.durationNs, new Float64Array(capacity))
    this.toldSelfNs = widen(this.toldSelfNs, new Float64Array(capacity))
    this.window = widen(this.window, new Uint32Array(capacity))
    this.service = widen(this.service, new Uint32Array(capacity))
    this.operation = widen(this.operation, new Uint32Array(capacity))
    this.peer = widen(this.peer, new Uint32Array(capacity))
    this.parent = widen(this.parent, new Int32Array(capacity))
    this.firstChild = widen(this.firstChild, new Int32Array(capacity))
    this.nextChild = widen(this.nextChild, new Int32Array(capacity))
    this.previousChild = widen(this.previousChild, new Int32Array(capacity))
    this.#rehash()
  }

  #rehash(): void {
    const size = tableSize(this.#capacity)
    if (size === this.#table.length) this.#table.fill(0)
    else this.#table = new Int32Array(size)
    this.#places = 0
    for (let slot = 0; slot < this.#used; slot++) this.#place(slot)
  }
}

function widen<T extends Uint32Array | Int32Array | Uint8Array | Float64Array>(source: T, target: T): T {
  target.set(source)
  return target
}

/** Two numbers a place and at least four places a slot, so that a table lasts for two rounds of the ring. */
function tableSize(capacity: number): number {
  let size = 32
  while (size < capacity * 8) size *= 2
  return size
}

function hash(high: number, low: number): number {
  let mixed = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b)
  mixed ^= mixed >>> 16
  mixed = Math.imul(mixed, 0x2c1b3c6d)
  return mixed ^ (mixed >>> 13)
}
