/** When the caches of the threads that answer have to give memory back. */

/**
 * Full ingest alone stays below. What is given back leaves holes between what stays and remains resident until it is used
 * again, so the process stops growing about here, and not at the 512 that it may have (docs/adr/026).
 */
const scarceAboveMib = 410
/** Whatever is kept is too much. */
const nothingAboveMib = 450
/** What was given back is seen within this time, and what a question needs is read again meanwhile. */
const pauseMs = 10_000
/**
 * The allocator does not give back all that it is given: memory that stayed resident is no reason to empty caches over and
 * over, memory that grew on is.
 */
const growthMib = 8

export class CacheRelief {
  #atMs = Number.NEGATIVE_INFINITY
  #levelMib = scarceAboveMib

  /** The share, 0 to 1, of what they hold that caches are to keep, or null for all. */
  observe(residentBytes: number, nowMs: number): number | null {
    const mib = residentBytes / 2 ** 20
    if (nowMs - this.#atMs < pauseMs) return null
    if (mib <= this.#levelMib) {
      this.#levelMib = Math.max(scarceAboveMib, Math.min(this.#levelMib, mib + growthMib))
      return null
    }
    this.#atMs = nowMs
    this.#levelMib = Math.min(mib + growthMib, nothingAboveMib)
    return mib > nothingAboveMib ? 0 : 0.5
  }
}
