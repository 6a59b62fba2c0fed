/** The headers of all segments, kept in memory and followed by change sequence. */
import type { SegmentChanges, SegmentHeader } from '../model/store.ts'
import type { Signal } from '../model/telemetry.ts'

/** By newest index time, oldest first. Lists are replaced and never changed: a read keeps the one it took. */
export type HeaderList = readonly SegmentHeader[]

const none: HeaderList = []

export class SegmentHeaders {
  #sequence = 0
  #damaged = 0
  /** Key: signal and tenant. */
  #lists = new Map<string, HeaderList>()
  readonly #listOf = new Map<string, string>()

  /** What has been applied. */
  get sequence(): number {
    return this.#sequence
  }

  /** Headers met so far that are damaged: whose they are is not known. */
  get damaged(): number {
    return this.#damaged
  }

  get count(): number {
    return this.#listOf.size
  }

  /** Applies what a snapshot reported; changes of an older snapshot are not applied. */
  apply(changes: SegmentChanges): void {
    if (changes.sequence <= this.#sequence) return
    this.#sequence = changes.sequence
    this.#damaged += changes.damaged ?? 0
    const removed = new Set(changes.removed)
    const touched = new Map<string, SegmentHeader[]>()
    const touch = (key: string): SegmentHeader[] => {
      const known = touched.get(key) ?? []
      touched.set(key, known)
      return known
    }
    for (const id of removed) {
      const key = this.#listOf.get(id)
      if (key === undefined) continue
      this.#listOf.delete(id)
      touch(key)
    }
    for (const header of changes.added) {
      if (removed.has(header.id) || this.#listOf.has(header.id)) continue
      const key = keyOf(header.tenant, header.signal)
      this.#listOf.set(header.id, key)
      touch(key).push(header)
    }
    for (const [key, added] of touched) {
      const kept = (this.#lists.get(key) ?? none).filter(header => !removed.has(header.id))
      const list = merged(kept, added.sort(byNewest))
      if (list.length === 0) this.#lists.delete(key)
      else this.#lists.set(key, list)
    }
  }

  list(tenant: string, signal: Signal): HeaderList {
    return this.#lists.get(keyOf(tenant, signal)) ?? none
  }
}

function keyOf(tenant: string, signal: Signal): string {
  return `${signal} ${tenant}`
}

const newestOf = new WeakMap<HeaderList, number>()

/** When the newest of them was received, milliseconds; 0 of none. Every read asks, so each list is looked through once. */
export function newestReceivedMs(headers: HeaderList): number {
  let newest = newestOf.get(headers)
  if (newest !== undefined) return newest
  newest = headers.reduce((newer, header) => Math.max(newer, header.maxReceivedMs), 0)
  newestOf.set(headers, newest)
  return newest
}

function byNewest(a: SegmentHeader, b: SegmentHeader): number {
  return a.maxTimeMs - b.maxTimeMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}

function merged(kept: HeaderList, added: HeaderList): HeaderList {
  const result: SegmentHeader[] = []
  let left = 0
  let right = 0
  while (left < kept.length && right < added.length) {
    const a = kept[left] as SegmentHeader
    const b = added[right] as SegmentHeader
    if (byNewest(a, b) <= 0) {
      result.push(a)
      left++
    } else {
      result.push(b)
      right++
    }
  }
  return result.concat(kept.slice(left), added.slice(right))
}
