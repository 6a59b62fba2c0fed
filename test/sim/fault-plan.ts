/** Which faults a seed has, and when each strikes. Every kind is off in half of the seeds, so that pairs meet alone. */
import type { SeededChoice } from '../seeded-choice.ts'

export interface FaultPlan {
  /** Share of network messages lost, and of those delivered twice. */
  readonly dropped: number
  readonly doubled: number
  /** Longest delay of a network message, milliseconds. */
  readonly delayMs: number
  /** Steps that change the world before the process dies of itself: at most so many; 0: never. */
  readonly stepsToDeath: number
  /** Of deaths, those that take the machine's power with them. */
  readonly powerLoss: number
  /** Mean time between the deaths of the engine's thread alone, milliseconds; 0: never. */
  readonly engineDeathMs: number
  /** Mean time between orderly stops, milliseconds; 0: never. */
  readonly stopMs: number
  /** Share of changes of the store that fail before, and of those that fail after they were made. */
  readonly storeRefuses: number
  readonly storeLosesAnswer: number
  /** Longest a change of the store takes, milliseconds. */
  readonly storeMs: number
  /** Share of the inbox's commits that fail while writing, and while syncing. */
  readonly writeFails: number
  readonly syncFails: number
  /** Mean time between full disks, milliseconds; 0: never. */
  readonly fullDiskMs: number
  /** Mean time between jumps of the wall clock, milliseconds; 0: never. */
  readonly clockJumpMs: number
  /** Bound of the inbox, bytes. */
  readonly inboxBytes: number
  /** Pages of the event loop's turns: how much a message between threads is held up at most, milliseconds. */
  readonly threadDelayMs: number
}

export function planFaults(choice: SeededChoice): FaultPlan {
  const sometimes = (value: () => number): number => (choice.chance(0.5) ? value() : 0)
  return {
    dropped: sometimes(() => 0.3 * choice.next()),
    doubled: sometimes(() => 0.3 * choice.next()),
    delayMs: 5 + sometimes(() => 400 * choice.next()),
    stepsToDeath: sometimes(() => 5 + choice.below(120)),
    powerLoss: sometimes(() => choice.next()),
    engineDeathMs: sometimes(() => 300 + choice.below(2_000)),
    stopMs: sometimes(() => 1_000 + choice.below(4_000)),
    storeRefuses: sometimes(() => 0.4 * choice.next()),
    storeLosesAnswer: sometimes(() => 0.3 * choice.next()),
    storeMs: sometimes(() => 600 * choice.next()),
    writeFails: sometimes(() => 0.15 * choice.next()),
    syncFails: sometimes(() => 0.15 * choice.next()),
    fullDiskMs: sometimes(() => 1_000 + choice.below(3_000)),
    clockJumpMs: sometimes(() => 500 + choice.below(3_000)),
    inboxBytes: choice.chance(0.3) ? 4_000 + choice.below(12_000) : 64 * 1024 * 1024,
    threadDelayMs: sometimes(() => 40 * choice.next()),
  }
}
