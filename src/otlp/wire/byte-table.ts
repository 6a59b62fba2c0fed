/** A bounded hash table from byte ranges to small numbers, so that repeated texts are never decoded twice. */

import { viewOf } from './byte-view.ts'

/** Probes before giving up: keeps look-ups short even when someone sends names that collide on purpose. */
const maxProbes = 16

/**
 * Keys of more bytes are not kept: what repeats in telemetry (names, attribute sets) is shorter, and a few
 * long keys must not fill the arena.
 */
const maxKeyBytes = 4096

const firstArenaBytes = 65_536

export interface ByteTableLimits {
  readonly entries: number
  readonly arenaBytes: number
}

export class ByteTable {
  readonly #limits: ByteTableLimits
  readonly #mask: number
  /** Entry number + 1 by slot; 0 is free. */
  readonly #slots: Int32Array
  readonly #hashes: Int32Array
  /** Start of each key in the arena; one more than entries, so that key `i` ends where `i + 1` starts. */
  readonly #starts: Int32Array
  /** Doubled up to its limit: most tables never need all of it. */
  #arena: Uint8Array
  #arenaView: DataView
  #count = 0
  #freeSlot = 0
  #hash = 0

  constructor(limits: ByteTableLimits) {
    this.#limits = limits
    // At most half full, so that runs of taken slots stay short.
    const slots = 2 ** Math.ceil(Math.log2(limits.entries * 2))
    this.#mask = slots - 1
    this.#slots = new Int32Array(slots)
    this.#hashes = new Int32Array(limits.entries)
    this.#starts = new Int32Array(limits.entries + 1)
    this.#arena = new Uint8Array(Math.min(firstArenaBytes, limits.arenaBytes))
    this.#arenaView = new DataView(this.#arena.buffer)
  }

  get count(): number {
    return this.#count
  }

  /** Three quarters of a limit are used; a good moment to clear. */
  get crowded(): boolean {
    return (
      this.#count > this.#limits.entries * 0.75 ||
      (this.#starts[this.#count] ?? 0) > this.#limits.arenaBytes * 0.75
    )
  }

  clear(): void {
    this.#slots.fill(0)
    this.#count = 0
  }

  /** The entry of this key, or -1. `add` may follow for the same key. `view` is one of `bytes`. */
  find(bytes: Uint8Array, from: number, to: number, view: DataView = viewOf(bytes)): number {
    const length = to - from
    if (length > maxKeyBytes) return -1
    const hash = hashOf(view, from, to)
    this.#hash = hash
    this.#freeSlot = -1
    for (
      let probe = 0, slot = hash & this.#mask;
      probe < maxProbes;
      probe++, slot = (slot + 1) & this.#mask
    ) {
      const entry = (this.#slots[slot] ?? 0) - 1
      if (entry < 0) {
        this.#freeSlot = slot
        return -1
      }
      if (this.#hashes[entry] === hash && this.#equals(entry, view, from, length)) return entry
    }
    return -1
  }

  /** Enters the key the last `find` missed; returns its entry number, or -1 when there is no room. */
  add(bytes: Uint8Array, from: number, to: number): number {
    const start = this.#starts[this.#count] ?? 0
    const length = to - from
    if (
      length > maxKeyBytes ||
      this.#freeSlot < 0 ||
      this.#count >= this.#limits.entries ||
      start + length > this.#limits.arenaBytes
    ) {
      return -1
    }
    if (start + length > this.#arena.length) this.#growArena(start + length)
    const entry = this.#count++
    for (let i = 0; i < length; i++) this.#arena[start + i] = bytes[from + i] ?? 0
    this.#hashes[entry] = this.#hash
    this.#starts[entry + 1] = start + length
    this.#slots[this.#freeSlot] = entry + 1
    return entry
  }

  #growArena(least: number): void {
    const grown = new Uint8Array(Math.min(this.#limits.arenaBytes, Math.max(least, this.#arena.length * 2)))
    grown.set(this.#arena)
    this.#arena = grown
    this.#arenaView = new DataView(grown.buffer)
  }

  #equals(entry: number, view: DataView, from: number, length: number): boolean {
    const start = this.#starts[entry] ?? 0
    if ((this.#starts[entry + 1] ?? 0) - start !== length) return false
    const arena = this.#arenaView
    let i = 0
    for (; i + 4 <= length; i += 4) {
      if (arena.getInt32(start + i, true) !== view.getInt32(from + i, true)) return false
    }
    for (; i < length; i++) if (arena.getUint8(start + i) !== view.getUint8(from + i)) return false
    return true
  }
}

function hashOf(view: DataView, from: number, to: number): number {
  let hash = to - from
  let i = from
  for (; i + 4 <= to; i += 4) {
    hash = Math.imul(hash ^ view.getInt32(i, true), 0x9e3779b1)
    hash ^= hash >>> 15
  }
  for (; i < to; i++) hash = Math.imul(hash ^ view.getUint8(i), 0x01000193)
  return hash ^ (hash >>> 15)
}
