/** When memory that was freed is worth returning to the system; see `returnFreedMemory`. */
import { returnFreedMemory } from '../store/sqlite/allocator.ts'

/** Below, nobody minds holes. */
const wastefulAboveMib = 350
/** 512 are the bound, and full ingest makes a hundred MiB of holes in some seconds. */
const urgentAboveMib = 450
const pauseMs = 10_000
const urgentPauseMs = 1_000
/** What was needed for a while, and is not any more, goes without growth. */
const calmMs = 60_000
/** What stays is in use; what has grown since may have holes again. */
const growthMib = 8

export class FreedMemory {
  readonly #residentBytes: () => number
  readonly #giveBack: () => void
  #atMs = Number.NEGATIVE_INFINITY
  #levelMib = wastefulAboveMib

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
    this.#levelMib = Math.max(wastefulAboveMib, Math.min(this.#levelMib, mib + growthMib))
    if (mib <= wastefulAboveMib) return
    const pause = mib <= this.#levelMib ? calmMs : mib > urgentAboveMib ? urgentPauseMs : pauseMs
    if (nowMs - this.#atMs < pause) return
    this.#atMs = nowMs
    this.#giveBack()
    this.#levelMib = Math.max(wastefulAboveMib, this.#residentBytes() / 2 ** 20 + growthMib)
  }
}
