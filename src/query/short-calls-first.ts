/**
 * Threads that answer wait for the processor among those that take telemetry in, at full ingest ten times as long as they
 * then need it. Where the system lets them, they go first for as long as a call is short; one that computes for long has no
 * more right to the processor than what is being acknowledged meanwhile.
 */
import { getPriority, setPriority } from 'node:os'
import type { Deadline } from '../model/reader.ts'

/** Three times the share of a thread that it competes with. */
const firstNice = -5
/** Look-ups take some milliseconds, also when they have to wait; a diagnosis some hundred. */
const shortCallMs = 100

/** Of the thread that asks for it. */
export interface ThreadPriority {
  /** What the thread was started with. */
  readonly usualNice: number
  /** Whether the system allowed it. */
  set(nice: number): boolean
}

/** Null where threads have none of their own: elsewhere than on Linux it would be that of the process. */
export function threadPriority(): ThreadPriority | null {
  if (process.platform !== 'linux') return null
  return { usualNice: getPriority(0), set: isAllowed }
}

/** Needs CAP_SYS_NICE or a limit on nice; without, all threads stay equal. */
function isAllowed(nice: number): boolean {
  try {
    setPriority(0, nice)
    return true
  } catch {
    return false
  }
}

export class ShortCallsFirst {
  readonly #priority: ThreadPriority | null
  readonly #nowMs: () => number
  #isFirst = false
  #startedMs = 0

  constructor(priority: ThreadPriority | null, nowMs: () => number) {
    // A process that was made nice on purpose stays so, and one without the right is asked once.
    const mayGo = priority !== null && priority.usualNice === 0 && priority.set(firstNice)
    this.#priority = mayGo ? priority : null
    this.#isFirst = mayGo
    this.#nowMs = nowMs
  }

  /** To be told where a call begins; its deadline then sees that it has become a long one. */
  begin(deadline: Deadline): Deadline {
    if (this.#priority === null) return deadline
    this.#startedMs = this.#nowMs()
    return {
      signal: deadline.signal,
      check: () => {
        deadline.check()
        if (this.#isFirst && this.#nowMs() - this.#startedMs > shortCallMs) this.#go(false)
      },
    }
  }

  end(): void {
    if (!this.#isFirst) this.#go(true)
  }

  #go(first: boolean): void {
    if (this.#priority?.set(first ? firstNice : this.#priority.usualNice) === true) this.#isFirst = first
  }
}
