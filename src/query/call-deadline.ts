/** The deadline of one call inside a worker: a time, and a flag another thread can raise. */
import type { Deadline } from '../model/reader.ts'
import type { Clock } from '../model/time.ts'

/** Thrown by `check`; the worker answers `stopped`. */
export class CallStopped extends Error {
  constructor() {
    super('the call was given up')
    this.name = 'CallStopped'
  }
}

export interface CallDeadline extends Deadline {
  /** Makes `check` throw from now on. */
  stop(): void
}

/** `flag[0]` holds the id of the call to give up; `deadlineMs` is compared with `clock`. */
export function createCallDeadline(
  id: number,
  deadlineMs: number,
  flag: Int32Array,
  clock: Clock,
): CallDeadline {
  const controller = new AbortController()
  return {
    signal: controller.signal,
    stop: () => controller.abort(),
    check() {
      if (!controller.signal.aborted && Atomics.load(flag, 0) !== id && clock.now() < deadlineMs) return
      controller.abort()
      throw new CallStopped()
    },
  }
}
