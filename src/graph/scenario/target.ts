/** Which spans of a trace stand for a service that a scenario is about, and how spans hang together below them. */
import type { Names } from '../diagnosis/names.ts'
import { spanKinds, type TraceSet } from '../diagnosis/trace-set.ts'

export interface Target {
  readonly service: string
  /** Span name of the requests that it concerns; all of them without one. */
  readonly operation?: string | undefined
}

/** Clocks of two hosts, and timestamps that are cut to milliseconds, differ by about this much. */
const clockMs = 1

/**
 * One byte per row: 1 for the spans with which the service is entered, and for calls to it that have no span of
 * its own, since it sends none.
 */
export function markTargets(set: TraceSet, names: Names, target: Target): Uint8Array {
  const marked = new Uint8Array(set.spans)
  const service = names.id(target.service)
  const operation = target.operation === undefined ? null : names.id(target.operation)
  const answered = answeredCalls(set)
  for (let row = 0; row < set.spans; row++) {
    if (operation !== null && set.name[row] !== operation) continue
    const entered = set.entry[row] === row && set.service[row] === service
    const called = isCall(set, row) && set.peer[row] === service && answered[row] === 0
    if (entered || called) marked[row] = 1
  }
  return marked
}

const isCall = ({ kind }: TraceSet, row: number): boolean =>
  kind[row] === spanKinds.client || kind[row] === spanKinds.producer

/** 1 for spans below which another service was entered. */
export function answeredCalls(set: TraceSet): Uint8Array {
  const answered = new Uint8Array(set.spans)
  for (let row = 0; row < set.spans; row++) {
    const above = set.parent[row] ?? -1
    if (above >= 0 && set.entry[row] === row) answered[above] = 1
  }
  return answered
}

/** Rows with a span of any target below or at them, so that all others can be left alone. */
export function rowsAbove(set: TraceSet, marked: Uint8Array): Uint8Array {
  const above = new Uint8Array(set.spans)
  for (let row = 0; row < set.spans; row++) {
    if (marked[row] === 0) continue
    for (let at = row; at >= 0 && above[at] === 0; at = set.parent[at] ?? -1) above[at] = 1
  }
  return above
}

/** Children of every row, in the order of the set. */
export function childrenOf(set: TraceSet): (row: number) => readonly number[] {
  const children = new Map<number, number[]>()
  for (let row = 0; row < set.spans; row++) {
    const above = set.parent[row] ?? -1
    if (above < 0) continue
    const list = children.get(above)
    if (list === undefined) children.set(above, [row])
    else list.push(row)
  }
  return row => children.get(row) ?? none
}

const none: readonly number[] = []

/**
 * Whether the span above went on only after this one had ended: it ended no earlier, and it is no message, whose
 * sender does not wait for whoever takes it.
 */
export function isWaitedFor({ kind, endMs }: TraceSet, row: number, above: number): boolean {
  return kind[row] !== spanKinds.consumer && (endMs[row] ?? 0) <= (endMs[above] ?? 0) + clockMs
}
