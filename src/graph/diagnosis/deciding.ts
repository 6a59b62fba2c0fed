/** For two causes that are close, or one that is too weak to be named: the one observation that would decide. */
import type { Candidate } from './candidates.ts'
import type { DecidingObservation, Verdict } from './diagnosis.ts'
import type { Evidence } from './evidence.ts'
import { nearTie } from './verdict.ts'

/** Null where nothing is open: the verdict is firm, or there is no candidate. */
export function decidingObservation(
  evidence: Evidence,
  verdict: Verdict,
  first: Candidate | undefined,
  second: Candidate | undefined,
): DecidingObservation | null {
  if (first === undefined) return null
  if (second !== undefined && nearTie(first, second)) return between(evidence, first, second)
  if (verdict !== 'inconclusive') return null
  // Alone, and too weak: more requests would show whether it is more than chance.
  return { first: first.cause.location.service, second: '', look: widerWindow(evidence) }
}

function widerWindow({ window: { range } }: Evidence): DecidingObservation['look'] {
  const { fromMs, toMs } = range
  return { at: 'wider_window', window: { fromMs: fromMs - (toMs - fromMs), toMs } }
}

function between(evidence: Evidence, first: Candidate, second: Candidate): DecidingObservation {
  const names = { first: first.cause.location.service, second: second.cause.location.service }
  const both = [...first.traces].filter(trace => second.traces.has(trace)).sort((a, b) => a - b)[0]
  if (both !== undefined) {
    // A trace in which both deviate shows which of them did so first, and whether one waits for the other.
    return { ...names, look: { at: 'trace', traceId: evidence.window.set.traceIds[both] ?? '' } }
  }
  const resource = [first, second].find(one => one.cause.location.resource !== '')
  if (resource !== undefined) {
    const { service, resource: metric } = resource.cause.location
    return { ...names, look: { at: 'metric', service, metric } }
  }
  const gap = [first, second].find(one => one.cause.location.caller !== '')
  if (gap !== undefined) {
    const { service, caller } = gap.cause.location
    return { ...names, look: { at: 'edge', caller, callee: service } }
  }
  if (evidence.window.logRecords > 0) return { ...names, look: { at: 'logs', service: names.second } }
  // Nothing links the two in this window: a longer one has more requests that pass both.
  return { ...names, look: widerWindow(evidence) }
}
