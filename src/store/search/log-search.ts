/** Full text search over log records, newest first, stored or not sealed yet. */
import type { Deadline, IndexCondition, Scanned, ScanQuery, TelemetryReader } from '../../model/reader.ts'
import { type LogBlock, recordOf } from '../../model/telemetry.ts'
import { type TimeRange, toMs } from '../../model/time.ts'
import { LogMatcher } from './log-matcher.ts'
import type { LogCondition } from './log-query.ts'
import { logBodyText } from './log-text.ts'

export interface LogSearch {
  readonly range: TimeRange
  /** From `parseLogQuery`; null finds every record. */
  readonly condition: LogCondition | null
  /** Exact service names; all if not given. */
  readonly services?: readonly string[]
  /** Lowest SeverityNumber. */
  readonly minSeverity?: number
  /** Newest records returned at most. */
  readonly limit: number
  /** Goes on counting when `limit` records are found, until `maxScannedRecords`. */
  readonly countAll?: boolean
  /** Records whose text is read at most; `defaultMaxScannedRecords` if not given. */
  readonly maxScannedRecords?: number
}

export interface LogHit {
  readonly block: LogBlock
  readonly row: number
  readonly timeMs: number
  /** The LogRecord message. */
  readonly record: Uint8Array
}

export interface LogSearchResult {
  /** Newest first; equal times by service, severity and text. */
  readonly hits: readonly LogHit[]
  /** Records found: all there are if `exact`, else at least so many. */
  readonly count: number
  readonly exact: boolean
  /** Records whose text was read. */
  readonly scannedRecords: number
  /** Where counting gave up: newer records are counted, about; null where it did not. Milliseconds. */
  readonly countedSinceMs: number | null
}

/** Part of a range that has to be counted for an estimate of the rest. */
const leastCounted = 0.01

/**
 * How many records there are, two digits of it, if those before `countedSinceMs` match as often as those behind it;
 * null where all are counted, or too little for an estimate. `held`: from the oldest to the newest record there is.
 */
export function estimatedCount(
  { count, countedSinceMs }: Pick<LogSearchResult, 'count' | 'countedSinceMs'>,
  held: TimeRange,
): number | null {
  if (countedSinceMs === null) return null
  const counted = (held.toMs - countedSinceMs) / (held.toMs - held.fromMs)
  return counted >= leastCounted && counted < 1 ? Number((count / counted).toPrecision(2)) : null
}

/** Half a million records of 150 bytes take about two seconds; a search that finds nothing should end by then. */
export const defaultMaxScannedRecords = 500_000

/** Records of exactly the oldest time kept; more of them in one instant are an artefact of a coarse clock. */
const maxTies = 1000

/** Rows loaded at once: one frame at first, because the newest rows often suffice, later four. */
const firstRowsPerLoad = 128
const rowsPerLoad = 512

/** Finds records; `deadline` is checked every few hundred rows. */
export async function searchLogs(
  reader: TelemetryReader,
  search: LogSearch,
  deadline: Deadline,
): Promise<LogSearchResult> {
  const run = new SearchRun(search, deadline)
  for await (const scanned of reader.scanLogs(scanQueryOf(search))) {
    if (!(await run.read(scanned))) break
  }
  return run.result()
}

interface Kept {
  readonly scanned: Scanned<LogBlock>
  readonly row: number
  readonly timeMs: number
  /** Null until it is needed: columns alone decided. */
  readonly record: Uint8Array | null
}

class SearchRun {
  readonly #search: LogSearch
  readonly #deadline: Deadline
  readonly #matcher: LogMatcher
  readonly #maxScanned: number
  /** Newest first, at most `limit`, with their records once loaded. */
  #kept: Kept[] = []
  #count = 0
  #exact = true
  #scannedRecords = 0
  #countedSinceMs: number | null = null

  constructor(search: LogSearch, deadline: Deadline) {
    this.#search = search
    this.#deadline = deadline
    this.#matcher = new LogMatcher(search.condition)
    this.#maxScanned = search.maxScannedRecords ?? defaultMaxScannedRecords
  }

  /** False once nothing further can change the result. Blocks come with their newest record first. */
  async read(scanned: Scanned<LogBlock>): Promise<boolean> {
    const rows = this.#rowsInRange(scanned)
    const { block } = scanned
    if (this.#isFull() && (rows.length === 0 || timeOf(block, rows[0] as number) < this.#oldestKept())) {
      // Later blocks hold nothing newer than the newest of this one, whether in the range or not.
      if (this.#search.countAll !== true && newestOf(block) < this.#oldestKept()) {
        this.#exact = false
        return false
      }
    }
    for (let from = 0; from < rows.length; ) {
      this.#deadline.check()
      const chunk = rows.slice(from, from + (this.#scannedRecords === 0 ? firstRowsPerLoad : rowsPerLoad))
      from += chunk.length
      const newest = timeOf(block, chunk[0] as number)
      if (this.#isFull() && newest < this.#oldestKept() && this.#search.countAll !== true) {
        this.#exact = false
        return true
      }
      if (this.#scannedRecords >= this.#maxScanned) {
        this.#exact = false
        this.#countedSinceMs = newest
        return false
      }
      await this.#readRows(scanned, chunk)
    }
    return true
  }

  async result(): Promise<LogSearchResult> {
    const hits: LogHit[] = []
    for (const { scanned, row, timeMs, record } of this.#kept) {
      const loaded = record ?? recordOf(await scanned.records([row]), row)
      hits.push({ block: scanned.block, row, timeMs, record: loaded })
    }
    return {
      hits: hits.sort(newestFirst).slice(0, this.#search.limit),
      count: this.#count,
      exact: this.#exact,
      scannedRecords: this.#scannedRecords,
      countedSinceMs: this.#countedSinceMs,
    }
  }

  async #readRows(scanned: Scanned<LogBlock>, chunk: readonly number[]): Promise<void> {
    const { block } = scanned
    const open: number[] = []
    for (const row of chunk) {
      const verdict = this.#matcher.fromColumns(block, row)
      if (verdict === true) this.#found(scanned, row, null)
      else if (verdict === undefined) open.push(row)
    }
    if (open.length === 0) return
    const { rows, records } = (await scanned.recordsWith?.(open)) ?? {
      rows: open,
      records: await scanned.records(open),
    }
    this.#scannedRecords += open.length
    for (const row of rows)
      if (this.#matcher.fromRecord(block, row, records)) this.#found(scanned, row, recordOf(records, row))
  }

  #found(scanned: Scanned<LogBlock>, row: number, record: Uint8Array | null): void {
    this.#count++
    const { limit } = this.#search
    const timeMs = timeOf(scanned.block, row)
    if (limit <= 0 || (this.#isFull() && timeMs < this.#oldestKept())) return
    // One more than asked for is never kept for long: rows come newest first, so this mostly appends.
    let at = this.#kept.length
    while (at > 0 && (this.#kept[at - 1]?.timeMs ?? 0) < timeMs) at--
    // The bytes are copied: a view would keep the records of the whole chunk alive.
    this.#kept.splice(at, 0, { scanned, row, timeMs, record: record === null ? null : record.slice() })
    if (this.#kept.length > limit) this.#dropOldest()
  }

  /** Records of one time stand or fall together until the end, where their text decides. */
  #dropOldest(): void {
    const { limit } = this.#search
    const boundary = this.#kept[limit - 1]?.timeMs ?? 0
    while (this.#kept.length > limit && (this.#kept.at(-1)?.timeMs ?? 0) < boundary) this.#kept.pop()
    if (this.#kept.length > limit + maxTies) this.#kept.pop()
  }

  #isFull(): boolean {
    return this.#kept.length >= this.#search.limit
  }

  #oldestKept(): number {
    return this.#kept.at(-1)?.timeMs ?? Number.NEGATIVE_INFINITY
  }

  /** Newest first, later rows behind earlier ones of the same time. */
  #rowsInRange(scanned: Scanned<LogBlock>): readonly number[] {
    const { block, candidateRows } = scanned
    const { range, services, minSeverity = 0 } = this.#search
    const wanted = Uint8Array.from(block.resources, one =>
      services === undefined || services.includes(one.service) ? 1 : 0,
    )
    const rows: number[] = []
    let before = Number.NEGATIVE_INFINITY
    let ascending = true
    const consider = (row: number): void => {
      if ((block.severity[row] as number) < minSeverity || wanted[block.resource[row] as number] !== 1) return
      const timeMs = timeOf(block, row)
      if (timeMs < range.fromMs || timeMs >= range.toMs) return
      ascending &&= timeMs > before
      before = timeMs
      rows.push(row)
    }
    if (candidateRows === undefined) for (let row = 0; row < block.count; row++) consider(row)
    else for (const row of candidateRows) consider(row)
    // Sealed rows mostly stand by time already.
    if (ascending) return rows.reverse()
    return rows.sort((a, b) => timeOf(block, b) - timeOf(block, a) || a - b)
  }
}

function timeOf(block: LogBlock, row: number): number {
  return toMs(block.timeHi[row] as number, block.timeLo[row] as number)
}

function newestOf(block: LogBlock): number {
  let newest = Number.NEGATIVE_INFINITY
  for (let row = 0; row < block.count; row++) newest = Math.max(newest, timeOf(block, row))
  return newest
}

/** The same before and after sealing, which may change the order of rows but not what they say. */
function newestFirst(a: LogHit, b: LogHit): number {
  if (a.timeMs !== b.timeMs) return b.timeMs - a.timeMs
  const service = compare(serviceOf(a), serviceOf(b))
  if (service !== 0) return service
  const severity = (b.block.severity[b.row] ?? 0) - (a.block.severity[a.row] ?? 0)
  return severity || compare(logBodyText(a.record), logBodyText(b.record))
}

function serviceOf(hit: LogHit): string {
  return hit.block.resources[hit.block.resource[hit.row] ?? -1]?.service ?? ''
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** What blocks can be skipped by: whatever every record found has to have. */
export function scanQueryOf(search: LogSearch): ScanQuery {
  const where = search.condition === null ? null : indexCondition(search.condition)
  return {
    range: search.range,
    order: 'newest_first',
    ...(search.services === undefined ? {} : { services: search.services }),
    ...(where === null ? {} : { where }),
  }
}

/** What indexes can be asked of the condition; null where they know nothing. */
function indexCondition(condition: LogCondition): IndexCondition | null {
  switch (condition.type) {
    case 'word':
      return { type: 'term', term: condition.token }
    case 'phrase':
      return { type: 'and', conditions: condition.tokens.map(term => ({ type: 'term', term })) }
    case 'trace':
      return condition.prefix.length === 32 ? { type: 'trace', traceId: condition.prefix } : null
    case 'attribute':
      return { type: 'attribute', key: condition.key, value: condition.value }
    case 'and': {
      const known = condition.conditions.map(indexCondition).filter(one => one !== null)
      return known.length === 0 ? null : { type: 'and', conditions: known }
    }
    case 'or': {
      const each = condition.conditions.map(indexCondition)
      const known = each.filter(one => one !== null)
      return known.length < each.length ? null : { type: 'or', conditions: known }
    }
    default:
      return null
  }
}
