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

/**
 * The same shifts, with gaps that are the caller's charged to the caller as its own time. `busy` are services that have no
 * processor left: such a process reads answers late as it reads requests late, so that whatever it calls looks slow.
 */
export function attributeGaps(
  shifts: readonly TimeShift[],
  charges: ChargeSamples,
  busy: ReadonlySet<number> = new Set(),
): readonly TimeShift[] {
  const pairs = pairRises(shifts, charges)
  return shifts.map(shift => {
    const { key } = shift
    if (key.kind === 'self' || key.kind === 'wait') return shift
    const late = busy.has(key.caller) && isLateItself(shift, shifts)
    if (!late && (key.kind !== 'gap' || !isCallers(key.caller, key.owner, pairs))) return shift
    return { ...shift, key: { kind: 'self', owner: key.caller, operation: 0, caller: 0 } }
  })
}

/** Whether the caller's own requests reach it as late, and nobody else finds what it calls as slow. */
function isLateItself(shift: TimeShift, shifts: readonly TimeShift[]): boolean {
  const { kind, owner, caller } = shift.key
  const alike = shifts.filter(other => riseOf(other) >= alikePart * riseOf(shift))
  const reachedLate = alike.some(({ key }) => key.kind === 'gap' && key.owner === caller)
  return (
    reachedLate && !alike.some(({ key }) => key.kind === kind && key.owner === owner && key.caller !== caller)
  )
}

function riseOf({ beyond, total, baseBeyond, baseTotal }: TimeShift): number {
  return beyond / total - baseBeyond / baseTotal
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
  for (const shift of shifts) {
    const { key } = shift
    if (key.kind !== 'gap') continue
    const pair = pairOf(key.caller, key.owner)
    pair.rise = Math.max(pair.rise, riseOf(shift))
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
