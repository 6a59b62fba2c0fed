/**
 * Committed entries in order of position, each once, wherever they come from: handed over by the inbox while
 * the engine keeps up, read from the inbox file when it was behind or has just started.
 */
import type { Signal } from '../../model/telemetry.ts'
import { type BatchColumns, toProtobuf } from '../codec.ts'
import { inflateAgain } from '../inbox/decompression.ts'
import { type Acquaintances, aligned, ColumnReceiver, readHanded } from '../inbox/handed-columns.ts'
import type { CommittedMessage } from '../inbox/inbox-messages.ts'
import { decodeRow, type StoredRow } from '../inbox/inbox-row.ts'
import type { InboxReader } from '../inbox/inbox-storage.ts'
import { SlabPool } from '../slab-pool.ts'

export interface FedEntry {
  readonly position: number
  readonly tenant: string
  readonly signal: Signal
  /** Milliseconds. */
  readonly receivedMs: number
  readonly items: number
  /** Uncompressed protobuf in shared memory. */
  readonly bytes: Uint8Array
  /** Indices of refused items, ascending. */
  readonly refused: Uint32Array
  /** Decoded by the inbox worker, or null. */
  readonly columns: BatchColumns | null
}

/** An entry of the inbox, or why there is none at its position. */
export type Fed =
  | { readonly type: 'entry'; readonly entry: FedEntry }
  /** Its row is damaged or of an unknown format. */
  | { readonly type: 'unreadable'; readonly row: StoredRow; readonly reason: string }
  /** No rows although these positions, both included, were committed. */
  | { readonly type: 'missing'; readonly from: number; readonly to: number }

/** Bytes read from the file at a time; small against the engine's other buffers, large against a row. */
const readBytes = 4 * 1024 * 1024

const noneRefused = new Uint32Array(0)

/** A message, and what its columns are read with. */
interface Handed {
  readonly message: CommittedMessage
  readonly known: Acquaintances | null
}

export class EntryFeed {
  readonly #reader: InboxReader
  readonly #groups: Handed[] = []
  readonly #receiver = new ColumnReceiver()
  /** Bounded by whoever stops taking when too much is not sealed. */
  readonly #slabs = new SlabPool(Number.POSITIVE_INFINITY)
  /** How many entries of the first group are taken. */
  #taken = 0
  #rows: StoredRow[] = []
  #next: number
  #committed: number

  /** Starts behind `position`. */
  constructor(reader: InboxReader, position: number) {
    this.#reader = reader
    this.#next = position + 1
    this.#committed = position
  }

  /** The position that comes next. */
  get nextPosition(): number {
    return this.#next
  }

  /** Newest position known to be committed. */
  get committedPosition(): number {
    return this.#committed
  }

  /** Memory of entries read from the file that somebody may look at. */
  get restoredBytes(): number {
    return this.#slabs.usedBytes
  }

  get waits(): boolean {
    return this.#next <= this.#committed
  }

  /** Everything up to `position` is committed; what is not handed over is read from the file. */
  reachTo(position: number): void {
    this.#committed = Math.max(this.#committed, position)
  }

  offer(message: CommittedMessage): void {
    this.reachTo(message.to)
    if (message.buffer === null) return
    const known = message.introduced === undefined ? null : this.#receiver.accept(message.introduced)
    // Else read from the file already, because the announcement came first.
    if (message.from < this.#next) return
    this.#groups.push({ message, known })
  }

  /** Nobody looks at entries up to `position` any more; memory of those read from the file is used again. */
  released(position: number): void {
    this.#slabs.release(position)
  }

  /** The next entry, or null while there is none. */
  take(): Fed | null {
    if (!this.waits) return null
    const head = this.#groups[0]
    if (head !== undefined && head.message.from <= this.#next) return this.#takeHanded(head)
    return this.#takeStored(head === undefined ? this.#committed : head.message.from - 1)
  }

  #takeHanded({ message: group, known }: Handed): Fed {
    const handed = group.entries[this.#taken++]
    if (handed === undefined || group.buffer === null) throw new Error('an announced group has no entries')
    if (this.#taken === group.entries.length) {
      this.#groups.shift()
      this.#taken = 0
    }
    this.#next = handed.position + 1
    const bytes = new Uint8Array(group.buffer, handed.offset, handed.length)
    const { position, tenant, signal, receivedMs, items } = handed
    const refused = handed.refused ?? noneRefused
    const columns =
      handed.columns === null || known === null
        ? null
        : readHanded(signal, items, handed.columns, group.buffer, known)
    return { type: 'entry', entry: { position, tenant, signal, receivedMs, items, bytes, refused, columns } }
  }

  #takeStored(last: number): Fed {
    if (this.#rows.length === 0) this.#rows = [...this.#reader.read(this.#next, last, readBytes)]
    const row = this.#rows[0]
    const from = this.#next
    if (row === undefined || row.position > from) {
      this.#next = row?.position ?? last + 1
      return { type: 'missing', from, to: this.#next - 1 }
    }
    this.#next++
    this.#rows.shift()
    try {
      return { type: 'entry', entry: restore(row, this.#slabs) }
    } catch (error) {
      return { type: 'unreadable', row, reason: error instanceof Error ? error.message : String(error) }
    }
  }
}

/** A stored row as it would have been handed over. Throws what checksum, inflation or JSON throw. */
function restore(stored: StoredRow, slabs: SlabPool): FedEntry {
  const row = decodeRow(stored)
  const raw = inflateAgain(row.body, row.compression, row.rawBytes)
  const protobuf = toProtobuf(row.signal, row.encoding, raw)
  const { position, tenant, signal, receivedMs, items } = row
  const place = slabs.take(aligned(protobuf.length), position)
  if (place === null) throw new Error('there is no bound, and yet no memory')
  const bytes = new Uint8Array(place.memory, place.at, protobuf.length)
  bytes.set(protobuf)
  const refused = Uint32Array.from(row.refusals, refusal => refusal.index).sort()
  return { position, tenant, signal, receivedMs, items, bytes, refused, columns: null }
}
