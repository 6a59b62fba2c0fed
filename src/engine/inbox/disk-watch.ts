/** How much disk is free, so that requests are refused before a write fails. */
import type { Clock } from '../../model/time.ts'
import type { DiskSpace } from './inbox-storage.ts'

/** Free disk that stays untouched: the lesser of 256 MiB and a twentieth of the file system. */
const reserveBytes = 256 * 1024 * 1024
const reserveShare = 0.05

/** Looked at again after this time, or after so many bytes written: a small part of the reserve. */
const checkMs = 1_000
const checkBytes = 16 * 1024 * 1024

export class DiskWatch {
  readonly #space: () => DiskSpace
  readonly #clock: Clock
  #checkedMs = 0
  #writtenBytes = 0
  #free = 0
  #reserve = 0

  /** `space` may throw. */
  constructor(space: () => DiskSpace, clock: Clock) {
    this.#space = space
    this.#clock = clock
    this.#check()
  }

  /** As of the last look. */
  get freeBytes(): number {
    return this.#free
  }

  isNearlyFull(): boolean {
    if (Math.abs(this.#clock.now() - this.#checkedMs) > checkMs) this.#check()
    return this.#free < this.#reserve
  }

  wrote(bytes: number): void {
    this.#writtenBytes += bytes
    if (this.#writtenBytes > checkBytes) this.#check()
  }

  #check(): void {
    this.#checkedMs = this.#clock.now()
    this.#writtenBytes = 0
    try {
      const { freeBytes, totalBytes } = this.#space()
      this.#free = freeBytes
      this.#reserve = Math.min(reserveBytes, totalBytes * reserveShare)
    } catch {
      // A file system that does not answer takes nothing either.
      this.#free = 0
      this.#reserve = reserveBytes
    }
  }
}
