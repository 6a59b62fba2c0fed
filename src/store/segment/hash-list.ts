/**
 * 32-bit hashes in the order they came, outside of the heap: as numbers of an array half of them would be objects
 * of their own, which live just long enough to be promoted.
 */
export class HashList {
  /** Grows by doubling; the first `length` are set. */
  hashes: Int32Array = new Int32Array(4096)
  length = 0

  add(hash: number): void {
    if (this.length === this.hashes.length) {
      const wider = new Int32Array(this.length * 2)
      wider.set(this.hashes)
      this.hashes = wider
    }
    this.hashes[this.length++] = hash
  }
}
