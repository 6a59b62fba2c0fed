/** Findings from charged time: which service, or the way to it, takes longer than it used to. */

import type { EvidenceHandle, Measured } from './diagnosis.ts'
import type { Evidence } from './evidence.ts'
import {
  type Finding,
  makeFeature,
  onsetOf,
  reports,
  soleInstance,
  sureness,
  traceHandle,
} from './finding.ts'
import type { TimeShift } from './time-shift.ts'
import { traceDurations } from './trace-set.ts'

/** One finding per service and kind: its own time (or a peer's), and the gap on the way to it. */
export function timeFeatures(evidence: Evidence): readonly Finding[] {
  const durations = traceDurations(evidence.window.set)
  const perOwner = new Map<number, TimeShift[]>()
  for (const shift of evidence.time) {
    const list = perOwner.get(shift.key.owner)
    if (list === undefined) perOwner.set(shift.key.owner, [shift])
    else list.push(shift)
  }
  const findings: Finding[] = []
  for (const [owner, shifts] of perOwner) {
    const exposed = exposedMs(evidence, shifts, durations)
    const own = shifts.filter(shift => shift.key.kind !== 'gap')
    const gap = shifts.filter(shift => shift.key.kind === 'gap')
    for (const part of [own, gap]) {
      const best = part[0]
      if (best !== undefined) findings.push(findingOf(evidence, owner, part, best, exposed))
    }
  }
  return findings
}

function findingOf(
  evidence: Evidence,
  owner: number,
  shifts: readonly TimeShift[],
  best: TimeShift,
  exposedMs: number,
): Finding {
  const { names } = evidence
  const traces = new Set<number>()
  let weighted = 0
  for (const shift of shifts) {
    for (const [trace, ms] of shift.traces) {
      traces.add(trace)
      weighted += ms * sureness(shift.evidence) * shift.ownPart
    }
  }
  const service = names.text(owner)
  const gap = best.key.kind === 'gap'
  const onlyCaller = new Set(shifts.map(shift => shift.key.caller)).size === 1
  const unusual = evidence.habits.slowness(service)
  const measured = {
    slow_requests: best.beyond,
    requests: best.total,
    baseline_slow_requests: best.baseBeyond,
    baseline_requests: best.baseTotal,
    limit_ms: best.limitMs,
    baseline_median_ms: best.medianMs,
    excess_ms: [...best.traces.values()].reduce((sum, ms) => sum + ms, 0) / Math.max(1, best.traces.size),
    own_part: best.ownPart,
    ...loadOf(best),
    ...(unusual < 1 ? { part_not_usual_at_this_time: unusual } : {}),
    evidence_nats: best.evidence,
  }
  const operation = names.text(best.key.operation)
  const handles: readonly EvidenceHandle[] = [
    ...traceHandle(evidence, traces),
    ...(operation === '' ? [] : [{ kind: 'operation', service, operation } as const]),
  ]
  const value = exposedMs > 0 ? (weighted / exposedMs) * unusual : 0
  return {
    service,
    peer: best.key.kind === 'peer' && !reports(evidence, owner),
    feature: makeFeature(gap ? 'network_gap' : 'own_time', value, measured, handles),
    place: {
      operation,
      caller: gap && onlyCaller ? names.text(best.key.caller) : '',
      instance: soleInstance(evidence, owner, traces),
    },
    traces,
    onsetMs: onsetOf(evidence, traces),
  }
}

/** What more traffic explains, where it explains anything: rise of the share, and requests that came before. */
function loadOf({ load }: TimeShift): Measured {
  if (load.rise === 0) return {}
  return {
    slow_share_by_traffic: load.rise,
    requests_before_each: load.now,
    baseline_requests_before_each: load.before,
    counted_over_ms: load.horizonMs,
  }
}

/** Time of all traces that came by the service where it became slow, milliseconds. */
function exposedMs(evidence: Evidence, shifts: readonly TimeShift[], durations: Float64Array): number {
  const keys = new Set(shifts.map(shift => shift.key))
  const operations = new Set(shifts.map(shift => `${shift.key.owner} ${shift.key.operation}`))
  const exposed = new Set<number>()
  for (const sample of evidence.charges.values()) {
    const same = keys.has(sample.key) || operations.has(`${sample.key.owner} ${sample.key.operation}`)
    if (same) for (const trace of sample.trace) exposed.add(trace)
  }
  for (const shift of shifts) for (const trace of shift.traces.keys()) exposed.add(trace)
  let sum = 0
  for (const trace of exposed) sum += durations[trace] ?? 0
  return sum
}
