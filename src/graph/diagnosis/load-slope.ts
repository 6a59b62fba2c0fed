/**
 * How much one figure of a request goes with another: the slope within short stretches of time (analysis of
 * covariance with stretches as groups; Fisher, "Statistical Methods for Research Workers", 4th edition, 1932).
 * What drifts together over a whole window, or steps up at the same moment, is no relation here; what goes up and
 * down together from one moment to the next is.
 */

export interface Point {
  readonly x: number
  readonly y: number
  /** Values of one trace share a weight of one. */
  readonly weight: number
  /** Which stretch of which window. */
  readonly stretch: string
}

export interface Slope {
  readonly slope: number
  /** Square of its standard error; infinite where nothing varies. */
  readonly variance: number
}

export function slopeWithin(points: readonly Point[]): Slope {
  let xx = 0
  let xy = 0
  let yy = 0
  let freedom = -1
  for (const group of Map.groupBy(points, point => point.stretch).values()) {
    const weights = group.reduce((sum, { weight }) => sum + weight, 0)
    const meanX = group.reduce((sum, { x, weight }) => sum + x * weight, 0) / weights
    const meanY = group.reduce((sum, { y, weight }) => sum + y * weight, 0) / weights
    for (const { x, y, weight } of group) {
      xx += weight * (x - meanX) ** 2
      xy += weight * (x - meanX) * (y - meanY)
      yy += weight * (y - meanY) ** 2
    }
    freedom += weights - 1
  }
  if (xx <= 0 || freedom <= 0) return { slope: 0, variance: Number.POSITIVE_INFINITY }
  const slope = xy / xx
  return { slope, variance: Math.max(0, yy - slope * xy) / freedom / xx }
}

/** The slope and what was expected of it, which may be off by as much as it is, each by its precision. */
export function leaningOn({ slope, variance }: Slope, expected: number): number {
  const doubt = expected ** 2
  if (!Number.isFinite(variance)) return expected
  return variance + doubt <= 0 ? slope : (slope * doubt + expected * variance) / (variance + doubt)
}

/** The slope shrunk by how well it is known: by `t^2 / (1 + t^2)`, t being the slope in its standard errors. */
export function shrunk({ slope, variance }: Slope): number {
  if (!Number.isFinite(variance) || slope === 0) return 0
  return slope * (slope ** 2 / (slope ** 2 + variance))
}
