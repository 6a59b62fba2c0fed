/**
 * The inbox's own SQLite file. One connection writes, in the inbox worker; the engine worker may read it.
 *
 * WAL with `synchronous=FULL` makes every commit one append and one fdatasync. Both are set explicitly:
 * this build of SQLite defaults to NORMAL under WAL, which acknowledges what a power cut can take back.
 */
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { ConfigurationError, StoreError } from '../../errors.ts'
import type { Signal } from '../../model/telemetry.ts'
import { signals } from '../../model/telemetry.ts'
import { encodeRow, type InboxRow, type StoredRow } from './inbox-row.ts'

/** `OtCi`, so that a foreign file is told from ours. */
const applicationId = 0x4f744369
const schemaVersion = 1

/**
 * Measured with 48 kB requests, twenty to a commit: 138, 100, 86, 62 and 85 µs of CPU each for pages of 4, 8,
 * 16, 32 and 64 KiB; with single small rows 16 is the best of them and 32 a quarter worse.
 */
const pageBytes = 16_384

/** WAL pages before SQLite moves them into the file: 32 MiB, two seconds of a saturated receiver. */
const checkpointPages = 2_048

const schema = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE entry (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    format INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    signal INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    encoding INTEGER NOT NULL,
    compression INTEGER NOT NULL,
    raw_bytes INTEGER NOT NULL,
    items INTEGER NOT NULL,
    size INTEGER NOT NULL,
    refusals TEXT,
    body BLOB NOT NULL
  );
  CREATE TABLE buried (position INTEGER PRIMARY KEY, kept INTEGER NOT NULL, reason TEXT NOT NULL);
  CREATE TABLE seen (
    sequence INTEGER PRIMARY KEY,
    received_ms INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    hash BLOB NOT NULL
  );
  CREATE TABLE counter (
    tenant TEXT NOT NULL,
    signal INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    deduplicated INTEGER NOT NULL,
    buried INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    items INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (tenant, signal)
  ) WITHOUT ROWID;
`

const columns =
  'position, format, crc, tenant, signal, received_ms, encoding, compression, raw_bytes, items, refusals, body'

export interface InboxFileOptions {
  readonly file: string
  /** Off proves that the order test can fail; nothing a user can set leads here. */
  readonly synchronous?: 'FULL' | 'OFF'
  /** Bound of the file in bytes, for tests of a full disk. */
  readonly maxFileBytes?: number
}

/** A request that was accepted, for recognising it when it is sent again. */
export interface SeenRequest {
  /** 16 bytes. */
  readonly hash: Uint8Array
  readonly receivedMs: number
  readonly accepted: number
  readonly rejected: number
}

/** Figures of one tenant and signal, kept in the transactions they count. */
export interface InboxCounter {
  readonly tenant: string
  readonly signal: Signal
  /** Items acknowledged since the file was made, duplicates among them. */
  readonly accepted: number
  /** Items of requests that had been stored before, since the file was made. */
  readonly deduplicated: number
  /** Items of entries that could not be processed, since the file was made. */
  readonly buried: number
  /** What lies in the file now. */
  readonly rows: number
  readonly items: number
  readonly bytes: number
}

export interface InboxBalance {
  readonly counters: readonly InboxCounter[]
  /** Items behind a position. */
  readonly waiting: readonly { readonly tenant: string; readonly signal: Signal; readonly items: number }[]
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

/** What a row costs in the file beside its body: columns, cell, its share of a page. */
export function rowSize(bodyBytes: number): number {
  return bodyBytes + 256
}

/** Writing side; methods between `begin` and `commit` belong to one transaction. Throws SQLite's own errors. */
export class InboxFile {
  readonly inboxId: string
  readonly #database: Database.Database
  readonly #insert: Database.Statement
  readonly #remember: Database.Statement
  readonly #count: Database.Statement
  #lastPosition: number
  #lastSequence: number
  #committedPosition: number

  /**
   * Opens or creates the file (mode 0600, directory 0700). Throws ConfigurationError with one sentence for a
   * foreign or newer file.
   */
  constructor(options: InboxFileOptions) {
    mkdirSync(dirname(options.file), { recursive: true, mode: 0o700 })
    this.#database = openDatabase(options)
    try {
      this.inboxId = this.#prepareSchema(options)
      /*
       * What a killed process wrote but never synced may be visible now, because the system's cache outlived
       * it. A checkpoint syncs log and file, so from here on whatever can be read is on disk, and a duplicate
       * of it may be acknowledged.
       */
      checkpoint(this.#database)
      for (const suffix of ['', '-wal', '-shm']) chmodSync(options.file + suffix, 0o600)
    } catch (error) {
      this.#database.close()
      throw explainOpening(error, options.file)
    }
    this.#insert = this.#database.prepare(
      `INSERT INTO entry (${columns}, size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#remember = this.#database.prepare('INSERT INTO seen VALUES (?, ?, ?, ?, ?)')
    this.#count = this.#database.prepare(
      `INSERT INTO counter VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, signal) DO UPDATE SET
         accepted = accepted + excluded.accepted, deduplicated = deduplicated + excluded.deduplicated,
         buried = buried + excluded.buried, rows = rows + excluded.rows,
         items = items + excluded.items, bytes = bytes + excluded.bytes`,
    )
    this.#lastPosition = readLastPosition(this.#database)
    this.#lastSequence = this.#readNumber('SELECT max(sequence) FROM seen')
    this.#committedPosition = this.#lastPosition
  }

  /** Newest position ever committed, also when its row is gone. */
  get lastPosition(): number {
    return this.#committedPosition
  }

  begin(): void {
    this.#database.exec('BEGIN IMMEDIATE')
  }

  /** Adds a row and returns its position: one more than the last, never used again once committed. */
  insert(row: Omit<InboxRow, 'position'>): number {
    const position = this.#lastPosition + 1
    const stored = encodeRow({ ...row, position })
    this.#insert.run(
      position,
      stored.format,
      stored.crc,
      stored.tenant,
      stored.signal,
      stored.received_ms,
      stored.encoding,
      stored.compression,
      stored.raw_bytes,
      stored.items,
      stored.refusals,
      stored.body,
      rowSize(stored.body.length),
    )
    this.#lastPosition = position
    return position
  }

  remember(seen: SeenRequest): void {
    this.#lastSequence++
    this.#remember.run(this.#lastSequence, seen.receivedMs, seen.accepted, seen.rejected, seen.hash)
  }

  /** Adds to the figures of a tenant and signal. */
  count(added: InboxCounter): void {
    this.#count.run(
      added.tenant,
      signals.indexOf(added.signal),
      added.accepted,
      added.deduplicated,
      added.buried,
      added.rows,
      added.items,
      added.bytes,
    )
  }

  /** Returns once the transaction is on disk. After an error nothing of it may be acknowledged. */
  commit(): void {
    this.#database.exec('COMMIT')
    this.#committedPosition = this.#lastPosition
  }

  rollback(): void {
    if (this.#database.inTransaction) this.#database.exec('ROLLBACK')
    this.#lastPosition = this.#committedPosition
  }

  /**
   * Removes at most `limit` of the rows up to `position` that are not kept. Returns what was removed, as negative
   * figures that were counted with it; `done` is false while there are more. Belongs into a transaction.
   */
  trim(
    position: number,
    limit: number,
  ): { readonly removed: readonly InboxCounter[]; readonly done: boolean } {
    const rows = this.#database
      .prepare(
        `SELECT position, tenant, signal, items, size FROM entry
         WHERE position <= ? AND position NOT IN (SELECT position FROM buried WHERE kept) ORDER BY position LIMIT ?`,
      )
      .all(position, limit)
      .map(readTrimRow)
    const first = rows[0]
    const last = rows.at(-1)
    if (first === undefined || last === undefined) return { removed: [], done: true }
    this.#database
      .prepare(
        `DELETE FROM entry WHERE position BETWEEN ? AND ?
         AND position NOT IN (SELECT position FROM buried WHERE kept)`,
      )
      .run(first.position, last.position)
    const removed = sumRemoved(rows)
    for (const counter of removed) this.count(counter)
    return { removed, done: rows.length < limit }
  }

  /** Notes that an entry is given up, once; returns false if it had been before. Belongs into a transaction. */
  bury(burial: Burial): boolean {
    const added = this.#database
      .prepare('INSERT OR IGNORE INTO buried VALUES (?, ?, ?)')
      .run(burial.position, burial.kept ? 1 : 0, burial.reason)
    if (added.changes === 0) return false
    this.count({
      ...emptyCounter(burial.tenant, burial.signal),
      buried: burial.items,
    })
    return true
  }

  /** Forgets requests received before `beforeMs`, at most a thousand a call. */
  forgetSeen(beforeMs: number): void {
    this.#database
      .prepare(
        `DELETE FROM seen WHERE received_ms < ? AND sequence <=
           (SELECT coalesce(min(sequence), 0) + 1000 FROM seen)`,
      )
      .run(beforeMs)
  }

  /** Oldest first. */
  seenSince(fromMs: number): readonly SeenRequest[] {
    return this.#database
      .prepare(
        'SELECT received_ms, accepted, rejected, hash FROM seen WHERE received_ms >= ? ORDER BY sequence',
      )
      .all(fromMs)
      .map(row => {
        // Columns of our own table, NOT NULL.
        const seen = row as { received_ms: number; accepted: number; rejected: number; hash: Uint8Array }
        return {
          receivedMs: seen.received_ms,
          accepted: seen.accepted,
          rejected: seen.rejected,
          hash: seen.hash,
        }
      })
  }

  counters(): readonly InboxCounter[] {
    return readCounters(this.#database)
  }

  keptRows(): number {
    return this.#readNumber('SELECT count(*) FROM buried WHERE kept')
  }

  close(): void {
    this.#database.close()
  }

  #prepareSchema(options: InboxFileOptions): string {
    const database = this.#database
    const found = Number(database.pragma('application_id', { simple: true }))
    const tables = this.#readNumber('SELECT count(*) FROM sqlite_master')
    if (tables === 0) {
      // Before anything is written: page size and journal cannot be changed afterwards.
      database.pragma(`page_size = ${pageBytes}`)
    } else if (found !== applicationId) {
      throw new ConfigurationError([
        `${options.file} is not an inbox of this program; move it away or set DATA_DIR to another directory`,
      ])
    }
    const version = Number(database.pragma('user_version', { simple: true }))
    if (version > schemaVersion) {
      throw new ConfigurationError([
        `${options.file} was written by a newer version (schema ${version}, this one knows ${schemaVersion}); start that version`,
      ])
    }
    database.pragma('journal_mode = WAL')
    database.pragma(`synchronous = ${options.synchronous ?? 'FULL'}`)
    database.pragma(`wal_autocheckpoint = ${checkpointPages}`)
    database.pragma('journal_size_limit = 67108864')
    if (options.maxFileBytes !== undefined) {
      database.pragma(`max_page_count = ${Math.ceil(options.maxFileBytes / pageBytes)}`)
    }
    if (tables === 0) {
      database.transaction(() => {
        database.exec(schema)
        database.prepare('INSERT INTO meta VALUES (?, ?)').run('inbox_id', randomBytes(16).toString('hex'))
        database.pragma(`application_id = ${applicationId}`)
        database.pragma(`user_version = ${schemaVersion}`)
      })()
    }
    return readInboxId(database)
  }

  #readNumber(sql: string): number {
    return Number(this.#database.prepare(sql).pluck().get() ?? 0)
  }
}

/** Reading side, for the engine: rows it was not handed because it was behind, or after a start. */
export class InboxFileReader {
  readonly inboxId: string
  readonly #database: Database.Database
  readonly #select: Database.Statement

  constructor(file: string) {
    this.#database = new Database(file, { readonly: true, timeout: 1_000 })
    this.inboxId = readInboxId(this.#database)
    this.#select = this.#database.prepare(
      `SELECT ${columns} FROM entry WHERE position BETWEEN ? AND ? ORDER BY position LIMIT ?`,
    )
  }

  /** Newest position ever committed, also when its row is gone. */
  lastPosition(): number {
    return readLastPosition(this.#database)
  }

  /** Positions after `position` that were given up. */
  buriedAfter(position: number): readonly number[] {
    return this.#database
      .prepare('SELECT position FROM buried WHERE position > ?')
      .pluck()
      .all(position)
      .map(Number)
  }

  /**
   * Figures of every tenant and signal, and with them, from the same moment, the items behind `position` that
   * were not given up. Null if more than `maxRows` rows would have to be counted.
   */
  balanceAfter(position: number, maxRows: number): InboxBalance | null {
    return this.#database.transaction((): InboxBalance | null => {
      if (readLastPosition(this.#database) - position > maxRows) return null
      const counters = readCounters(this.#database)
      const waiting = this.#database
        .prepare(
          `SELECT tenant, signal, sum(items) AS items FROM entry
           WHERE position > ? AND position NOT IN (SELECT position FROM buried) GROUP BY tenant, signal`,
        )
        .all(position)
        .map(row => {
          // Columns named in the statement; sum over NOT NULL.
          const sum = row as { readonly tenant: string; readonly signal: number; readonly items: number }
          return { ...sum, signal: signals[sum.signal] ?? 'traces' }
        })
      return { counters, waiting }
    })()
  }

  /** Rows of `[from, to]`, as stored and unchecked, oldest first, until `maxBytes` are exceeded. */
  read(from: number, to: number, maxBytes: number): readonly StoredRow[] {
    const rows: StoredRow[] = []
    let bytes = 0
    for (const row of this.#select.iterate(from, to, 256)) {
      const stored = row as StoredRow // columns named in the statement, NOT NULL in the table
      rows.push(stored)
      bytes += stored.body.length
      if (bytes >= maxBytes) break
    }
    return rows
  }

  close(): void {
    this.#database.close()
  }
}

/** Moves the log into the file and syncs both. */
function checkpoint(database: Database.Database): void {
  const busy: unknown = database.pragma('wal_checkpoint(TRUNCATE)', { simple: true })
  if (busy !== 0) throw new StoreError('inbox_busy', 'another process reads the inbox and holds its log')
}

function openDatabase(options: InboxFileOptions): Database.Database {
  try {
    return new Database(options.file, { timeout: 5_000 })
  } catch (error) {
    throw explainOpening(error, options.file)
  }
}

function readLastPosition(database: Database.Database): number {
  return Number(database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'entry'").pluck().get() ?? 0)
}

function readCounters(database: Database.Database): readonly InboxCounter[] {
  return database
    .prepare('SELECT * FROM counter ORDER BY tenant, signal')
    .all()
    .map(row => {
      // Columns of our own table, NOT NULL.
      const counter = row as Omit<InboxCounter, 'signal'> & { readonly signal: number }
      return { ...counter, signal: signals[counter.signal] ?? 'traces' }
    })
}

function readInboxId(database: Database.Database): string {
  const id = database.prepare("SELECT value FROM meta WHERE key = 'inbox_id'").pluck().get()
  if (typeof id !== 'string' || !/^[0-9a-f]{32}$/.test(id)) {
    throw new StoreError('corrupt_inbox', `${database.name} has no inbox id`)
  }
  return id
}

export function emptyCounter(tenant: string, signal: Signal): InboxCounter {
  return { tenant, signal, accepted: 0, deduplicated: 0, buried: 0, rows: 0, items: 0, bytes: 0 }
}

interface TrimRow {
  readonly position: number
  readonly tenant: string
  readonly signal: Signal
  readonly items: number
  readonly size: number
}

function readTrimRow(row: unknown): TrimRow {
  // Columns of our own table, NOT NULL.
  const read = row as Omit<TrimRow, 'signal'> & { readonly signal: number }
  return { ...read, signal: signals[read.signal] ?? 'traces' }
}

function sumRemoved(rows: readonly TrimRow[]): readonly InboxCounter[] {
  const sums = new Map<string, InboxCounter>()
  for (const row of rows) {
    const key = `${row.signal} ${row.tenant}`
    const sum = sums.get(key) ?? emptyCounter(row.tenant, row.signal)
    sums.set(key, {
      ...sum,
      rows: sum.rows - 1,
      items: sum.items - row.items,
      bytes: sum.bytes - row.size,
    })
  }
  return [...sums.values()]
}

function explainOpening(error: unknown, file: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  if (error.code === 'SQLITE_NOTADB') {
    return new ConfigurationError(
      [`${file} is not an inbox of this program; move it away or set DATA_DIR to another directory`],
      { cause: error },
    )
  }
  if (String(error.code).startsWith('SQLITE')) {
    return new ConfigurationError(
      [`${file} cannot be opened (${error.code}); check the disk and the rights of this user`],
      { cause: error },
    )
  }
  return error
}
