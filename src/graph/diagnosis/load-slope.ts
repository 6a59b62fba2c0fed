/**
 * How much one figure of a request goes with another: the slope within short stretches of time (analysis of
 * covariance with stretches as groups; Fisher, "Statistical Methods for Research Workers", 4th edition, 1932).
 * What drifts together over a whole window, or steps up at the same moment, is no relation here; what goes up and
 * down together from one moment to the next is.
 */

/** Two figures of each request, in columns. */
export interface Points {
  readonly x: Float64Array
  readonly y: Float64Array
  /** Values of one trace share a weight of one. */
  readonly weight: Float64Array
  /** Number of the stretch, of whichever window. */
  readonly stretch: Float64Array
}

export interface Slope {
  readonly slope: number
  /** Square of its standard error; infinite where nothing varies. */
  readonly variance: number
}

export function slopeWithin(points: Points): Slope {
  const { x, y, weight } = points
  let xx = 0
  let xy = 0
  let yy = 0
  let freedom = -1
  for (const group of stretchesOf(points)) {
    let weights = 0
    let sumX = 0
    let sumY = 0
    for (const at of group) {
      weights += weight[at] as number
      sumX += (x[at] as number) * (weight[at] as number)
      sumY += (y[at] as number) * (weight[at] as number)
    }
    const meanX = sumX / weights
    const meanY = sumY / weights
    for (const at of group) {
      const byX = (x[at] as number) - meanX
      const byY = (y[at] as number) - meanY
      xx += (weight[at] as number) * byX ** 2
      xy += (weight[at] as number) * byX * byY
      yy += (weight[at] as number) * byY ** 2
    }
    freedom += weights - 1
  }
  if (xx <= 0 || freedom <= 0) return { slope: 0, variance: Number.POSITIVE_INFINITY }
  const slope = xy / xx
  return { slope, variance: Math.max(0, yy - slope * xy) / freedom / xx }
}

/** Places of the points of each stretch, stretches in the order they are met. */
function stretchesOf({ stretch }: Points): readonly (readonly number[])[] {
  const stretches = new Map<number, number[]>()
  let last: number[] = []
  for (let at = 0; at < stretch.length; at++) {
    const number = stretch[at] as number
    if (at === 0 || number !== stretch[at - 1]) {
      last = stretches.get(number) ?? []
      stretches.set(number, last)
    }
    last.push(at)
  }
  return [...stretches.values()]
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
