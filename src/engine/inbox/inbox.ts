/**
 * The durable inbox: takes requests, commits them in groups, answers each once its commit is on disk.
 *
 * Plain and synchronous but for the inflation of large bodies; `inbox-service` gives it a thread, messages and
 * timers. After any failure of the file nothing is acknowledged until the file has been opened and synced
 * anew.
 */
import { InvalidInputError } from '../../errors.ts'
import type { IngestResult } from '../../model/ingest.ts'
import type { Clock } from '../../model/time.ts'
import { type Answer, CommitGroup, type CommittedEntry } from './commit-group.ts'
import { DecompressionBudget, inflateNow } from './decompression.ts'
import { DiskWatch } from './disk-watch.ts'
import { type InboxCounter, rowSize } from './inbox-counter.ts'
import type { InboxFileOptions } from './inbox-database.ts'
import { inboxStorage } from './inbox-file.ts'
import type { Burial, InboxStorage, InboxWriter } from './inbox-storage.ts'
import { type IncomingRequest, type IntakeSettings, prepare } from './intake.ts'
import { JsonThread, longJsonBytes } from './json-thread.ts'
import { explainRefusal, retryLater } from './refusals.ts'
import { RequestHasher } from './request-hash.ts'
import { maxSeenRequests, SeenTable } from './seen-table.ts'
import { ShareLimit, shareKey } from './share-limit.ts'

export interface InboxOptions extends InboxFileOptions, IntakeSettings {
  /** Bound of what is stored and not trimmed. Null: 4 GiB or a fifth of the free disk, the smaller. */
  readonly maxBytes: number | null
  /** How long sealed entries are kept, milliseconds. */
  readonly keepSealedMs: number
  /** Bytes after decompression, of all requests in work together. */
  readonly decompressionBudgetBytes: number
}

export interface CommittedGroup {
  readonly from: number
  readonly to: number
  readonly entries: readonly CommittedEntry[]
}

/** Where the inbox reports to. */
export interface InboxEvents {
  answer(answers: readonly Answer[]): void
  /** Without entries where the rows have to be read from the file. */
  committed(group: CommittedGroup): void
  /** The file failed, or works again (null). */
  alarm(problem: string | null): void
  /** Something needs a commit soon. */
  wake(): void
}

export interface InboxFigures {
  readonly inboxId: string
  readonly lastPosition: number
  readonly bytes: number
  readonly maxBytes: number
  readonly counters: readonly InboxCounter[]
  /** Entries given up whose row stays here because the dead-letter directory is full. */
  readonly keptRows: number
  readonly remembered: number
  readonly commits: number
  /** Milliseconds since the epoch; 0 before the first. */
  readonly lastCommitMs: number
  readonly freeDiskBytes: number
  /** Why nothing is taken, or null. */
  readonly fault: string | null
}

/** A sender that saw no answer repeats its request for minutes, not hours. */
const seenWindowMs = 15 * 60_000

/** A commit is closed at this much: 8 MiB take about 15 ms to write, which is what a group may add to a wait. */
const maxGroupBytes = 8 * 1024 * 1024
const maxGroupRequests = 1_024
const maxGroupMs = 15

/**
 * How long a commit waits for as many requests as the last ones had. Every commit costs a quarter of a millisecond
 * whatever is in it: measured with 48 kB requests, 266, 172, 125 and 109 µs of CPU each with 2, 4, 8 and 20 to a
 * commit. A sender that is alone waits for nobody.
 */
const gatherMs = 2
const usualDecay = 0.9

/** Tenants the inbox keeps figures for; each has a graph of its own behind it. */
const maxTenants = 1_000

/** Sealed rows removed by one idle commit; about five milliseconds of work. */
const idleTrimRows = 512

const faultRetryMs = 1_000

export class Inbox {
  readonly #options: InboxOptions
  readonly #events: InboxEvents
  readonly #clock: Clock
  /** For every wait and age: a wall clock that is set back would make them endless. */
  readonly #elapsedMs: () => number
  readonly #budget: DecompressionBudget
  readonly #jsonThread = new JsonThread()
  readonly #maxBytes: number
  readonly #disk: DiskWatch
  readonly #hasher: RequestHasher
  readonly #storage: InboxStorage
  #file: InboxWriter
  #fill: ShareLimit
  #seen: SeenTable
  #tenants = new Set<string>()
  #group = new CommitGroup()
  #fault: { readonly problem: string; retryAtMs: number } | null = null
  #closed = false
  /** Sealed up to here, and since when; the oldest first. */
  readonly #sealed: { readonly position: number; readonly atMs: number }[] = []
  #trimTarget = 0
  #trimDone = true
  /** As last read; kept while the file is not to be read. */
  #counters: readonly InboxCounter[] = []
  #keptRows = 0
  #commits = 0
  /** Requests that a commit had of late. */
  #usualSize = 0
  #lastCommitMs = 0
  #forgotAtMs = 0

  /** Throws ConfigurationError when the file cannot be opened. */
  constructor(
    options: InboxOptions,
    events: InboxEvents,
    clock: Clock,
    storage: InboxStorage = inboxStorage(options),
    elapsedMs: () => number = () => performance.now(),
  ) {
    this.#elapsedMs = elapsedMs
    this.#storage = storage
    this.#options = options
    this.#events = events
    this.#clock = clock
    this.#budget = new DecompressionBudget(options.decompressionBudgetBytes)
    this.#file = storage.open()
    this.#hasher = new RequestHasher(this.#file.secret)
    this.#disk = new DiskWatch(storage.diskSpace, clock)
    this.#maxBytes = options.maxBytes ?? Math.min(4 * 2 ** 30, Math.floor(this.#disk.freeBytes / 5))
    this.#fill = new ShareLimit(this.#maxBytes)
    this.#seen = new SeenTable(seenWindowMs)
    this.#load()
  }

  get inboxId(): string {
    return this.#file.inboxId
  }

  get lastPosition(): number {
    return this.#file.lastPosition
  }

  /** Adds a request to the next commit, or answers it at once. Never throws for what a client sent. */
  take(request: IncomingRequest): void {
    try {
      const refusal = this.#refuse(request)
      if (refusal !== null) {
        this.#events.answer([{ id: request.id, result: refusal }])
        return
      }
      const bytes = inflateNow(request.body, request.compression, request.maxBytes)
      if (bytes !== null) this.#accept(request, bytes, 0)
      else void this.#takeLarge(request)
    } catch (error) {
      this.#events.answer([{ id: request.id, result: explainRefusal(error) }])
    }
  }

  /** Whether the next commit should wait a moment, because more is on its way by all experience. */
  get isGathering(): boolean {
    const group = this.#group
    return group.size > 0 && group.size < this.#usualSize && this.#elapsedMs() - group.startedMs < gatherMs
  }

  /** Commits what has gathered, answers it, and removes some of what is sealed. */
  flush(trimRows = 64): void {
    if (this.#fault !== null || this.#closed) return
    const group = this.#group
    if (group.size === 0 && !this.#trimWaits()) return
    this.#group = new CommitGroup()
    let entries: readonly CommittedEntry[]
    try {
      this.#file.begin()
      entries = group.write(this.#file)
      this.#trimSome(Math.max(trimRows, 2 * entries.length))
      this.#forgetSome()
      this.#file.commit()
    } catch (error) {
      this.#fail(group, error)
      return
    }
    this.#settle(group, entries)
  }

  /** Everything up to `position` is sealed in the store and may go, after the time it is to be kept. */
  trim(position: number): void {
    this.#sealed.push({ position, atMs: this.#elapsedMs() })
    this.#chooseTrimTarget()
  }

  /** Notes durably that an entry is given up; throws if that fails. */
  bury(burial: Burial): void {
    if (this.#fault !== null) throw new Error(this.#fault.problem)
    try {
      this.#file.begin()
      this.#file.bury(burial)
      this.#file.commit()
    } catch (error) {
      this.#file.rollback()
      throw error
    }
  }

  /** Called a few times a second: trims while nothing arrives, and tries to recover from a fault. */
  tick(): void {
    if (this.#closed) return
    if (this.#fault !== null) {
      this.#recover()
      return
    }
    this.#chooseTrimTarget()
    this.flush(idleTrimRows)
  }

  figures(): InboxFigures {
    if (this.#fault === null && !this.#closed) {
      this.#counters = this.#file.counters()
      this.#keptRows = this.#file.keptRows()
    }
    return {
      inboxId: this.#file.inboxId,
      lastPosition: this.#file.lastPosition,
      bytes: this.#fill.used,
      maxBytes: this.#maxBytes,
      counters: this.#counters,
      keptRows: this.#keptRows,
      remembered: this.#seen.size,
      commits: this.#commits,
      lastCommitMs: this.#lastCommitMs,
      freeDiskBytes: this.#disk.freeBytes,
      fault: this.#fault?.problem ?? null,
    }
  }

  /** Commits what has gathered and closes the file; what comes later is told to retry. */
  close(): void {
    if (this.#closed) return
    this.flush()
    this.#closed = true
    this.#jsonThread.close()
    if (this.#fault === null) this.#file.close()
  }

  async #takeLarge(request: IncomingRequest): Promise<void> {
    try {
      const bytes = await this.#budget.inflate(request.body, request.compression, request.maxBytes)
      const refusal = this.#refuse(request)
      if (refusal === null) {
        this.#accept(request, bytes, bytes.length)
        return
      }
      this.#budget.giveBack(bytes.length)
      this.#events.answer([{ id: request.id, result: refusal }])
    } catch (error) {
      this.#events.answer([{ id: request.id, result: explainRefusal(error) }])
    }
  }

  /** `budgeted` bytes of the budget belong to this request already. */
  #accept(request: IncomingRequest, bytes: Uint8Array, budgeted: number): void {
    if (request.encoding === 'json' && bytes.length > longJsonBytes) {
      void this.#acceptLongJson(request, bytes, budgeted)
      return
    }
    this.#budget.take(bytes.length - budgeted)
    try {
      this.#join(request, bytes)
    } catch (error) {
      this.#budget.giveBack(bytes.length)
      this.#events.answer([{ id: request.id, result: explainRefusal(error) }])
    }
  }

  async #acceptLongJson(request: IncomingRequest, bytes: Uint8Array, budgeted: number): Promise<void> {
    this.#budget.take(bytes.length - budgeted)
    let refusal: IngestResult | null
    try {
      const protobuf = await this.#jsonThread.transcode(request.signal, bytes)
      refusal = this.#refuse(request)
      if (refusal === null) this.#join(request, bytes, protobuf)
    } catch (error) {
      refusal = explainRefusal(error)
    }
    if (refusal === null) return
    this.#budget.giveBack(bytes.length)
    this.#events.answer([{ id: request.id, result: refusal }])
  }

  #join(request: IncomingRequest, bytes: Uint8Array, transcoded?: Uint8Array): void {
    const hash = this.#hasher.hash(request, bytes)
    const known = this.#seen.find(hash, this.#clock.now()) ?? this.#group.pending(hash)
    if (this.#group.size === 0) this.#group.startedMs = this.#elapsedMs()
    if (known !== null) {
      this.#group.addRepeated(request, known)
    } else {
      const prepared = prepare(request, bytes, this.#options, transcoded)
      this.#checkTenants(prepared.entries.map(entry => entry.row.tenant))
      this.#group.add(request, prepared, hash)
      for (const { row } of prepared.entries) {
        this.#fill.add(shareKey(row.signal, row.tenant), rowSize(row.body.length))
      }
    }
    this.#group.bytes += bytes.length
    if (this.#groupIsFull()) this.flush()
    else this.#events.wake()
  }

  #groupIsFull(): boolean {
    const group = this.#group
    return (
      group.bytes >= maxGroupBytes ||
      group.size >= maxGroupRequests ||
      this.#elapsedMs() - group.startedMs >= maxGroupMs ||
      !this.#budget.fits(maxGroupBytes)
    )
  }

  #checkTenants(tenants: readonly string[]): void {
    for (const tenant of tenants) {
      if (this.#tenants.has(tenant)) continue
      if (this.#tenants.size >= maxTenants) {
        throw new InvalidInputError(
          'invalid_tenant',
          `${maxTenants} tenants are in use, which is the limit; "${tenant}" would be one more`,
        )
      }
      this.#tenants.add(tenant)
    }
  }

  /** Why a request cannot be taken now, before any work on it. */
  #refuse(request: IncomingRequest): IngestResult | null {
    if (this.#closed) return retryLater('draining', 5_000, 'this server is shutting down')
    if (this.#fault !== null) return retryLater('store_fault', 5_000, this.#fault.problem)
    if (this.#disk.isNearlyFull()) {
      const free = Math.floor(this.#disk.freeBytes / 2 ** 20)
      return retryLater('store_fault', 10_000, `the disk is nearly full: ${free} MiB are free`)
    }
    if (!this.#fill.fits(shareKey(request.signal, request.tenant), rowSize(request.body.length))) {
      return retryLater(
        'queue_full',
        5_000,
        `the inbox share of ${request.signal} of this tenant is full; the inbox holds ${this.#fill.used} of ${this.#maxBytes} bytes`,
      )
    }
    return null
  }

  #settle(group: CommitGroup, entries: readonly CommittedEntry[]): void {
    this.#commits++
    if (group.size > 0) this.#usualSize = Math.max(group.size, Math.floor(this.#usualSize * usualDecay))
    this.#lastCommitMs = this.#clock.now()
    for (const { hash, receivedMs, verdict } of group.remembered()) this.#seen.add(hash, receivedMs, verdict)
    if (group.size > 0) this.#events.answer(group.accepted())
    const from = entries[0]?.position
    const to = entries.at(-1)?.position
    if (from !== undefined && to !== undefined) this.#events.committed({ from, to, entries })
    this.#budget.giveBack(group.bytes)
    this.#disk.wrote(group.bytes)
  }

  #fail(group: CommitGroup, error: unknown): void {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const problem = `the inbox cannot be written (${code})`
    this.#fault = { problem, retryAtMs: this.#elapsedMs() + faultRetryMs }
    this.#budget.giveBack(group.bytes)
    // Whether the failed commit reached the log is found out when the file is opened again.
    try {
      this.#file.rollback()
      this.#file.close()
    } catch {
      // Nothing of it was acknowledged, and nothing will be on this connection.
    }
    this.#events.alarm(problem)
    this.#events.answer(group.answerAll(retryLater('store_fault', 5_000, problem)))
  }

  /**
   * Opening syncs log and file (see `InboxFile`), so whatever is found then is on disk, the commit that failed
   * included if it had got that far; its requests will be recognised when they are sent again.
   */
  #recover(): void {
    const fault = this.#fault
    if (fault === null || this.#elapsedMs() < fault.retryAtMs) return
    const known = this.#file.lastPosition
    try {
      const file = this.#storage.open()
      if (file.inboxId !== this.#file.inboxId || file.lastPosition < this.#file.lastPosition) {
        file.close()
        throw new Error('the inbox lost committed entries')
      }
      this.#file = file
      this.#load()
    } catch (error) {
      fault.retryAtMs = this.#elapsedMs() + faultRetryMs
      this.#events.alarm(error instanceof Error ? error.message : String(error))
      return
    }
    this.#fault = null
    this.#trimDone = false
    this.#events.alarm(null)
    // Nobody has told the engine of what is found only now, and a repeat, which commits nothing new, will not.
    const found = this.#file.lastPosition
    if (found > known) this.#events.committed({ from: known + 1, to: found, entries: [] })
  }

  #load(): void {
    this.#fill = new ShareLimit(this.#maxBytes)
    this.#tenants = new Set()
    for (const counter of this.#file.counters()) {
      this.#fill.add(shareKey(counter.signal, counter.tenant), counter.bytes)
      this.#tenants.add(counter.tenant)
    }
    this.#seen = new SeenTable(seenWindowMs)
    for (const seen of this.#file.seenSince(this.#clock.now() - seenWindowMs, maxSeenRequests)) {
      this.#seen.add(seen.hash, seen.receivedMs, seen)
    }
  }

  #trimWaits(): boolean {
    return !this.#trimDone
  }

  /** Sealed entries go when their time is over, or earlier when the inbox is nearly full. */
  #chooseTrimTarget(): void {
    const due = this.#elapsedMs() - this.#options.keepSealedMs
    const crowded = this.#fill.used > this.#maxBytes * 0.9
    while (this.#sealed[0] !== undefined && (crowded || this.#sealed[0].atMs <= due)) {
      this.#trimTarget = Math.max(this.#trimTarget, this.#sealed[0].position)
      this.#trimDone = false
      this.#sealed.shift()
    }
  }

  #trimSome(limit: number): void {
    if (this.#trimDone) return
    const { removed, done } = this.#file.trim(this.#trimTarget, limit)
    this.#trimDone = done
    for (const counter of removed) this.#fill.add(shareKey(counter.signal, counter.tenant), counter.bytes)
  }

  #forgetSome(): void {
    const now = this.#clock.now()
    if (Math.abs(now - this.#forgotAtMs) < 1_000) return
    this.#forgotAtMs = now
    this.#file.forgetSeen(now - seenWindowMs)
  }
}
