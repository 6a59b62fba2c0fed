/** How much of what requests wait for each service is, on two sides of a comparison. */
import type { Names } from '../../graph/diagnosis/names.ts'
import type { Patience } from '../../graph/diagnosis/patience.ts'
import type { TraceSet } from '../../graph/diagnosis/trace-set.ts'
import { criticalShares } from '../../graph/scenario/critical-path.ts'
import { differenceInterval, meanEstimate } from '../../graph/share-interval.ts'
import { type Difference, significance } from './differences.ts'

/** Part of the critical path that has to move to matter. */
const leastShare = 0.05
/** Traces on each side below which a share is an anecdote. */
const leastTraces = 20

export interface CriticalSide {
  readonly set: TraceSet
  /** Traces that count; all if not given. */
  readonly traces?: ReadonlySet<number>
}

/** Of all services, or of one; unordered. Both sets share `names`. */
export function compareCritical(
  after: CriticalSide,
  before: CriticalSide,
  names: Names,
  service: string | undefined,
  patience: Patience,
): readonly Difference[] {
  const now = criticalShares(after.set, patience)
  const then = criticalShares(before.set, patience)
  const tracesOf = ({ set, traces }: CriticalSide): readonly number[] =>
    traces === undefined ? [...set.traceIds.keys()] : [...traces].sort((a, b) => a - b)
  const nowTraces = tracesOf(after)
  const thenTraces = tracesOf(before)
  if (nowTraces.length < leastTraces || thenTraces.length < leastTraces) return []
  const wanted = [...new Set([...now.keys(), ...then.keys()])].filter(
    id => service === undefined || names.text(id) === service,
  )
  return wanted.flatMap((id): Difference[] => {
    const share = meanEstimate(nowTraces.map(trace => now.get(id)?.get(trace) ?? 0))
    const base = meanEstimate(thenTraces.map(trace => then.get(id)?.get(trace) ?? 0))
    const change = share.value - base.value
    // One trace more or less with another share would move a mean without any spread.
    const error = Math.hypot(share.error, base.error, 1 / Math.min(nowTraces.length, thenTraces.length) / 2)
    if (Math.abs(change) < leastShare || Math.abs(change) / error < significance) return []
    // Where one has more, others have less; that is said of a service that was asked about.
    if (change < 0 && service === undefined) return []
    const { low, high } = differenceInterval(share, base)
    return [
      {
        kind: change > 0 ? 'more_critical' : 'less_critical',
        of: 'service',
        service: names.text(id),
        name: '',
        before: base.value * 100,
        after: share.value * 100,
        unit: 'critical_path_pct',
        change: { low: low * 100, high: high * 100 },
        // Shares hardly scatter, so by standard errors alone they would outrank what users feel.
        strength: Math.min(Math.abs(change) / error, Math.abs(change) / leastShare),
      },
    ]
  })
}
