import type { TimeRange } from '../model/time.ts'

/** Whether items of these times, the newest included, may lie in the range. */
export function touches(
  times: { readonly minTimeMs: number; readonly maxTimeMs: number },
  range: TimeRange,
): boolean {
  return times.minTimeMs < range.toMs && times.maxTimeMs >= range.fromMs
}
