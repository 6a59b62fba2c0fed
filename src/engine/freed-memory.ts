/** When memory that was freed is worth returning to the system; see `returnFreedMemory`. */
import { GrowthLevel } from '../model/growth-level.ts'
import { returnFreedMemory } from '../store/sqlite/allocator.ts'

/** Below, nobody minds holes. */
const wastefulAboveMib = 350
/** 512 are the bound, and full ingest makes a hundred MiB of holes in some seconds. */
const urgentAboveMib = 450
const pauseMs = 10_000
const urgentPauseMs = 1_000
/** What was needed for a while, and is not any more, goes without growth. */
const calmMs = 60_000

export class FreedMemory {
  readonly #residentBytes: () => number
  readonly #giveBack: () => void
  #atMs = Number.NEGATIVE_INFINITY
  readonly #level = new GrowthLevel(wastefulAboveMib)

  constructor(
    residentBytes: () => number = () => process.memoryUsage.rss(),
    giveBack: () => void = returnFreedMemory,
  ) {
    this.#residentBytes = residentBytes
    this.#giveBack = giveBack
  }

  /** To be called every second, from a thread that may stand still for some tens of milliseconds. */
  look(nowMs: number): void {
    const mib = this.#residentBytes() / 2 ** 20
    const hasGrown = this.#level.isPassedBy(mib)
    if (mib <= wastefulAboveMib) return
    const pause = !hasGrown ? calmMs : mib > urgentAboveMib ? urgentPauseMs : pauseMs
    if (nowMs - this.#atMs < pause) return
    this.#atMs = nowMs
    this.#giveBack()
    // What stays is in use; what grows from here on may have holes again.
    this.#level.settle(this.#residentBytes() / 2 ** 20)
  }
}
