/** The engine's line to the inbox worker; survives a new inbox worker at the other end. */
import type { CommittedMessage, EngineToInbox, InboxToEngine } from '../inbox/inbox-messages.ts'
import type { Burial } from '../inbox/inbox-storage.ts'
import type { ThreadPort } from '../thread-port.ts'
import type { EngineOutbox } from './burials.ts'

interface WaitingBurial {
  readonly burial: Burial
  readonly resolve: () => void
}

export class InboxLink implements EngineOutbox {
  #port: ThreadPort<InboxToEngine, EngineToInbox> | null = null
  readonly #burials = new Map<number, WaitingBurial>()
  #trimmed = 0

  /** Replaces the port; what the last worker may not have heard is said again. */
  connect(
    port: ThreadPort<InboxToEngine, EngineToInbox>,
    committed: (message: CommittedMessage) => void,
  ): void {
    this.#port?.close()
    this.#port = port
    port.on('message', (message: InboxToEngine) => {
      if (message.type === 'committed') committed(message)
      else this.#burials.get(message.position)?.resolve()
    })
    if (this.#trimmed > 0) this.#post({ type: 'trim', position: this.#trimmed })
    for (const { burial } of this.#burials.values()) this.#post({ type: 'bury', burial })
  }

  released(position: number): void {
    this.#post({ type: 'released', position })
  }

  trim(position: number): void {
    this.#trimmed = position
    this.#post({ type: 'trim', position })
  }

  async bury(burial: Burial): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#burials.set(burial.position, { burial, resolve })
    this.#post({ type: 'bury', burial })
    await promise
    this.#burials.delete(burial.position)
  }

  close(): void {
    this.#port?.close()
    this.#port = null
  }

  #post(message: EngineToInbox): void {
    this.#port?.postMessage(message)
  }
}
