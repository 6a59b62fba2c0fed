/**
 * A store in memory that passes the battery of every store: states that are replaced and never changed, so that a
 * snapshot is one of them. What makes a commit slow, fail, half fail or die is decided by its faults.
 */
import { StoreError } from '../../src/errors.ts'
import type {
  RemovedSegments,
  RollupLimit,
  RollupRecord,
  RollupReplacement,
  Seal,
  SegmentRecord,
  SegmentReplacement,
  StorageReport,
  StoreReader,
  StoreSnapshot,
  StoreWriter,
  TemplateRecord,
} from '../../src/model/store.ts'
import { type Signal, signals } from '../../src/model/telemetry.ts'
import { checkPart } from '../../src/store/part.ts'
import { addTotal, type ModelState, putSegment, retire, stateOf, takeSegment } from './model-state.ts'

/** What can happen to a change of the store. */
export interface StoreFaults {
  /** Before and after each change is on disk; may wait, throw StoreError in place of the store, or never come back. */
  before(): Promise<void>
  after(): Promise<void>
  /** While a snapshot is read. */
  reading(): Promise<void>
}

const noFaults: StoreFaults = {
  before: async () => undefined,
  after: async () => undefined,
  reading: async () => undefined,
}

/** What survives the process. */
export class ModelStoreDisk {
  state: ModelState = stateOf()
  /** Planted: the position of a seal is on disk before the rest of it. */
  positionFirst = false

  writer(faults: StoreFaults = noFaults): StoreWriter {
    return new ModelWriter(this, faults)
  }

  reader(faults: StoreFaults = noFaults): StoreReader {
    return new ModelReader(this, faults)
  }
}

class ModelWriter implements StoreWriter {
  readonly #disk: ModelStoreDisk
  readonly #faults: StoreFaults

  constructor(disk: ModelStoreDisk, faults: StoreFaults) {
    this.#disk = disk
    this.#faults = faults
  }

  async commitSeal(seal: Seal): Promise<void> {
    const { inboxId, position } = seal.position
    const isNew = position > (this.#disk.state.positions.get(inboxId) ?? 0)
    const positionFirst = this.#disk.positionFirst && isNew
    if (positionFirst) await this.#change(state => void state.positions.set(inboxId, position))
    await this.#change(state => {
      if (position <= (state.positions.get(inboxId) ?? 0) && !positionFirst) return
      for (const segment of seal.segments) putSegment(state, segment)
      for (const rollup of seal.rollups) putRollup(state, rollup)
      for (const template of seal.templates) putTemplate(state, template)
      for (const { tenant, signal, items } of seal.counts) addTotal(state, tenant, signal, { items })
      state.positions.set(inboxId, position)
    })
  }

  async sealedPosition(inboxId: string): Promise<number> {
    return this.#disk.state.positions.get(inboxId) ?? 0
  }

  async allTemplates(): Promise<readonly TemplateRecord[]> {
    return sortedTemplates(this.#disk.state)
  }

  async replaceRollups(change: RollupReplacement): Promise<void> {
    await this.#change(state => {
      const narrowest = Math.min(...change.add.map(rollup => rollup.stepSeconds))
      const gone = change.remove
        .map(id => state.rollups.get(id))
        .filter(rollup => rollup !== undefined && rollup.stepSeconds < narrowest)
      for (const id of change.remove) state.rollups.delete(id)
      for (const rollup of change.add) putRollup(state, rollup)
      retire(
        state,
        gone.filter(rollup => rollup !== undefined),
      )
    })
  }

  async rollups(tenant: string, fromMs: number, toMs: number): Promise<readonly RollupRecord[]> {
    return overlapping(this.#disk.state, tenant, fromMs, toMs)
  }

  async rollupsReceived(
    stepSeconds: number,
    fromMs: number,
    toMs: number,
    limit: RollupLimit,
  ): Promise<readonly RollupRecord[]> {
    let before = 0
    return [...this.#disk.state.rollups.values()]
      .filter(one => one.stepSeconds === stepSeconds && one.receivedMs >= fromMs && one.receivedMs < toMs)
      .sort((a, b) => a.receivedMs - b.receivedMs)
      .slice(0, limit.records)
      .filter(one => {
        const fits = before < limit.bytes
        before += one.bytes.length
        return fits
      })
  }

  async tenants(): Promise<readonly string[]> {
    return [...new Set([...this.#disk.state.totals.values()].map(total => total.tenant))].sort()
  }

  async replaceSegments(change: SegmentReplacement): Promise<boolean> {
    return this.#change(state => {
      if (change.remove.some(id => !state.segments.has(id))) return false
      const removed = change.remove.map(id => takeSegment(state, id))
      const added = change.add.filter(segment => putSegment(state, segment)).map(segment => segment.header)
      const first = removed[0]
      if (first === undefined) return true
      const merged =
        removed.reduce((sum, header) => sum + header.count, 0) -
        added.reduce((sum, one) => sum + one.count, 0)
      if (merged === 0) return true
      addTotal(state, first.tenant, first.signal, { merged })
      retire(
        state,
        removed.map(({ tenant, minTimeMs, maxTimeMs }) => ({ tenant, fromMs: minTimeMs, toMs: maxTimeMs })),
      )
      return true
    })
  }

  async removeSegments(
    signal: Signal,
    beforeMs: number,
    limit: number,
    tenant?: string,
  ): Promise<RemovedSegments> {
    return this.#change(state => {
      const old = behind(state, signal, beforeMs)
        .filter(segment => tenant === undefined || segment.header.tenant === tenant)
        .slice(0, limit)
        .map(segment => takeSegment(state, segment.header.id))
      for (const header of old) addTotal(state, header.tenant, signal, { removed: header.count })
      retire(
        state,
        old.map(header => ({ tenant: header.tenant, fromMs: header.minTimeMs, toMs: header.maxTimeMs })),
      )
      const counts = [...new Set(old.map(header => header.tenant))].map(name => ({
        tenant: name,
        signal,
        items: old.filter(header => header.tenant === name).reduce((sum, header) => sum + header.count, 0),
      }))
      return { segments: old.length, counts }
    })
  }

  async rowsBehind(signal: Signal, beforeMs: number): Promise<number> {
    return behind(this.#disk.state, signal, beforeMs).reduce((sum, { header }) => sum + header.count, 0)
  }

  async removeRollups(beforeMs: number, limit: number): Promise<number> {
    return this.#change(state => {
      const old = [...state.rollups.values()]
        .filter(rollup => rollup.receivedMs < beforeMs)
        .sort((a, b) => a.receivedMs - b.receivedMs)
        .slice(0, limit)
      for (const rollup of old) state.rollups.delete(rollup.id)
      retire(state, old)
      return old.length
    })
  }

  async reclaimSpace(): Promise<boolean> {
    return false
  }

  async storageReport(): Promise<StorageReport> {
    const segments = [...this.#disk.state.segments.values()]
    return {
      bytes: segments.reduce((sum, { header }) => sum + header.byteLength, 0),
      freeBytes: 0,
      segments: segments.length,
      perSignal: signals.map(signal => {
        const own = segments.filter(({ header }) => header.signal === signal)
        return {
          signal,
          items: own.reduce((sum, { header }) => sum + header.count, 0),
          bytes: own.reduce((sum, { header }) => sum + header.byteLength, 0),
        }
      }),
    }
  }

  async close(): Promise<void> {}

  /** Whole or not at all: the new state takes the place of the old one in one step. */
  async #change<T>(work: (state: ModelState) => T): Promise<T> {
    await this.#faults.before()
    const state = stateOf(this.#disk.state)
    const result = work(state)
    this.#disk.state = state
    await this.#faults.after()
    return result
  }
}

class ModelReader implements StoreReader {
  readonly #disk: ModelStoreDisk
  readonly #faults: StoreFaults
  #closed = false

  constructor(disk: ModelStoreDisk, faults: StoreFaults) {
    this.#disk = disk
    this.#faults = faults
  }

  async snapshot(signal?: AbortSignal): Promise<StoreSnapshot> {
    signal?.throwIfAborted()
    if (this.#closed) throw new StoreError('store_closed', 'the reader is closed')
    return snapshotOf(this.#disk.state, this.#faults)
  }

  async close(): Promise<void> {
    this.#closed = true
  }
}

function snapshotOf(state: ModelState, faults: StoreFaults): StoreSnapshot {
  let released = false
  async function read<T>(work: () => T): Promise<T> {
    if (released) throw new StoreError('snapshot_released', 'this view of the store was released')
    await faults.reading()
    return work()
  }
  return {
    sealedPosition: inboxId => read(() => state.positions.get(inboxId) ?? 0),
    segmentChanges: afterSequence =>
      read(() => ({
        sequence: state.sequence,
        added: [...state.segments.values()]
          .filter(segment => segment.sequence > afterSequence)
          .sort((a, b) => a.sequence - b.sequence)
          .map(segment => segment.header),
        removed:
          afterSequence === 0
            ? []
            : state.removals.filter(removal => removal.sequence > afterSequence).map(removal => removal.id),
      })),
    segmentParts: (id, names, signal) =>
      read(() => {
        signal?.throwIfAborted()
        const segment = state.segments.get(id)
        if (segment === undefined)
          throw new StoreError('missing_segment', `segment ${id} is not stored any more`)
        return new Map(names.map(name => [name, checkedPart(segment, name)]))
      }),
    rollups: (tenant, fromMs, toMs) => read(() => overlapping(state, tenant, fromMs, toMs)),
    rollupHeads: (tenant, fromMs, toMs) =>
      read(() => overlapping(state, tenant, fromMs, toMs).map(({ bytes: _, ...head }) => head)),
    rollupPage: (after, limit) =>
      read(() => {
        const number = (rollup: RollupRecord): number => state.rollupNumbers.get(rollup.id) ?? 0
        const records = [...state.rollups.values()]
          .filter(rollup => number(rollup) > after)
          .sort((a, b) => number(a) - number(b))
          .slice(0, limit)
        const last = records.at(-1)
        return { records, last: last === undefined ? after : number(last) }
      }),
    templates: tenant => read(() => sortedTemplates(state).filter(template => template.tenant === tenant)),
    sealedCounts: () =>
      read(() =>
        [...state.totals.values()].sort(
          (a, b) =>
            (a.tenant < b.tenant ? -1 : a.tenant > b.tenant ? 1 : 0) ||
            signals.indexOf(a.signal) - signals.indexOf(b.signal),
        ),
      ),
    retirements: tenant =>
      read(() => {
        const list = state.retirements.filter(one => one.tenant === tenant)
        const bare = list.map(({ generation, fromMs, toMs }) => ({ generation, fromMs, toMs }))
        return { generation: bare.at(-1)?.generation ?? 0, since: 0, list: bare }
      }),
    async release() {
      released = true
    },
  }
}

function checkedPart(segment: SegmentRecord, name: string): Uint8Array {
  const bytes = segment.parts.get(name)
  if (bytes === undefined)
    throw new StoreError('corrupt_segment', `segment ${segment.header.id} has no part ${name}`)
  checkPart(bytes)
  return bytes
}

function behind(
  state: ModelState,
  signal: Signal,
  beforeMs: number,
): readonly (SegmentRecord & { readonly sequence: number })[] {
  return [...state.segments.values()]
    .filter(({ header }) => header.signal === signal && header.maxReceivedMs < beforeMs)
    .sort((a, b) => a.header.maxReceivedMs - b.header.maxReceivedMs || a.sequence - b.sequence)
}

function overlapping(
  state: ModelState,
  tenant: string,
  fromMs: number,
  toMs: number,
): readonly RollupRecord[] {
  return [...state.rollups.values()]
    .filter(one => one.tenant === tenant && one.toMs > fromMs && one.fromMs < toMs)
    .sort((a, b) => a.fromMs - b.fromMs || (a.id < b.id ? -1 : 1))
}

function sortedTemplates(state: ModelState): readonly TemplateRecord[] {
  return [...state.templates.values()].sort(
    (a, b) => (a.tenant < b.tenant ? -1 : a.tenant > b.tenant ? 1 : 0) || a.number - b.number,
  )
}

function putRollup(state: ModelState, rollup: RollupRecord): void {
  if (typeof rollup.tenant !== 'string') throw new StoreError('store_failed', 'a rollup has no tenant')
  if (state.rollups.has(rollup.id)) return
  state.rollups.set(rollup.id, rollup)
  state.rollupNumbers.set(rollup.id, ++state.sequence)
}

function putTemplate(state: ModelState, template: TemplateRecord): void {
  const key = `${template.number} ${template.tenant}`
  const known = state.templates.get(key)
  const { pattern, severity } = template
  state.templates.set(key, known === undefined ? template : { ...known, pattern, severity })
}
