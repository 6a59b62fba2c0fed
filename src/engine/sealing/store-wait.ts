/**
 * What the engine's port hears while the store cannot be opened. A server store may be away when the process
 * starts; the inbox takes what arrives all the same, so this is no reason not to start.
 */
import type { MessagePort } from 'node:worker_threads'
import type { CommittedMessage } from '../inbox/inbox-messages.ts'
import type { EngineCommand, EngineReport } from './engine-messages.ts'
import type { InboxLink } from './inbox-link.ts'

export class StoreWait {
  readonly #link: InboxLink
  readonly #report: (message: EngineReport) => void
  /** Fires when the process stops before the store could be opened. */
  readonly stopped: AbortController = new AbortController()
  readonly #tails: MessagePort[] = []
  #reached = 0
  #pass: ((message: CommittedMessage) => void) | null = null
  /** Why the store cannot be opened, one sentence. */
  fault: string | null = null

  constructor(link: InboxLink, report: (message: EngineReport) => void) {
    this.#link = link
    this.#report = report
  }

  /** Connects the inbox; what is handed over before there is an engine is read from its file later. */
  connect(port: MessagePort): void {
    this.#link.connect(port, message => {
      if (this.#pass !== null) {
        this.#pass(message)
        return
      }
      this.#reached = Math.max(this.#reached, message.to)
      if (message.buffer !== null) this.#link.released(message.to)
    })
  }

  heed(message: EngineCommand): void {
    switch (message.type) {
      case 'begin':
        return
      case 'inbox':
        this.connect(message.port)
        return
      case 'tail':
        this.#tails.push(message.port)
        return
      case 'figures':
        this.#report({ type: 'figures', id: message.id, figures: null, waitingFor: this.fault })
        return
      case 'stop':
        this.stopped.abort()
        return
      default:
        message satisfies never
    }
  }

  /** The store is open: from now on `offer` hears of the inbox. Returns the tail channels that wait. */
  end(offer: (message: CommittedMessage) => void): readonly MessagePort[] {
    this.#pass = offer
    if (this.#reached > 0) offer({ type: 'committed', from: 1, to: this.#reached, buffer: null, entries: [] })
    return this.#tails.splice(0)
  }
}
