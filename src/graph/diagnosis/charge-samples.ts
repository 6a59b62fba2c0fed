/**
 * Charged time per owner and operation: one value per service entry for its own time, one per call for the
 * gap between client and server span, one per call for a peer that sends no telemetry.
 */
import type { Names } from './names.ts'
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

/** Values of one key in one window, as parallel lists. */
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

/** Samples by key text, which sorts like owner, operation, kind, caller. */
export type ChargeSamples = ReadonlyMap<string, ChargeSample>

/**
 * Which service answers a client span of this service and name, learnt from calls whose server span was seen;
 * so that calls to a service that has fallen silent are still charged to it.
 */
export type Callees = ReadonlyMap<string, number>

/** Learns callees from several windows; names that reach more than one service are left out. */
export function learnCallees(sets: readonly TraceSet[]): Callees {
  const callees = new Map<string, number>()
  for (const set of sets) {
    const child = remoteChildren(set)
    for (let row = 0; row < set.spans; row++) {
      const callee = child[row] ?? -1
      if (set.kind[row] !== spanKinds.client || callee < 0) continue
      const key = callKey(set, row)
      const service = set.service[callee] ?? 0
      callees.set(key, callees.has(key) && callees.get(key) !== service ? -1 : service)
    }
  }
  return callees
}

function callKey(set: TraceSet, row: number): string {
  return `${set.service[row]} ${set.name[row]} ${set.peer[row]}`
}

/** Who a client span without a server span was meant for: a known callee, else its peer, else -1. */
export function silentCallee(set: TraceSet, row: number, callees: Callees): number {
  const known = callees.get(callKey(set, row)) ?? -1
  if (known > 0) return known
  const peer = set.peer[row] ?? 0
  return peer === 0 ? -1 : peer
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
  const samples = new Map<string, ChargeSample>()
  const child = remoteChildren(set)
  const waits = retryWaits(set, row => {
    const callee = child[row] ?? -1
    return callee >= 0 ? (set.service[callee] ?? 0) : silentCallee(set, row, callees)
  })
  const charged = chargeTime(set, patience, waits)
  const self = new Float64Array(set.spans)
  const add = (key: ChargeKey, ms: number, row: number, server: number) => {
    const text = `${names.text(key.owner)}\n${names.text(key.operation)}\n${key.kind}\n${names.text(key.caller)}`
    let sample = samples.get(text)
    if (sample === undefined) {
      sample = { key, ms: [], trace: [], atMs: [], instance: [] }
      samples.set(text, sample)
    }
    sample.ms.push(ms)
    sample.trace.push(set.trace[row] ?? 0)
    sample.atMs.push(set.startMs[row] ?? 0)
    sample.instance.push(server < 0 ? 0 : (set.instance[server] ?? 0))
  }
  for (let row = 0; row < set.spans; row++) {
    const ms = charged[row] ?? 0
    const caller = set.service[row] ?? 0
    const callee = child[row] ?? -1
    if (set.kind[row] === spanKinds.client) {
      if (callee >= 0) {
        const owner = set.service[callee] ?? 0
        add({ kind: 'gap', owner, operation: set.name[callee] ?? 0, caller }, ms, row, callee)
        continue
      }
      const owner = silentCallee(set, row, callees)
      if (owner >= 0) {
        add({ kind: 'peer', owner, operation: set.name[row] ?? 0, caller }, ms, row, -1)
        continue
      }
    }
    const destination = destinationOf(set, row)
    if (destination >= 0) {
      add({ kind: 'peer', owner: destination, operation: set.name[row] ?? 0, caller }, ms, row, -1)
      continue
    }
    const entry = set.entry[row] ?? row
    self[entry] = (self[entry] ?? 0) + ms
  }
  for (const { call, fromMs, toMs } of [...waits.values()].flat()) {
    const key = { owner: set.service[call] ?? 0, operation: set.name[call] ?? 0, caller: 0 }
    add({ kind: 'wait', ...key }, toMs - fromMs, call, call)
  }
  for (let row = 0; row < set.spans; row++) {
    if (set.entry[row] !== row) continue
    add(
      { kind: 'self', owner: set.service[row] ?? 0, operation: set.name[row] ?? 0, caller: 0 },
      self[row] ?? 0,
      row,
      row,
    )
  }
  return samples
}
