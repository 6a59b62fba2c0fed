/** How much a counter grew between two points of a series. */

export interface CounterPoint {
  readonly timeMs: number
  /** Start of the interval it counts over; 0 if not said. */
  readonly startMs: number
  readonly value: number
}

/**
 * Growth of a cumulative counter from `previous` to `point`. A start time that moved behind the previous
 * point, or a value that fell, is a reset: all of the new value came after it (OpenTelemetry metrics data
 * model, "Resets and Gaps"; Prometheus counts a fall the same way). Without a previous point the growth is
 * known only if the counter began at or after `sinceMs`; else NaN.
 */
export function cumulativeGrowth(
  previous: CounterPoint | undefined,
  point: CounterPoint,
  sinceMs: number,
): number {
  if (previous === undefined)
    return point.startMs >= sinceMs && point.startMs < point.timeMs ? point.value : Number.NaN
  return isReset(previous, point) ? point.value : point.value - previous.value
}

export function isReset(previous: CounterPoint, point: CounterPoint): boolean {
  if (point.value < previous.value) return true
  return point.startMs > previous.startMs && point.startMs >= previous.timeMs
}
