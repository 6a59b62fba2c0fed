/**
 * The inbox's file as a model that passes the same battery as the SQLite file: commits are appended, then synced.
 * What was appended and not synced outlives the process and not the machine; an appended commit whose sync failed is
 * in limbo until the file is opened again.
 */
import { emptyCounter, type InboxCounter, rowSize } from '../../src/engine/inbox/inbox-counter.ts'
import { decodeRow, encodeRow, type InboxRow, type StoredRow } from '../../src/engine/inbox/inbox-row.ts'
import type {
  Burial,
  DiskSpace,
  InboxBalance,
  InboxReader,
  InboxStorage,
  InboxWriter,
  SeenRequest,
} from '../../src/engine/inbox/inbox-storage.ts'
import { type Signal, signals } from '../../src/model/telemetry.ts'

interface InboxState {
  readonly rows: ReadonlyMap<number, StoredRow>
  readonly seen: readonly SeenRequest[]
  readonly counters: ReadonlyMap<string, InboxCounter>
  readonly buried: ReadonlyMap<number, Burial>
  readonly lastPosition: number
}

const emptyState: InboxState = {
  rows: new Map(),
  seen: [],
  counters: new Map(),
  buried: new Map(),
  lastPosition: 0,
}

/** What can happen at the steps of a commit. Throwing stands for SQLite's error, or for the end of the process. */
export interface InboxFaults {
  opening(): void
  /** Nothing has been written. `bytes` are what the rows take. */
  beforeWrite(bytes: number): void
  /** Written, not synced. */
  beforeSync(): void
  /** On disk; the caller does not know yet. */
  afterSync(): void
}

const noFaults: InboxFaults = {
  opening: () => undefined,
  beforeWrite: () => undefined,
  beforeSync: () => undefined,
  afterSync: () => undefined,
}

/** What survives the process. */
export class ModelInboxDisk {
  readonly inboxId: string
  readonly secret: Uint8Array = new Uint8Array(16).fill(7)
  /** On disk for good. */
  durable: InboxState = emptyState
  /** Appended since then, oldest first. */
  unsynced: InboxState[] = []
  /** The sync of the last of them failed, so that it may or may not be found again. */
  inLimbo = false
  /** Planted: repeats are not recognised after a start. */
  forgetsRequests = false
  /** What was durable before; for planting the loss of it. */
  #before: InboxState = emptyState
  capacityBytes: number = Number.POSITIVE_INFINITY

  constructor(inboxId: string = 'a'.repeat(32)) {
    this.inboxId = inboxId
  }

  /** Bytes of the rows, counted as the inbox counts them. */
  get usedBytes(): number {
    let bytes = 0
    for (const row of this.durable.rows.values()) bytes += rowSize(row.body.length)
    return bytes
  }

  keep(state: InboxState): void {
    this.#before = this.durable
    this.durable = state
    this.unsynced = []
  }

  /** Planted: the last commit was acknowledged and not on disk. */
  loseLastCommit(): void {
    this.durable = this.#before
    this.unsynced = []
  }

  /** Power goes: of what was not synced a beginning survives. */
  losePower(survivors: number): void {
    const kept = this.unsynced[Math.min(survivors, this.unsynced.length) - 1]
    if (kept !== undefined) this.durable = kept
    this.unsynced = []
  }

  storage(faults: InboxFaults = noFaults, space?: () => DiskSpace): InboxStorage {
    return {
      open: () => {
        faults.opening()
        // Opening reads what was appended and syncs it, so that a repeat of it may be acknowledged.
        this.durable = this.unsynced.at(-1) ?? this.durable
        this.unsynced = []
        return new ModelInboxWriter(this, faults)
      },
      diskSpace: space ?? (() => ({ freeBytes: 2 ** 40, totalBytes: 2 ** 41 })),
    }
  }

  reader(): InboxReader {
    return new ModelInboxReader(this)
  }
}

class ModelInboxWriter implements InboxWriter {
  readonly inboxId: string
  readonly secret: Uint8Array
  readonly #disk: ModelInboxDisk
  readonly #faults: InboxFaults
  #committed: InboxState
  /** Of the open transaction; null between two. */
  #open: {
    rows: Map<number, StoredRow>
    seen: SeenRequest[]
    counters: Map<string, InboxCounter>
    buried: Map<number, Burial>
    lastPosition: number
    bytes: number
  } | null = null

  constructor(disk: ModelInboxDisk, faults: InboxFaults) {
    this.#disk = disk
    this.#faults = faults
    this.inboxId = disk.inboxId
    this.secret = disk.secret
    this.#committed = disk.durable
  }

  get lastPosition(): number {
    return this.#committed.lastPosition
  }

  begin(): void {
    if (this.#open !== null) throw new Error('a transaction is open already')
    const { rows, seen, counters, buried, lastPosition } = this.#committed
    this.#open = {
      rows: new Map(rows),
      seen: [...seen],
      counters: new Map(counters),
      buried: new Map(buried),
      lastPosition,
      bytes: 0,
    }
  }

  insert(row: Omit<InboxRow, 'position'>): number {
    const open = this.#transaction()
    const position = ++open.lastPosition
    const stored = encodeRow({ ...row, position })
    open.rows.set(position, { ...stored, body: stored.body.slice() })
    open.bytes += rowSize(stored.body.length)
    return position
  }

  remember(seen: SeenRequest): void {
    this.#transaction().seen.push({ ...seen, hash: seen.hash.slice() })
  }

  count(added: InboxCounter): void {
    const { counters } = this.#transaction()
    const key = `${added.signal} ${added.tenant}`
    const known = counters.get(key) ?? emptyCounter(added.tenant, added.signal)
    counters.set(key, {
      tenant: added.tenant,
      signal: added.signal,
      accepted: known.accepted + added.accepted,
      deduplicated: known.deduplicated + added.deduplicated,
      buried: known.buried + added.buried,
      rows: known.rows + added.rows,
      items: known.items + added.items,
      bytes: known.bytes + added.bytes,
    })
  }

  commit(): void {
    const open = this.#transaction()
    this.#faults.beforeWrite(open.bytes)
    const { rows, seen, counters, buried, lastPosition } = open
    const state: InboxState = { rows, seen, counters, buried, lastPosition }
    this.#disk.unsynced.push(state)
    this.#faults.beforeSync()
    this.#disk.keep(state)
    this.#committed = state
    this.#open = null
    this.#faults.afterSync()
  }

  rollback(): void {
    this.#open = null
  }

  trim(
    position: number,
    limit: number,
  ): { readonly removed: readonly InboxCounter[]; readonly done: boolean } {
    const open = this.#transaction()
    const candidates = [...open.rows.values()]
      .filter(row => row.position <= position && open.buried.get(row.position)?.kept !== true)
      .sort((a, b) => a.position - b.position)
      .slice(0, limit)
    const sums = new Map<string, InboxCounter>()
    for (const row of candidates) {
      open.rows.delete(row.position)
      const signal = signalOf(row)
      const sum = sums.get(`${signal} ${row.tenant}`) ?? emptyCounter(row.tenant, signal)
      sums.set(`${signal} ${row.tenant}`, {
        ...sum,
        rows: sum.rows - 1,
        items: sum.items - row.items,
        bytes: sum.bytes - rowSize(row.body.length),
      })
    }
    const removed = [...sums.values()]
    for (const counter of removed) this.count(counter)
    return { removed, done: candidates.length < limit }
  }

  bury(burial: Burial): boolean {
    const open = this.#transaction()
    if (open.buried.has(burial.position)) return false
    open.buried.set(burial.position, burial)
    this.count({ ...emptyCounter(burial.tenant, burial.signal), buried: burial.items })
    return true
  }

  forgetSeen(beforeMs: number): void {
    const open = this.#transaction()
    open.seen = open.seen.filter(seen => seen.receivedMs >= beforeMs)
  }

  seenSince(fromMs: number, limit: number): readonly SeenRequest[] {
    if (this.#disk.forgetsRequests) return []
    return (this.#open ?? this.#committed).seen.slice(-limit).filter(seen => seen.receivedMs >= fromMs)
  }

  counters(): readonly InboxCounter[] {
    return sortedCounters(this.#open ?? this.#committed)
  }

  keptRows(): number {
    return [...(this.#open ?? this.#committed).buried.values()].filter(burial => burial.kept).length
  }

  close(): void {
    this.#open = null
  }

  #transaction() {
    if (this.#open === null) throw new Error('no transaction is open')
    return this.#open
  }
}

class ModelInboxReader implements InboxReader {
  readonly inboxId: string
  readonly #disk: ModelInboxDisk

  constructor(disk: ModelInboxDisk) {
    this.#disk = disk
    this.inboxId = disk.inboxId
  }

  lastPosition(): number {
    return this.#disk.durable.lastPosition
  }

  buriedAfter(position: number): readonly number[] {
    return [...this.#disk.durable.buried.keys()].filter(buried => buried > position).sort((a, b) => a - b)
  }

  balanceAfter(position: number, maxRows: number): InboxBalance | null {
    const { rows, buried, lastPosition } = this.#disk.durable
    if (lastPosition - position > maxRows) return null
    const waiting = new Map<string, { tenant: string; signal: Signal; items: number }>()
    for (const row of rows.values()) {
      if (row.position <= position || buried.has(row.position)) continue
      const signal = signalOf(row)
      const key = `${signal} ${row.tenant}`
      const known = waiting.get(key)
      if (known === undefined) waiting.set(key, { tenant: row.tenant, signal, items: row.items })
      else known.items += row.items
    }
    return { counters: sortedCounters(this.#disk.durable), waiting: [...waiting.values()] }
  }

  read(from: number, to: number, maxBytes: number): readonly StoredRow[] {
    const found: StoredRow[] = []
    let bytes = 0
    const { rows } = this.#disk.durable
    for (const position of [...rows.keys()].sort((a, b) => a - b)) {
      const row = rows.get(position)
      if (row === undefined || position < from || position > to) continue
      found.push(row)
      bytes += row.body.length
      if (bytes >= maxBytes || found.length >= 256) break
    }
    return found
  }

  close(): void {}
}

function signalOf(row: StoredRow): Signal {
  return signals[row.signal] ?? decodeRow(row).signal
}

function sortedCounters(state: {
  readonly counters: ReadonlyMap<string, InboxCounter>
}): readonly InboxCounter[] {
  return [...state.counters.values()].sort(
    (a, b) =>
      (a.tenant < b.tenant ? -1 : a.tenant > b.tenant ? 1 : 0) ||
      signals.indexOf(a.signal) - signals.indexOf(b.signal),
  )
}
