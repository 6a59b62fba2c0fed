/** The writing side of the store on SQLite; one per database file, on the engine's thread. */
import type Database from 'better-sqlite3'
import type {
  RemovedSegments,
  RollupLimit,
  RollupRecord,
  RollupReplacement,
  Seal,
  SegmentRecord,
  SegmentReplacement,
  StorageReport,
  StoreWriter,
  TemplateRecord,
} from '../../model/store.ts'
import type { Signal } from '../../model/telemetry.ts'
import { Retiring } from '../rows/retiring.ts'
import {
  countsOf,
  headerColumns,
  headerOf,
  rowOf,
  type SegmentRow,
  signalNumber,
} from '../rows/segment-row.ts'
import { explained, type OpenOptions, openForWriting } from './database.ts'
import { writeRetirements } from './retirement-rows.ts'
import { insertRollup, readRollups, readRollupsReceived } from './rollup-rows.ts'
import { rowChecksum } from './row-checksum.ts'
import { partStride } from './schema.ts'
import { readSealedPosition, writeSealedPosition } from './sealed-position.ts'
import { readTemplates, upsertTemplate } from './template-rows.ts'
import { addToTotals, readStorage } from './totals.ts'

/** Removals remembered for readers; one that is further behind meets missing segments and skips them. */
const maxRemovals = 100_000
/**
 * Pages given back to the file system in one statement: as many as take about this long on the disk at hand,
 * since each may have to be moved.
 */
const reclaimMs = 10
const minReclaimPages = 16
const maxReclaimPages = 1024
/** Rows looked at to tell how far retention is behind; beyond it the figure is a lower bound. */
const maxRowsCounted = 5_000

interface RemovedRollup {
  readonly tenant: string
  readonly step_seconds: number
  readonly from_ms: number
  readonly to_ms: number
}

/** Opens or makes the database; throws StoreError with one sentence and the remedy if it cannot. */
export function openSqliteWriter(file: string, options: OpenOptions = {}): StoreWriter {
  return new SqliteStoreWriter(file, openForWriting(file, options))
}

class SqliteStoreWriter implements StoreWriter {
  readonly #file: string
  readonly #db: Database.Database
  #reclaimPages = minReclaimPages
  #movedPages = false

  constructor(file: string, db: Database.Database) {
    this.#file = file
    this.#db = db
  }

  async commitSeal(seal: Seal): Promise<void> {
    this.#transaction(() => {
      if (seal.position.position <= readSealedPosition(this.#db, seal.position.inboxId)) return
      for (const segment of seal.segments) this.#insertSegment(segment)
      for (const rollup of seal.rollups) insertRollup(this.#db, rollup)
      for (const template of seal.templates) upsertTemplate(this.#db, template)
      for (const { tenant, signal, items } of seal.counts)
        addToTotals(this.#db, tenant, signalNumber(signal), { sealed: items })
      writeSealedPosition(this.#db, seal.position.inboxId, seal.position.position)
    })
  }

  async sealedPosition(inboxId: string): Promise<number> {
    return explained(this.#file, () => readSealedPosition(this.#db, inboxId))
  }

  async allTemplates(): Promise<readonly TemplateRecord[]> {
    return explained(this.#file, () => this.#tenants().flatMap(tenant => readTemplates(this.#db, tenant)))
  }

  async replaceRollups(change: RollupReplacement): Promise<void> {
    this.#transaction(() => {
      const narrowest = Math.min(...change.add.map(rollup => rollup.stepSeconds))
      const retiring = new Retiring()
      const remove = this.#db.prepare<[string], RemovedRollup>(
        'DELETE FROM rollup WHERE id = ? RETURNING tenant, step_seconds, from_ms, to_ms',
      )
      for (const id of change.remove) {
        const row = remove.get(id)
        if (row !== undefined && row.step_seconds < narrowest)
          retiring.add(row.tenant, row.from_ms, row.to_ms)
      }
      for (const rollup of change.add) insertRollup(this.#db, rollup)
      writeRetirements(this.#db, retiring, () => this.#nextSequence())
    })
  }

  async rollups(tenant: string, fromMs: number, toMs: number): Promise<readonly RollupRecord[]> {
    return explained(this.#file, () => readRollups(this.#db, tenant, fromMs, toMs))
  }

  async rollupsReceived(
    stepSeconds: number,
    fromMs: number,
    toMs: number,
    limit: RollupLimit,
  ): Promise<readonly RollupRecord[]> {
    return explained(this.#file, () => readRollupsReceived(this.#db, stepSeconds, fromMs, toMs, limit))
  }

  async tenants(): Promise<readonly string[]> {
    return explained(this.#file, () => this.#tenants())
  }

  async replaceSegments(change: SegmentReplacement): Promise<boolean> {
    return this.#transaction(() => {
      const found = change.remove.map(id => this.#segmentRow(id))
      const rows = found.filter(row => row !== undefined)
      if (rows.length < found.length) return false
      for (const row of rows) this.#deleteSegment(row)
      const left = new Map(rows.map(row => [`${row.signal} ${row.tenant}`, { row, items: 0 }]))
      for (const row of rows) {
        const group = left.get(`${row.signal} ${row.tenant}`)
        if (group !== undefined) group.items += row.count
      }
      for (const segment of change.add) {
        const group = left.get(`${signalNumber(segment.header.signal)} ${segment.header.tenant}`)
        if (this.#insertSegment(segment) && group !== undefined) group.items -= segment.header.count
      }
      const retiring = new Retiring()
      for (const { row, items } of left.values()) {
        if (items === 0) continue
        addToTotals(this.#db, row.tenant, row.signal, { merged: items })
        for (const { tenant, min_time_ms, max_time_ms } of rows)
          if (tenant === row.tenant) retiring.add(tenant, min_time_ms, max_time_ms)
      }
      writeRetirements(this.#db, retiring, () => this.#nextSequence())
      return true
    })
  }

  async removeSegments(
    signal: Signal,
    beforeMs: number,
    limit: number,
    tenant?: string,
  ): Promise<RemovedSegments> {
    const removed = this.#transaction(() => {
      const rows = this.#db
        .prepare<[number, number, string | null, string | null, number], SegmentRow>(
          `SELECT ${headerColumns} FROM segment WHERE signal = ? AND max_received_ms < ?
             AND (? IS NULL OR tenant = ?) ORDER BY max_received_ms, sequence LIMIT ?`,
        )
        .all(signalNumber(signal), beforeMs, tenant ?? null, tenant ?? null, limit)
      const retiring = new Retiring()
      for (const row of rows) {
        this.#deleteSegment(row)
        addToTotals(this.#db, row.tenant, row.signal, { removed: row.count })
        retiring.add(row.tenant, row.min_time_ms, row.max_time_ms)
      }
      writeRetirements(this.#db, retiring, () => this.#nextSequence())
      this.#db
        .prepare('DELETE FROM removal WHERE sequence <= (SELECT max(sequence) FROM removal) - ?')
        .run(maxRemovals)
      return rows.map(headerOf)
    })
    return { segments: removed.length, counts: countsOf(removed) }
  }

  async rowsBehind(signal: Signal, beforeMs: number): Promise<number> {
    return explained(
      this.#file,
      () =>
        this.#db
          .prepare<[number, number, number], { items: number }>(
            `SELECT coalesce(sum(count), 0) AS items FROM
               (SELECT count FROM segment WHERE signal = ? AND max_received_ms < ? LIMIT ?)`,
          )
          .get(signalNumber(signal), beforeMs, maxRowsCounted)?.items ?? 0,
    )
  }

  async removeRollups(beforeMs: number, limit: number): Promise<number> {
    return this.#transaction(() => {
      const rows = this.#db
        .prepare<[number, number], RemovedRollup>(
          `DELETE FROM rollup WHERE number IN
             (SELECT number FROM rollup WHERE received_ms < ? ORDER BY received_ms LIMIT ?)
           RETURNING tenant, step_seconds, from_ms, to_ms`,
        )
        .all(beforeMs, limit)
      const retiring = new Retiring()
      for (const row of rows) retiring.add(row.tenant, row.from_ms, row.to_ms)
      writeRetirements(this.#db, retiring, () => this.#nextSequence())
      return rows.length
    })
  }

  async reclaimSpace(): Promise<boolean> {
    return explained(this.#file, () => {
      if (this.#movedPages) {
        // Left to gather, moved pages would reach the file in one checkpoint of 16 MB, inside some commit.
        this.#movedPages = false
        this.#db.pragma('wal_checkpoint(PASSIVE)')
        return Number(this.#db.pragma('freelist_count', { simple: true })) > 0
      }
      if (Number(this.#db.pragma('freelist_count', { simple: true })) === 0) return false
      const startedMs = performance.now()
      this.#db.pragma(`incremental_vacuum(${this.#reclaimPages})`)
      const tookMs = performance.now() - startedMs
      const pages = Math.round(this.#reclaimPages * Math.min(2, Math.max(0.25, reclaimMs / tookMs)))
      this.#reclaimPages = Math.min(maxReclaimPages, Math.max(minReclaimPages, pages))
      this.#movedPages = true
      return true
    })
  }

  async storageReport(): Promise<StorageReport> {
    return explained(this.#file, () => readStorage(this.#db))
  }

  async close(): Promise<void> {
    this.#db.close()
  }

  #transaction<T>(work: () => T): T {
    // `immediate` takes the write lock first, so that a busy store is seen before any work is done.
    return explained(this.#file, () => this.#db.transaction(work).immediate())
  }

  /** Of anything that was ever sealed, and of templates, which may come first. */
  #tenants(): readonly string[] {
    return this.#db
      .prepare<[], string>('SELECT tenant FROM total UNION SELECT tenant FROM template ORDER BY 1')
      .pluck()
      .all()
  }

  #nextSequence(): number {
    const row = this.#db
      .prepare<[], { sequence: number }>('UPDATE counter SET sequence = sequence + 1 RETURNING sequence')
      .get()
    return row?.sequence ?? 0
  }

  #segmentRow(id: string): SegmentRow | undefined {
    return this.#db.prepare<[string], SegmentRow>(`SELECT ${headerColumns} FROM segment WHERE id = ?`).get(id)
  }

  /** False if it is stored already. */
  #insertSegment({ header, parts }: SegmentRecord): boolean {
    if (this.#segmentRow(header.id) !== undefined) return false
    if (parts.size > partStride)
      throw new RangeError(`a segment of ${parts.size} parts is over the limit of ${partStride}`)
    const sequence = this.#nextSequence()
    const row = rowOf(sequence, header, [...parts.keys()])
    this.#db
      .prepare(`INSERT INTO segment (${headerColumns}, parts, crc) VALUES (${'?, '.repeat(16)}?)`)
      .run(...row, rowChecksum(row.slice(0, -1)))
    const insert = this.#db.prepare('INSERT INTO segment_part (id, bytes) VALUES (?, ?)')
    let place = 0
    for (const bytes of parts.values()) insert.run(sequence * partStride + place++, bytes)
    addToTotals(this.#db, header.tenant, signalNumber(header.signal), {
      stored: header.count,
      segments: 1,
      bytes: header.byteLength,
    })
    return true
  }

  #deleteSegment(row: SegmentRow): void {
    const first = row.sequence * partStride
    this.#db.prepare('DELETE FROM segment_part WHERE id >= ? AND id < ?').run(first, first + partStride)
    this.#db.prepare('DELETE FROM segment WHERE sequence = ?').run(row.sequence)
    this.#db.prepare('INSERT INTO removal (sequence, id) VALUES (?, ?)').run(this.#nextSequence(), row.id)
    addToTotals(this.#db, row.tenant, row.signal, {
      stored: -row.count,
      segments: -1,
      bytes: -row.byte_length,
    })
  }
}
