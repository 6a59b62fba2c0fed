/**
 * Buffers for bodies on their way to the inbox worker and back. A new one for every body costs its allocation and,
 * above all, collections: V8 counts such buffers as pressure and collects a thread fully for every 64 MB of them.
 */

/** Sizes kept: powers of two. Most requests are between these; larger ones are rare and get a buffer of their own. */
const smallestBytes = 4_096
const largestBytes = 1_048_576

export class BodyPool {
  readonly #limitBytes: number
  readonly #bySize = new Map<number, ArrayBuffer[]>()
  #idle = 0

  /** `limitBytes`: of buffers that lie idle. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /** Bytes of buffers that wait to be used again. */
  get idleBytes(): number {
    return this.#idle
  }

  /** The pieces in one, in a buffer that may be longer and holds nothing else. */
  join(parts: readonly Uint8Array[], total: number): Uint8Array<ArrayBuffer> {
    const body = new Uint8Array(this.#take(total), 0, total)
    let at = 0
    for (const part of parts) {
      body.set(part, at)
      at += part.length
    }
    return body
  }

  /** Takes a buffer back that nobody reads any more. */
  giveBack(buffer: ArrayBuffer): void {
    const size = buffer.byteLength
    if (size > largestBytes || size !== sizeFor(size) || this.#idle + size > this.#limitBytes) return
    const idle = this.#bySize.get(size)
    if (idle === undefined) this.#bySize.set(size, [buffer])
    else idle.push(buffer)
    this.#idle += size
  }

  #take(bytes: number): ArrayBuffer {
    const size = sizeFor(bytes)
    const idle = this.#bySize.get(size)?.pop()
    if (idle === undefined) return new ArrayBuffer(size)
    this.#idle -= size
    return idle
  }
}

function sizeFor(bytes: number): number {
  if (bytes > largestBytes) return bytes
  return Math.max(smallestBytes, 2 ** Math.ceil(Math.log2(bytes)))
}
