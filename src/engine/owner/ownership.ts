/**
 * One owner per data directory. Ownership is an exclusive transaction on `owner.db`: the operating system
 * takes the lock away with the process, however it ends, so there is no stale lock to clean up.
 *
 * Beside it stand `owner.json` (where the owner can be reached) and `owner.token` (mode 0600, what proves
 * that a caller may read this directory). They are hints, never the proof of ownership: after a crash they
 * are stale until the next owner overwrites them. They are not inside `owner.db`, because opening that file
 * a second time with anything but SQLite and closing it again would drop the lock.
 */
import { randomBytes } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { ConfigurationError } from '../../errors.ts'

/** How long a start waits for the lock: another command that only looks holds it for a few milliseconds. */
const lockPatienceMs = 500

export interface OwnerInfo {
  /** Where the owner's HTTP front listens; null while it is still starting. */
  readonly url: string | null
  /** Proof for the owner that a caller may read the directory; null while it is still starting. */
  readonly token: string | null
  readonly pid: number | null
}

export interface Ownership {
  readonly directory: string
  /** 256 random bits as hex, new with every owner. */
  readonly token: string
  /** Tells others where this owner is reached, by HTTP and (`host:port`) by OTLP/gRPC; may be called again. */
  announce(url: string, grpcAddress: string): void
  /** Gives the directory up; may be called twice. */
  release(): void
}

/**
 * Takes the directory, creating it with mode 0700. Throws ConfigurationError with one sentence when it is
 * owned, cannot be written, or holds a file named `owner.db` that is not ours.
 */
export function acquireOwnership(directory: string): Ownership {
  prepareDirectory(directory)
  const lock = openLock(directory, false)
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    throw explainLock(error, directory)
  }
  chmodSync(join(directory, 'owner.db'), 0o600)
  const token = randomBytes(32).toString('hex')
  // What the last owner left behind would send callers to a port that is free or somebody else's by now.
  rmSync(join(directory, 'owner.json'), { force: true })
  writePrivate(join(directory, 'owner.token'), token)
  let released = false
  return {
    directory,
    token,
    announce(url: string, grpcAddress: string): void {
      if (released) return
      const owner = { url, grpc_address: grpcAddress, pid: process.pid }
      writePrivate(join(directory, 'owner.json'), JSON.stringify(owner))
    },
    release(): void {
      if (released) return
      released = true
      rmSync(join(directory, 'owner.json'), { force: true })
      rmSync(join(directory, 'owner.token'), { force: true })
      lock.exec('ROLLBACK')
      lock.close()
    },
  }
}

/**
 * Who owns the directory, or null if nobody does (also when there is no such directory). Never takes the
 * lock for longer than the look.
 */
export function findOwner(directory: string): OwnerInfo | null {
  let lock: Database.Database
  try {
    lock = openLock(directory, true)
  } catch {
    return null
  }
  try {
    // A read needs a shared lock, which an exclusive transaction refuses.
    lock.prepare('SELECT count(*) FROM sqlite_master').get()
    return null
  } catch (error) {
    if (isBusy(error)) return readOwner(directory)
    throw explainLock(error, directory)
  } finally {
    lock.close()
  }
}

function openLock(directory: string, readonly: boolean): Database.Database {
  return new Database(join(directory, 'owner.db'), { readonly, timeout: readonly ? 0 : lockPatienceMs })
}

function prepareDirectory(directory: string): void {
  try {
    makeDirectory(directory)
    // The dot, so that a file is none.
    accessSync(`${directory}/.`, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new ConfigurationError(
      [
        `the data directory ${directory} cannot be written (${codeOf(error)}); make it writable for this user or set DATA_DIR`,
      ],
      { cause: error },
    )
  }
}

/** With those above it. Node's own `recursive` never ends where a folder that is there lets none be made, as in `/proc`. */
function makeDirectory(directory: string): void {
  if (existsSync(directory)) return
  makeDirectory(dirname(directory))
  try {
    mkdirSync(directory, { mode: 0o700 })
  } catch (error) {
    // Made by another process meanwhile.
    if (codeOf(error) !== 'EEXIST') throw error
  }
}

function explainLock(error: unknown, directory: string): ConfigurationError {
  const options = { cause: error }
  if (isBusy(error)) {
    const owner = readOwner(directory)
    const who = owner.pid === null ? 'another process' : `process ${owner.pid}`
    const where = owner.url === null ? '' : ` at ${owner.url}`
    return new ConfigurationError(
      [
        `the data directory ${directory} is owned by ${who}${where}; stop it first or set DATA_DIR to another directory`,
      ],
      options,
    )
  }
  const file = join(directory, 'owner.db')
  if (codeOf(error) === 'SQLITE_NOTADB') {
    return new ConfigurationError(
      [`${file} is not a lock file of this program; move it away or set DATA_DIR to another directory`],
      options,
    )
  }
  return new ConfigurationError(
    [
      `the data directory ${directory} cannot be locked (${codeOf(error)}); check ${file} and its file system`,
    ],
    options,
  )
}

function readOwner(directory: string): OwnerInfo {
  let url: string | null = null
  let pid: number | null = null
  try {
    const read: unknown = JSON.parse(readFileSync(join(directory, 'owner.json'), 'utf8'))
    if (typeof read === 'object' && read !== null) {
      if ('url' in read && typeof read.url === 'string') url = read.url
      if ('pid' in read && typeof read.pid === 'number') pid = read.pid
    }
  } catch {
    // Still starting: it owns the directory and has not said where it listens.
  }
  let token: string | null = null
  try {
    token = readFileSync(join(directory, 'owner.token'), 'utf8')
  } catch {
    // As above.
  }
  return { url, token, pid }
}

/** Whole or not at all, and never readable for others: written aside, then renamed. */
function writePrivate(file: string, content: string): void {
  const aside = `${file}.new`
  rmSync(aside, { force: true })
  writeFileSync(aside, content, { mode: 0o600 })
  renameSync(aside, file)
}

function isBusy(error: unknown): boolean {
  return codeOf(error).startsWith('SQLITE_BUSY') || codeOf(error).startsWith('SQLITE_LOCKED')
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown'
}
