/**
 * Joins spans to their parents, children and links, in whatever order they come, and tells calls between
 * services and self times as deltas: what a late span changes is taken back and told anew, in the windows
 * where it belongs, so that the sums do not depend on the order of arrival.
 */
import { coveredNs } from './interval-union.ts'
import { connection, type EdgeCall, type JoinSink, type SpanRow, spanKind } from './span-row.ts'
import { SpanTable, slotState } from './span-table.ts'

const mark = {
  /** Waits for `settle`. */
  dirty: 1,
  /** A child was given up: self time stays as told. */
  frozen: 2,
  /** Another span accounts for this call: the callee's, or an inner client span's. */
  covered: 4,
  /** The call has been told as one to its peer. */
  toldPeer: 8,
  /** Links wait for this span. */
  linked: 16,
} as const

/** A parent of more children keeps the self time of the first ones: a runaway loop must not cost a sort each time. */
export const maxChildrenPerSpan = 4096

/** Links that wait for a span that has not come; beyond it links count only when their target came first. */
export const maxWaitingLinks = 65_536

interface WaitingLink {
  readonly service: number
  readonly window: number
  readonly durationNs: number
  readonly failed: boolean
}

export type JoinCounts = {
  /** Spans whose trace, id and start had been seen; they are not counted again. */
  duplicates: number
  /** Slots given up while parent or child could still have come. */
  evicted: number
  /** Spans that name themselves as parent, or share an id with another span of the trace. */
  malformed: number
}

export class SpanJoin {
  readonly #spans: SpanTable
  readonly #sink: JoinSink
  /** Slots that wait for `settle`; kept from one to the next, because growing an array anew each time is garbage. */
  #dirty = new Int32Array(1024)
  #dirtyCount = 0
  readonly #links = new Map<number, WaitingLink[]>()
  #waitingLinks = 0
  readonly counts: JoinCounts = { duplicates: 0, evicted: 0, malformed: 0 }
  readonly #call: EdgeCall = {
    caller: 0,
    callee: 0,
    connection: 0,
    toPeer: false,
    window: 0,
    sign: 1,
    failed: false,
    durationNs: 0,
    gapNs: 0,
    paired: false,
  }

  constructor(limit: number, sink: JoinSink) {
    this.#spans = new SpanTable(limit, slot => this.#evict(slot))
    this.#sink = sink
  }

  /** To be told of the ids and parents of spans that come next. */
  approach(ids: DataView, parents: DataView, count: number): void {
    this.#spans.approach(ids, count)
    this.#spans.approach(parents, count)
  }

  /** Takes a span in. Returns its slot, or -1 for one that was there before and must not be counted again. */
  add(span: SpanRow): number {
    const spans = this.#spans
    let slot = spans.find(span.traceHi, span.traceLo, span.idHi, span.idLo)
    if (slot >= 0 && spans.state[slot] === slotState.present) {
      const same = spans.startLo[slot] === span.startLo && spans.startHi[slot] === span.startHi
      if (same) this.counts.duplicates++
      else this.counts.malformed++
      if (same) return -1
      slot = -1
    }
    if (slot < 0) slot = spans.take(span.traceHi, span.traceLo, span.idHi, span.idLo)
    spans.fill(slot, span)
    this.#soil(slot)
    for (let child = (spans.firstChild[slot] ?? 0) - 1; child >= 0; ) {
      this.#meet(child, slot)
      child = (spans.nextChild[child] ?? 0) - 1
    }
    if ((span.parentHi | span.parentLo) !== 0) this.#attach(slot, span)
    if (((spans.marks[slot] ?? 0) & mark.linked) !== 0) this.#resolveLinks(slot)
    return slot
  }

  /** A link of the consumer span `from` to another span, which may still have to come. */
  link(from: SpanRow, traceHi: number, traceLo: number, idHi: number, idLo: number): void {
    const spans = this.#spans
    const asParent = from.parentHi === idHi && from.parentLo === idLo
    if (asParent && from.traceHi === traceHi && from.traceLo === traceLo) return
    const waiting: WaitingLink = {
      service: from.service,
      window: from.window,
      durationNs: from.durationNs,
      failed: from.failed,
    }
    let target = spans.find(traceHi, traceLo, idHi, idLo)
    if (target >= 0 && spans.state[target] === slotState.present) {
      this.#tellLink(waiting, target)
      return
    }
    if (this.#waitingLinks >= maxWaitingLinks) return
    if (target < 0) target = spans.take(traceHi, traceLo, idHi, idLo)
    spans.marks[target] = (spans.marks[target] ?? 0) | mark.linked
    this.#waitingLinks++
    const list = this.#links.get(target)
    if (list === undefined) this.#links.set(target, [waiting])
    else list.push(waiting)
  }

  /** Tells self times and peer calls that changed since the last time. Call it before cells are cut. */
  settle(): void {
    for (let index = 0; index < this.#dirtyCount; index++) this.#settleSlot(this.#dirty[index] as number)
    this.#dirtyCount = 0
  }

  #attach(slot: number, span: SpanRow): void {
    const spans = this.#spans
    if (span.parentHi === span.idHi && span.parentLo === span.idLo) {
      this.counts.malformed++
      return
    }
    let parent = spans.find(span.traceHi, span.traceLo, span.parentHi, span.parentLo)
    // Taking a slot for the parent may give up the slot this span lives in only if the ring holds one span.
    if (parent < 0) parent = spans.take(span.traceHi, span.traceLo, span.parentHi, span.parentLo)
    if (parent === slot) return
    spans.attach(slot, parent)
    if (spans.state[parent] === slotState.present) this.#meet(slot, parent)
  }

  /** Parent and child are both there, for the first time. */
  #meet(child: number, parent: number): void {
    const spans = this.#spans
    this.#soil(parent)
    if (spans.service[child] !== spans.service[parent]) this.#tellCall(child, parent)
    if (this.#accountsFor(child, parent)) this.#cover(parent)
  }

  #tellCall(child: number, parent: number): void {
    const spans = this.#spans
    const call = this.#call
    const parentKind = spans.kind[parent] ?? 0
    const messaging = spans.kind[child] === spanKind.consumer || parentKind === spanKind.producer
    const calls = isCalling(parentKind)
    const seenFrom = calls ? parent : child
    const gapNs = (spans.durationNs[parent] ?? 0) - (spans.durationNs[child] ?? 0)
    call.caller = spans.service[parent] ?? 0
    call.callee = spans.service[child] ?? 0
    call.connection = messaging ? connection.messaging : connection.rpc
    call.toPeer = false
    call.window = spans.window[seenFrom] ?? 0
    call.sign = 1
    call.failed = spans.failed[child] === 1 || (calls && spans.failed[parent] === 1)
    call.durationNs = spans.durationNs[seenFrom] ?? 0
    call.gapNs = calls && !messaging ? Math.max(0, gapNs) : 0
    call.paired = calls
    this.#sink.edge(call)
  }

  /** Whether `child` tells about the call that the client or producer span `parent` stands for. */
  #accountsFor(child: number, parent: number): boolean {
    const spans = this.#spans
    if (!isCalling(spans.kind[parent] ?? 0)) return false
    const kind = spans.kind[child] ?? 0
    if (kind === spanKind.server || kind === spanKind.consumer) return true
    if (spans.service[child] !== spans.service[parent]) return true
    if (!isCalling(kind)) return false
    return (spans.peer[child] ?? 0) > 0 || ((spans.marks[child] ?? 0) & mark.covered) !== 0
  }

  /** Goes up nested client spans: when the inner one's callee reports, the outer one is accounted for too. */
  #cover(slot: number): void {
    const spans = this.#spans
    let at = slot
    while (at >= 0) {
      const marks = spans.marks[at] ?? 0
      if ((marks & mark.covered) !== 0) return
      spans.marks[at] = marks | mark.covered
      this.#soil(at)
      const parent = (spans.parent[at] ?? 0) - 1
      if (parent < 0 || spans.state[parent] !== slotState.present) return
      if (!this.#accountsFor(at, parent)) return
      at = parent
    }
  }

  #resolveLinks(slot: number): void {
    const waiting = this.#links.get(slot) ?? []
    this.#forgetLinks(slot)
    for (const link of waiting) this.#tellLink(link, slot)
  }

  #forgetLinks(slot: number): void {
    this.#waitingLinks -= this.#links.get(slot)?.length ?? 0
    this.#links.delete(slot)
    this.#spans.marks[slot] = (this.#spans.marks[slot] ?? 0) & ~mark.linked
  }

  #tellLink(link: WaitingLink, target: number): void {
    const spans = this.#spans
    const caller = spans.service[target] ?? 0
    if (isCalling(spans.kind[target] ?? 0)) this.#cover(target)
    if (caller === link.service) return
    const call = this.#call
    call.caller = caller
    call.callee = link.service
    call.connection = connection.link
    call.toPeer = false
    call.window = link.window
    call.sign = 1
    call.failed = link.failed
    call.durationNs = link.durationNs
    call.gapNs = 0
    call.paired = false
    this.#sink.edge(call)
  }

  #soil(slot: number): void {
    const marks = this.#spans.marks[slot] ?? 0
    if ((marks & mark.dirty) !== 0) return
    this.#spans.marks[slot] = marks | mark.dirty
    if (this.#dirtyCount === this.#dirty.length) {
      const wider = new Int32Array(this.#dirtyCount * 2)
      wider.set(this.#dirty)
      this.#dirty = wider
    }
    this.#dirty[this.#dirtyCount++] = slot
  }

  #settleSlot(slot: number): void {
    const spans = this.#spans
    const marks = spans.marks[slot] ?? 0
    if ((marks & mark.dirty) === 0 || spans.state[slot] !== slotState.present) return
    spans.marks[slot] = marks & ~mark.dirty
    if ((marks & mark.frozen) === 0) this.#settleSelf(slot)
    if ((spans.peer[slot] ?? 0) > 0 && isCalling(spans.kind[slot] ?? 0)) this.#settlePeer(slot)
  }

  #settleSelf(slot: number): void {
    const spans = this.#spans
    const selfNs = (spans.durationNs[slot] ?? 0) - coveredNs(spans, slot, maxChildrenPerSpan)
    const delta = selfNs - (spans.toldSelfNs[slot] ?? 0)
    if (delta === 0) return
    spans.toldSelfNs[slot] = selfNs
    const own = !isCalling(spans.kind[slot] ?? 0)
    this.#sink.selfTime(
      spans.service[slot] ?? 0,
      spans.operation[slot] ?? 0,
      spans.window[slot] ?? 0,
      delta,
      own,
    )
  }

  #settlePeer(slot: number): void {
    const spans = this.#spans
    const marks = spans.marks[slot] ?? 0
    const wanted = (marks & mark.covered) === 0
    if (wanted === ((marks & mark.toldPeer) !== 0)) return
    spans.marks[slot] = marks ^ mark.toldPeer
    const call = this.#call
    call.caller = spans.service[slot] ?? 0
    call.callee = spans.peer[slot] ?? 0
    call.connection = spans.peerConnection[slot] ?? 0
    call.toPeer = true
    call.window = spans.window[slot] ?? 0
    call.sign = wanted ? 1 : -1
    call.failed = spans.failed[slot] === 1
    call.durationNs = spans.durationNs[slot] ?? 0
    call.gapNs = 0
    call.paired = false
    this.#sink.edge(call)
  }

  #evict(slot: number): void {
    const spans = this.#spans
    this.#settleSlot(slot)
    this.counts.evicted++
    if (((spans.marks[slot] ?? 0) & mark.linked) !== 0) this.#forgetLinks(slot)
    const parent = (spans.parent[slot] ?? 0) - 1
    if (parent >= 0) {
      this.#settleSlot(parent)
      spans.detach(slot)
      spans.marks[parent] = (spans.marks[parent] ?? 0) | mark.frozen
    }
    while ((spans.firstChild[slot] ?? 0) > 0) spans.detach((spans.firstChild[slot] ?? 0) - 1)
    spans.state[slot] = slotState.empty
  }
}

function isCalling(kind: number): boolean {
  return kind === spanKind.client || kind === spanKind.producer
}
