/** Rollups of the window and of its baseline, in windows of the same width. */
import type { ComparedViews } from '../../graph/compared-views.ts'
import { defaultBaseline, stepFor, withoutOverlap } from '../../graph/diagnosis/windows.ts'
import type { RollupView } from '../../model/rollup.ts'
import type { TimeRange } from '../../model/time.ts'
import type { ToolContext } from '../tool.ts'

export interface OpenedViews extends ComparedViews {
  readonly window: RollupView
  readonly baseline: RollupView
  /** As named by the caller, or the time before the window. */
  readonly baselineRange: TimeRange
}

type Step = 10 | 60 | 600

function asStep(seconds: number): Step {
  return seconds <= 10 ? 10 : seconds <= 60 ? 60 : 600
}

export async function openViews({ reader, window, baseline, deadline }: ToolContext): Promise<OpenedViews> {
  const baselineRange = withoutOverlap(baseline ?? defaultBaseline(window), window)
  const wanted = asStep(Math.max(stepFor(window), stepFor(baselineRange)))
  let view = await reader.rollups(window, wanted)
  let base = await reader.rollups(baselineRange, wanted)
  deadline.check()
  // Older data is kept in coarser windows; then both sides are read as coarsely.
  const coarser = Math.max(view.stepSeconds, base.stepSeconds)
  if (view.stepSeconds < coarser) view = await reader.rollups(window, asStep(coarser))
  if (base.stepSeconds < coarser) base = await reader.rollups(baselineRange, asStep(coarser))
  return { window: view, baseline: base, baselineRange }
}
