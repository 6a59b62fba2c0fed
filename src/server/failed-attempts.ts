/** Counts failed authentication per address, so that keys cannot be guessed at line speed. */
import { LRUCache } from 'lru-cache'

/** A person who mistypes or an exporter with an old key stays below this; a guesser does not. */
const allowedFailures = 20
const windowMs = 60_000

/** Addresses kept; beyond, the longest unseen is forgotten. About 2 MB at most. */
const maxAddresses = 10_000

interface Attempts {
  failures: number
  windowStartMs: number
  /** A key of ours was presented from here at least once. */
  trusted: boolean
}

export class FailedAttempts {
  readonly #attempts = new LRUCache<string, Attempts>({ max: maxAddresses })

  /**
   * Milliseconds until this address may try again, 0 if it may now. An address that has authenticated before
   * is never held up: behind one address stand many senders, and one with a wrong key must not cost the
   * others their telemetry.
   */
  waitMs(peer: string, nowMs: number): number {
    const attempts = this.#attempts.get(networkOf(peer))
    if (attempts === undefined || attempts.trusted || attempts.failures < allowedFailures) return 0
    return Math.max(0, attempts.windowStartMs + windowMs - nowMs)
  }

  failed(peer: string, nowMs: number): void {
    const attempts = this.#entry(peer, nowMs)
    if (nowMs - attempts.windowStartMs >= windowMs) {
      attempts.failures = 0
      attempts.windowStartMs = nowMs
    }
    attempts.failures++
  }

  succeeded(peer: string, nowMs: number): void {
    this.#entry(peer, nowMs).trusted = true
  }

  #entry(peer: string, nowMs: number): Attempts {
    const network = networkOf(peer)
    let attempts = this.#attempts.get(network)
    if (attempts === undefined) {
      attempts = { failures: 0, windowStartMs: nowMs, trusted: false }
      this.#attempts.set(network, attempts)
    }
    return attempts
  }
}

/** One customer of a provider has a whole /64 of IPv6, so that is what counts as one address. */
function networkOf(peer: string): string {
  if (!peer.includes(':')) return peer
  const [head = '', tail] = peer.split('::', 2)
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const rest = tail === '' ? 0 : tail.split(':').length
    while (groups.length + rest < 8) groups.push('0')
  }
  return groups.slice(0, 4).join(':')
}
