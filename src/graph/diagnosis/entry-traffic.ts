/**
 * Requests from outside: traces by the service they enter first, per second of active time, and how that
 * changed. What the system was asked to do, as opposed to what it did.
 */
import type { TrafficChange } from './diagnosis.ts'
import type { Evidence } from './evidence.ts'
import type { Sample } from './sampling.ts'
import { roundTo } from './score.ts'
import { activeMs, stretchOf } from './windows.ts'

export interface EntryTraffic {
  /** Index into `Names`. */
  readonly service: number
  /** Requests per second. */
  readonly before: number
  readonly now: number
  /** Evidence that the rate changed at all, nats. */
  readonly evidence: number
  /** When the window's rate passed the middle between the two, milliseconds; null if it never did. */
  readonly onsetMs: number | null
}

/** Evidence from which a rate counts as changed, nats: one in twenty by chance. */
export const minTrafficNats = 3
/** Factor from which a change of traffic is worth a reader's time; less happens every hour. */
const tellingFactor = 1.5

/** What an answer tells of it. */
export function trafficChanges({
  names,
  traffic,
}: Pick<Evidence, 'names' | 'traffic'>): readonly TrafficChange[] {
  return traffic
    .filter(
      ({ before, now, evidence }) =>
        evidence >= minTrafficNats && Math.max(before, now) >= tellingFactor * Math.min(before, now),
    )
    .map(({ service, before, now, onsetMs }) => ({
      service: names.text(service),
      beforePerS: roundTo(before, 2),
      nowPerS: roundTo(now, 2),
      onsetMs,
    }))
}

/** Entry services of both windows, largest change first, ties by index. Empty if a sampler hides the rates. */
export function entryTraffic(window: Sample, baseline: Sample): readonly EntryTraffic[] {
  if (window.sampledAtSource || baseline.sampledAtSource) return []
  const stretchMs = stretchOf(window.parts)
  const now = entriesOf(window)
  const before = entriesOf(baseline)
  const seconds = {
    now: activeSeconds(now, window, stretchMs),
    before: activeSeconds(before, baseline, stretchMs),
  }
  const found: EntryTraffic[] = []
  for (const service of new Set([...now.keys(), ...before.keys()])) {
    const starts = now.get(service) ?? []
    const earlier = before.get(service)?.length ?? 0
    const rates = {
      before: perSecond(earlier, seconds.before, baseline.kept),
      now: perSecond(starts.length, seconds.now, window.kept),
    }
    const evidence = rateEvidence(
      starts.length,
      seconds.now * window.kept,
      earlier,
      seconds.before * baseline.kept,
    )
    const middle = ((rates.before + rates.now) / 2) * (stretchMs / 1000) * window.kept
    const onsetMs = rates.now > rates.before ? passing(starts, stretchMs, middle, window.range.fromMs) : null
    found.push({ service, ...rates, evidence, onsetMs })
  }
  return found.sort((a, b) => change(b) - change(a) || a.service - b.service)
}

function change({ before, now }: EntryTraffic): number {
  return Math.abs(now - before)
}

/** Start times of traces by the service of their first span. */
function entriesOf({ set }: Sample): Map<number, number[]> {
  const starts = new Map<number, number[]>()
  for (let t = 0; t < set.traces; t++) {
    const row = set.first[t] ?? 0
    const service = set.service[row] ?? 0
    const list = starts.get(service)
    if (list === undefined) starts.set(service, [set.startMs[row] ?? 0])
    else list.push(set.startMs[row] ?? 0)
  }
  return starts
}

function activeSeconds(
  starts: ReadonlyMap<number, readonly number[]>,
  { parts }: Sample,
  stretchMs: number,
): number {
  return activeMs(starts.values(), parts, stretchMs) / 1000
}

function perSecond(count: number, seconds: number, kept: number): number {
  return seconds <= 0 ? 0 : count / seconds / kept
}

/** How much better two rates explain two counts than one rate does, nats; Poisson. */
function rateEvidence(count: number, time: number, baseCount: number, baseTime: number): number {
  const all = count + baseCount
  if (all === 0 || time <= 0 || baseTime <= 0) return 0
  const part = (n: number, t: number) => (n === 0 ? 0 : n * Math.log((n / all) * ((time + baseTime) / t)))
  return Math.max(0, part(count, time) + part(baseCount, baseTime))
}

/** Start of the first stretch with more than so many, or of the window if that comes later. */
function passing(starts: readonly number[], stretchMs: number, more: number, fromMs: number): number | null {
  const counts = new Map<number, number>()
  for (const start of starts) {
    const stretch = Math.floor(start / stretchMs)
    counts.set(stretch, (counts.get(stretch) ?? 0) + 1)
  }
  const passed = [...counts].filter(([, count]) => count > more).map(([stretch]) => stretch)
  return passed.length === 0 ? null : Math.max(fromMs, Math.min(...passed) * stretchMs)
}
