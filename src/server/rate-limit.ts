/** A token bucket for every principal. */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../model/time.ts'

/** Principals are keys of ours and addresses; the longest unseen are forgotten and start with a full bucket. */
const maxPrincipals = 10_000

interface Bucket {
  tokens: number
  filledMs: number
}

export class RateLimit {
  readonly #perSecond: number
  readonly #clock: Clock
  readonly #buckets = new LRUCache<string, Bucket>({ max: maxPrincipals })

  /** Allows `perSecond` requests a second, and as many at once. */
  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond
    this.#clock = clock
  }

  /** 0 if the request may pass, else the milliseconds until one may. */
  waitMs(principal: string): number {
    const nowMs = this.#clock.now()
    const bucket = this.#buckets.get(principal) ?? { tokens: this.#perSecond, filledMs: nowMs }
    const gained = (Math.max(0, nowMs - bucket.filledMs) / 1000) * this.#perSecond
    bucket.tokens = Math.min(this.#perSecond, bucket.tokens + gained)
    bucket.filledMs = nowMs
    this.#buckets.set(principal, bucket)
    if (bucket.tokens >= 1) {
      bucket.tokens--
      return 0
    }
    return Math.ceil(((1 - bucket.tokens) / this.#perSecond) * 1000)
  }
}
