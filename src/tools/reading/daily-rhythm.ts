/** Leaves out anomalies that other days show at the same time. */
import type { Anomaly } from '../../graph/anomalies.ts'
import { isUsualAtThisTime, type OtherDay, otherDaysBefore, rangesOn } from '../../graph/rhythm.ts'
import type { ToolContext } from '../tool.ts'
import { asStep, type OpenedViews } from './compared-views.ts'

export interface UnusualAnomalies {
  readonly anomalies: readonly Anomaly[]
  /** For the answer's notes: how many were left out; empty if none was. */
  readonly notes: readonly string[]
}

/** Reads history only if something is abnormal, and only of the times at which it is. */
export async function withoutDailyRhythm(
  { reader, window, deadline }: ToolContext,
  views: OpenedViews,
  anomalies: readonly Anomaly[],
): Promise<UnusualAnomalies> {
  if (anomalies.length === 0) return { anomalies, notes: [] }
  const step = asStep(views.window.stepSeconds)
  const about = { windowEndMs: window.toMs, baseline: views.baselineRange }
  const days: OtherDay[] = []
  for (const daysBefore of otherDaysBefore) {
    const ranges = rangesOn(daysBefore, anomalies, about)
    const other = await reader.rollups(ranges.window, step)
    const baseline = await reader.rollups(ranges.baseline, step)
    deadline.check()
    days.push({ daysBefore, window: other, baseline })
  }
  const unusual = anomalies.filter(one => !isUsualAtThisTime(one, window.toMs, days))
  const usual = anomalies.length - unusual.length
  const notes = usual === 0 ? [] : [`left out: ${usual} that other days show at this time too`]
  return { anomalies: unusual, notes }
}
