/**
 * Whose fault the gap between a client span and its server span is: a two-way question. A gap that grew from
 * every caller belongs to the callee; one that grew towards every callee of one caller, while other callers of
 * the same callees do not see it, belongs to the caller, whose own process is too busy to send and receive.
 */
import type { ChargeSamples } from './charge-samples.ts'
import type { TimeShift } from './time-shift.ts'

/** Share of a caller's callees whose gaps must have grown for the caller to be blamed. */
const callerShare = 0.75
/** Another gap has grown alike if its share of slow calls rose by at least this part. */
const alikePart = 0.5

/** The same shifts, with gaps that are the caller's charged to the caller as its own time. */
export function attributeGaps(shifts: readonly TimeShift[], charges: ChargeSamples): readonly TimeShift[] {
  const pairs = pairRises(shifts, charges)
  return shifts.map(shift => {
    const { key } = shift
    if (key.kind !== 'gap' || !isCallers(key.caller, key.owner, pairs)) return shift
    return { ...shift, key: { kind: 'self', owner: key.caller, operation: 0, caller: 0 } }
  })
}

interface Pair {
  readonly caller: number
  readonly callee: number
  /** Rise of the share of slow calls, 0 if it did not rise. */
  rise: number
}

function pairRises(shifts: readonly TimeShift[], charges: ChargeSamples): readonly Pair[] {
  const pairs = new Map<string, Pair>()
  const pairOf = (caller: number, callee: number): Pair => {
    const key = `${caller} ${callee}`
    const pair = pairs.get(key) ?? { caller, callee, rise: 0 }
    pairs.set(key, pair)
    return pair
  }
  for (const { key } of charges.values()) if (key.kind === 'gap') pairOf(key.caller, key.owner)
  for (const { key, beyond, total, baseBeyond, baseTotal } of shifts) {
    if (key.kind !== 'gap') continue
    const pair = pairOf(key.caller, key.owner)
    pair.rise = Math.max(pair.rise, beyond / total - baseBeyond / baseTotal)
  }
  return [...pairs.values()]
}

function isCallers(caller: number, callee: number, pairs: readonly Pair[]): boolean {
  const own = pairs.find(pair => pair.caller === caller && pair.callee === callee)
  if (own === undefined || own.rise <= 0) return false
  const alike = (pair: Pair) => pair.rise >= alikePart * own.rise
  const callees = pairs.filter(pair => pair.caller === caller)
  if (callees.filter(alike).length < callerShare * callees.length) return false
  const others = pairs.filter(pair => pair.callee === callee && pair.caller !== caller)
  // With one caller and one callee nobody can tell; the network to the callee is the usual suspect.
  return others.length === 0 ? callees.length > 1 : !others.some(alike)
}
