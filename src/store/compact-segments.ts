/**
 * Merging of small segments. A quiet system seals a few items every two seconds; a day of that would be
 * 43,200 segments of one signal, each with tables of its own. Merged by the hour they are a few dozen, and
 * cost a fraction of the bytes. It can stop anywhere: a merge replaces its segments in one transaction, and
 * one whose segments are gone does nothing.
 */
import { StoreError } from '../errors.ts'
import type { SegmentHeader, StoreReader, StoreSnapshot, StoreWriter } from '../model/store.ts'
import { lateAfterMs, maxSegmentRows } from './segment/arrange-rows.ts'
import { type MergeInput, mergeSegments } from './segment/build-segments.ts'
import { fetchSegment } from './segment/read-segment.ts'

/** Segments with at least as many items stay as they are. */
const smallRows = 2_500
/** So many small ones make a merge worth its writing; each item is then rewritten about four times at most. */
const minMergeSegments = 8
/** A group that nothing is added to any more is merged even if it is smaller. */
const settledMs = 2 * 3_600_000
/** Segments merged together were received, and lie, in the same stretch. */
const stretchMs = 3_600_000

export interface Compaction {
  readonly merged: number
  readonly into: number
  /** Segments left alone because they cannot be read. */
  readonly damaged: number
}

/** Remembers which segments are small; one per store, beside its writer. */
export class SegmentCompactor {
  readonly #reader: StoreReader
  readonly #writer: StoreWriter
  readonly #small = new Map<string, SegmentHeader>()
  readonly #damaged = new Set<string>()
  readonly #scattered = new Set<string>()
  #sequence = 0

  constructor(reader: StoreReader, writer: StoreWriter) {
    this.#reader = reader
    this.#writer = writer
  }

  /** Merges at most `maxGroups` groups, some ten milliseconds each. Rejects with StoreError. */
  async run(nowMs: number, maxGroups: number, signal?: AbortSignal): Promise<Compaction> {
    const groups = await this.#groups(nowMs, signal)
    let merged = 0
    let into = 0
    for (const group of groups.slice(0, maxGroups)) {
      signal?.throwIfAborted()
      const inputs = await this.#read(group, signal)
      if (inputs.length < 2) continue
      const add = mergeSegments(inputs)
      const remove = inputs.map(input => input.header.id)
      // Late items of scattered times fall apart again; what cannot become fewer is left alone.
      if (add.length >= inputs.length) {
        for (const id of remove) this.#scattered.add(id)
        continue
      }
      if (!(await this.#writer.replaceSegments({ remove, add }))) continue
      merged += remove.length
      into += add.length
    }
    return { merged, into, damaged: this.#damaged.size }
  }

  async #groups(nowMs: number, signal?: AbortSignal): Promise<readonly (readonly SegmentHeader[])[]> {
    const snapshot = await this.#reader.snapshot(signal)
    try {
      const changes = await snapshot.segmentChanges(this.#sequence, signal)
      this.#sequence = changes.sequence
      for (const header of changes.added) if (header.count < smallRows) this.#small.set(header.id, header)
      for (const id of changes.removed) {
        this.#small.delete(id)
        this.#scattered.delete(id)
      }
    } finally {
      await snapshot.release()
    }
    const candidates = [...this.#small.values()].filter(
      header => !this.#damaged.has(header.id) && !this.#scattered.has(header.id),
    )
    return groupsOf(candidates, nowMs)
  }

  async #read(group: readonly SegmentHeader[], signal?: AbortSignal): Promise<readonly MergeInput[]> {
    const snapshot = await this.#reader.snapshot(signal)
    const inputs: MergeInput[] = []
    try {
      for (const header of group) {
        const input = await this.#readOne(snapshot, header, signal)
        if (input !== null) inputs.push(input)
      }
    } finally {
      await snapshot.release()
    }
    return inputs
  }

  async #readOne(
    snapshot: StoreSnapshot,
    header: SegmentHeader,
    signal?: AbortSignal,
  ): Promise<MergeInput | null> {
    try {
      const { columns, records } = await fetchSegment(names =>
        snapshot.segmentParts(header.id, names, signal),
      )
      return { header, block: columns.block, records }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      if (error.code === 'missing_segment') this.#small.delete(header.id)
      else if (error.code === 'corrupt_segment' || error.code.endsWith('_format'))
        this.#damaged.add(header.id)
      else throw error
      return null
    }
  }
}

/** Small segments that may become one, oldest receipt first, those worth it now. */
export function groupsOf(
  headers: readonly SegmentHeader[],
  nowMs: number,
): readonly (readonly SegmentHeader[])[] {
  const stretches = new Map<string, SegmentHeader[]>()
  for (const header of headers) {
    const key = JSON.stringify([
      header.tenant,
      header.signal,
      header.inboxId,
      Math.floor(header.maxReceivedMs / stretchMs),
      // Late items keep to segments of their own time.
      header.maxReceivedMs - header.minTimeMs > lateAfterMs ? Math.floor(header.maxTimeMs / stretchMs) : 0,
    ])
    const known = stretches.get(key)
    if (known === undefined) stretches.set(key, [header])
    else known.push(header)
  }
  const groups: (readonly SegmentHeader[])[] = []
  for (const stretch of stretches.values()) {
    const sorted = stretch.sort((a, b) => a.fromPosition - b.fromPosition || (a.id < b.id ? -1 : 1))
    let group: SegmentHeader[] = []
    let rows = 0
    const close = (full: boolean): void => {
      const settled = nowMs - Math.max(...group.map(header => header.maxReceivedMs)) > settledMs
      if (group.length >= 2 && (full || settled || group.length >= minMergeSegments)) groups.push(group)
      group = []
      rows = 0
    }
    for (const header of sorted) {
      if (rows + header.count > maxSegmentRows) close(true)
      group.push(header)
      rows += header.count
    }
    close(false)
  }
  return groups.sort((a, b) => (a[0]?.maxReceivedMs ?? 0) - (b[0]?.maxReceivedMs ?? 0))
}
