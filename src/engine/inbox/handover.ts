/**
 * Hands committed entries to the engine while it keeps up. Bounded by bytes: beyond that it only hears how far
 * the inbox reaches, and reads the rows itself when it gets there.
 */
import { aligned, ColumnSender } from './handed-columns.ts'
import type { CommittedGroup } from './inbox.ts'
import type { CommittedMessage, HandedEntry } from './inbox-messages.ts'

/** Bytes handed over and not worked off: a fifth of a second of a saturated receiver. */
const creditBytes = 64 * 1024 * 1024

/** The engine's end of the channel; a MessagePort. */
export interface EnginePort {
  postMessage(message: CommittedMessage): void
}

export class Handover {
  readonly #port: EnginePort
  readonly #columns = new ColumnSender()
  #outstanding = 0

  /** Tells the engine how far the inbox reaches already. */
  constructor(port: EnginePort, lastPosition: number) {
    this.#port = port
    if (lastPosition > 0) this.#announce(1, lastPosition)
  }

  offer(group: CommittedGroup): void {
    let total = 0
    for (const { bytes, columns } of group.entries) {
      total += aligned(bytes.length) + (columns === null ? 0 : this.#columns.bytesFor(columns))
    }
    if (this.#outstanding + total > creditBytes) {
      this.#announce(group.from, group.to)
      return
    }
    this.#outstanding += total
    const buffer = new SharedArrayBuffer(total)
    const bytes = new Uint8Array(buffer)
    const entries: HandedEntry[] = []
    let offset = 0
    for (const entry of group.entries) {
      bytes.set(entry.bytes, offset)
      const columnsAt = offset + aligned(entry.bytes.length)
      const { columns, refused } = entry
      entries.push({
        position: entry.position,
        tenant: entry.row.tenant,
        signal: entry.row.signal,
        receivedMs: entry.row.receivedMs,
        items: entry.row.items,
        offset,
        length: entry.bytes.length,
        refused: refused.length === 0 ? null : refused,
        columns: columns === null ? null : this.#columns.write(columns, buffer, columnsAt),
      })
      offset = columnsAt + (columns === null ? 0 : this.#columns.bytesFor(columns))
    }
    this.#post({
      type: 'committed',
      from: group.from,
      to: group.to,
      buffer,
      introduced: this.#columns.introduce(),
      entries,
    })
  }

  consumed(bytes: number): void {
    this.#outstanding -= bytes
  }

  #announce(from: number, to: number): void {
    this.#post({ type: 'committed', from, to, buffer: null, entries: [] })
  }

  #post(message: CommittedMessage): void {
    this.#port.postMessage(message)
  }
}
