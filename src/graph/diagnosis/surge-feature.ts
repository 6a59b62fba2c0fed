/**
 * Findings from traffic: a flood from outside is not the fault of those whom it slows down, nor of the service it
 * enters by. It is an incident only if the system's own entry requests suffer, and only as far as it explains
 * what they suffer from; what it does not explain stays with the place where it shows.
 */
import { type EntryTraffic, minTrafficNats } from './entry-traffic.ts'
import type { Evidence } from './evidence.ts'
import { type Finding, makeFeature, traceHandle } from './finding.ts'
import type { TimeShift } from './time-shift.ts'

/** One finding at most: about the entry that brought most of the additional requests. */
export function surgeFeature(evidence: Evidence): readonly Finding[] {
  const { hurt, shifts } = evidence
  const surge = evidence.traffic.find(one => one.now > one.before)
  if (surge === undefined || surge.before <= 0 || surge.evidence < minTrafficNats) return []
  const explained = explainedPart(shifts, hurt.slow, surge)
  const value = hurt.value * explained
  return value === 0 ? [] : [findingOf(evidence, surge, value, explained)]
}

function findingOf(evidence: Evidence, surge: EntryTraffic, value: number, explained: number): Finding {
  const { hurt, window, baseline } = evidence
  const measured = {
    requests_per_s: surge.now,
    baseline_requests_per_s: surge.before,
    slow_requests: hurt.slow.size,
    requests: window.set.traces,
    baseline_slow_requests: hurt.before,
    baseline_requests: baseline.set.traces,
    traffic_explains: explained,
    evidence_nats: hurt.evidence,
  }
  return {
    service: evidence.names.text(surge.service),
    peer: false,
    feature: makeFeature('entry_traffic', value, measured, traceHandle(evidence, hurt.slow)),
    place: {},
    traces: hurt.slow,
    onsetMs: surge.onsetMs,
  }
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
