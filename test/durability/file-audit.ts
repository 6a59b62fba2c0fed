/** The files of a server that has ended, held against what it acknowledged. */
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { judge, type Ledger, storedItems } from './ledger.ts'

const files = ['inbox.db', 'inbox.db-wal', 'otelcontext.db', 'otelcontext.db-wal']

/**
 * Judges what was acknowledged since the end of the server before, by a copy of the files as the last one left them;
 * the next server starts meanwhile. The whole is judged once, at the end.
 */
export class FileAudit {
  readonly #ledger: Ledger
  readonly #dataDirectory: string
  readonly #copies: string
  #copied = 0
  #judging: Promise<void> = Promise.resolve()
  #lastItems = 0
  lost = 0
  twice = 0
  invented = 0
  /** Ends after which the store held more than before. */
  seals = 0

  constructor(ledger: Ledger, dataDirectory: string, copies: string) {
    this.#ledger = ledger
    this.#dataDirectory = dataDirectory
    this.#copies = copies
  }

  /** Call while no server has the files open. */
  copy(): void {
    const fresh = this.#ledger.takeFresh()
    if (fresh.names.length === 0) return
    const copy = join(this.#copies, String(this.#copied++))
    mkdirSync(copy, { recursive: true })
    for (const file of files) {
      const from = join(this.#dataDirectory, file)
      if (existsSync(from)) copyFileSync(from, join(copy, file))
    }
    this.#judging = this.#judging.then(() => this.#judge(copy, fresh))
    this.#judging.catch(() => undefined)
  }

  /** Rejects when a copy could not be read. */
  done(): Promise<void> {
    return this.#judging
  }

  async #judge(copy: string, fresh: ReturnType<Ledger['takeFresh']>): Promise<void> {
    const databaseFile = join(copy, 'otelcontext.db')
    const { fromMs, names } = fresh
    const stored = await storedItems(databaseFile, { inboxFile: join(copy, 'inbox.db'), fromMs })
    const verdict = judge(this.#ledger, stored, names)
    this.lost += verdict.lost.length
    this.twice += verdict.twice.length
    this.invented += verdict.invented.length
    const sealed = (await storedItems(databaseFile)).size
    if (sealed > this.#lastItems) this.seals++
    this.#lastItems = sealed
    rmSync(copy, { recursive: true, force: true })
  }
}
