/** When memory that is free goes back to the system, and the caches of the threads that answer give up theirs. */

/** The allocator's holes are worth looking for from here. */
const wastefulAboveMib = 350
/** Full ingest alone stays below, so it is caches that make the rest. */
const scarceAboveMib = 410
/** Whatever is kept is too much: 512 are the bound. */
const nothingAboveMib = 450
/** What was given back is seen within this time, and what a question needs is read again meanwhile. */
const pauseMs = 10_000
/** Memory that stays is in use: no reason to do it over and over. What has grown by so much may have holes again. */
const growthMib = 8

export class CacheRelief {
  #atMs = Number.NEGATIVE_INFINITY
  #levelMib = wastefulAboveMib

  /** The share, 0 to 1, of what they hold that caches are to keep, and then to return what is free; null for nothing. */
  observe(residentBytes: number, nowMs: number): number | null {
    const mib = residentBytes / 2 ** 20
    if (nowMs - this.#atMs < pauseMs) return null
    if (mib <= this.#levelMib) {
      this.#levelMib = Math.max(wastefulAboveMib, Math.min(this.#levelMib, mib + growthMib))
      return null
    }
    this.#atMs = nowMs
    this.#levelMib = mib + growthMib
    if (mib > nothingAboveMib) return 0
    return mib > scarceAboveMib ? 0.5 : 1
  }
}
