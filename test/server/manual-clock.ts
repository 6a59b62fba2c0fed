import type { Clock } from '../../src/model/time.ts'

/** A clock that tests set. */
export class ManualClock implements Clock {
  nowMs = 1_700_000_000_000

  now(): number {
    return this.nowMs
  }
}
