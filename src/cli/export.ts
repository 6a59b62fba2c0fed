/** `otelcontext export`: a window, a signal or a trace as OTLP/JSON, one export request per line. */
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { InvalidInputError, StoreError } from '../errors.ts'
import { request, type ServerConnection } from './server-connection.ts'

export interface ExportOptions {
  readonly signal: string
  readonly from: string
  readonly to: string
  readonly traceId: string | undefined
  readonly service: string | undefined
  /** A file, or undefined for stdout. */
  readonly output: string | undefined
  /** Hears what is not data. */
  readonly say: (text: string) => void
}

/** Streams, so that a window of any size needs no memory here. A cut stream is an error, not a short file. */
export async function exportTelemetry(connection: ServerConnection, options: ExportOptions): Promise<void> {
  const query = new URLSearchParams({ signal: options.signal, from: options.from, to: options.to })
  if (options.traceId !== undefined) query.set('trace_id', options.traceId)
  if (options.service !== undefined) query.set('service', options.service)
  const response = await request(connection, `/admin/export?${query}`, {
    headers: { 'x-otelcontext-admin': '1' },
  })
  if (!response.ok || response.body === null) throw refusalOf(response.status, await response.text())
  let bytes = 0
  const counted = Readable.fromWeb(response.body).map((chunk: Uint8Array) => {
    bytes += chunk.byteLength
    return chunk
  })
  if (options.output === undefined) await pipeline(counted, process.stdout, { end: false })
  else await pipeline(counted, createWriteStream(options.output, { mode: 0o600 }))
  if (bytes === 0) options.say('nothing that is stored matches; the export is empty')
}

/** The server's own sentence, where it gave one. */
function refusalOf(status: number, body: string): Error {
  const message = messageIn(body)
  if (status === 400 && message !== null) return new InvalidInputError('export_refused', message)
  return new StoreError('export_failed', `export answered ${status}: ${message ?? body.slice(0, 500)}`)
}

function messageIn(body: string): string | null {
  try {
    const { error } = JSON.parse(body) as { readonly error?: { readonly message?: unknown } } // json-answer.ts
    return typeof error?.message === 'string' ? error.message : null
  } catch {
    return null
  }
}
