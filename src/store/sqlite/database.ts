/** Opening the database file: who may read it, whose it is, how it is written. */
import { closeSync, openSync } from 'node:fs'
import Database from 'better-sqlite3'
import { StoreError } from '../../errors.ts'
import { addChecksums } from './add-checksums.ts'
import { applicationId, migrations, schema, schemaVersion } from './schema.ts'

/**
 * 16 kB, four or five parts a page. Measured on spans, whole file to segment bytes: 4 kB 26 % more, because
 * most parts then go to overflow chains, 8 kB 22 %, 16 kB 14 %, 32 kB 19 %.
 */
const pageBytes = 16_384

/** A statement waits this long for a lock; longer would hold up the thread, so the caller tries again. */
const busyTimeoutMs = 250

/** Pages of cache in kibibytes, per connection: what writes comes back to little of it. */
const readingCacheKib = 8192
const writingCacheKib = 2048

export interface OpenOptions {
  /** Bring an older schema up to date; if false, refuse it. Default true. */
  readonly migrate?: boolean
}

/** Opens for writing; makes file (mode 0600) and tables if there are none, and brings older tables up to date. */
export function openForWriting(file: string, options: OpenOptions = {}): Database.Database {
  return explained(file, () => {
    // SQLite gives its journal files the mode of the database, so the mode has to be right from the start.
    if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600))
    const db = new Database(file, { timeout: busyTimeoutMs })
    try {
      prepareForWriting(db, file, options)
      return db
    } catch (error) {
      db.close()
      throw error
    }
  })
}

function prepareForWriting(db: Database.Database, file: string, options: OpenOptions): void {
  const fresh = isFresh(db)
  const found = fresh ? schemaVersion : readVersion(db, file)
  if (found < schemaVersion && options.migrate === false)
    throw olderDatabase(file, found, 'set DB_AUTOMIGRATE to true')
  if (fresh) {
    db.pragma(`page_size = ${pageBytes}`)
    db.pragma('auto_vacuum = INCREMENTAL')
  }
  if (db.pragma('journal_mode = WAL', { simple: true }) !== 'wal' && file !== ':memory:')
    throw new StoreError(
      'no_wal',
      `${file} is on a file system without shared memory; put DB_DSN on a local disk`,
    )
  // FULL: a commit returns after its fsync. NORMAL would lose acknowledged data when power fails.
  db.pragma('synchronous = FULL')
  db.pragma(`cache_size = -${writingCacheKib}`)
  db.pragma('foreign_keys = OFF')
  db.pragma('journal_size_limit = 67108864')
  if (fresh)
    db.transaction(() => {
      db.exec(schema)
      db.pragma(`application_id = ${applicationId}`)
      db.pragma(`user_version = ${schemaVersion}`)
    })()
  else migrate(db, found)
}

/** Every step in one transaction: a process that dies in it leaves the older schema, and the next one starts anew. */
function migrate(db: Database.Database, found: number): void {
  for (let version = found; version < schemaVersion; version++) {
    const step = migrations.get(version)
    if (step === undefined) throw new RangeError(`no way leads from schema ${version}`)
    db.transaction(() => {
      db.exec(step)
      if (version === 1) addChecksums(db)
      db.pragma(`user_version = ${version + 1}`)
    }).immediate()
  }
}

/** Opens a file that a writer has made. */
export function openForReading(file: string): Database.Database {
  return explained(file, () => {
    const db = new Database(file, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs })
    try {
      const found = readVersion(db, file)
      if (found < schemaVersion) throw olderDatabase(file, found, 'start the server once')
      db.pragma(`cache_size = -${readingCacheKib}`)
      return db
    } catch (error) {
      db.close()
      throw error
    }
  })
}

function isFresh(db: Database.Database): boolean {
  const { tables } = db
    .prepare<[], { tables: number }>('SELECT count(*) AS tables FROM sqlite_schema')
    .get() ?? {
    tables: 0,
  }
  return tables === 0 && db.pragma('application_id', { simple: true }) === 0
}

/** The schema of the file. Throws StoreError for a foreign file or a schema of the future. */
function readVersion(db: Database.Database, file: string): number {
  if (db.pragma('application_id', { simple: true }) !== applicationId)
    throw new StoreError(
      'foreign_database',
      `${file} is the database of another program; set DB_DSN to a file of its own`,
    )
  const version = db.pragma('user_version', { simple: true })
  if (typeof version !== 'number' || version > schemaVersion)
    throw new StoreError(
      'newer_database',
      `${file} has schema ${String(version)} and this version knows up to ${schemaVersion}; install the newer version, or set DB_DSN to another file`,
    )
  return version
}

function olderDatabase(file: string, found: number, remedy: string): StoreError {
  return new StoreError(
    'older_database',
    `${file} has schema ${found} and this version needs ${schemaVersion}; ${remedy} to bring it up to date`,
  )
}

/** Runs `work`; what SQLite throws becomes a StoreError that says what to do. */
export function explained<T>(file: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw storeError(file, error)
  }
}

interface Explanation {
  readonly code: string
  readonly message: (file: string) => string
}

const explanations: readonly (readonly [prefix: string, Explanation])[] = [
  [
    'SQLITE_NOTADB',
    {
      code: 'foreign_database',
      message: file => `${file} is not a database; set DB_DSN to another file, or move this one away`,
    },
  ],
  [
    'SQLITE_CORRUPT',
    {
      code: 'corrupt_store',
      message: file => `${file} is damaged; run \`otelcontext verify\` and restore a backup`,
    },
  ],
  [
    'SQLITE_BUSY',
    { code: 'store_busy', message: file => `${file} is locked by another process; it is tried again` },
  ],
  ['SQLITE_FULL', { code: 'disk_full', message: file => `no space is left for ${file}; free some` }],
  [
    'SQLITE_CANTOPEN',
    {
      code: 'store_unreachable',
      message: file => `${file} cannot be opened; check that its directory exists and may be written`,
    },
  ],
  [
    'SQLITE_READONLY',
    { code: 'store_unreachable', message: file => `${file} may not be written; check its owner and mode` },
  ],
  [
    'SQLITE_IOERR',
    { code: 'io_error', message: file => `reading or writing ${file} failed; check the disk` },
  ],
]

function storeError(file: string, error: unknown): unknown {
  if (error instanceof StoreError || !(error instanceof Error)) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (['EACCES', 'EPERM', 'ENOENT', 'EROFS', 'EISDIR', 'ENOTDIR'].includes(code))
    return new StoreError(
      'store_unreachable',
      `${file} cannot be opened (${code}); check that its directory exists and may be written`,
      { cause: error },
    )
  if (error instanceof TypeError && error.message.includes('directory does not exist'))
    return new StoreError(
      'store_unreachable',
      `the directory of ${file} does not exist; make it or set DB_DSN to another file`,
      { cause: error },
    )
  if (!code.startsWith('SQLITE_')) return error
  for (const [prefix, explanation] of explanations)
    if (code.startsWith(prefix))
      return new StoreError(explanation.code, explanation.message(file), { cause: error })
  return new StoreError('store_failed', `SQLite failed with ${code} on ${file}`, { cause: error })
}
