/** Export requests over OTLP/HTTP on kept-alive connections. https://opentelemetry.io/docs/specs/otlp/#otlphttp */
import { Agent, type IncomingMessage, request } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Signal } from '../../model/telemetry.ts'
import { type Acknowledgement, rejectedItems } from './acknowledgement.ts'
import type { LoadSender, SenderOptions } from './load-sender.ts'

/** Statuses the specification lets a client send again after. */
const retryable = new Set([429, 502, 503, 504])
/** A response is a few bytes; what is longer is not one. */
const maxResponseBytes = 65_536
const compress = promisify(gzip)

export function createHttpSender(
  options: SenderOptions & { readonly url: string; readonly encoding: 'protobuf' | 'json' },
): LoadSender {
  const base = new URL(options.url)
  const secure = base.protocol === 'https:'
  const agent = new (secure ? SecureAgent : Agent)({ keepAlive: true, maxSockets: options.connections })
  const type = options.encoding === 'json' ? 'application/json' : 'application/x-protobuf'

  async function send(signal: Signal, body: Buffer, tenant: string): Promise<Acknowledgement> {
    const bytes = options.gzip ? await compress(body, { level: 1 }) : body
    const headers = {
      ...options.headers,
      'content-type': type,
      'content-length': bytes.length,
      ...(options.gzip ? { 'content-encoding': 'gzip' } : {}),
      ...(tenant === '' ? {} : { 'x-tenant-id': tenant }),
    }
    return new Promise(resolve => {
      const outgoing = (secure ? secureRequest : request)(
        new URL(`${base.pathname.replace(/\/$/, '')}/v1/${signal}`, base),
        { method: 'POST', agent, headers, timeout: options.timeoutMs },
        response => readResponse(response, options.encoding, resolve),
      )
      outgoing.once('timeout', () => outgoing.destroy(new Error('timeout')))
      outgoing.once('error', error =>
        resolve({ type: 'retry', status: `connection ${errorCode(error)}`, afterMs: null }),
      )
      outgoing.end(bytes)
    })
  }

  return {
    send,
    async close() {
      agent.destroy()
    },
  }
}

function readResponse(
  response: IncomingMessage,
  encoding: 'protobuf' | 'json',
  resolve: (answer: Acknowledgement) => void,
): void {
  const chunks: Buffer[] = []
  let length = 0
  response.on('data', (chunk: Buffer) => {
    length += chunk.length
    if (length <= maxResponseBytes) chunks.push(chunk)
  })
  response.once('error', error =>
    resolve({ type: 'retry', status: `connection ${errorCode(error)}`, afterMs: null }),
  )
  response.once('end', () => {
    const status = response.statusCode ?? 0
    const body = Buffer.concat(chunks)
    if (status === 200) resolve({ type: 'accepted', rejected: rejectedOf(body, encoding) })
    else if (retryable.has(status))
      resolve({ type: 'retry', status: `HTTP ${status}`, afterMs: retryAfterMs(response) })
    else resolve({ type: 'refused', status: `HTTP ${status}`, detail: body.toString('latin1').slice(0, 200) })
  })
}

function rejectedOf(body: Buffer, encoding: 'protobuf' | 'json'): number {
  if (encoding === 'protobuf') return rejectedItems(body)
  const digits = /"rejected\w+":\s*"?(\d+)/.exec(body.toString('latin1'))?.[1]
  return digits === undefined ? 0 : Number(digits)
}

/** Seconds, as our own server and most send it; a date is left to the backoff. */
function retryAfterMs(response: IncomingMessage): number | null {
  const seconds = Number.parseFloat(response.headers['retry-after'] ?? '')
  return Number.isFinite(seconds) ? seconds * 1_000 : null
}

function errorCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
