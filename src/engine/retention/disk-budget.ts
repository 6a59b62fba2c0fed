/**
 * Keeps everything that is stored within a number of bytes: the oldest segments of whoever holds most go first.
 *
 * Fair by size: the signal with the most bytes gives, and in it the tenant with the most, so that a noisy one
 * shortens its own memory and nobody else's. Store, inbox, dead letters and ballast count; only the store can
 * give, and it keeps half of the budget whatever the others take. Where the disk is smaller than the budget,
 * the disk counts.
 */
import { statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { StoredCount, StoreReader, StoreWriter } from '../../model/store.ts'
import { type Signal, signals } from '../../model/telemetry.ts'

/** Removal starts at this share of the budget, so that what arrives between two looks stays within it. */
const highShare = 0.95
/** And goes on down to this one, so that it does not run all the time. */
const lowShare = 0.9
/** Of the budget; the store never has to give more than the rest. */
const storeShare = 0.5
/** Segments removed in one transaction, about 10 ms. */
const segmentsPerStep = 4
const rollupsPerStep = 64
/** Of what the store holds: below it, segments are not what takes the space. */
const segmentShare = 0.25
/** Free disk that stays untouched: twice what the inbox stops at, so that retention comes before refusal. */
const reserveBytes = 512 * 1024 * 1024
const reserveShare = 0.1

export interface DiskFiles {
  /** The store's file; null where the store is a server, whose disk is no concern of this machine's. */
  readonly database: string | null
  readonly inbox: string
  readonly ballast: string
  readonly ballastBytes: number
  deadLetterBytes(): number
}

export interface DiskUsage {
  /** What the store's file holds, free pages not counted. */
  readonly storeBytes: number
  /** The store's log, inbox, dead letters, ballast. */
  readonly otherBytes: number
  readonly freeDiskBytes: number
  readonly diskBytes: number
}

export interface BudgetStep {
  readonly segments: number
  readonly items: number
}

export class DiskBudget {
  readonly #writer: StoreWriter
  readonly #reader: StoreReader
  readonly #files: DiskFiles
  readonly #budgetBytes: number | null

  /** `budgetBytes` null: nothing is ever removed for want of space. */
  constructor(writer: StoreWriter, reader: StoreReader, files: DiskFiles, budgetBytes: number | null) {
    this.#writer = writer
    this.#reader = reader
    this.#files = files
    this.#budgetBytes = budgetBytes
  }

  async usage(): Promise<DiskUsage> {
    const { database, inbox, ballast } = this.#files
    const logs = (database === null ? 0 : sizeOf(`${database}-wal`)) + sizeOf(`${inbox}-wal`)
    const { bytes, freeBytes } = await this.#writer.storageReport()
    const { bavail, blocks, bsize } = statfsSync(dirname(database ?? inbox))
    return {
      storeBytes: bytes - freeBytes,
      otherBytes: logs + sizeOf(inbox) + sizeOf(ballast) + this.#files.deadLetterBytes(),
      freeDiskBytes: bavail * bsize,
      diskBytes: blocks * bsize,
    }
  }

  /** Bytes the store may hold, or null without a budget. */
  limitOf(usage: DiskUsage): number | null {
    if (this.#budgetBytes === null) return null
    const { storeBytes, otherBytes, freeDiskBytes, diskBytes } = usage
    const reserve = Math.min(reserveBytes, diskBytes * reserveShare)
    const room = storeBytes + otherBytes + Math.max(0, freeDiskBytes - reserve)
    const limit = this.#files.database === null ? this.#budgetBytes : Math.min(this.#budgetBytes, room)
    return Math.max(limit * storeShare, limit - otherBytes)
  }

  /** Bytes that the store is to come down to now, or null if it holds no more than it may. */
  async target(): Promise<number | null> {
    const usage = await this.usage()
    const limit = this.limitOf(usage)
    return limit !== null && usage.storeBytes > limit * highShare ? limit * lowShare : null
  }

  /**
   * Removes a little; null once the store holds `targetBytes` or nothing is left. The target stays the same for
   * all steps, because the log grows while they remove. Rejects with StoreError.
   */
  async step(targetBytes: number): Promise<BudgetStep | null> {
    const { bytes, freeBytes } = await this.#writer.storageReport()
    const storeBytes = bytes - freeBytes
    if (storeBytes <= targetBytes) return null
    const counts = await this.#counts()
    const segmentBytes = counts.reduce((sum, count) => sum + count.bytes, 0)
    const largest = largestOf(counts)
    if (largest === null || segmentBytes < storeBytes * segmentShare) {
      const removed = await this.#writer.removeRollups(Number.MAX_SAFE_INTEGER, rollupsPerStep)
      if (removed > 0) return { segments: 0, items: 0 }
      if (largest === null) return null
    }
    const { signal, tenant } = largest
    const newest = Number.MAX_SAFE_INTEGER
    const removed = await this.#writer.removeSegments(signal, newest, segmentsPerStep, tenant)
    if (removed.segments === 0) return null
    return { segments: removed.segments, items: removed.counts.reduce((sum, count) => sum + count.items, 0) }
  }

  async #counts(): Promise<readonly StoredCount[]> {
    const snapshot = await this.#reader.snapshot()
    try {
      return await snapshot.sealedCounts()
    } finally {
      await snapshot.release()
    }
  }
}

/** The tenant with the most bytes of the signal with the most; null when nothing is stored. */
export function largestOf(
  counts: readonly StoredCount[],
): { readonly signal: Signal; readonly tenant: string } | null {
  const bytesOf = (signal: Signal): number =>
    counts.reduce((sum, count) => sum + (count.signal === signal ? count.bytes : 0), 0)
  const signal = signals.reduce((most, one) => (bytesOf(one) > bytesOf(most) ? one : most))
  const holders = counts.filter(count => count.signal === signal && count.bytes > 0)
  if (holders.length === 0) return null
  return holders.reduce((most, one) => (one.bytes > most.bytes ? one : most))
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
