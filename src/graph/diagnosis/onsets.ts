/** When each service deviated, in order: causes by their own evidence, the others by the requests hit. */
import type { TimeRange } from '../../model/time.ts'
import { nextTowards } from './call-paths.ts'
import type { Candidate } from './candidates.ts'
import type { Onset } from './diagnosis.ts'
import type { Evidence } from './evidence.ts'
import type { Impact } from './impact.ts'

/** Services listed at most: the earliest tell the story. */
const maxOnsets = 12
/** Parts of the window in which requests are counted. */
const buckets = 24
/** Share of a bucket's requests, above the baseline's, from which the service counts as hit. */
const hitShare = 0.1
/** Below it a runner-up is noise: when that moved tells no story, and must not stand for when requests were hit. */
const leastScore = 0.1
/** A deviation that reaches into the last of this many parts of the window has not ended. */
const tailParts = 10

/** Who came first of two that lie nearer than this cannot be said. */
export function onsetPrecisionMs({ fromMs, toMs }: TimeRange): number {
  return (toMs - fromMs) / buckets
}

export function listOnsets(
  evidence: Evidence,
  causes: readonly Candidate[],
  impact: Impact,
): readonly Onset[] {
  const onsets = new Map<string, Moved>()
  for (const [rank, candidate] of causes.entries()) {
    if (rank > 0 && candidate.cause.score < leastScore) continue
    const onset = onsetOfCause(evidence, candidate)
    if (onset !== null && !onsets.has(onset.service)) onsets.set(onset.service, onset)
  }
  for (const [service, hit] of impact.services) {
    const name = evidence.names.text(service)
    if (onsets.has(name) || hit.share < hitShare / 2) continue
    const onset = onsetOfVictim(evidence, service, impact)
    if (onset !== null) onsets.set(name, onset)
  }
  const first = causes[0]?.cause.location.service ?? ''
  const firstMs = onsets.get(first)?.onsetMs
  const next = nextTowards(evidence.edges, first)
  return [...onsets.values()]
    .map(moved => ({
      ...moved,
      through: next.get(moved.service) ?? '',
      afterMs: firstMs === undefined ? null : moved.onsetMs - firstMs,
    }))
    .sort(
      (a, b) =>
        a.onsetMs - b.onsetMs ||
        Number(a.service !== first) - Number(b.service !== first) ||
        (a.service < b.service ? -1 : 1),
    )
    .slice(0, maxOnsets)
}

type Moved = Omit<Onset, 'through' | 'afterMs'>

function onsetOfCause(evidence: Evidence, { cause, findings, traces }: Candidate): Moved | null {
  if (cause.onsetMs === null) return null
  const name = findings[0]?.feature.name
  const signal =
    name === 'resource'
      ? 'resource'
      : name === 'error_origin' || name === 'unexplained_errors'
        ? 'errors'
        : name === 'error_logs'
          ? 'logs'
          : name === 'skipped_work' || name === 'new_branch'
            ? 'traces'
            : 'latency'
  return {
    service: cause.location.service,
    onsetMs: Math.round(cause.onsetMs),
    endMs: endOf(evidence, traces),
    signal,
  }
}

/** End of the last trace that shows it, null if that is the end of the window too. */
function endOf(evidence: Evidence, traces: ReadonlySet<number>): number | null {
  const { set, range } = evidence.window
  let last = Number.NEGATIVE_INFINITY
  for (const trace of traces) last = Math.max(last, set.endMs[set.first[trace] ?? 0] ?? last)
  const still = range.toMs - (range.toMs - range.fromMs) / tailParts
  return Number.isFinite(last) && last < still ? Math.round(last) : null
}

function onsetOfVictim(evidence: Evidence, service: number, impact: Impact): Moved | null {
  const { set, range } = evidence.window
  const width = onsetPrecisionMs(range)
  const entries = new Float64Array(buckets)
  const hits = new Float64Array(buckets)
  const failures = new Float64Array(buckets)
  for (let row = 0; row < set.spans; row++) {
    if (set.service[row] !== service || set.entry[row] !== row) continue
    const at = Math.floor(((set.startMs[row] ?? 0) - range.fromMs) / width)
    const bucket = Math.min(buckets - 1, Math.max(0, at))
    entries[bucket] = (entries[bucket] ?? 0) + 1
    hits[bucket] = (hits[bucket] ?? 0) + (impact.hit[row] ?? 0)
    failures[bucket] = (failures[bucket] ?? 0) + (set.failed[row] ?? 0)
  }
  const baseShare = impact.services.get(service)?.baseShare ?? 0
  const isHit = (i: number) =>
    (entries[i] ?? 0) > 0 && (hits[i] ?? 0) / (entries[i] ?? 1) > baseShare + hitShare
  let first = -1
  let last = -1
  for (let i = 0; i < buckets; i++) {
    if (!isHit(i)) continue
    if (first < 0) first = i
    last = i
  }
  if (first < 0) return null
  const failed = failures.reduce((sum, count) => sum + count, 0)
  const total = hits.reduce((sum, count) => sum + count, 0)
  return {
    service: evidence.names.text(service),
    onsetMs: Math.round(range.fromMs + first * width),
    endMs: last >= buckets - buckets / tailParts ? null : Math.round(range.fromMs + (last + 1) * width),
    signal: failed * 2 >= total ? 'errors' : 'latency',
  }
}
