/** When calls run one at a time and the caches of the threads that answer have to give memory back. */
import { GrowthLevel } from '../model/growth-level.ts'

/** Full ingest alone stays below. */
const scarceAboveMib = 410
/** Whatever is kept is too much: 512 are the bound. */
const nothingAboveMib = 450
/** What was given back is returned to the system, and seen, within this time; what a question needs is read again meanwhile. */
const pauseMs = 10_000
/** Two questions at once may need forty MiB each. */
const urgentPauseMs = 2_000

/** A call takes 40 to 60 MiB where it finds nothing in the caches; two at once are too much from here, and no more below. */
const oneAtATimeAboveMib = 430
const allBelowMib = 400

export class CacheRelief {
  #atMs = Number.NEGATIVE_INFINITY
  /** Memory that stays is no reason to empty caches over and over. */
  readonly #level = new GrowthLevel(scarceAboveMib)
  #scarce = false

  /** Whether calls are to run one at a time, as of the last look. */
  get isScarce(): boolean {
    return this.#scarce
  }

  /** The share, 0 to 1, of what they hold that caches are to keep, or null for all. */
  observe(residentBytes: number, nowMs: number): number | null {
    const mib = residentBytes / 2 ** 20
    this.#scarce = mib > (this.#scarce ? allBelowMib : oneAtATimeAboveMib)
    if (!this.#level.isPassedBy(mib)) return null
    if (nowMs - this.#atMs < (mib > nothingAboveMib ? urgentPauseMs : pauseMs)) return null
    this.#atMs = nowMs
    this.#level.settle(mib)
    return mib > nothingAboveMib ? 0 : 0.5
  }
}
