/**
 * Messages that are sent and that nobody takes any more, per destination. Neither side fails and neither is slow: the
 * producer has its receipt, and the consumer works on what comes. Only the two counts together tell.
 */
import { type MessageLines, messageLines } from './message-lines.ts'
import type { Sample } from './sampling.ts'
import { visibleNats } from './sight.ts'
import { spanKinds, type TraceSet } from './trace-set.ts'
import { riseEvidence } from './two-sample.ts'

/** Messages of one destination in one window. */
interface Flow {
  sent: number
  /** Sent so late that they may still be on their way when the window ends. */
  late: number
  /** By the links of consumer spans, one for a consumer span without links. */
  taken: number
  /** Time of consumer spans, milliseconds. */
  busyMs: number
  /** Requests that sampled spans of senders and takers stand for. */
  sentWeight: number
  takenWeight: number
  /** Sampled traces that sent one. */
  readonly traces: Set<number>
  /** Messages taken by each service, as indices into `Names`. */
  readonly takers: Map<number, number>
}

export interface MessageLoss {
  /** Indices into `Names`: the destination, and the service that took most of its messages. */
  readonly destination: number
  readonly consumer: number
  readonly sent: number
  readonly taken: number
  readonly baseSent: number
  readonly baseTaken: number
  /** Messages that were to be taken by now and were not. */
  readonly lost: number
  /** Nats. */
  readonly evidence: number
  /** Sampled traces that sent a message there. */
  readonly traces: ReadonlySet<number>
}

/** Messages of the baseline below which nobody knows how many of them are usually taken. */
const minMessages = 8
/** Share of messages that must usually be taken: of a consumer that is seen in part only, nothing is missed. */
const minTaken = 0.5
/** How long a message may be on its way, milliseconds: a batch consumer looks every second or so. */
const onItsWayMs = 2_000

/** Share of requests from which on a destination is one of the system's own, as for errors. */
const minShare = 0.04

/** A sampler that keeps another share than before, by more than this factor, makes counts incomparable. */
const sameSampling = 1.1

/** Strongest first, ties by destination. Consumers that work more than before have a backlog, not a loss. */
export function messageLosses(window: Sample, baseline: Sample): readonly MessageLoss[] {
  const length = lengthOf(window) / lengthOf(baseline)
  const losses: MessageLoss[] = []
  for (const sides of sidesOf(window, baseline)) {
    if (sides.now.sent === 0 || sides.base.sent < minMessages) continue
    if (sides.sampled && !sampledAlike(sides.now, sides.base)) continue
    const loss = lossOf(sides, length)
    if (loss !== null) losses.push(loss)
  }
  return losses.sort((a, b) => b.evidence - a.evidence || a.destination - b.destination)
}

/** Messages of one destination in both windows. */
interface Sides {
  readonly destination: number
  readonly now: Flow
  readonly base: Flow
  /** A sampler hides some of them, and no lines stand for them. */
  readonly sampled: boolean
}

/** Of every destination that the baseline knows. */
function sidesOf(window: Sample, baseline: Sample): readonly Sides[] {
  const sampled = window.sampledAtSource || baseline.sampledAtSource
  const flows = flowsOf(window)
  const logged = messageLines(window, baseline)
  return [...flowsOf(baseline)].map(([destination, base]) => {
    const now = flows.get(destination) ?? newFlow()
    const lines = logged.get(destination)
    if (lines === undefined) return { destination, now, base, sampled }
    const all = { now: { ...now, ...countOf(window, lines) }, base: { ...base, ...countOf(baseline, lines) } }
    return { destination, ...all, sampled: false }
  })
}

/** What lines say of all messages, those of which a sampler hides the spans included. */
function countOf(
  { tally, range }: Sample,
  { sent, taken }: MessageLines,
): Pick<Flow, 'sent' | 'late' | 'taken'> {
  const times = tally?.times(sent.service, sent.template) ?? []
  return {
    sent: times.length,
    late: times.filter(atMs => atMs > range.toMs - onItsWayMs).length,
    taken: tally?.times(taken.service, taken.template).length ?? 0,
  }
}

/** `length`: how much longer the window is than the baseline. */
function lossOf({ destination, now, base, sampled }: Sides, length: number): MessageLoss | null {
  const usual = Math.min(1, base.taken / base.sent)
  if (usual < minTaken || now.busyMs >= base.busyMs * length) return null
  const expected = now.sent * usual
  const lost = expected - now.late - now.taken
  if (lost <= 0) return null
  const due = Math.max(0, now.sent - now.late)
  // A sampler decides for senders and takers apart: no message can be missed, but the two counts go together.
  const evidence = sampled
    ? riseEvidence(due, due + now.taken, base.sent, base.sent + base.taken)
    : riseEvidence(lost, expected, 0, base.taken)
  const { sent, taken, traces } = now
  return {
    destination,
    consumer: largest(base.takers),
    sent,
    taken,
    baseSent: base.sent,
    baseTaken: base.taken,
    lost,
    evidence,
    traces,
  }
}

/**
 * Destinations of which nobody could tell if half of their messages were lost, though one request in 25 and more sends one:
 * a sampler leaves too few on either side.
 */
export function unwatchedDestinations(window: Sample, baseline: Sample): number {
  let unwatched = 0
  for (const { now, base, sampled } of sidesOf(window, baseline)) {
    const usual = base.sent === 0 ? 0 : Math.min(1, base.taken / base.sent)
    if (usual < minTaken || base.traces.size < minShare * baseline.set.traces) continue
    const due = now.sent - now.late
    const half = (due * usual) / 2
    const nats = !sampled
      ? riseEvidence(half, due * usual, 0, base.taken)
      : sampledAlike(now, base)
        ? riseEvidence(due, due + half, base.sent, base.sent + base.taken)
        : 0
    if (nats < visibleNats) unwatched++
  }
  return unwatched
}

function sampledAlike(now: Flow, base: Flow): boolean {
  const alike = (a: number, b: number) => Math.max(a, b) <= sameSampling * Math.min(a, b)
  const takers = now.taken === 0 || alike(now.takenWeight / now.taken, base.takenWeight / base.taken)
  return takers && alike(now.sentWeight / now.sent, base.sentWeight / base.sent)
}

function flowsOf({ set, range }: Sample): ReadonlyMap<number, Flow> {
  const flows = new Map<number, Flow>()
  for (let row = 0; row < set.spans; row++) {
    const destination = set.peer[row] ?? 0
    const kind = set.kind[row]
    if (destination === 0 || (kind !== spanKinds.producer && kind !== spanKinds.consumer)) continue
    const flow = flows.get(destination) ?? newFlow()
    flows.set(destination, flow)
    if (kind === spanKinds.consumer) addTaken(flow, set, row)
    else if (set.failed[row] !== 1) addSent(flow, set, row, range.toMs)
  }
  return flows
}

function newFlow(): Flow {
  const counts = { sent: 0, late: 0, taken: 0, busyMs: 0, sentWeight: 0, takenWeight: 0 }
  return { ...counts, traces: new Set(), takers: new Map() }
}

function addSent(flow: Flow, set: TraceSet, row: number, endMs: number): void {
  flow.sent++
  flow.sentWeight += set.weight[set.trace[row] ?? 0] ?? 1
  if ((set.endMs[row] ?? 0) > endMs - onItsWayMs) flow.late++
  flow.traces.add(set.trace[row] ?? 0)
}

function addTaken(flow: Flow, set: TraceSet, row: number): void {
  const messages = Math.max(1, set.links[row] ?? 0)
  const service = set.service[row] ?? 0
  flow.taken += messages
  flow.takenWeight += messages * (set.weight[set.trace[row] ?? 0] ?? 1)
  flow.busyMs += (set.endMs[row] ?? 0) - (set.startMs[row] ?? 0)
  flow.takers.set(service, (flow.takers.get(service) ?? 0) + messages)
}

function largest(counts: ReadonlyMap<number, number>): number {
  let best = 0
  let most = 0
  for (const [key, count] of counts) {
    if (count > most || (count === most && key < best)) {
      best = key
      most = count
    }
  }
  return best
}

/** Time from the first span to the last, milliseconds: a baseline may reach back to where nothing was sent yet. */
function lengthOf({ set }: Sample): number {
  let firstMs = Number.POSITIVE_INFINITY
  let lastMs = Number.NEGATIVE_INFINITY
  for (const startMs of set.startMs) {
    firstMs = Math.min(firstMs, startMs)
    lastMs = Math.max(lastMs, startMs)
  }
  return Math.max(1, lastMs - firstMs)
}
