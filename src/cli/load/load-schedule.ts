/** When each request of a load is to be sent, and how far the time that items tell has come by then. */

export interface Burst {
  /** Times the usual rate. */
  readonly factor: number
  readonly seconds: number
}

export interface Schedule {
  /** Milliseconds after the start at which the n-th part of a load, as time at the usual rate, is due. */
  dueMs(usualMs: number): number
  /** Usual milliseconds in the whole load: what is due in its duration. */
  readonly usualMs: number
}

/** A burst lies in the middle of the load; before and after it the rate is the usual one. */
export function schedule(durationMs: number, burst: Burst | null): Schedule {
  if (burst === null) return { dueMs: usualMs => usualMs, usualMs: durationMs }
  const burstMs = Math.min(durationMs, burst.seconds * 1_000)
  const beginMs = (durationMs - burstMs) / 2
  const extraMs = burstMs * (burst.factor - 1)
  return {
    usualMs: durationMs + extraMs,
    dueMs(usualMs) {
      if (usualMs <= beginMs) return usualMs
      if (usualMs < beginMs + burstMs * burst.factor) return beginMs + (usualMs - beginMs) / burst.factor
      return usualMs - extraMs
    },
  }
}
