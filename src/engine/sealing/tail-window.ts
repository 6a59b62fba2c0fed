/**
 * What query workers need to see beyond the store: every publication that is not sealed. A reader that hears of one
 * too late to find it here opens its snapshot later still, and finds it there.
 */
import { type PackedPublication, packPublication } from '../../model/packed-tail.ts'
import type { TailMessage, TailPublication } from '../../model/tail.ts'

/** Where a subscriber listens; a MessagePort. */
export interface TailPort {
  postMessage(message: TailMessage): void
}

export class TailWindow {
  readonly #inboxId: string
  readonly #onReleased: (position: number) => void
  #held: readonly PackedPublication[] = []
  /** With the position up to which each looks at nothing any more. */
  readonly #ports = new Map<TailPort, number>()
  #sealedPosition: number
  #releasedPosition: number
  #lostPositions = 0
  #overflowing: readonly string[] = []

  /** `onReleased` hears up to where everything is sealed and no subscriber looks at it. */
  constructor(inboxId: string, sealedPosition: number, onReleased: (position: number) => void) {
    this.#inboxId = inboxId
    this.#onReleased = onReleased
    this.#sealedPosition = sealedPosition
    this.#releasedPosition = sealedPosition
  }

  /** Sends what is held, then everything that comes. */
  subscribe(port: TailPort): void {
    this.#ports.set(port, this.#sealedPosition)
    for (const publication of this.#held) port.postMessage(publication)
    port.postMessage(this.#sealedMessage())
  }

  unsubscribe(port: TailPort): void {
    this.#ports.delete(port)
    this.#tellReleased()
  }

  /** The subscriber looks at nothing up to `position` any more. */
  released(port: TailPort, position: number): void {
    const before = this.#ports.get(port)
    if (before === undefined || position <= before) return
    this.#ports.set(port, position)
    this.#tellReleased()
  }

  publish(publication: TailPublication): void {
    const packed = packPublication(publication)
    this.#held = [...this.#held, packed]
    for (const port of this.#ports.keys()) port.postMessage(packed)
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
  sealed(position: number): void {
    this.#sealedPosition = position
    this.#held = this.#held.filter(publication => publication.to > position)
    for (const port of this.#ports.keys()) port.postMessage(this.#sealedMessage())
    this.#tellReleased()
  }

  #tellReleased(): void {
    const position = Math.min(this.#sealedPosition, ...this.#ports.values())
    if (position <= this.#releasedPosition) return
    this.#releasedPosition = position
    this.#onReleased(position)
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
