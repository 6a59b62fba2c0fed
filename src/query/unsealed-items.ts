/** Items of one tenant that a snapshot does not hold yet, decoded where that is needed. */
import type { Deadline } from '../model/reader.ts'
import type { EntryIndex, TailEntry } from '../model/tail.ts'
import type { Signal } from '../model/telemetry.ts'
import type { DecodedEntry, ReaderCaches } from './reader-caches.ts'
import { decodedEntry, isOf } from './tail-blocks.ts'

/** The receiver's ATTRIBUTE_MAX_BYTES where nothing else is said. */
const defaultAttributeMaxBytes = 65_536

export interface UnsealedOptions {
  readonly tenant: string
  readonly deadline: Deadline
  readonly caches: ReaderCaches
  readonly attributeMaxBytes?: number
}

type EntryExtent = Pick<EntryIndex, 'count' | 'minTimeMs' | 'maxTimeMs'>

export class UnsealedItems {
  readonly #entries: readonly TailEntry[]
  readonly #options: UnsealedOptions

  constructor(entries: readonly TailEntry[], options: UnsealedOptions) {
    this.#entries = entries
    this.#options = options
  }

  /** Those that are wanted and hold items of the signal. */
  *blocks(
    signal: Signal,
    wanted: (entry: TailEntry) => boolean = () => true,
  ): Generator<{ readonly decoded: DecodedEntry; readonly entry: TailEntry }> {
    const { caches, deadline, attributeMaxBytes = defaultAttributeMaxBytes } = this.#options
    for (const entry of this.#entries) {
      if (!isOf(entry, this.#options.tenant, signal) || !wanted(entry)) continue
      deadline.check()
      const decoded = decodedEntry(entry, caches, attributeMaxBytes)
      if (decoded !== null && decoded.batch.block.count > 0) yield { decoded, entry }
    }
  }

  /** What entries with items say of themselves; decoded only where the engine has not said it. */
  *indexes(signal: Signal): Generator<{ readonly index: EntryExtent; readonly entry: TailEntry }> {
    for (const entry of this.#entries)
      if (isOf(entry, this.#options.tenant, signal) && entry.index !== undefined && entry.index.count > 0)
        yield { index: entry.index, entry }
    for (const { decoded, entry } of this.blocks(signal, one => one.index === undefined))
      yield { index: { ...decoded, count: decoded.batch.block.count }, entry }
  }
}
