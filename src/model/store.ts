/**
 * The storage port. `store/sqlite` and `store/postgres` implement it; one battery of tests runs on each.
 *
 * A store holds opaque, checksummed records: segments (columnar items of one tenant and signal), rollup
 * blocks, templates and documents. What is inside them is the business of `store/segment` and `graph`.
 * Every method is asynchronous and may reject with `StoreError`; reads take an AbortSignal.
 */
import type { Signal } from './telemetry.ts'

/** A position in an inbox: rows up to and including `position` of the inbox `inboxId`. */
export interface SealedPosition {
  /** 128 random bits as 32 lower-case hex digits. */
  readonly inboxId: string
  readonly position: number
}

/** What is known of a segment without reading it. Times are index times in milliseconds. */
export interface SegmentHeader {
  /** Derived from inbox id, position range, tenant and signal: a second insert of the same is a no-op. */
  readonly id: string
  readonly tenant: string
  readonly signal: Signal
  readonly formatVersion: number
  readonly inboxId: string
  readonly fromPosition: number
  readonly toPosition: number
  readonly count: number
  readonly byteLength: number
  readonly minTimeMs: number
  readonly maxTimeMs: number
  /** Range of receive times; retention goes by `maxReceivedMs`. */
  readonly minReceivedMs: number
  readonly maxReceivedMs: number
  /** Distinct services, at most 256 of them; null when there are more. */
  readonly services: readonly string[] | null
}

/**
 * A segment as stored: named parts, so that a reader fetches only what it needs. Parts carry their own
 * CRC32C, in their last four bytes.
 */
export interface SegmentRecord {
  readonly header: SegmentHeader
  readonly parts: ReadonlyMap<string, Uint8Array>
}

/** Rollup cells of one tenant, written in the seal that holds the items they count. */
export interface RollupRecord {
  readonly id: string
  readonly tenant: string
  /** Width of its windows in seconds: 10, 60 or 600. */
  readonly stepSeconds: number
  /** First window start and last window end, milliseconds. */
  readonly fromMs: number
  readonly toMs: number
  readonly receivedMs: number
  readonly bytes: Uint8Array
}

/** A rollup record without its cells. */
export type RollupHead = Omit<RollupRecord, 'bytes'>

/** A log template; the pattern may still generalise, the id never changes. */
export interface TemplateRecord {
  readonly tenant: string
  readonly service: string
  /** Number within the tenant, from 1; what `LogBlock.template` holds. */
  readonly number: number
  /** Sixteen hex digits, what users see. */
  readonly id: string
  /** Tokens separated by one space, `<*>` for a variable. */
  readonly pattern: string
  readonly severity: number
  readonly firstSeenMs: number
}

/** Everything of one seal; it is stored whole or not at all. */
export interface Seal {
  readonly position: SealedPosition
  readonly segments: readonly SegmentRecord[]
  readonly rollups: readonly RollupRecord[]
  readonly templates: readonly TemplateRecord[]
  /** Counts for the invariant `accepted = sealed + in the inbox + ...`, added to what is stored. */
  readonly counts: readonly SealedCount[]
}

export interface SealedCount {
  readonly tenant: string
  readonly signal: Signal
  readonly items: number
}

/**
 * What became of everything that was ever sealed of a tenant and signal:
 * `items = stored + merged + removed`.
 */
export interface StoredCount extends SealedCount {
  /** Items stored now. */
  readonly stored: number
  /** Duplicates that merging of segments left out. */
  readonly merged: number
  /** Items that retention removed. */
  readonly removed: number
  /** Bytes of the segments stored now. */
  readonly bytes: number
}

/**
 * Stored data of a tenant went or became coarser: items removed by retention, duplicates merged, rollups
 * removed or widened. From then on a question about these times may be answered differently.
 */
export interface Retirement {
  readonly generation: number
  /** Index times, milliseconds, both inclusive. */
  readonly fromMs: number
  readonly toMs: number
}

export interface Retirements {
  /** Of the newest one of the tenant; 0 when there was none. Grows, with gaps. */
  readonly generation: number
  /** Every retirement after this generation is in `list`; older ones may have been forgotten. */
  readonly since: number
  readonly list: readonly Retirement[]
}

/** A set of stored rollups replaced by coarser or merged ones in one transaction. */
export interface RollupReplacement {
  readonly remove: readonly string[]
  readonly add: readonly RollupRecord[]
}

/** Segments replaced by others that hold the same items, duplicates once: merged small ones. */
export interface SegmentReplacement {
  readonly remove: readonly string[]
  readonly add: readonly SegmentRecord[]
}

/** A consistent read view. `release` must be called; reads after it reject. */
export interface StoreSnapshot {
  /** The sealed position this view contains; 0 for an inbox it has never seen. */
  sealedPosition(inboxId: string): Promise<number>
  /** Headers added since `afterSequence` (0 for all) and ids removed since then. */
  segmentChanges(afterSequence: number, signal?: AbortSignal): Promise<SegmentChanges>
  /** Named parts of one segment; a part that fails its checksum rejects with StoreError `corrupt_segment`. */
  segmentParts(
    id: string,
    parts: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, Uint8Array>>
  /** Rollups of a tenant that overlap the range, of every width, oldest first. */
  rollups(
    tenant: string,
    fromMs: number,
    toMs: number,
    signal?: AbortSignal,
  ): Promise<readonly RollupRecord[]>
  /**
   * The same records in the same order without their bytes, at a fraction of the cost; null where damage is in
   * the way, and only `rollups` can say what is left.
   */
  rollupHeads(
    tenant: string,
    fromMs: number,
    toMs: number,
    signal?: AbortSignal,
  ): Promise<readonly RollupHead[] | null>
  templates(tenant: string, signal?: AbortSignal): Promise<readonly TemplateRecord[]>
  /** Rollups of all tenants in the order of a number of the store's, for `verify`; `after` 0 for the first page. */
  rollupPage(after: number, limit: number): Promise<RollupPage>
  /** Sorted by tenant and signal. */
  sealedCounts(): Promise<readonly StoredCount[]>
  /** Oldest first, the newest 10,000 of all tenants at least. */
  retirements(tenant: string): Promise<Retirements>
  release(): Promise<void>
}

export interface RollupPage {
  readonly records: readonly RollupRecord[]
  /** `after` of the next page; the same again at the end. */
  readonly last: number
}

export interface SegmentChanges {
  readonly sequence: number
  /** Headers among those asked for that are damaged: whose they are is not known. Absent for 0. */
  readonly damaged?: number
  readonly added: readonly SegmentHeader[]
  readonly removed: readonly string[]
}

/** Reading side; every query worker has one. */
export interface StoreReader {
  snapshot(signal?: AbortSignal): Promise<StoreSnapshot>
  close(): Promise<void>
}

/** So many rollups, or fewer where those before the last one have as many bytes. */
export interface RollupLimit {
  readonly records: number
  readonly bytes: number
}

/** Writing side; only the engine worker has one. */
export interface StoreWriter {
  /**
   * Resolves when the seal is durable. A seal at or below the stored position is a no-op. Given up by `signal`,
   * it may have happened all the same.
   */
  commitSeal(seal: Seal, signal?: AbortSignal): Promise<void>
  sealedPosition(inboxId: string): Promise<number>
  allTemplates(): Promise<readonly TemplateRecord[]>
  replaceRollups(change: RollupReplacement): Promise<void>
  rollups(tenant: string, fromMs: number, toMs: number): Promise<readonly RollupRecord[]>
  /** Rollups of all tenants of one width that were received in [fromMs, toMs), oldest first, up to the limit. */
  rollupsReceived(
    stepSeconds: number,
    fromMs: number,
    toMs: number,
    limit: RollupLimit,
  ): Promise<readonly RollupRecord[]>
  tenants(): Promise<readonly string[]>
  /** False, and nothing done, when one of `remove` is not stored any more. */
  replaceSegments(change: SegmentReplacement): Promise<boolean>
  /**
   * Removes segments whose newest item was received before `beforeMs`, of one tenant or of all, oldest first,
   * at most `limit`; returns counts.
   */
  removeSegments(signal: Signal, beforeMs: number, limit: number, tenant?: string): Promise<RemovedSegments>
  /** Items in segments that `removeSegments` would remove. */
  rowsBehind(signal: Signal, beforeMs: number): Promise<number>
  removeRollups(beforeMs: number, limit: number): Promise<number>
  /**
   * Gives a little of the space that removals left back to the file system; true while there is more. A store
   * that does so by itself does nothing and returns false.
   */
  reclaimSpace(): Promise<boolean>
  storageReport(): Promise<StorageReport>
  close(): Promise<void>
}

export interface RemovedSegments {
  readonly segments: number
  readonly counts: readonly SealedCount[]
}

export interface StorageReport {
  /** Of the store's files, `freeBytes` included. */
  readonly bytes: number
  /** Bytes in those files that hold nothing at the moment. */
  readonly freeBytes: number
  readonly segments: number
  readonly perSignal: readonly { readonly signal: Signal; readonly items: number; readonly bytes: number }[]
  /** Partitions there are, and dropped since the start; only of a store that has them. */
  readonly partitions?: { readonly active: number; readonly dropped: number }
  /** Connections of this process that do something, and how many it may have; only of a server. */
  readonly connections?: { readonly inUse: number; readonly max: number }
}
