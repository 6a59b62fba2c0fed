/**
 * OTLP/HTTP: POST /v1/traces, /v1/logs, /v1/metrics. Mounted by the HTTP front, which has checked Host and
 * Origin before. https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '../logger.ts'
import type { Authenticator } from '../model/auth.ts'
import type { Admission, Compression, Encoding, IngestRequest, IngestResult } from '../model/ingest.ts'
import type { EdgeRefusal, IngestObserver } from '../model/ingest-observer.ts'
import { peerAddress } from '../model/peer.ts'
import type { Signal } from '../model/telemetry.ts'
import type { Clock } from '../model/time.ts'
import type { Caller } from '../model/tool.ts'
import { encodeExportResponse, exportResponseJson } from './export-response.ts'
import { discardRest, readBody } from './http-body.ts'
import { httpOutcomes, retryAfterSeconds } from './http-mapping.ts'
import type { ReceiveBudget } from './receive-budget.ts'
import {
  internalFault,
  type Refusal,
  receiveBudgetSpent,
  refusalOfAccess,
  refusalOfResult,
  tooLarge,
} from './refusal.ts'
import { encodeStatus, statusJson } from './rpc-status.ts'

export interface OtlpHttpOptions {
  readonly admission: Admission
  readonly authenticator: Authenticator
  readonly observer: IngestObserver
  readonly budget: ReceiveBudget
  readonly clock: Clock
  readonly logger: Logger
  /** Largest body, before and after decompression. */
  readonly maxBodyBytes: number
}

/** With `forbidden`, the front's reason to turn the request away, the handler only says so. */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse, forbidden?: string) => void

const signalByPath: ReadonlyMap<string, Signal> = new Map([
  ['/v1/traces', 'traces'],
  ['/v1/logs', 'logs'],
  ['/v1/metrics', 'metrics'],
])

const encodingByType: ReadonlyMap<string, Encoding> = new Map([
  ['application/x-protobuf', 'protobuf'],
  ['application/json', 'json'],
])

const compressionByName: ReadonlyMap<string, Compression> = new Map([
  ['', 'none'],
  ['identity', 'none'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['zstd', 'zstd'],
])

const acceptedCompressions = 'gzip, zstd'

/** A refusal by the receiver itself. */
type EdgeAnswer = Refusal & { readonly reason: EdgeRefusal }

/** What the head of a request settles. */
interface Head {
  readonly signal: Signal
  readonly encoding: Encoding
  readonly compression: Compression
  readonly caller: Caller
  readonly peer: string
}

export function createOtlpHttpHandler(options: OtlpHttpOptions): HttpHandler {
  return (request, response, forbidden) => {
    void handle(options, request, response, forbidden)
  }
}

async function handle(
  options: OtlpHttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
  forbidden: string | undefined,
): Promise<void> {
  const signal = signalByPath.get(pathOf(request)) ?? null
  // Errors go out in the encoding of the request, and as JSON where that is unknown.
  const encoding = encodingByType.get(mediaType(request)) ?? 'json'
  const turnAway = (refusal: EdgeAnswer): void => {
    options.observer.refused(refusal.reason, signal, 'http')
    sendRefusal(response, encoding, refusal)
    discardRest(request, options.maxBodyBytes)
  }
  try {
    const head = forbidden === undefined ? readHead(options, request, signal) : refuse('forbidden', forbidden)
    if ('reason' in head) {
      turnAway(head)
      return
    }
    const received = await readBody(request, { maxBytes: options.maxBodyBytes, budget: options.budget })
    if (received.outcome === 'aborted') return
    if (received.outcome !== 'complete') {
      turnAway(
        received.outcome === 'busy'
          ? { ...receiveBudgetSpent, reason: 'busy' }
          : { ...tooLarge(options.maxBodyBytes), reason: 'too_large' },
      )
      return
    }
    const { bytes } = received
    const result = await options.admission.submit(requestOf(options, head, received.body))
    options.observer.answered(
      { tenant: head.caller.tenant, signal: head.signal, transport: 'http', bytes },
      result,
    )
    sendResult(response, head, result)
  } catch (error) {
    options.logger.error({ event: 'export_failed', transport: 'http', signal, err: error }, 'export failed')
    sendRefusal(response, encoding, internalFault)
    discardRest(request, options.maxBodyBytes)
  }
}

/** The order is that of the cheapest and most telling answer. */
function readHead(
  options: OtlpHttpOptions,
  request: IncomingMessage,
  signal: Signal | null,
): Head | EdgeAnswer {
  if (signal === null) {
    return refuse('not_found', `there is no ${pathOf(request)} here; use /v1/traces, /v1/logs or /v1/metrics`)
  }
  if (request.method !== 'POST') return refuse('method_not_allowed', 'use POST')
  const peer = peerAddress(request.socket.remoteAddress)
  const access = options.authenticator.authenticate({
    authorization: request.headers.authorization,
    apiKey: onlyHeader(request, 'x-api-key'),
    tenant: onlyHeader(request, 'x-tenant-id'),
    peer,
  })
  if (!access.granted) return { ...refusalOfAccess(access), reason: access.refusal }
  const encoding = encodingByType.get(mediaType(request))
  if (encoding === undefined) {
    return refuse('invalid_content_type', 'use content-type application/x-protobuf or application/json')
  }
  const compression = compressionByName.get((request.headers['content-encoding'] ?? '').trim().toLowerCase())
  if (compression === undefined) {
    return refuse('unsupported_encoding', `use content-encoding ${acceptedCompressions} or none`)
  }
  return { signal, encoding, compression, caller: access.caller, peer }
}

function refuse(reason: EdgeRefusal, message: string): EdgeAnswer {
  return { reason, message, retryAfterMs: null }
}

function requestOf(options: OtlpHttpOptions, head: Head, body: readonly Uint8Array[]): IngestRequest {
  return {
    signal: head.signal,
    transport: 'http',
    encoding: head.encoding,
    compression: head.compression,
    body,
    tenant: head.caller.tenant,
    principal: head.caller.principal,
    peer: head.peer,
    receivedAtMs: options.clock.now(),
    maxBytes: options.maxBodyBytes,
  }
}

function sendResult(response: ServerResponse, head: Head, result: IngestResult): void {
  if (result.outcome !== 'accepted') {
    sendRefusal(response, head.encoding, refusalOfResult(result))
    return
  }
  const body =
    head.encoding === 'json' ? exportResponseJson(head.signal, result) : encodeExportResponse(result)
  send(response, 200, head.encoding, body, {})
}

function sendRefusal(response: ServerResponse, encoding: Encoding, refusal: Refusal): void {
  const { status, code } = httpOutcomes[refusal.reason]
  const rpc = { code, message: refusal.message, retryAfterMs: refusal.retryAfterMs }
  const body = encoding === 'json' ? statusJson(rpc) : encodeStatus(rpc)
  send(response, status, encoding, body, extraHeaders(refusal))
}

function extraHeaders(refusal: Refusal): Record<string, string> {
  const headers: Record<string, string> = {}
  if (refusal.retryAfterMs !== null) headers['retry-after'] = retryAfterSeconds(refusal.retryAfterMs)
  if (refusal.reason === 'method_not_allowed') headers['allow'] = 'POST, OPTIONS'
  if (refusal.reason === 'unsupported_encoding') headers['accept-encoding'] = acceptedCompressions
  if (refusal.reason === 'unauthenticated') headers['www-authenticate'] = 'Bearer realm="otelcontext"'
  return headers
}

function send(
  response: ServerResponse,
  status: number,
  encoding: Encoding,
  body: Uint8Array | string,
  headers: Readonly<Record<string, string>>,
): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(status, {
    'content-type': encoding === 'json' ? 'application/json' : 'application/x-protobuf',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  })
  // Without a body, head and end leave in one write.
  if (body.length === 0) response.end()
  else response.end(body)
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? ''
}

/** Without parameters: charset and the like change nothing, OTLP/JSON is always UTF-8. */
function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/** A header that comes twice is ambiguous; it counts as a value nobody can have. */
function onlyHeader(request: IncomingMessage, name: string): string | undefined {
  // Looked at alone first: few requests have it, and the list of all headers has to be made.
  if (request.headers[name] === undefined) return undefined
  const values = request.headersDistinct[name]
  return values !== undefined && values.length > 1 ? '' : values?.[0]
}
