/**
 * Hands committed entries to the engine while it keeps up. Bounded by bytes: beyond that it only hears how far
 * the inbox reaches, and reads the rows itself when it gets there.
 */
import { type Place, SlabPool } from '../slab-pool.ts'
import type { CommittedEntry } from './commit-group.ts'
import { aligned, ColumnSender } from './handed-columns.ts'
import type { CommittedGroup } from './inbox.ts'
import type { CommittedMessage, HandedEntry } from './inbox-messages.ts'

/**
 * Requests and their columns that are handed over and not let go of: what the engine takes before it has to wait for
 * a seal, a tenth more of spans and a third more of logs with their columns, and what is on its way.
 */
const handedBytes = 32 * 1024 * 1024

/** The engine's end of the channel; a MessagePort. */
export interface EnginePort {
  postMessage(message: CommittedMessage): void
}

/** Entries in the same memory. */
interface Piece {
  readonly from: number
  readonly memory: SharedArrayBuffer
  readonly entries: HandedEntry[]
}

export class Handover {
  readonly #port: EnginePort
  readonly #columns = new ColumnSender()
  readonly #slabs: SlabPool

  /** Tells the engine how far the inbox reaches already. */
  constructor(port: EnginePort, lastPosition: number, slabs: SlabPool = new SlabPool(handedBytes)) {
    this.#port = port
    this.#slabs = slabs
    if (lastPosition > 0) this.#announce(1, lastPosition)
  }

  offer(group: CommittedGroup): void {
    if (group.entries.length === 0) {
      this.#announce(group.from, group.to)
      return
    }
    let piece = null as Piece | null
    for (const entry of group.entries) {
      const place = this.#slabs.take(this.#sizeOf(entry), entry.position)
      if (place === null) {
        this.#post(piece, entry.position - 1)
        this.#announce(entry.position, group.to)
        return
      }
      if (piece?.memory !== place.memory) {
        this.#post(piece, entry.position - 1)
        piece = { from: piece === null ? group.from : entry.position, memory: place.memory, entries: [] }
      }
      piece.entries.push(this.#write(entry, place))
    }
    this.#post(piece, group.to)
  }

  /** Everything up to `position` is sealed, and no reader looks at it. */
  released(position: number): void {
    this.#slabs.release(position)
  }

  #sizeOf({ bytes, columns }: CommittedEntry): number {
    return aligned(bytes.length) + (columns === null ? 0 : this.#columns.bytesFor(columns))
  }

  #write(entry: CommittedEntry, { memory, at }: Place): HandedEntry {
    const { position, bytes, row, columns, refused } = entry
    new Uint8Array(memory, at, bytes.length).set(bytes)
    return {
      position,
      tenant: row.tenant,
      signal: row.signal,
      receivedMs: row.receivedMs,
      items: row.items,
      offset: at,
      length: bytes.length,
      refused: refused.length === 0 ? null : refused,
      columns: columns === null ? null : this.#columns.write(columns, memory, at + aligned(bytes.length)),
    }
  }

  #post(piece: Piece | null, to: number): void {
    if (piece === null) return
    const { from, memory: buffer, entries } = piece
    const introduced = this.#columns.introduce()
    this.#port.postMessage({ type: 'committed', from, to, buffer, introduced, entries })
  }

  #announce(from: number, to: number): void {
    this.#port.postMessage({ type: 'committed', from, to, buffer: null, entries: [] })
  }
}
