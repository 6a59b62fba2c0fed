/** What of a log query can be asked of a segment's indexes, before any of its columns is read. */
import type { LogScanQuery } from '../model/reader.ts'
import { TermMatcher } from '../store/search/term-matcher.ts'
import { type FilterTerm, filterTerm } from '../store/segment/prefix-filter.ts'
import { rowsPerFrame } from '../store/segment/record-frames.ts'

export interface LogPruning {
  /** Of each list one matcher has to find a token. */
  readonly clauses: readonly (readonly LogTerm[])[]
  readonly traceId: Uint8Array | null
}

/** What a query asks of the words and the trace of a record. */
export function logPruning(query: LogScanQuery): LogPruning {
  const clauses = [...(query.terms ?? []).map(term => [term]), ...(query.clauses ?? [])]
  return {
    clauses: clauses.map(clause => clause.map(logTerm)),
    traceId: query.traceId === undefined ? null : new Uint8Array(Buffer.from(query.traceId, 'hex')),
  }
}

export interface LogTerm {
  readonly matcher: TermMatcher
  readonly bytes: FilterTerm
}

function logTerm(term: string): LogTerm {
  const matcher = new TermMatcher(term)
  return { matcher, bytes: filterTerm(matcher) }
}

/** Rows of the frames that are marked with 1, of `count` rows in all. */
export function rowsOfFrames(frames: Uint8Array, count: number): readonly number[] {
  const rows: number[] = []
  const size = rowsPerFrame('logs')
  for (let frame = 0; frame < frames.length; frame++) {
    if (frames[frame] !== 1) continue
    const end = Math.min(count, (frame + 1) * size)
    for (let row = frame * size; row < end; row++) rows.push(row)
  }
  return rows
}
