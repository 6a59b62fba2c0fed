/**
 * Whose fault the gap between a client span and its server span is: a two-way question. A gap that grew from
 * every caller belongs to the callee; one that grew towards every callee belongs to the caller, whose own
 * process is too busy to send and receive.
 */
import type { ChargeSamples } from './charge-samples.ts'
import type { TimeShift } from './time-shift.ts'

/** Nats from which a gap counts as grown here. */
const grownNats = 3
/** Share of a caller's callees whose gaps must have grown for the caller to be blamed. */
const callerShare = 0.75

/** The same shifts, with gaps that are the caller's charged to the caller as its own time. */
export function attributeGaps(shifts: readonly TimeShift[], charges: ChargeSamples): readonly TimeShift[] {
  const all = new Pairs()
  for (const { key } of charges.values()) {
    if (key.kind !== 'self') all.add(key.caller, key.owner)
  }
  const grown = new Pairs()
  for (const { key, evidence } of shifts) {
    if (key.kind !== 'self' && evidence >= grownNats) grown.add(key.caller, key.owner)
  }
  return shifts.map(shift => {
    const { key } = shift
    if (key.kind !== 'gap' || !isCallers(key.caller, key.owner, all, grown)) return shift
    return { ...shift, key: { kind: 'self', owner: key.caller, operation: key.operation, caller: 0 } }
  })
}

function isCallers(caller: number, callee: number, all: Pairs, grown: Pairs): boolean {
  const callees = all.calleesOf(caller)
  if (callees < 2 || grown.calleesOf(caller) < callerShare * callees) return false
  const callers = all.callersOf(callee)
  return callers < 2 || grown.callersOf(callee) < callers
}

/** Distinct caller and callee pairs, counted from both ends. */
class Pairs {
  readonly #callees = new Map<number, Set<number>>()
  readonly #callers = new Map<number, Set<number>>()

  add(caller: number, callee: number): void {
    const callees = this.#callees.get(caller) ?? new Set()
    this.#callees.set(caller, callees.add(callee))
    const callers = this.#callers.get(callee) ?? new Set()
    this.#callers.set(callee, callers.add(caller))
  }

  calleesOf(caller: number): number {
    return this.#callees.get(caller)?.size ?? 0
  }

  callersOf(callee: number): number {
    return this.#callers.get(callee)?.size ?? 0
  }
}
