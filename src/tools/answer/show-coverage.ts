/** What an answer is based on, as shown, and what an empty window means. */
import type { Coverage, TelemetryReader } from '../../model/reader.ts'
import type { Signal } from '../../model/telemetry.ts'
import type { TimeRange } from '../../model/time.ts'
import { formatTime } from '../arguments/time-argument.ts'
import type { ShownCoverage, Status } from './draft.ts'

/** Data this much older than the end of the window means that its end is not covered. */
const staleMs = 60_000

function notesOf(coverage: Coverage, window: TimeRange): readonly string[] {
  const notes: string[] = []
  if (coverage.oldestMs === null) notes.push('nothing is stored')
  else if (window.fromMs < coverage.oldestMs)
    notes.push(`the oldest data is of ${formatTime(coverage.oldestMs)}`)
  if (coverage.newestMs !== null && coverage.newestMs < window.toMs - staleMs)
    notes.push(`the newest data is of ${formatTime(coverage.newestMs)}`)
  if (coverage.lagPositions > 0) notes.push('the newest requests are not readable yet')
  if (coverage.corruptSegments > 0) notes.push('corrupt segments were skipped')
  if (coverage.overflowing) notes.push('some names are over a limit and counted as _overflow')
  if (coverage.lostRequests > 0) notes.push('requests could not be read back from the inbox')
  return notes
}

export function showCoverage(coverage: Coverage, window: TimeRange | undefined): ShownCoverage {
  const notes = window === undefined ? [] : notesOf(coverage, window)
  return {
    ...(coverage.lagPositions > 0 ? { lag_ms: Math.round(coverage.lagMs) } : {}),
    ...(coverage.corruptItems > 0 ? { corrupt_items: coverage.corruptItems } : {}),
    ...(notes.length > 0 ? { notes } : {}),
  }
}

/** An empty answer's status and the sentence that says it. */
export interface Emptiness {
  readonly status: Exclude<Status, 'ok' | 'healthy'>
  readonly because: string
}

/**
 * Why a window holds nothing of these signals: it lies before the oldest kept; items were refused, so absence
 * proves nothing; or there simply was nothing.
 */
export async function explainEmptiness(
  reader: TelemetryReader,
  window: TimeRange,
  signals: readonly Signal[],
): Promise<Emptiness> {
  const coverage = await reader.coverage(window)
  const stored = coverage.perSignal.filter(entry => signals.includes(entry.signal))
  const nothing = stored.every(entry => entry.items === 0)
  if (nothing && coverage.oldestMs !== null && window.toMs <= coverage.oldestMs) {
    return {
      status: 'past_retention',
      because: `the oldest data kept is of ${formatTime(coverage.oldestMs)}`,
    }
  }
  const counters = (await reader.ingestCounters()).filter(entry => signals.includes(entry.signal))
  const lost = counters.reduce((sum, entry) => sum + entry.rejected + entry.refusedRetry + entry.invalid, 0)
  if (nothing && lost > 0) {
    return {
      status: 'not_kept',
      because: `nothing is stored for it, and ${lost} items or requests were refused since start; see diagnose_ingest`,
    }
  }
  return { status: 'nothing_in_window', because: whereDataIs(coverage, window) }
}

/** Said only of data before the window: what comes after it would change the answer at the same `as_of`. */
function whereDataIs({ oldestMs, newestMs }: Coverage, window: TimeRange): string {
  if (oldestMs === null || newestMs === null) return 'nothing is stored at all'
  if (newestMs < window.fromMs) return `the newest data is of ${formatTime(newestMs)}`
  return 'other data is stored'
}
