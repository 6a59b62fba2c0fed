/**
 * Where the inbox keeps its rows. `InboxFile` and `InboxFileReader` are the SQLite file; the simulation has a model
 * of it that passes the same battery.
 */
import type { Signal } from '../../model/telemetry.ts'
import type { InboxCounter } from './inbox-counter.ts'
import type { InboxRow, StoredRow } from './inbox-row.ts'

/** A request that was accepted, for recognising it when it is sent again. */
export interface SeenRequest {
  /** 16 bytes. */
  readonly hash: Uint8Array
  readonly receivedMs: number
  readonly accepted: number
  readonly rejected: number
}

/** An entry that the engine gave up on. */
export interface Burial {
  readonly position: number
  readonly tenant: string
  readonly signal: Signal
  readonly items: number
  readonly reason: string
  /** The row itself stays in the inbox, because the dead-letter directory was full. */
  readonly kept: boolean
}

/** The writing side. Methods between `begin` and `commit` belong to one transaction. */
export interface InboxWriter {
  readonly inboxId: string
  /** 16 random bytes that stay with the rows; see `RequestHasher`. */
  readonly secret: Uint8Array
  /** Newest position ever committed, also when its row is gone. */
  readonly lastPosition: number
  begin(): void
  /** Adds a row and returns its position: one more than the last, never used again once committed. */
  insert(row: Omit<InboxRow, 'position'>): number
  remember(seen: SeenRequest): void
  /** Adds to the figures of a tenant and signal. */
  count(added: InboxCounter): void
  /** Returns once the transaction is on disk. After an error nothing of it may be acknowledged. */
  commit(): void
  rollback(): void
  /**
   * Removes at most `limit` of the rows up to `position` that are not kept. Returns what was removed, as negative
   * figures that were counted with it; `done` is false while there are more. Belongs into a transaction.
   */
  trim(position: number, limit: number): { readonly removed: readonly InboxCounter[]; readonly done: boolean }
  /** Notes that an entry is given up, once; returns false if it had been before. Belongs into a transaction. */
  bury(burial: Burial): boolean
  /** Forgets requests received before `beforeMs`; enough a call that a call a second keeps up. */
  forgetSeen(beforeMs: number): void
  /** The newest `limit` of what was received since then, oldest first. */
  seenSince(fromMs: number, limit: number): Iterable<SeenRequest>
  counters(): readonly InboxCounter[]
  keptRows(): number
  close(): void
}

export interface InboxBalance {
  readonly counters: readonly InboxCounter[]
  /** Items behind a position. */
  readonly waiting: readonly { readonly tenant: string; readonly signal: Signal; readonly items: number }[]
}

/** The reading side, for the engine. */
export interface InboxReader {
  readonly inboxId: string
  /** Newest position ever committed, also when its row is gone. */
  lastPosition(): number
  /** Positions after `position` that were given up. */
  buriedAfter(position: number): readonly number[]
  /**
   * Figures of every tenant and signal, and with them, from the same moment, the items behind `position` that
   * were not given up. Null if more than `maxRows` rows would have to be counted.
   */
  balanceAfter(position: number, maxRows: number): InboxBalance | null
  /** Rows of `[from, to]`, as stored and unchecked, oldest first, until `maxBytes` are exceeded. */
  read(from: number, to: number, maxBytes: number): readonly StoredRow[]
  close(): void
}

export interface DiskSpace {
  readonly freeBytes: number
  readonly totalBytes: number
}

/** What the inbox needs of a machine. */
export interface InboxStorage {
  /** Opens or creates; whatever can be read from then on is on disk. Throws ConfigurationError. */
  open(): InboxWriter
  /** Throws when the file system does not answer. */
  diskSpace(): DiskSpace
}
