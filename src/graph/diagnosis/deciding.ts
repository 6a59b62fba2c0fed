/** For two causes that are close: the one observation that would tell them apart. */
import type { Candidate } from './candidates.ts'
import type { DecidingObservation } from './diagnosis.ts'
import type { Evidence } from './evidence.ts'
import { nearTie } from './verdict.ts'

/** Null unless the two are a near tie. */
export function decidingObservation(
  evidence: Evidence,
  first: Candidate,
  second: Candidate,
): DecidingObservation | null {
  if (!nearTie(first, second)) return null
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
  const { fromMs, toMs } = evidence.window.range
  return { ...names, look: { at: 'wider_window', window: { fromMs: fromMs - (toMs - fromMs), toMs } } }
}
