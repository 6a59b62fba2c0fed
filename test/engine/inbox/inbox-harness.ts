/** An inbox on a real file whose answers and commits are collected, with a clock that tests set. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Answer } from '../../../src/engine/inbox/commit-group.ts'
import { type CommittedGroup, Inbox, type InboxOptions } from '../../../src/engine/inbox/inbox.ts'
import { inboxStorage } from '../../../src/engine/inbox/inbox-file.ts'
import type { IncomingRequest } from '../../../src/engine/inbox/intake.ts'
import type { IngestResult } from '../../../src/model/ingest.ts'

const mebibyte = 1024 * 1024
const startMs = 1_700_000_000_000

export class InboxHarness {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'inbox-'))
  readonly answers: Answer[] = []
  readonly groups: CommittedGroup[] = []
  readonly alarms: (string | null)[] = []
  nowMs: number = startMs
  inbox: Inbox
  readonly #options: Partial<InboxOptions>
  #nextId = 1

  constructor(options: Partial<InboxOptions> = {}) {
    this.#options = options
    this.inbox = this.#open()
  }

  get file(): string {
    return join(this.directory, 'inbox.db')
  }

  /** Takes a request without committing it; returns its number. */
  take(body: Uint8Array, change: Partial<IncomingRequest> = {}): number {
    const id = this.#nextId++
    this.inbox.take({
      id,
      signal: 'traces',
      encoding: 'protobuf',
      compression: 'none',
      body,
      tenant: 'default',
      principal: 'key-1',
      peer: '10.0.0.1',
      receivedAtMs: this.nowMs,
      maxBytes: 4 * mebibyte,
      ...change,
    })
    return id
  }

  answerTo(id: number): IngestResult | undefined {
    return this.answers.find(answer => answer.id === id)?.result
  }

  /** Takes and commits one request. */
  ingest(body: Uint8Array, change: Partial<IncomingRequest> = {}): IngestResult | undefined {
    const id = this.take(body, change)
    this.inbox.flush()
    return this.answerTo(id)
  }

  /** What a restart finds; nothing that was not committed survives. */
  reopen(): void {
    this.inbox.close()
    this.inbox = this.#open()
  }

  remove(): void {
    this.inbox.close()
    rmSync(this.directory, { recursive: true, force: true })
  }

  #open(): Inbox {
    return new Inbox(
      {
        file: this.file,
        maxBytes: 64 * mebibyte,
        keepSealedMs: 0,
        decompressionBudgetBytes: 16 * mebibyte,
        attributeMaxBytes: 65_536,
        trustResourceTenant: false,
        ...this.#options,
      },
      {
        answer: answers => this.answers.push(...answers),
        committed: group => this.groups.push(group),
        alarm: problem => this.alarms.push(problem),
        wake: () => undefined,
      },
      { now: () => this.nowMs },
      inboxStorage({ file: this.file, ...this.#options }),
      // Counts from another moment than the wall clock does, as it really does: the two must not be mixed.
      () => this.nowMs - startMs,
    )
  }
}
