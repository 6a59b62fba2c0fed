/** Bounds the bytes of requests that are still arriving, over all connections of both transports. */

export interface Lease {
  /** Counts bytes that arrived. May call `evict` of this or another lease before it returns. */
  add(bytes: number): void
  /** The bytes are no longer held here. Safe to call twice. */
  release(): void
}

interface OpenLease {
  held: number
  readonly evict: () => void
}

export class ReceiveBudget {
  readonly #limitBytes: number
  readonly #leases = new Set<OpenLease>()
  #held = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /** Bytes held by all requests that are arriving now. */
  get heldBytes(): number {
    return this.#held
  }

  /**
   * Opens a lease for one request. When the budget is spent, the request that holds most is turned away, so
   * that a few huge or slow uploads cannot keep the small ones out. `evict` is called at most once and must
   * let go of what was received.
   */
  open(evict: () => void): Lease {
    const lease: OpenLease = { held: 0, evict }
    this.#leases.add(lease)
    return {
      add: bytes => {
        if (!this.#leases.has(lease)) return
        lease.held += bytes
        this.#held += bytes
        while (this.#held > this.#limitBytes) this.#evictLargest()
      },
      release: () => this.#close(lease),
    }
  }

  #evictLargest(): void {
    let largest: OpenLease | null = null
    for (const lease of this.#leases) if (largest === null || lease.held > largest.held) largest = lease
    if (largest === null) return
    this.#close(largest)
    largest.evict()
  }

  #close(lease: OpenLease): void {
    if (this.#leases.delete(lease)) this.#held -= lease.held
  }
}
