/**
 * Findings from traffic: a flood from outside is not the fault of those whom it slows down. It is an incident
 * only if the system's own entry requests suffer, and only as far as it explains what they suffer from; what it
 * does not explain stays with the place where it shows.
 */
import { type EntryTraffic, minTrafficNats } from './entry-traffic.ts'
import type { Evidence } from './evidence.ts'
import { type Finding, makeFeature, sureness, traceHandle } from './finding.ts'
import { entryLimits, limitOf } from './impact.ts'
import type { TimeShift } from './time-shift.ts'
import type { TraceSet } from './trace-set.ts'
import { riseEvidence } from './two-sample.ts'

/** Share of requests that a busier hour may slow down before anybody calls it an incident. */
const tolerated = 0.05
/** Rise beyond it that is half of everything: one request in ten, as for errors. */
const halfRise = 0.1

/** One finding at most: about the entry that brought most of the additional requests. */
export function surgeFeature(evidence: Evidence): readonly Finding[] {
  const surge = evidence.traffic.find(one => one.now > one.before)
  if (surge === undefined || surge.before <= 0 || surge.evidence < minTrafficNats) return []
  const limits = entryLimits(evidence.baseline.set)
  const slow = slowTraces(evidence.window.set, limits)
  const before = slowTraces(evidence.baseline.set, limits).size
  const { traces } = evidence.window.set
  const baseTraces = evidence.baseline.set.traces
  const beyond = Math.max(0, slow.size / traces - before / baseTraces - tolerated)
  const nats = riseEvidence(slow.size, traces, before + tolerated * baseTraces, baseTraces)
  const explained = explainedPart(evidence.shifts, slow, surge)
  const value = sureness(nats) * (beyond / (beyond + halfRise)) * explained
  if (value === 0) return []
  return [findingOf(evidence, surge, value, slow, { before, nats, explained })]
}

interface Figures {
  readonly before: number
  readonly nats: number
  readonly explained: number
}

function findingOf(
  evidence: Evidence,
  surge: EntryTraffic,
  value: number,
  slow: ReadonlySet<number>,
  { before, nats, explained }: Figures,
): Finding {
  const service = evidence.names.text(surge.service)
  const measured = {
    requests_per_s: surge.now,
    baseline_requests_per_s: surge.before,
    slow_requests: slow.size,
    requests: evidence.window.set.traces,
    baseline_slow_requests: before,
    baseline_requests: evidence.baseline.set.traces,
    traffic_explains: explained,
    evidence_nats: nats,
  }
  return {
    service,
    peer: false,
    feature: makeFeature('entry_traffic', value, measured, traceHandle(evidence, slow)),
    place: {},
    traces: slow,
    onsetMs: surge.onsetMs,
  }
}

/** Traces whose first span was slower than the baseline's tail. Failures are another matter. */
function slowTraces(set: TraceSet, limits: ReadonlyMap<number, number>): ReadonlySet<number> {
  const slow = new Set<number>()
  for (let t = 0; t < set.traces; t++) {
    const row = set.first[t] ?? 0
    if (set.entry[row] !== row || set.failed[row] === 1) continue
    if ((set.endMs[row] ?? 0) - (set.startMs[row] ?? 0) > limitOf(limits, set, row)) slow.add(t)
  }
  return slow
}

/**
 * Part of the slow traces' additional time that goes with traffic, 0 to 1: what the load of each place explains,
 * and of what rose everywhere as much as of the traffic is new.
 */
function explainedPart(shifts: readonly TimeShift[], slow: ReadonlySet<number>, surge: EntryTraffic): number {
  const fresh = 1 - surge.before / surge.now
  let all = 0
  let explained = 0
  for (const { traces, load, commonRise, rise } of shifts) {
    if (rise <= 0) continue
    let excess = 0
    for (const [trace, ms] of traces) if (slow.has(trace)) excess += ms
    all += excess
    explained += excess * Math.min(1, (load.rise + fresh * commonRise) / rise)
  }
  return all === 0 ? 0 : explained / all
}
