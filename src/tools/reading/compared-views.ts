/** Rollups of the window and of its baseline, in windows of the same width. */
import type { ComparedViews } from '../../graph/compared-views.ts'
import { defaultBaseline, stepFor, withoutOverlap } from '../../graph/diagnosis/windows.ts'
import type { RollupTotals, RollupView, TotalKind } from '../../model/rollup.ts'
import type { TimeRange } from '../../model/time.ts'
import type { ToolContext } from '../tool.ts'

export interface OpenedViews extends ComparedViews {
  readonly window: RollupView
  readonly baseline: RollupView
  /** As named by the caller, or the time before the window. */
  readonly baselineRange: TimeRange
}

type Step = 10 | 60 | 600

/** The narrowest width that rollups are kept in and that is not below this. */
export function asStep(seconds: number): Step {
  return seconds <= 10 ? 10 : seconds <= 60 ? 60 : 600
}

/** In windows of `finest` seconds if it is given, else as wide as keeps each side below some hundreds of them. */
export async function openViews(
  { reader, window, baseline, deadline }: ToolContext,
  finest?: Step,
): Promise<OpenedViews> {
  const baselineRange = withoutOverlap(baseline ?? defaultBaseline(window), window)
  const wanted = finest ?? asStep(Math.max(stepFor(window), stepFor(baselineRange)))
  let view = await reader.rollups(window, wanted)
  let base = await reader.rollups(baselineRange, wanted)
  deadline.check()
  // Older data is kept in coarser windows; then both sides are read as coarsely.
  const coarser = Math.max(view.stepSeconds, base.stepSeconds)
  if (view.stepSeconds < coarser) view = await reader.rollups(window, asStep(coarser))
  if (base.stepSeconds < coarser) base = await reader.rollups(baselineRange, asStep(coarser))
  return { window: view, baseline: base, baselineRange }
}

export interface OpenedTotals {
  readonly window: RollupTotals
  readonly baseline: RollupTotals
  readonly baselineRange: TimeRange
}

/** The same added up over time, for what looks at no single window. */
export async function openTotals(
  { reader, window, baseline, deadline }: ToolContext,
  kinds: readonly TotalKind[],
): Promise<OpenedTotals> {
  const baselineRange = withoutOverlap(baseline ?? defaultBaseline(window), window)
  const wanted = asStep(Math.max(stepFor(window), stepFor(baselineRange)))
  let sums = await reader.totals(window, wanted, kinds)
  let base = await reader.totals(baselineRange, wanted, kinds)
  deadline.check()
  const coarser = Math.max(sums.windowSeconds, base.windowSeconds)
  if (sums.windowSeconds < coarser) sums = await reader.totals(window, asStep(coarser), kinds)
  if (base.windowSeconds < coarser) base = await reader.totals(baselineRange, asStep(coarser), kinds)
  return { window: sums, baseline: base, baselineRange }
}
