/**
 * The inbox's own SQLite file: its tables, how it is opened, and what both sides read of it.
 *
 * WAL with `synchronous=FULL` makes every commit one append and one sync. Both are set explicitly: this build
 * of SQLite defaults to NORMAL under WAL, which acknowledges what a power cut can take back.
 */
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { ConfigurationError, StoreError } from '../../errors.ts'
import { crc32c } from '../../model/crc32c.ts'
import { signals } from '../../model/telemetry.ts'
import type { InboxCounter } from './inbox-counter.ts'

/** `OtCi`, so that a foreign file is told from ours. */
const applicationId = 0x4f744369
const schemaVersion = 1

/**
 * Measured with 48 kB requests, twenty to a commit: 138, 100, 86, 62 and 85 µs of CPU each for pages of 4, 8,
 * 16, 32 and 64 KiB. A single small row in a commit costs a quarter more than with 16, which is the best there;
 * but who sends those has time. A file keeps the size it was made with.
 */
const pageBytes = 32_768

/** WAL bytes before SQLite moves its pages into the file: half a second of a saturated receiver. */
const checkpointBytes = 32 * 1024 * 1024

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

/** Pages of cache in kibibytes. Rows are written once, and what a large commit does not fit in goes to the log early. */
const cacheKib = 2048

export interface InboxFileOptions {
  readonly file: string
  /** Off proves that the order test can fail; nothing a user can set leads here. */
  readonly synchronous?: 'FULL' | 'OFF'
  /** Bound of the file in bytes, for tests of a full disk. */
  readonly maxFileBytes?: number
}

/** Columns of a stored row. */
export const entryColumns: string =
  'position, format, crc, tenant, signal, received_ms, encoding, compression, raw_bytes, items, refusals, body'

/**
 * Opens or creates the file (mode 0600, directory 0700). Throws ConfigurationError with one sentence for a
 * foreign or newer file.
 */
export function openInboxDatabase(options: InboxFileOptions): Database.Database {
  mkdirSync(dirname(options.file), { recursive: true, mode: 0o700 })
  let database: Database.Database | null = null
  try {
    database = new Database(options.file, { timeout: 5_000 })
    prepareSchema(database, options)
    /*
     * What a killed process wrote but never synced may be visible now, because the system's cache outlived
     * it. A checkpoint syncs log and file, so from here on whatever can be read is on disk, and a duplicate
     * of it may be acknowledged.
     */
    checkpoint(database)
    for (const suffix of ['', '-wal', '-shm']) chmodSync(options.file + suffix, 0o600)
    return database
  } catch (error) {
    database?.close()
    throw explainOpening(error, options.file)
  }
}

function prepareSchema(database: Database.Database, options: InboxFileOptions): void {
  const found = Number(database.pragma('application_id', { simple: true }))
  const tables = Number(database.prepare('SELECT count(*) FROM sqlite_master').pluck().get())
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
  const pageSize = Number(database.pragma('page_size', { simple: true }))
  database.pragma(`wal_autocheckpoint = ${checkpointBytes / pageSize}`)
  database.pragma('journal_size_limit = 67108864')
  database.pragma(`cache_size = -${cacheKib}`)
  if (options.maxFileBytes !== undefined) {
    database.pragma(`max_page_count = ${Math.ceil(options.maxFileBytes / pageSize)}`)
  }
  if (tables === 0) {
    database.transaction(() => {
      database.exec(schema)
      const id = randomBytes(16).toString('hex')
      const insert = database.prepare('INSERT INTO meta VALUES (?, ?)')
      insert.run('inbox_id', id)
      insert.run('inbox_id_crc', checksumOfId(id))
      database.pragma(`application_id = ${applicationId}`)
      database.pragma(`user_version = ${schemaVersion}`)
    })()
  }
}

/** Moves the log into the file and syncs both. */
function checkpoint(database: Database.Database): void {
  const busy: unknown = database.pragma('wal_checkpoint(TRUNCATE)', { simple: true })
  if (busy !== 0) throw new StoreError('inbox_busy', 'another process reads the inbox and holds its log')
}

/** Newest position ever committed, also when its row is gone. */
export function readLastPosition(database: Database.Database): number {
  return Number(database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'entry'").pluck().get() ?? 0)
}

export function readCounters(database: Database.Database): readonly InboxCounter[] {
  return database
    .prepare('SELECT * FROM counter ORDER BY tenant, signal')
    .all()
    .map(row => {
      // Columns of our own table, NOT NULL.
      const counter = row as Omit<InboxCounter, 'signal'> & { readonly signal: number }
      return { ...counter, signal: signals[counter.signal] ?? 'traces' }
    })
}

/** 128 random bits as hex. Throws StoreError `corrupt_inbox`: under another id everything would be sealed twice. */
export function readInboxId(database: Database.Database): string {
  const metaOf = (key: string): unknown =>
    database.prepare('SELECT value FROM meta WHERE key = ?').pluck().get(key)
  const id = metaOf('inbox_id')
  const checksum = metaOf('inbox_id_crc')
  if (
    typeof id !== 'string' ||
    !/^[0-9a-f]{32}$/.test(id) ||
    (checksum !== undefined && checksum !== checksumOfId(id))
  ) {
    throw new StoreError('corrupt_inbox', `the inbox id in ${database.name} is damaged; move the file away`)
  }
  return id
}

/**
 * 16 random bytes nobody outside of the file knows. A file that has none yet gets them; what it remembers of
 * requests was hashed differently then and matches nothing.
 */
export function readSecret(database: Database.Database): Uint8Array {
  const statement = database.prepare("SELECT value FROM meta WHERE key = 'secret'").pluck()
  const insert = database.prepare("INSERT OR IGNORE INTO meta VALUES ('secret', ?)")
  if (statement.get() === undefined) insert.run(randomBytes(16).toString('hex'))
  return Buffer.from(String(statement.get()), 'hex')
}

function checksumOfId(id: string): string {
  return crc32c(Buffer.from(id)).toString(16)
}

/** What SQLite or a damaged file throws, as one sentence with the remedy. */
export function explainOpening(error: unknown, file: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  if (error instanceof StoreError && error.code === 'corrupt_inbox')
    return new ConfigurationError([error.message], { cause: error })
  if (String(error.code).startsWith('SQLITE_CORRUPT')) {
    return new ConfigurationError(
      [
        `${file} is damaged; \`otelcontext verify\` names what can still be read, and moving the file away starts an empty inbox`,
      ],
      { cause: error },
    )
  }
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
