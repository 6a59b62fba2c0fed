/** Reads every row of an inbox file as a replay would. */
import { decodeAccepted, toProtobuf } from '../codec.ts'
import type { Findings, VerifyProgress } from '../verify/finding.ts'
import { inflateAgain } from './decompression.ts'
import { InboxFileReader } from './inbox-file-reader.ts'
import { decodeRow, type StoredRow } from './inbox-row.ts'

export interface InboxFiguresFound {
  readonly inboxId: string
  readonly lastPosition: number
  readonly rows: number
  readonly items: number
  readonly bytes: number
}

const readBytes = 4 * 1024 * 1024

interface BadRow {
  readonly position: number
  readonly items: number
  readonly problem: string
}

/**
 * `sealedPosition` is asked after all rows are read, because a running server trims what it has sealed; null where
 * it is not known. Rejects with StoreError or what SQLite throws when the file cannot be opened.
 */
export async function checkInbox(
  file: string,
  sealedPosition: (inboxId: string) => Promise<number | null>,
  findings: Findings,
  progress: VerifyProgress,
): Promise<InboxFiguresFound> {
  const reader = new InboxFileReader(file)
  try {
    const buried = new Set(reader.buriedAfter(0))
    const gaps: { readonly from: number; readonly to: number }[] = []
    const bad: BadRow[] = []
    const figures = {
      inboxId: reader.inboxId,
      lastPosition: reader.lastPosition(),
      rows: 0,
      items: 0,
      bytes: 0,
    }
    for (let next = 1; next <= figures.lastPosition; ) {
      const rows = reader.read(next, figures.lastPosition, readBytes)
      for (const row of rows) {
        if (row.position > next) gaps.push({ from: next, to: row.position - 1 })
        next = row.position + 1
        figures.rows++
        figures.bytes += row.body?.length ?? 0
        figures.items += itemsOf(row)
        const problem = problemOf(row)
        if (problem !== null && !buried.has(row.position))
          bad.push({ position: row.position, items: itemsOf(row), problem })
      }
      if (rows.length === 0) {
        gaps.push({ from: next, to: figures.lastPosition })
        break
      }
      progress('inbox', figures.rows, null, figures.bytes)
    }
    // Where it is not known, what is missing in front is taken for trimmed.
    const sealed = (await sealedPosition(figures.inboxId)) ?? (gaps[0]?.from === 1 ? gaps[0].to : 0)
    report(gaps, bad, sealed, findings)
    return figures
  } finally {
    reader.close()
  }
}

function report(
  gaps: readonly { readonly from: number; readonly to: number }[],
  bad: readonly BadRow[],
  sealed: number,
  findings: Findings,
): void {
  for (const { from, to } of gaps)
    if (to > sealed)
      findings.add({
        what: 'inbox rows',
        name: `${Math.max(from, sealed + 1)} to ${to}`,
        problem: 'acknowledged and not there, or on a damaged page',
        items: 0,
        served: 'they are lost; coverage and the log say so',
      })
  for (const { position, items, problem } of bad) {
    const needed = position > sealed
    findings.add({
      what: 'inbox row',
      name: String(position),
      problem,
      items: needed ? items : 0,
      served: needed ? 'it becomes a dead letter' : 'it is in the store already',
    })
  }
}

function itemsOf(row: StoredRow): number {
  return Number(row.items) || 0
}

function problemOf(stored: StoredRow): string | null {
  try {
    const row = decodeRow(stored)
    const bytes = toProtobuf(row.signal, row.encoding, inflateAgain(row.body, row.compression, row.rawBytes))
    const refused = Uint32Array.from(row.refusals, refusal => refusal.index).sort()
    const batch = decodeAccepted(row.signal, bytes, row.receivedMs, refused, { attributeMaxBytes: 65_536 })
    const { count } = batch.block
    return count === row.items ? null : `it holds ${count} items and says ${row.items}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
