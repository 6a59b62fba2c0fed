/** The writing side of the store on SQLite; one per database file, on the engine's thread. */
import type Database from 'better-sqlite3'
import type {
  RemovedSegments,
  RollupRecord,
  RollupReplacement,
  Seal,
  SealedCount,
  SegmentHeader,
  SegmentRecord,
  SegmentReplacement,
  StorageReport,
  StoreWriter,
  TemplateRecord,
} from '../../model/store.ts'
import type { Signal } from '../../model/telemetry.ts'
import { explained, openForWriting } from './database.ts'
import { readRollups, readRollupsReceived } from './rollup-rows.ts'
import { partStride } from './schema.ts'
import { headerColumns, headerOf, rowOf, type SegmentRow, signalNumber, signalOf } from './segment-row.ts'
import { type TemplateRow, templateColumns, templateOf } from './template-rows.ts'

/** Removals remembered for readers; one that is further behind meets missing segments and skips them. */
const maxRemovals = 100_000
/** Pages given back to the file system per removal call: about 16 MB, a few milliseconds. */
const vacuumPages = 2048

/** Opens or makes the database; throws StoreError with one sentence and the remedy if it cannot. */
export function openSqliteWriter(file: string): StoreWriter {
  return new SqliteStoreWriter(file, openForWriting(file))
}

class SqliteStoreWriter implements StoreWriter {
  readonly #file: string
  readonly #db: Database.Database

  constructor(file: string, db: Database.Database) {
    this.#file = file
    this.#db = db
  }

  async commitSeal(seal: Seal): Promise<void> {
    this.#transaction(() => {
      if (seal.position.position <= this.#position(seal.position.inboxId)) return
      for (const segment of seal.segments) this.#insertSegment(segment)
      for (const rollup of seal.rollups) this.#insertRollup(rollup)
      for (const template of seal.templates) this.#upsertTemplate(template)
      for (const count of seal.counts) this.#addSealed(count)
      this.#db
        .prepare(
          `INSERT INTO sealed_position (inbox_id, position) VALUES (?, ?)
           ON CONFLICT (inbox_id) DO UPDATE SET position = excluded.position`,
        )
        .run(seal.position.inboxId, seal.position.position)
    })
  }

  async sealedPosition(inboxId: string): Promise<number> {
    return explained(this.#file, () => this.#position(inboxId))
  }

  async allTemplates(): Promise<readonly TemplateRecord[]> {
    return explained(this.#file, () =>
      this.#db
        .prepare<[], TemplateRow>(`SELECT ${templateColumns} FROM template ORDER BY tenant, number`)
        .all()
        .map(templateOf),
    )
  }

  async replaceRollups(change: RollupReplacement): Promise<void> {
    this.#transaction(() => {
      const remove = this.#db.prepare('DELETE FROM rollup WHERE id = ?')
      for (const id of change.remove) remove.run(id)
      for (const rollup of change.add) this.#insertRollup(rollup)
    })
  }

  async rollups(tenant: string, fromMs: number, toMs: number): Promise<readonly RollupRecord[]> {
    return explained(this.#file, () => readRollups(this.#db, tenant, fromMs, toMs))
  }

  async rollupsReceived(
    stepSeconds: number,
    fromMs: number,
    toMs: number,
    limit: number,
  ): Promise<readonly RollupRecord[]> {
    return explained(this.#file, () => readRollupsReceived(this.#db, stepSeconds, fromMs, toMs, limit))
  }

  async tenants(): Promise<readonly string[]> {
    return explained(this.#file, () =>
      this.#db
        .prepare<[], { tenant: string }>('SELECT DISTINCT tenant FROM sealed_count ORDER BY tenant')
        .all()
        .map(row => row.tenant),
    )
  }

  async replaceSegments(change: SegmentReplacement): Promise<boolean> {
    return this.#transaction(() => {
      const rows = change.remove.map(id => this.#segmentRow(id))
      if (rows.some(row => row === undefined)) return false
      for (const row of rows) if (row !== undefined) this.#deleteSegment(row)
      for (const segment of change.add) this.#insertSegment(segment)
      return true
    })
  }

  async removeSegments(signal: Signal, beforeMs: number, limit: number): Promise<RemovedSegments> {
    const removed = this.#transaction(() => {
      const rows = this.#db
        .prepare<[number, number, number], SegmentRow>(
          `SELECT ${headerColumns} FROM segment WHERE signal = ? AND max_received_ms < ?
           ORDER BY max_received_ms, sequence LIMIT ?`,
        )
        .all(signalNumber(signal), beforeMs, limit)
      for (const row of rows) this.#deleteSegment(row)
      this.#db
        .prepare('DELETE FROM removal WHERE sequence <= (SELECT max(sequence) FROM removal) - ?')
        .run(maxRemovals)
      return rows.map(headerOf)
    })
    if (removed.length > 0) explained(this.#file, () => this.#db.pragma(`incremental_vacuum(${vacuumPages})`))
    return { segments: removed.length, counts: countsOf(removed) }
  }

  async removeRollups(beforeMs: number, limit: number): Promise<number> {
    return this.#transaction(
      () =>
        this.#db
          .prepare(
            `DELETE FROM rollup WHERE number IN
               (SELECT number FROM rollup WHERE received_ms < ? ORDER BY received_ms LIMIT ?)`,
          )
          .run(beforeMs, limit).changes,
    )
  }

  async storageReport(): Promise<StorageReport> {
    return explained(this.#file, () => {
      const totals = this.#db
        .prepare<[], { signal: number; segments: number; items: number; bytes: number }>(
          'SELECT signal, segments, items, bytes FROM stored_total ORDER BY signal',
        )
        .all()
      const pages = Number(this.#db.pragma('page_count', { simple: true }))
      const pageBytes = Number(this.#db.pragma('page_size', { simple: true }))
      return {
        bytes: pages * pageBytes,
        segments: totals.reduce((sum, row) => sum + row.segments, 0),
        perSignal: totals.map(row => ({ signal: signalOf(row.signal), items: row.items, bytes: row.bytes })),
      }
    })
  }

  async close(): Promise<void> {
    this.#db.close()
  }

  #transaction<T>(work: () => T): T {
    // `immediate` takes the write lock first, so that a busy store is seen before any work is done.
    return explained(this.#file, () => this.#db.transaction(work).immediate())
  }

  #position(inboxId: string): number {
    return (
      this.#db
        .prepare<[string], { position: number }>('SELECT position FROM sealed_position WHERE inbox_id = ?')
        .get(inboxId)?.position ?? 0
    )
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

  #insertSegment({ header, parts }: SegmentRecord): void {
    if (this.#segmentRow(header.id) !== undefined) return
    if (parts.size > partStride)
      throw new RangeError(`a segment of ${parts.size} parts is over the limit of ${partStride}`)
    const sequence = this.#nextSequence()
    const names = [...parts.keys()]
    this.#db
      .prepare(`INSERT INTO segment (${headerColumns}, parts) VALUES (${'?, '.repeat(15)}?)`)
      .run(...rowOf(sequence, header, names))
    const insert = this.#db.prepare('INSERT INTO segment_part (id, bytes) VALUES (?, ?)')
    let place = 0
    for (const bytes of parts.values()) insert.run(sequence * partStride + place++, bytes)
    this.#addStored(signalNumber(header.signal), 1, header.count, header.byteLength)
  }

  #deleteSegment(row: SegmentRow): void {
    const first = row.sequence * partStride
    this.#db.prepare('DELETE FROM segment_part WHERE id >= ? AND id < ?').run(first, first + partStride)
    this.#db.prepare('DELETE FROM segment WHERE sequence = ?').run(row.sequence)
    this.#db.prepare('INSERT INTO removal (sequence, id) VALUES (?, ?)').run(this.#nextSequence(), row.id)
    this.#addStored(row.signal, -1, -row.count, -row.byte_length)
  }

  #addStored(signal: number, segments: number, items: number, bytes: number): void {
    this.#db
      .prepare(
        `INSERT INTO stored_total (signal, segments, items, bytes) VALUES (?, ?, ?, ?)
         ON CONFLICT (signal) DO UPDATE SET segments = segments + excluded.segments,
           items = items + excluded.items, bytes = bytes + excluded.bytes`,
      )
      .run(signal, segments, items, bytes)
  }

  #addSealed(count: SealedCount): void {
    this.#db
      .prepare(
        `INSERT INTO sealed_count (tenant, signal, items) VALUES (?, ?, ?)
         ON CONFLICT (tenant, signal) DO UPDATE SET items = items + excluded.items`,
      )
      .run(count.tenant, signalNumber(count.signal), count.items)
  }

  #insertRollup(rollup: RollupRecord): void {
    this.#db
      .prepare(
        `INSERT INTO rollup (id, tenant, step_seconds, from_ms, to_ms, received_ms, bytes)
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
      )
      .run(
        rollup.id,
        rollup.tenant,
        rollup.stepSeconds,
        rollup.fromMs,
        rollup.toMs,
        rollup.receivedMs,
        rollup.bytes,
      )
  }

  #upsertTemplate(template: TemplateRecord): void {
    this.#db
      .prepare(
        `INSERT INTO template (${templateColumns}) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (tenant, number) DO UPDATE SET pattern = excluded.pattern, severity = excluded.severity`,
      )
      .run(
        template.tenant,
        template.number,
        template.service,
        template.id,
        template.pattern,
        template.severity,
        template.firstSeenMs,
      )
  }
}

function countsOf(headers: readonly SegmentHeader[]): readonly SealedCount[] {
  const counts = new Map<string, { tenant: string; signal: Signal; items: number }>()
  for (const { tenant, signal, count } of headers) {
    const key = `${signal} ${tenant}`
    const known = counts.get(key)
    if (known === undefined) counts.set(key, { tenant, signal, items: count })
    else known.items += count
  }
  return [...counts.values()]
}
