/**
 * Increases of one cumulative series. Points are kept as runs: stretches of time whose first and last point
 * are known, so that points may arrive forwards, backwards, or one stretch after another, and every increase
 * lands in the window of the point that ends it.
 */

/** Points further apart than this belong to different runs: an increase over hours says nothing about a window. */
export const maxPointGapMs = 3_600_000

/** Stretches one series remembers; the one used longest ago is forgotten first. */
export const maxRunsPerSeries = 4

/** A counter that started at most this long before its first point began with it, so its value is its increase. */
export const freshCounterMs = 120_000

export interface CumulativePoint {
  readonly timeMs: number
  /** 0 if not given. */
  readonly startMs: number
  readonly value: number
  /** Observations of a histogram; 0 for sums. */
  readonly count: number
}

export interface Increase {
  /** Time of the point that ends it. */
  readonly timeMs: number
  readonly value: number
  readonly count: number
  /** The counter began anew between the two points. */
  readonly reset: boolean
}

/** Plain numbers instead of two points: they change with every point, and none of that is garbage. */
interface Run {
  firstMs: number
  firstStartMs: number
  firstValue: number
  firstCount: number
  lastMs: number
  lastValue: number
  lastCount: number
}

/** What `add` found last; made once, because points come by the million. */
const found = { timeMs: 0, value: 0, count: 0, reset: false }

export class CumulativeSeries {
  readonly #runs: Run[] = []

  /** Takes a point; returns the increase it reveals, null if it reveals none (yet). It holds until the next call. */
  add(point: CumulativePoint): Increase | null {
    const { timeMs, startMs, value, count } = point
    const run = this.#runAt(timeMs)
    if (run === null) return this.#begin(point)
    if (timeMs > run.lastMs) {
      const { lastMs, lastValue, lastCount } = run
      run.lastMs = timeMs
      run.lastValue = value
      run.lastCount = count
      return increase(timeMs, value - lastValue, count - lastCount, startMs > lastMs, value, count)
    }
    if (timeMs >= run.firstMs) return null
    const { firstMs, firstStartMs, firstValue, firstCount } = run
    run.firstMs = timeMs
    run.firstStartMs = startMs
    run.firstValue = value
    run.firstCount = count
    if (isFresh(firstMs, firstStartMs)) return null
    const restarted = firstStartMs > timeMs
    return increase(firstMs, firstValue - value, firstCount - count, restarted, firstValue, firstCount)
  }

  /** The run that the time belongs to, which is the first of all afterwards. */
  #runAt(timeMs: number): Run | null {
    const runs = this.#runs
    for (let at = 0; at < runs.length; at++) {
      const run = runs[at]
      if (run === undefined || timeMs < run.firstMs - maxPointGapMs || timeMs > run.lastMs + maxPointGapMs)
        continue
      if (at > 0) {
        runs.splice(at, 1)
        runs.unshift(run)
      }
      return run
    }
    return null
  }

  #begin({ timeMs, startMs, value, count }: CumulativePoint): Increase | null {
    this.#runs.unshift({
      firstMs: timeMs,
      firstStartMs: startMs,
      firstValue: value,
      firstCount: count,
      lastMs: timeMs,
      lastValue: value,
      lastCount: count,
    })
    if (this.#runs.length > maxRunsPerSeries) this.#runs.pop()
    return isFresh(timeMs, startMs) ? increase(timeMs, value, count, false, value, count) : null
  }
}

function isFresh(timeMs: number, startMs: number): boolean {
  return startMs > 0 && timeMs - startMs <= freshCounterMs
}

/** By so much more than before, unless the counter began anew: then `whole` and `wholeCount` are what it counted. */
function increase(
  timeMs: number,
  more: number,
  moreCount: number,
  restarted: boolean,
  whole: number,
  wholeCount: number,
): Increase {
  found.timeMs = timeMs
  found.reset = restarted || more < 0 || moreCount < 0
  found.value = found.reset ? whole : more
  found.count = found.reset ? wholeCount : moreCount
  return found
}
