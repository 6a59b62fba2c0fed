/** What users suffer: requests from outside that take longer than the baseline's tail, whatever the reason. */
import { sureness } from './finding.ts'
import { entryLimits, limitOf } from './impact.ts'
import type { TraceSet } from './trace-set.ts'
import { riseEvidence } from './two-sample.ts'

export interface EntryHurt {
  /** Sampled traces of the window whose first span is slower than the baseline's tail; failures are another matter. */
  readonly slow: ReadonlySet<number>
  /** The same of the baseline. */
  readonly before: number
  /** Evidence that the share rose beyond what is tolerated, nats. */
  readonly evidence: number
  /** 0 to 1: how sure, times how much. */
  readonly value: number
}

/** Share of requests that a busier hour may slow down before anybody calls it an incident. */
const tolerated = 0.05
/** Rise beyond it that is half of everything: one request in ten, as for errors. */
const halfRise = 0.1

/** `unusual`: the part of a service's slowness, by its number, that other days do not show at this time. */
export function entryHurt(
  window: TraceSet,
  baseline: TraceSet,
  unusual: (service: number) => number = () => 1,
): EntryHurt {
  const limits = entryLimits(baseline)
  const slow = slowTraces(window, limits)
  const slowBefore = slowTraces(baseline, limits)
  const before = slowBefore.size
  if (window.traces === 0 || baseline.traces === 0) return { slow, before, evidence: 0, value: 0 }
  const beyond = Math.max(0, shareOf(window, slow) - shareOf(baseline, slowBefore) - tolerated)
  const usual = before + tolerated * baseline.traces
  const evidence = riseEvidence(slow.size, window.traces, usual, baseline.traces)
  const value = sureness(evidence) * (beyond / (beyond + halfRise)) * meanOf(window, slow, unusual)
  return { slow, before, evidence, value }
}

/** Of the services that the traces enter by; 1 for no traces. */
function meanOf(set: TraceSet, traces: ReadonlySet<number>, valueAt: (service: number) => number): number {
  let sum = 0
  for (const trace of traces) sum += valueAt(set.service[set.first[trace] ?? 0] ?? 0)
  return traces.size === 0 ? 1 : sum / traces.size
}

/** Share of the requests that the traces stand for: a sampler may keep slow ones more often than others. */
function shareOf({ weight }: TraceSet, slow: ReadonlySet<number>): number {
  let hit = 0
  for (const trace of slow) hit += weight[trace] ?? 1
  return hit / weight.reduce((sum, one) => sum + one, 0)
}

function slowTraces(set: TraceSet, limits: ReadonlyMap<number, number>): ReadonlySet<number> {
  const slow = new Set<number>()
  for (let t = 0; t < set.traces; t++) {
    const row = set.first[t] ?? 0
    if (set.entry[row] !== row || set.failed[row] === 1) continue
    if ((set.endMs[row] ?? 0) - (set.startMs[row] ?? 0) > limitOf(limits, set, row)) slow.add(t)
  }
  return slow
}
