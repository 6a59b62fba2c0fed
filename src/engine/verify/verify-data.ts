/**
 * Reads a whole data directory, whether a server runs on it or not, and says what is damaged and what becomes of
 * it. Nothing is changed. A server that writes meanwhile does not disturb it: store and inbox are read in a view of
 * their own each.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { StoreError } from '../../errors.ts'
import type { StoreReader } from '../../model/store.ts'
import type { StoreLocation } from '../../model/store-location.ts'
import { embeddedFile, nameStore, openStoreReader } from '../../store/open-store.ts'
import { checkIntegrity } from '../../store/sqlite/check-integrity.ts'
import { checkInbox, type InboxFiguresFound } from '../inbox/check-inbox.ts'
import { checkLog } from './check-log.ts'
import { checkStore, type StoreFigures } from './check-store.ts'
import { type Finding, Findings, type VerifyProgress } from './finding.ts'

export interface VerifiedPlaces {
  readonly store: StoreLocation
  readonly inboxFile: string
  readonly deadLetterDirectory: string
}

export interface VerifyReport {
  /** Nothing was found. */
  readonly sound: boolean
  readonly store: (StoreFigures & { readonly name: string }) | null
  readonly inbox: InboxFiguresFound | null
  readonly deadLetters: number
  /** How many there are; at most a thousand of them are listed. */
  readonly findingCount: number
  readonly findings: readonly Finding[]
  readonly seconds: number
}

/** The first line of a dead letter, a megabyte of refusals included. */
const maxDeadLetterHeader = 16 * 1024 * 1024
const deadLetterVersion = 1

/** Never rejects for what is stored; rejects when `signal` fires. */
export async function verifyData(
  places: VerifiedPlaces,
  progress: VerifyProgress,
  signal?: AbortSignal,
): Promise<VerifyReport> {
  const startedMs = performance.now()
  const findings = new Findings()
  const { store, inboxFile } = places
  const files = [embeddedFile(store), inboxFile].filter(file => file !== null)
  // Before anything opens the files: a server that starts later reads the same logs.
  for (const file of files) checkFile(file, findings)
  const reader = await openStoreReader(store)
  // The inbox first: what it has trimmed by then is in the store by then.
  const inbox = await checkInboxAt(inboxFile, reader, findings, progress)
  const figures = await checkStoreAt(store, reader, findings, progress, signal)
  await reader.close()
  const deadLetters = checkDeadLetters(places.deadLetterDirectory, findings)
  return {
    sound: findings.count === 0,
    store: figures === null ? null : { name: await nameStore(store), ...figures },
    inbox,
    deadLetters,
    findingCount: findings.count,
    findings: findings.listed,
    seconds: Math.round((performance.now() - startedMs) / 100) / 10,
  }
}

function checkFile(file: string, findings: Findings): void {
  if (!existsSync(file)) return
  const log = checkLog(`${file}-wal`)
  if (log !== null && log.lost > 0)
    findings.add({
      what: 'log',
      name: `${file}-wal`,
      problem: `${log.lost} frames lie behind a damaged one; ${log.valid} before it are intact`,
      items: 0,
      served:
        'what the frames behind it held is ignored; a power cut leaves such frames too, and then nothing is lost',
    })
  for (const problem of checkIntegrity(file))
    findings.add({
      what: 'database',
      name: file,
      problem,
      items: 0,
      served: 'what lies on sound pages is served; restore a backup to get the rest',
    })
}

/** Null if there is none, or it cannot be opened. */
async function checkStoreAt(
  location: StoreLocation,
  reader: StoreReader,
  findings: Findings,
  progress: VerifyProgress,
  signal: AbortSignal | undefined,
): Promise<StoreFigures | null> {
  const file = embeddedFile(location)
  if (file !== null && !existsSync(file)) return null
  try {
    return await checkStore(reader, findings, progress, signal)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    findings.add({
      what: 'store',
      name: await nameStore(location),
      problem: error.message,
      items: 0,
      served: 'nothing: the server does not start on it',
    })
    return null
  }
}

/** Null if there is none, or it cannot be opened. */
async function checkInboxAt(
  file: string,
  reader: StoreReader,
  findings: Findings,
  progress: VerifyProgress,
): Promise<InboxFiguresFound | null> {
  if (!existsSync(file)) return null
  const sealedPosition = async (inboxId: string): Promise<number | null> => {
    try {
      const snapshot = await reader.snapshot()
      const position = await snapshot.sealedPosition(inboxId)
      await snapshot.release()
      return position
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      return null
    }
  }
  try {
    return await checkInbox(file, sealedPosition, findings, progress)
  } catch (error) {
    findings.add({
      what: 'inbox',
      name: file,
      problem: error instanceof Error ? error.message : String(error),
      items: 0,
      served: 'nothing of it: the server does not start on it',
    })
    return null
  }
}

/** How many there are. Their first line says what they hold. */
function checkDeadLetters(directory: string, findings: Findings): number {
  if (!existsSync(directory)) return 0
  const names = readdirSync(directory).filter(name => name.endsWith('.dead'))
  for (const name of names) {
    const problem = deadLetterProblem(join(directory, name))
    if (problem !== null)
      findings.add({ what: 'dead letter', name, problem, items: 0, served: 'it is left where it is' })
  }
  return names.length
}

function deadLetterProblem(file: string): string | null {
  try {
    const line = readFileSync(file).subarray(0, maxDeadLetterHeader)
    const end = line.indexOf(10)
    if (end < 0) return 'it has no first line'
    const header: unknown = JSON.parse(line.subarray(0, end).toString('utf8'))
    const version =
      typeof header === 'object' && header !== null && 'version' in header ? header.version : null
    if (version === deadLetterVersion) return null
    return `its version is ${String(version)}, and this version reads ${deadLetterVersion}`
  } catch {
    return 'its first line is not JSON'
  }
}
