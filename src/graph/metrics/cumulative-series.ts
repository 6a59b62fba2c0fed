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

interface Run {
  first: CumulativePoint
  last: CumulativePoint
}

export class CumulativeSeries {
  readonly #runs: Run[] = []

  /** Takes a point; returns the increase it reveals, null if it reveals none (yet). */
  add(point: CumulativePoint): Increase | null {
    const at = this.#runs.findIndex(
      run =>
        point.timeMs >= run.first.timeMs - maxPointGapMs && point.timeMs <= run.last.timeMs + maxPointGapMs,
    )
    const run = this.#runs[at]
    if (run === undefined) return this.#begin(point)
    if (at > 0) {
      this.#runs.splice(at, 1)
      this.#runs.unshift(run)
    }
    if (point.timeMs > run.last.timeMs) {
      const before = run.last
      run.last = point
      return between(before, point)
    }
    if (point.timeMs < run.first.timeMs) {
      const after = run.first
      run.first = point
      return isFresh(after) ? null : between(point, after)
    }
    return null
  }

  #begin(point: CumulativePoint): Increase | null {
    this.#runs.unshift({ first: point, last: point })
    if (this.#runs.length > maxRunsPerSeries) this.#runs.pop()
    if (!isFresh(point)) return null
    return { timeMs: point.timeMs, value: point.value, count: point.count, reset: false }
  }
}

function isFresh(point: CumulativePoint): boolean {
  return point.startMs > 0 && point.timeMs - point.startMs <= freshCounterMs
}

function between(before: CumulativePoint, after: CumulativePoint): Increase {
  const restarted = after.startMs > before.timeMs
  const reset = restarted || after.value < before.value || after.count < before.count
  return {
    timeMs: after.timeMs,
    value: reset ? after.value : after.value - before.value,
    count: reset ? after.count : after.count - before.count,
    reset,
  }
}
