/** `otelcontext replay`: sends recorded OTLP/JSON to a server, as it is, with progress and rate. */
import pLimit from 'p-limit'
import { StoreError } from '../errors.ts'
import type { Signal } from '../model/telemetry.ts'
import { listOtlpFiles, type OtlpLine, readOtlpLines } from './otlp-files.ts'
import { request, type ServerConnection } from './server-connection.ts'

/** Requests in flight; enough to keep a group commit busy, few enough to hold only some MB. */
const requestsInFlight = 8
/** Attempts for a request that is refused for now, waiting what the server asks between them. */
const attemptLimit = 60
const progressEveryMs = 1_000

export interface ReplayReport {
  readonly files: number
  readonly requests: number
  readonly bytes: number
  readonly rejected_items: number
  readonly failed_requests: number
  readonly skipped_lines: number
  readonly seconds: number
  readonly requests_per_s: number
  readonly mb_per_s: number
  readonly first_failure: string
}

interface Totals {
  requests: number
  bytes: number
  rejected: number
  failed: number
  skipped: number
  firstFailure: string
}

/** Sends every export request below `path`; `progress` gets a line a second. */
export async function replay(
  path: string,
  connection: ServerConnection,
  progress: (text: string) => void,
): Promise<ReplayReport> {
  const files = await listOtlpFiles(path)
  const totals: Totals = { requests: 0, bytes: 0, rejected: 0, failed: 0, skipped: 0, firstFailure: '' }
  const started = performance.now()
  let reported = started
  const limit = pLimit(requestsInFlight)
  for (const [index, file] of files.entries()) {
    const pending = new Set<Promise<void>>()
    for await (const line of readOtlpLines(file, () => totals.skipped++)) {
      const work = limit(() => sendLine(connection, line, `${file}:${line.line}`, totals)).finally(() =>
        pending.delete(work),
      )
      pending.add(work)
      if (pending.size >= requestsInFlight * 2) await Promise.race(pending)
      if (performance.now() - reported > progressEveryMs) {
        reported = performance.now()
        progress(`${index + 1}/${files.length} files, ${describe(totals, reported - started)}`)
      }
    }
    await Promise.all(pending)
  }
  const elapsedMs = performance.now() - started
  progress(`${files.length}/${files.length} files, ${describe(totals, elapsedMs)}`)
  return {
    files: files.length,
    requests: totals.requests,
    bytes: totals.bytes,
    rejected_items: totals.rejected,
    failed_requests: totals.failed,
    skipped_lines: totals.skipped,
    seconds: rounded(elapsedMs / 1_000),
    requests_per_s: rounded((totals.requests / elapsedMs) * 1_000),
    mb_per_s: rounded(totals.bytes / 1e3 / elapsedMs),
    first_failure: totals.firstFailure,
  }
}

async function sendLine(
  connection: ServerConnection,
  line: OtlpLine,
  place: string,
  totals: Totals,
): Promise<void> {
  const outcome = await sendExport(connection, line.signal, line.text)
  totals.requests++
  totals.bytes += line.text.length
  totals.rejected += outcome.rejected
  if (outcome.failure === '') return
  totals.failed++
  if (totals.firstFailure === '') totals.firstFailure = `${place}: ${outcome.failure}`
}

interface ExportOutcome {
  readonly rejected: number
  readonly failure: string
}

/** One OTLP/HTTP export in JSON, retried as the specification says while the server asks for it. */
export async function sendExport(
  connection: ServerConnection,
  signal: Signal,
  text: string,
): Promise<ExportOutcome> {
  for (let attempt = 1; ; attempt++) {
    const response = await request(connection, `/v1/${signal}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: text,
    })
    const body = await response.text()
    if (response.ok) return { rejected: rejectedItems(body), failure: '' }
    const retryable = response.status === 429 || response.status === 503
    if (response.status === 401 || response.status === 403) {
      throw new StoreError('not_allowed', `${connection.url} refused the key (${response.status})`)
    }
    if (!retryable || attempt >= attemptLimit)
      return { rejected: 0, failure: `${response.status} ${body.slice(0, 200)}` }
    await new Promise(resolve => setTimeout(resolve, retryAfterMs(response)))
  }
}

function retryAfterMs(response: Response): number {
  const seconds = Number.parseFloat(response.headers.get('retry-after') ?? '1')
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0.1), 30) * 1_000 : 1_000
}

interface PartialSuccess {
  readonly partialSuccess?: {
    readonly rejectedSpans?: string | number
    readonly rejectedLogRecords?: string | number
    readonly rejectedDataPoints?: string | number
  }
}

function rejectedItems(body: string): number {
  const partial = (JSON.parse(body === '' ? '{}' : body) as PartialSuccess).partialSuccess // ExportXServiceResponse
  return Number(partial?.rejectedSpans ?? partial?.rejectedLogRecords ?? partial?.rejectedDataPoints ?? 0)
}

function describe(totals: Totals, elapsedMs: number): string {
  const rate = Math.round((totals.requests / Math.max(elapsedMs, 1)) * 1_000)
  const trouble = totals.failed > 0 ? `, ${totals.failed} failed` : ''
  return `${totals.requests} requests, ${rounded(totals.bytes / 1e6)} MB, ${rate} requests/s${trouble}`
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
