/**
 * Memory for columns that live no longer than the making of one segment's bytes. Allocated anew for each, they
 * cost page faults and, because they lie outside of the heap, had it collected far more often.
 */

/** Kept from one use to the next: what a seal of five full segments needs. */
const keptBytes = 16 * 1024 * 1024

export class Scratch {
  #buffer = new ArrayBuffer(1024 * 1024)
  #used = 0

  /** Takes everything back: what was handed out before must not be looked at any more. */
  reset(): void {
    if (this.#buffer.byteLength > keptBytes) this.#buffer = new ArrayBuffer(keptBytes)
    this.#used = 0
  }

  // What follows is not cleared: whoever takes it fills all of it.

  octets(length: number): Uint8Array {
    const at = this.#take(length)
    return new Uint8Array(this.#buffer, at, length)
  }

  halves(length: number): Uint16Array {
    const at = this.#take(length * 2)
    return new Uint16Array(this.#buffer, at, length)
  }

  words(length: number): Uint32Array {
    const at = this.#take(length * 4)
    return new Uint32Array(this.#buffer, at, length)
  }

  integers(length: number): Int32Array {
    const at = this.#take(length * 4)
    return new Int32Array(this.#buffer, at, length)
  }

  doubles(length: number): Float64Array {
    const at = this.#take(length * 8)
    return new Float64Array(this.#buffer, at, length)
  }

  /** Offset of so many bytes in `#buffer`, a multiple of eight. What is full stays with those who hold it. */
  #take(bytes: number): number {
    const size = Math.ceil(bytes / 8) * 8
    if (this.#used + size > this.#buffer.byteLength) {
      this.#buffer = new ArrayBuffer(Math.max(size, this.#buffer.byteLength * 2))
      this.#used = 0
    }
    const at = this.#used
    this.#used += size
    return at
  }
}
