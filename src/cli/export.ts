/** `otelcontext export`: a window, a signal or a trace as OTLP/JSON, one export request per line. */
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { StoreError } from '../errors.ts'
import { request, type ServerConnection } from './server-connection.ts'

export interface ExportOptions {
  readonly signal: string
  readonly from: string
  readonly to: string
  readonly traceId: string | undefined
  readonly service: string | undefined
  /** A file, or undefined for stdout. */
  readonly output: string | undefined
}

/** Streams, so that a window of any size needs no memory here. A cut stream is an error, not a short file. */
export async function exportTelemetry(connection: ServerConnection, options: ExportOptions): Promise<void> {
  const query = new URLSearchParams({ signal: options.signal, from: options.from, to: options.to })
  if (options.traceId !== undefined) query.set('trace_id', options.traceId)
  if (options.service !== undefined) query.set('service', options.service)
  const response = await request(connection, `/admin/export?${query}`, {
    headers: { 'x-otelcontext-admin': '1' },
  })
  if (!response.ok || response.body === null) {
    throw new StoreError(
      'export_failed',
      `export answered ${response.status}: ${(await response.text()).slice(0, 500)}`,
    )
  }
  const body = Readable.fromWeb(response.body)
  if (options.output === undefined) await pipeline(body, process.stdout, { end: false })
  else await pipeline(body, createWriteStream(options.output, { mode: 0o600 }))
}
