/** Gives up on entries that cannot be processed: safe elsewhere, durably, before any seal passes their position. */
import type { Logger } from '../../logger.ts'
import { signals } from '../../model/telemetry.ts'
import type { Clock } from '../../model/time.ts'
import { decodeRow, type StoredRow } from '../inbox/inbox-row.ts'
import type { Burial, InboxReader } from '../inbox/inbox-storage.ts'
import type { DeadLetterBox } from './dead-letters.ts'

/** What the engine says to the inbox worker. */
export interface EngineOutbox {
  /** Everything up to `position` is sealed, and no reader looks at it. */
  released(position: number): void
  trim(position: number): void
  /** Resolves once the burial is durable. */
  bury(burial: Burial): Promise<void>
}

export interface BurialParts {
  readonly reader: InboxReader
  readonly deadLetters: DeadLetterBox
  readonly inbox: EngineOutbox
  readonly clock: Clock
  readonly logger: Logger
}

export class Burials {
  readonly #parts: BurialParts
  readonly #stop: AbortSignal
  /** Given up by an earlier process, and not sealed over yet. */
  readonly #earlier: Set<number>
  /** Since the start. */
  count = 0

  constructor(parts: BurialParts, sealedPosition: number, stop: AbortSignal) {
    this.#parts = parts
    this.#stop = stop
    this.#earlier = new Set(parts.reader.buriedAfter(sealedPosition))
  }

  /** Whether an earlier process gave the entry up; asked once for each position. */
  isBuried(position: number): boolean {
    return this.#earlier.delete(position)
  }

  /** As `bury`, for an entry whose row is still to be read. */
  async buryPosition(position: number, error: unknown): Promise<void> {
    const [row] = this.#parts.reader.read(position, position, 1)
    if (row === undefined) throw new Error(`the row of entry ${position} is gone`)
    await this.bury(row, error instanceof Error ? error.message : String(error))
  }

  /** Into a dead-letter file, or kept in the inbox when there is no room. Rejects when the engine is stopped. */
  async bury(row: StoredRow, reason: string): Promise<void> {
    if (this.isBuried(row.position)) return
    const { inbox, logger } = this.#parts
    const kept = !this.#writeDeadLetter(row, reason)
    await this.#unlessStopped(inbox.bury({ position: row.position, ...aboutRow(row), reason, kept }))
    this.count++
    logger.error(
      { event: 'entry_buried', position: row.position, reason, kept },
      kept ? 'entry cannot be processed and stays in the inbox' : 'entry cannot be processed',
    )
  }

  #writeDeadLetter(row: StoredRow, reason: string): boolean {
    const { deadLetters, reader, clock, logger } = this.#parts
    try {
      return deadLetters.write(reader.inboxId, row, reason, clock.now())
    } catch (error) {
      logger.error({ event: 'dead_letter_failed', err: error }, 'dead letter not written')
      return false
    }
  }

  /** Settles with the work, or rejects when the engine gives up waiting for it. */
  #unlessStopped(work: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => reject(new Error('the engine was stopped'))
      this.#stop.addEventListener('abort', giveUp, { once: true })
      if (this.#stop.aborted) giveUp()
      void work.then(resolve, reject).finally(() => this.#stop.removeEventListener('abort', giveUp))
    })
  }
}

/** Whose items a row holds, as far as it can be told. */
function aboutRow(row: StoredRow): Pick<Burial, 'tenant' | 'signal' | 'items'> {
  try {
    const { tenant, signal, items } = decodeRow(row)
    return { tenant, signal, items }
  } catch {
    // A damaged row says at least something; nothing but a count depends on it.
    const signal = signals[row.signal] ?? 'traces'
    return { tenant: String(row.tenant), signal, items: Number(row.items) || 0 }
  }
}
