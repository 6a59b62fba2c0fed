/**
 * What query workers need to see beyond the store: every publication that is not sealed, and a little of what
 * is, so that a reader whose snapshot is a moment old finds no gap.
 */
import type { TailMessage, TailPublication } from '../../model/tail.ts'

/** Where a subscriber listens; a MessagePort. */
export interface TailPort {
  postMessage(message: TailMessage): void
}

/**
 * Sealed publications are kept so long and up to so many bytes: longer than opening a snapshot takes, and no
 * more than a fifth of a second of a saturated receiver.
 */
const keepMs = 5_000
const keepBytes = 32 * 1024 * 1024

interface Held {
  readonly publication: TailPublication
  readonly bytes: number
  /** When it was sealed; null before. */
  sealedAtMs: number | null
}

export class TailWindow {
  readonly #inboxId: string
  readonly #held: Held[] = []
  readonly #ports = new Set<TailPort>()
  #sealedPosition: number
  #lostPositions = 0
  #overflowing: readonly string[] = []

  constructor(inboxId: string, sealedPosition: number) {
    this.#inboxId = inboxId
    this.#sealedPosition = sealedPosition
  }

  /** Sends what is held, then everything that comes. */
  subscribe(port: TailPort): void {
    this.#ports.add(port)
    for (const { publication } of this.#held) port.postMessage(publication)
    port.postMessage(this.#sealedMessage())
  }

  unsubscribe(port: TailPort): void {
    this.#ports.delete(port)
  }

  publish(publication: TailPublication): void {
    let bytes = 0
    for (const entry of publication.entries) bytes += entry.bytes.length
    this.#held.push({ publication, bytes, sealedAtMs: null })
    for (const port of this.#ports) port.postMessage(publication)
  }

  /** So many more positions hold nothing that can be read; told with the next seal. */
  lost(positions: number): void {
    this.#lostPositions += positions
  }

  /** Tenants with names that no longer fit into the graph; told with the next seal. */
  overflowing(tenants: readonly string[]): void {
    this.#overflowing = [...new Set(tenants)].sort()
  }

  /** Everything up to `position` is in the store. */
  sealed(position: number, nowMs: number): void {
    this.#sealedPosition = position
    for (const held of this.#held) {
      if (held.sealedAtMs === null && held.publication.to <= position) held.sealedAtMs = nowMs
    }
    for (const port of this.#ports) port.postMessage(this.#sealedMessage())
    this.prune(nowMs)
  }

  prune(nowMs: number): void {
    let sealedBytes = 0
    for (const held of this.#held) if (held.sealedAtMs !== null) sealedBytes += held.bytes
    for (let oldest = this.#held[0]; oldest !== undefined; oldest = this.#held[0]) {
      if (oldest.sealedAtMs === null) return
      if (nowMs - oldest.sealedAtMs < keepMs && sealedBytes <= keepBytes) return
      sealedBytes -= oldest.bytes
      this.#held.shift()
    }
  }

  #sealedMessage(): TailMessage {
    return {
      type: 'sealed',
      inboxId: this.#inboxId,
      position: this.#sealedPosition,
      ...(this.#overflowing.length === 0 ? {} : { overflowing: this.#overflowing }),
      ...(this.#lostPositions === 0 ? {} : { lostPositions: this.#lostPositions }),
    }
  }
}
