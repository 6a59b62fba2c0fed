/**
 * Shared memory that is used again. V8 does not count shared buffers as anybody's, so threads that let go of one
 * give it back late or, while they make no garbage of their own, never: at 50 MB/s they were most of what was
 * resident. Entries come and go in order of position, so one position says what is free.
 */

/** Ten usual requests with their columns: what is left over at the end of a slab stays small beside it. */
const usualSlabBytes = 1024 * 1024

export interface Place {
  readonly memory: SharedArrayBuffer
  /** A multiple of eight. */
  readonly at: number
}

interface Slab {
  readonly memory: SharedArrayBuffer
  used: number
  /** Newest position that lies in it. */
  last: number
}

export class SlabPool {
  readonly #limitBytes: number
  readonly #slabBytes: number
  /** Oldest first; the last one may have room left. */
  readonly #used: Slab[] = []
  readonly #free: SharedArrayBuffer[] = []
  #byteLength = 0

  constructor(limitBytes: number, slabBytes: number = usualSlabBytes) {
    this.#limitBytes = limitBytes
    this.#slabBytes = slabBytes
  }

  /** Bytes of all slabs, in use or free. */
  get byteLength(): number {
    return this.#byteLength
  }

  /** Of these, bytes of slabs that hold something. */
  get usedBytes(): number {
    return this.#byteLength - this.#free.length * this.#slabBytes
  }

  /** Room for `bytes`, a multiple of eight, of the entry at `position`, which never goes back; null if there is none. */
  take(bytes: number, position: number): Place | null {
    let slab = this.#used.at(-1)
    if (slab === undefined || slab.used + bytes > slab.memory.byteLength) {
      const memory = this.#memory(bytes)
      if (memory === null) return null
      slab = { memory, used: 0, last: position }
      this.#used.push(slab)
    }
    const at = slab.used
    slab.used += bytes
    slab.last = position
    return { memory: slab.memory, at }
  }

  /** Nobody looks at entries up to `position` any more. */
  release(position: number): void {
    for (
      let oldest = this.#used[0];
      oldest !== undefined && oldest.last <= position;
      oldest = this.#used[0]
    ) {
      this.#used.shift()
      if (oldest.memory.byteLength === this.#slabBytes) this.#free.push(oldest.memory)
      else this.#byteLength -= oldest.memory.byteLength
    }
  }

  /** What is too large for a slab gets memory of its own, which is not used again. */
  #memory(bytes: number): SharedArrayBuffer | null {
    if (bytes <= this.#slabBytes) {
      const free = this.#free.pop()
      if (free !== undefined) return free
    }
    const size = Math.max(bytes, this.#slabBytes)
    while (this.#byteLength + size > this.#limitBytes && this.#free.length > 0) {
      this.#free.pop()
      this.#byteLength -= this.#slabBytes
    }
    if (this.#byteLength + size > this.#limitBytes) return null
    this.#byteLength += size
    return new SharedArrayBuffer(size)
  }
}
