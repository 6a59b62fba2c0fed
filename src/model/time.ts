/**
 * Nanoseconds since the epoch as pairs of unsigned 32-bit halves, and their bounded conversions.
 * A double holds today's time in milliseconds to a quarter of a microsecond, which is enough to compare
 * and to bucket, never to store.
 */

/**
 * Milliseconds since the epoch, as a double; exact for whole milliseconds, so that an item at the edge of a
 * window falls on the right side of it. 2^32 ns are 4294 ms and 967296 ns: every product here stays below
 * 2^53, where high * 2^32 would already have lost its last bits.
 */
export function toMs(high: number, low: number): number {
  return high * 4294 + (high * 967296 + low) / 1e6
}

/** Exact nanoseconds. */
export function toNs(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0)
}

/** Halves of exact nanoseconds. */
export function halvesOf(ns: bigint): { readonly high: number; readonly low: number } {
  return { high: Number((ns >> 32n) & 0xffffffffn), low: Number(ns & 0xffffffffn) }
}

/** A half-open range of time, milliseconds since the epoch. */
export interface TimeRange {
  readonly fromMs: number
  readonly toMs: number
}

/** Where time comes from; tests and the simulation pass their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }
