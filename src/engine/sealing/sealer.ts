/**
 * Turns a range of the inbox into one store transaction: segments, rollups, templates, counts and the position,
 * whole or not at all. A store that fails is asked again with the very same seal, which it takes only once.
 */
import { StoreError } from '../../errors.ts'
import type { Seal, SegmentRecord, StoreWriter } from '../../model/store.ts'
import type { Clock } from '../../model/time.ts'
import type { Timers } from '../../model/timers.ts'
import { maxSegmentRows } from '../../store/segment/arrange-rows.ts'
import { buildSegments } from '../../store/segment/build-segments.ts'
import type { PendingEntry, PendingPart, PendingRange } from './pending-range.ts'

/** Waits between attempts: a store that restarts is back within seconds, one that is away costs nothing. */
const firstRetryMs = 250
const lastRetryMs = 10_000

export interface SealerEvents {
  /** An entry cannot be put into a segment; resolves once it is safely elsewhere. */
  poisoned(entry: PendingEntry, error: unknown): Promise<void>
  /** The store refused (its error), or works again (null). */
  fault(error: unknown): void
}

/**
 * Whether going on would leave a gap, because the store lost what it had acknowledged, or would give numbers of
 * templates out twice, because another process has written there. A new start goes by what the store holds.
 */
export function mustStartOver(error: unknown): boolean {
  return error instanceof StoreError && (error.code === 'store_behind' || error.code === 'store_taken')
}

export class Sealer {
  readonly #store: StoreWriter
  readonly #inboxId: string
  readonly #events: SealerEvents
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #stop: AbortSignal
  seals = 0
  lastSealMs = 0

  constructor(
    store: StoreWriter,
    inboxId: string,
    events: SealerEvents,
    time: { readonly clock: Clock; readonly timers: Timers },
    stop: AbortSignal,
  ) {
    this.#store = store
    this.#inboxId = inboxId
    this.#events = events
    this.#clock = time.clock
    this.#timers = time.timers
    this.#stop = stop
  }

  /**
   * Resolves once the range is in the store; false if it was stopped before. Rejects with what `mustStartOver`.
   */
  async seal(range: PendingRange): Promise<boolean> {
    const seal = await this.#build(range)
    for (let waitMs = firstRetryMs, failed = false; ; waitMs = Math.min(waitMs * 2, lastRetryMs)) {
      try {
        await this.#store.commitSeal(seal, this.#stop)
        this.seals++
        this.lastSealMs = this.#clock.now()
        if (failed) this.#events.fault(null)
        return true
      } catch (error) {
        failed = true
        this.#events.fault(error)
        if (mustStartOver(error)) throw error
        if (this.#stop.aborted || !(await this.#pause(waitMs))) return false
      }
    }
  }

  /** A segment or so, then a turn of the event loop, so that arriving entries are not held up by a whole seal. */
  async #build(range: PendingRange): Promise<Seal> {
    const segments: SegmentRecord[] = []
    const counts = new Map(range.counts().map(count => [`${count.signal} ${count.tenant}`, count]))
    for (const part of range.parts().flatMap(slicesOf)) {
      const built = await this.#buildPart(part)
      segments.push(...built.segments)
      const key = `${part.signal} ${part.tenant}`
      const count = counts.get(key)
      if (count !== undefined) counts.set(key, { ...count, items: count.items - built.lostItems })
      await this.#timers.nextTurn()
    }
    return {
      position: { inboxId: this.#inboxId, position: range.to },
      segments,
      rollups: range.rollups(),
      templates: range.templates(),
      counts: [...counts.values()],
    }
  }

  /** Leaves out entries that cannot be built even alone, once they are safe elsewhere. */
  async #buildPart(
    part: PendingPart,
  ): Promise<{ readonly segments: readonly SegmentRecord[]; readonly lostItems: number }> {
    try {
      return { segments: this.#segmentsOf(part, part.entries), lostItems: 0 }
    } catch {
      let lostItems = 0
      const sound: PendingEntry[] = []
      for (const entry of part.entries) {
        try {
          this.#segmentsOf(part, [entry])
          sound.push(entry)
        } catch (error) {
          await this.#events.poisoned(entry, error)
          lostItems += entry.batch.block.count
        }
      }
      return { segments: this.#segmentsOf(part, sound), lostItems }
    }
  }

  #segmentsOf(part: PendingPart, entries: readonly PendingEntry[]): readonly SegmentRecord[] {
    return buildSegments({ tenant: part.tenant, signal: part.signal, inboxId: this.#inboxId, entries })
  }

  /** False if it was stopped meanwhile. */
  #pause(ms: number): Promise<boolean> {
    return new Promise(resolve => {
      const stop = (): void => {
        cancel()
        resolve(false)
      }
      const cancel = this.#timers.after(ms, () => {
        this.#stop.removeEventListener('abort', stop)
        resolve(true)
      })
      this.#stop.addEventListener('abort', stop, { once: true })
    })
  }
}

/** About one segment each; a request is never divided, so that positions still name what a segment holds. */
function slicesOf(part: PendingPart): readonly PendingPart[] {
  const slices: PendingPart[] = []
  let entries: PendingEntry[] = []
  let items = 0
  for (const entry of part.entries) {
    if (entries.length > 0 && items + entry.batch.block.count > maxSegmentRows) {
      slices.push({ ...part, entries })
      entries = []
      items = 0
    }
    entries.push(entry)
    items += entry.batch.block.count
  }
  return [...slices, { ...part, entries }]
}
