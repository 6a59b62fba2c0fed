/**
 * What the engine worker does with committed entries: decode, count, publish, seal. Plain code around one loop;
 * `engine-service` gives it a thread and ports.
 *
 * Three positions tell how far it is: taken from the feed, published to readers, sealed in the store. Everything
 * between sealed and taken is in memory, bounded by `maxUnsealedBytes`; beyond that the engine stops taking and
 * the inbox, whose bound is on disk, grows instead.
 */
import { StoreError } from '../../errors.ts'
import type { CardinalityLimits } from '../../graph/cardinality-budget.ts'
import type { GraphLimits } from '../../graph/graph-limits.ts'
import type { Counted } from '../../graph/tenant-graph.ts'
import type { Logger } from '../../logger.ts'
import type { Overflow } from '../../model/overflow.ts'
import type { StoreWriter } from '../../model/store.ts'
import type { TailEntry } from '../../model/tail.ts'
import type { Clock } from '../../model/time.ts'
import type { Timers } from '../../model/timers.ts'
import { YoungGarbage } from '../../model/young-garbage.ts'
import { entryIndexOf } from '../../store/segment/entry-index.ts'
import { batchOf, type DecodeSettings, decodeAccepted } from '../codec.ts'
import type { CommittedMessage } from '../inbox/inbox-messages.ts'
import type { InboxReader } from '../inbox/inbox-storage.ts'
import { Burials, type EngineOutbox } from './burials.ts'
import type { DeadLetterBox, DeadLetterFigures } from './dead-letters.ts'
import { EntryFeed, type Fed, type FedEntry } from './entry-feed.ts'
import { type PendingEntry, PendingRange } from './pending-range.ts'
import { mustStartOver, Sealer } from './sealer.ts'
import { TailWindow } from './tail-window.ts'
import { TenantGraphs } from './tenant-graphs.ts'

export interface SealLimits {
  readonly items: number
  readonly bytes: number
  readonly ageMs: number
}

/**
 * A seal is due at five full segments, at 16 MiB (two of which fit into `maxUnsealedBytes`), or after two
 * seconds, which bounds the replay after a crash.
 */
export const defaultSealLimits: SealLimits = { items: 50_000, bytes: 16 * 1024 * 1024, ageMs: 2_000 }

export interface EngineCoreOptions extends DecodeSettings {
  readonly sealLimits: SealLimits
  readonly graphLimits: Partial<GraphLimits>
  /** Of all tenants together. */
  readonly graphLimitsInAll?: Partial<CardinalityLimits>
  /** Entries read back from the inbox and not released by readers; 20 MiB unless told otherwise. */
  readonly maxRestoredBytes?: number
  /** An entry that ended the thread before, twice; it is not tried again. 0: none. */
  readonly suspect: number
}

export interface EngineCoreParts {
  readonly store: StoreWriter
  readonly reader: InboxReader
  readonly deadLetters: DeadLetterBox
  readonly logger: Logger
  readonly clock: Clock
  readonly timers: Timers
  /** To the inbox worker. */
  readonly inbox: EngineOutbox
  /** Where the position in work is noted, outside of this thread: see `suspect`. */
  readonly progress: Float64Array
}

export interface EngineCoreFigures {
  readonly inboxId: string
  /** Newest position known to be durable. */
  readonly committedPosition: number
  readonly takenPosition: number
  readonly publishedPosition: number
  readonly sealedPosition: number
  /** Age of the oldest entry that is committed and not published, milliseconds; 0 when there is none. */
  readonly lagMs: number
  readonly unsealedItems: number
  readonly unsealedBytes: number
  readonly seals: number
  /** Milliseconds since the epoch; 0 before the first. */
  readonly lastSealMs: number
  /** Why sealing fails at the moment, or null. */
  readonly storeFault: string | null
  readonly deadLetters: DeadLetterFigures
  readonly buried: number
  /** Committed positions without a row: lost data, which nothing but a damaged file explains. */
  readonly missingRows: number
  /** Entries that are stored although the graph could not count them. */
  readonly uncounted: number
  readonly tenants: number
  /** Bounds of the graph that were reached since the start. */
  readonly overflows: readonly Overflow[]
}

/** Longest stretch of work before messages are looked at, milliseconds. */
const sliceMs = 20
/**
 * Readers hear of new entries this often while they come. Every publication writes out the rollup cells touched
 * since the last seal: at 200 ms that was a tenth of this thread's work.
 */
const publishMs = 500
/**
 * Up to so long where writing cells takes more than a twentieth of the time between: at a thousand services what comes
 * meanwhile makes a seal due, and cells are written for it alone.
 */
const slowestPublishMs = 1_000
const timesWriting = 20
/** Or when so much has gathered: as much as makes a seal due, so that a busy engine writes cells once a seal. */
const publishBytes = 16 * 1024 * 1024
/** Cells are begun anew after so long although no seal could take them, or each publication would write more. */
const maxStretchMs = 10_000
/**
 * Request bytes taken and not sealed: one seal that is being written, one that gathers meanwhile, and a little. Sealing
 * and taking share one thread, so more would not make either faster. All of it is in shared memory.
 */
const maxUnsealedBytes = 36 * 1024 * 1024
/**
 * Entries read back from the inbox that are not sealed, or that a slow reader still looks at. Beyond that the engine
 * waits for the reader, which has a deadline. What one seal takes and a quarter of what the next one gathers.
 */
const maxRestoredBytes = 20 * 1024 * 1024
/** Waits between attempts to read a new tenant's templates; short against the patience of a stop. */
const firstRetryMs = 100
const lastRetryMs = 1_000
/**
 * Request bytes taken after which what is young is collected. Of 90 MB of buffers that a saturated engine held, 10 were
 * in use: frames, columns and cells on their way into a seal, which V8 counts, and lets grow by 64 MB.
 */
const collectEveryBytes = 8 * 1024 * 1024
const notCounted: Counted = { templates: null, lines: null }
/** How long the loop sleeps when there is nothing to take; a message wakes it. */
const idleMs = 50

export class EngineCore {
  readonly #options: EngineCoreOptions
  readonly #parts: EngineCoreParts
  readonly #feed: EntryFeed
  readonly #graphs: TenantGraphs
  readonly #sealer: Sealer
  readonly #tail: TailWindow
  readonly #burials: Burials
  readonly #garbage = new YoungGarbage(collectEveryBytes)
  readonly #stop = new AbortController()
  #loop: Promise<void> | null = null
  #stopping = false
  #loopEnded = false
  #wake: (() => void) | null = null
  /** Taken, not published. */
  #fresh: { readonly pending: PendingEntry; readonly bytes: Uint8Array; readonly refused: Uint32Array }[] = []
  #freshBytes = 0
  /** As `elapsedMs` tells it, like every age here: a wall clock that is set back would stop the work. */
  #publishedAtMs = Number.NEGATIVE_INFINITY
  #publishEveryMs = publishMs
  /** First position of what the graphs count at the moment, and since when they do. */
  #stretchFrom: number
  #stretchSinceMs = 0
  /** Published, not in a seal yet. */
  #pending = new PendingRange()
  /** Handed to the seal loop. */
  #sealing: PendingRange | null = null
  #publishedPosition: number
  #sealedPosition: number
  #oldestWaitingMs = 0
  #storeFault: string | null = null
  #missing = 0
  #uncounted = 0

  private constructor(options: EngineCoreOptions, parts: EngineCoreParts, sealedPosition: number) {
    const { store, reader, inbox } = parts
    this.#options = options
    this.#parts = parts
    this.#sealedPosition = sealedPosition
    this.#publishedPosition = sealedPosition
    this.#stretchFrom = sealedPosition + 1
    this.#feed = new EntryFeed(reader, sealedPosition)
    this.#graphs = new TenantGraphs(store, options.graphLimits, options.graphLimitsInAll ?? {})
    this.#tail = new TailWindow(reader.inboxId, sealedPosition, position => {
      this.#feed.released(position)
      inbox.released(position)
    })
    this.#burials = new Burials(parts, sealedPosition, this.#stop.signal)
    const events = {
      poisoned: (entry: PendingEntry, error: unknown) => this.#burials.buryPosition(entry.position, error),
      fault: (error: unknown) => this.#noteFault(error),
    }
    this.#sealer = new Sealer(store, reader.inboxId, events, parts, this.#stop.signal)
  }

  /** Continues behind what the store holds of this inbox, and has the inbox trimmed up to there. */
  static async open(options: EngineCoreOptions, parts: EngineCoreParts): Promise<EngineCore> {
    const sealed = await parts.store.sealedPosition(parts.reader.inboxId)
    if (sealed > 0) parts.inbox.trim(sealed)
    return new EngineCore(options, parts, sealed)
  }

  /** Starts the loop. */
  start(): void {
    this.#loop ??= this.#run()
  }

  get tail(): TailWindow {
    return this.#tail
  }

  offer(message: CommittedMessage): void {
    this.#feed.offer(message)
    this.#wake?.()
  }

  figures(): EngineCoreFigures {
    const { clock, deadLetters, reader } = this.#parts
    const waits = this.#feed.waits || this.#fresh.length > 0
    return {
      inboxId: reader.inboxId,
      committedPosition: this.#feed.committedPosition,
      takenPosition: this.#feed.nextPosition - 1,
      publishedPosition: this.#publishedPosition,
      sealedPosition: this.#sealedPosition,
      lagMs: waits && this.#oldestWaitingMs > 0 ? Math.max(0, clock.now() - this.#oldestWaitingMs) : 0,
      unsealedItems: this.#pending.items + (this.#sealing?.items ?? 0),
      unsealedBytes: this.#unsealedBytes(),
      seals: this.#sealer.seals,
      lastSealMs: this.#sealer.lastSealMs,
      storeFault: this.#storeFault,
      deadLetters: deadLetters.figures(),
      buried: this.#burials.count,
      missingRows: this.#missing,
      uncounted: this.#uncounted,
      tenants: this.#graphs.size,
      overflows: this.#graphs.overflows(),
    }
  }

  /**
   * Seals all that is committed, unless that takes longer than `patienceMs`: what is left is in the inbox and
   * comes back with the next start.
   */
  async stop(patienceMs: number): Promise<void> {
    if (patienceMs <= 0) this.#stop.abort()
    const cancelGivingUp = this.#parts.timers.after(patienceMs, () => this.#stop.abort())
    this.#feed.reachTo(this.#parts.reader.lastPosition())
    this.#stopping = true
    this.#wake?.()
    await this.#loop
    cancelGivingUp()
    this.#stop.abort()
  }

  async #run(): Promise<void> {
    const sealing = this.#sealLoop()
    try {
      while (!this.#stopping || this.#mayFinish()) {
        await this.#workSlice()
        if (this.#publishIsDue() || this.#sealIsDue()) this.#publish()
        if (this.#canTake()) await this.#parts.timers.nextTurn()
        else await this.#sleep(idleMs)
      }
      this.#publish()
    } catch (error) {
      // Given up in the middle of a burial: nothing from there on may be sealed, and the next start repeats it.
      if (!this.#stop.signal.aborted) throw error
    }
    this.#loopEnded = true
    await sealing
  }

  /** Whether a stop still leaves time for what is committed and not taken. */
  #mayFinish(): boolean {
    return this.#feed.waits && !this.#stop.signal.aborted
  }

  /** One seal after the other, beside the loop that takes entries. */
  async #sealLoop(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      // While the other loop runs, it alone knows when nothing is between the feed and a publication.
      if (this.#loopEnded && this.#sealIsDue()) this.#handOver()
      if (this.#sealing !== null) await this.#seal(this.#sealing)
      else if (this.#stopping && this.#loopEnded && this.#pending.isEmpty) return
      else await new Promise<void>(resolve => this.#parts.timers.after(10, resolve))
    }
  }

  async #workSlice(): Promise<void> {
    const { timers } = this.#parts
    const end = timers.elapsedMs() + sliceMs
    while (this.#canTake()) {
      const fed = this.#feed.take()
      if (fed === null) return
      await this.#handle(fed)
      if (this.#freshBytes >= publishBytes || timers.elapsedMs() >= end) return
    }
  }

  #canTake(): boolean {
    const { maxRestoredBytes: mostRestored = maxRestoredBytes } = this.#options
    return (
      this.#feed.waits &&
      !this.#stop.signal.aborted &&
      this.#unsealedBytes() < maxUnsealedBytes &&
      this.#feed.restoredBytes < mostRestored
    )
  }

  #unsealedBytes(): number {
    return this.#freshBytes + this.#pending.bytes + (this.#sealing?.bytes ?? 0)
  }

  async #handle(fed: Fed): Promise<void> {
    switch (fed.type) {
      case 'entry':
        return this.#takeEntry(fed.entry)
      case 'unreadable':
        this.#tail.lost(1)
        return this.#burials.bury(fed.row, fed.reason)
      case 'missing':
        this.#missing += fed.to - fed.from + 1
        this.#tail.lost(fed.to - fed.from + 1)
        this.#parts.logger.error(
          { event: 'inbox_rows_missing', from: fed.from, to: fed.to },
          'acknowledged requests are not in the inbox any more',
        )
        return
      default:
        fed satisfies never
    }
  }

  async #takeEntry(entry: FedEntry): Promise<void> {
    if (this.#burials.isBuried(entry.position)) return
    if (entry.position === this.#options.suspect) {
      return this.#burials.buryPosition(entry.position, new Error('it ended the engine before'))
    }
    this.#parts.progress[0] = entry.position
    this.#oldestWaitingMs = entry.receivedMs
    let batch: PendingEntry['batch']
    try {
      const { signal, bytes, receivedMs, refused, columns } = entry
      batch =
        columns === null
          ? decodeAccepted(signal, bytes, receivedMs, refused, this.#options)
          : batchOf(columns, bytes)
    } catch (error) {
      return this.#burials.buryPosition(entry.position, error)
    }
    const { templates, lines } = await this.#count(entry, batch)
    const { position, tenant, signal, receivedMs, bytes, refused } = entry
    const pending = { position, tenant, signal, receivedMs, batch, templates, lines, size: bytes.length }
    this.#fresh.push({ pending, bytes, refused })
    this.#freshBytes += bytes.length
    this.#garbage.passed(bytes.length)
  }

  /** Its templates come from the store; while that is away, what is committed waits in the inbox. */
  async #openGraph(tenant: string): Promise<void> {
    for (let waitMs = firstRetryMs, failed = false; ; waitMs = Math.min(waitMs * 2, lastRetryMs)) {
      try {
        await this.#graphs.open(tenant)
        if (failed) this.#noteFault(null)
        return
      } catch (error) {
        if (!(error instanceof StoreError) || mustStartOver(error) || this.#stop.signal.aborted) throw error
        failed = true
        this.#noteFault(error)
        await new Promise<void>(resolve => this.#parts.timers.after(waitMs, resolve))
      }
    }
  }

  /** The graph is a help; an entry it stumbles over is stored all the same. */
  async #count(entry: FedEntry, batch: PendingEntry['batch']): Promise<Counted> {
    const now = this.#parts.timers.elapsedMs()
    if (this.#graphs.known(entry.tenant, entry.position, now) === null) await this.#openGraph(entry.tenant)
    try {
      const graph = this.#graphs.known(entry.tenant, entry.position, now)
      return graph?.ingest(batch, entry.receivedMs) ?? notCounted
    } catch (error) {
      this.#uncounted++
      this.#parts.logger.error({ event: 'graph_failed', position: entry.position, err: error }, 'not counted')
      return notCounted
    }
  }

  #publishIsDue(): boolean {
    if (this.#fresh.length === 0) return this.#feed.nextPosition - 1 > this.#publishedPosition
    const waited = this.#parts.timers.elapsedMs() - this.#publishedAtMs
    return this.#freshBytes >= publishBytes || waited >= this.#publishEveryMs
  }

  /** Tells readers what was taken, and hands it over for a seal if one is due. */
  #publish(): void {
    const from = this.#publishedPosition + 1
    const to = this.#feed.nextPosition - 1
    if (to >= from) this.#publishRange(from, to)
    if (this.#sealIsDue()) this.#handOver()
  }

  #publishRange(from: number, to: number): void {
    const { inboxId } = this.#parts.reader
    const { clock, timers } = this.#parts
    const nowMs = timers.elapsedMs()
    const rollupsFrom = this.#stretchFrom
    if (rollupsFrom === from) this.#stretchSinceMs = nowMs
    const { rollups, templates } = this.#graphs.soFar(`${inboxId} ${rollupsFrom}-${to}`)
    const tookMs = timers.elapsedMs() - nowMs
    this.#publishEveryMs = Math.min(slowestPublishMs, Math.max(publishMs, tookMs * timesWriting))
    const entries = this.#fresh.map(({ pending, bytes, refused }): TailEntry => {
      const { position, tenant, signal, receivedMs } = pending
      const { templates, batch } = pending
      const index = entryIndexOf(batch.block)
      return { position, tenant, signal, receivedMs, bytes, refused, templates, index }
    })
    const timeMs = entries.at(-1)?.receivedMs ?? clock.now()
    this.#tail.publish({
      type: 'publication',
      inboxId,
      from,
      to,
      timeMs,
      entries,
      rollupsFrom,
      rollups,
      templates,
    })
    this.#pending.add(
      this.#fresh.map(({ pending }) => pending),
      to,
      nowMs,
    )
    this.#pending.setRollups(rollupsFrom, rollups)
    this.#pending.addTemplates(templates)
    this.#fresh = []
    this.#freshBytes = 0
    this.#publishedPosition = to
    this.#publishedAtMs = nowMs
    if (nowMs - this.#stretchSinceMs >= maxStretchMs) this.#beginStretch()
  }

  /** Only right after a publication, when the graphs have counted nothing that was not told. */
  #beginStretch(): void {
    this.#graphs.forget()
    this.#stretchFrom = this.#publishedPosition + 1
  }

  #sealIsDue(): boolean {
    const pending = this.#pending
    if (pending.isEmpty || this.#sealing !== null) return false
    const { items, bytes, ageMs } = this.#options.sealLimits
    return (
      this.#stopping ||
      pending.items >= items ||
      pending.bytes >= bytes ||
      this.#parts.timers.elapsedMs() - pending.sinceMs >= ageMs
    )
  }

  #handOver(): void {
    this.#sealing = this.#pending
    this.#pending = new PendingRange()
    this.#beginStretch()
  }

  async #seal(range: PendingRange): Promise<void> {
    const sealed = await this.#sealer.seal(range)
    this.#sealing = null
    if (!sealed) return
    this.#sealedPosition = range.to
    const now = this.#parts.timers.elapsedMs()
    this.#tail.overflowing(this.#graphs.overflows().map(overflow => overflow.tenant))
    this.#tail.sealed(range.to)
    this.#parts.inbox.trim(range.to)
    this.#graphs.release(range.to, now)
    this.#wake?.()
  }

  #noteFault(error: unknown): void {
    const message = error instanceof Error ? error.message : error === null ? null : String(error)
    if (message === this.#storeFault) return
    this.#storeFault = message
    const { logger } = this.#parts
    if (message === null) logger.info({ event: 'store_recovered' }, 'sealing works again')
    else logger.error({ event: 'store_fault', err: error }, 'sealing failed; the inbox keeps what arrives')
  }

  #sleep(ms: number): Promise<void> {
    return new Promise(resolve => {
      const cancel = this.#parts.timers.after(ms, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
  }
}
