/** `GET /admin/export`: checks the query, has a worker write the export, streams the file, deletes it. */
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { InvalidInputError } from '../errors.ts'
import { type Signal, signals } from '../model/telemetry.ts'
import type { Clock } from '../model/time.ts'
import type { Caller, ToolRunner } from '../model/tool.ts'
import type { ExportQuery } from '../query/export.ts'
import { exportCall } from '../query/run-export.ts'
import { parseTime } from '../tools/arguments/time-argument.ts'

export interface ExportRouteOptions {
  readonly runner: ToolRunner
  /** Resolves once readers see everything that is acknowledged by now, or when that takes too long. */
  readonly caughtUp: () => Promise<void>
  readonly clock: Clock
}

/** A whole trace id; prefixes are for tools, which can say that one is ambiguous. */
const traceIdForm = /^[0-9a-f]{32}$/

export function createExportRoute(options: ExportRouteOptions) {
  return async (
    search: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
    caller: Caller,
  ): Promise<void> => {
    let query: ExportQuery
    try {
      query = exportQueryOf(search, options.clock.now())
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      response.writeHead(400, { 'content-type': 'application/json' })
      response.end(
        JSON.stringify({ error: { code: error.code, field: error.field, message: error.message } }),
      )
      return
    }
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    await options.caughtUp()
    const answer = await options.runner.call({ tool: exportCall, args: query, caller }, gone.signal)
    const { file } = JSON.parse(answer.json) as { readonly file: string } // written by runExport
    try {
      await sendFile(file, /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? '')), response)
    } finally {
      await rm(file, { force: true })
    }
  }
}

async function sendFile(file: string, gzip: boolean, response: ServerResponse): Promise<void> {
  response.writeHead(200, {
    'content-type': 'application/x-ndjson',
    ...(gzip ? { 'content-encoding': 'gzip' } : {}),
  })
  if (gzip) await pipeline(createReadStream(file), createGzip({ level: 1 }), response)
  else await pipeline(createReadStream(file), response)
}

function exportQueryOf(search: URLSearchParams, nowMs: number): ExportQuery {
  const known = new Set(['signal', 'from', 'to', 'service', 'trace_id'])
  for (const name of search.keys()) {
    if (!known.has(name)) throw invalid(name, `unknown argument ${name}; there are ${[...known].join(', ')}`)
  }
  const traceId = (search.get('trace_id') ?? '').toLowerCase()
  if (traceId !== '' && !traceIdForm.test(traceId))
    throw invalid(
      'trace_id',
      'trace_id is 32 hexadecimal digits; get_trace takes a part of them and shows all',
    )
  const range = {
    fromMs: timeOf('from', search.get('from') ?? '-1h', nowMs),
    toMs: timeOf('to', search.get('to') ?? 'now', nowMs),
  }
  if (range.fromMs >= range.toMs) throw invalid('from', 'the window is empty: from is not before to')
  return {
    signals: signalsOf(search.get('signal') ?? 'all'),
    range,
    service: search.get('service') ?? '',
    traceId,
  }
}

function signalsOf(text: string): readonly Signal[] {
  if (text === 'all') return signals
  const found = signals.filter(signal => signal === text)
  if (found.length === 0) throw invalid('signal', `signal is one of ${signals.join(', ')}, all`)
  return found
}

function timeOf(field: string, text: string, nowMs: number): number {
  // Milliseconds as tests and scripts write them, 0 for the beginning of time; the tools' forms beside.
  if (/^\d+$/.test(text) && (text === '0' || text.length >= 13)) return Number(text)
  return parseTime(field, text, nowMs).ms
}

function invalid(field: string, message: string): InvalidInputError {
  return new InvalidInputError('bad_argument', message, { field })
}
