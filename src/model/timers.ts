/** When something happens later; tests and the simulation pass their own. */
import { setImmediate as nextTurn } from 'node:timers/promises'

export interface Timers {
  /** Calls `run` once, `ms` milliseconds from now; what it returns calls it off. */
  after(ms: number, run: () => void): () => void
  /** Calls `run` once everything that waits now has had its turn. */
  soon(run: () => void): void
  /** Resolves as `soon` would call. */
  nextTurn(): Promise<void>
  /** Milliseconds from some moment on, never going back: for measuring stretches of work. */
  elapsedMs(): number
}

export const systemTimers: Timers = {
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
  soon(run) {
    setImmediate(run)
  },
  nextTurn: async () => nextTurn(),
  elapsedMs: () => performance.now(),
}
