/**
 * MCP over HTTP: both protocol eras on one path, without sessions. Keys, Origin and Host are checked by the
 * front before a request gets here; this side only knows who asks.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, isJsonContentType, type McpServerFactory } from '@modelcontextprotocol/server'
import type { Logger } from '../logger.ts'
import type { Caller } from '../model/tool.ts'
import { createServerFactory, type McpOptions } from './server-factory.ts'

/** Questions are small; answers are bounded by their own budget. */
const maxBodyBytes = 1024 * 1024

export type McpHttpHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  caller: Caller,
) => Promise<void>

type SdkRequest = Parameters<ReturnType<typeof toNodeHandler>>[0]

type Body =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'too_large' }
  | { readonly kind: 'broken' }

async function readBody(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBodyBytes) return { kind: 'too_large' }
    chunks.push(chunk)
  }
  try {
    return { kind: 'json', value: JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown }
  } catch {
    return { kind: 'broken' }
  }
}

function refuse(response: ServerResponse, status: number, code: number, message: string): void {
  const body = JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } })
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(status === 413 ? { connection: 'close' } : {}),
  })
  response.end(body)
}

/** Any factory behind the transport code of the product; `createMcpHttpHandler` mounts the product's own. */
export function mountFactory(factory: McpServerFactory, logger: Logger): McpHttpHandler {
  const onerror = (error: Error): void =>
    logger.debug({ event: 'mcp_problem', err: error }, 'mcp request problem')
  const handler = createMcpHandler(factory, { onerror, maxRequestBodySize: maxBodyBytes })
  const serve = toNodeHandler(handler, { onerror, maxRequestBodySize: maxBodyBytes })
  return async (request, response, caller) => {
    const auth = { token: '', clientId: caller.principal, scopes: [], extra: { caller } }
    // node:http writes `string | undefined` where the SDK writes an optional member; it is the same at run time.
    const message = Object.assign(request, { auth }) as SdkRequest
    // Without a body of ours to read, the SDK says what is wrong: 405, or 415 for other content.
    if (request.method !== 'POST' || !isJsonContentType(request.headers['content-type'])) {
      await serve(message, response)
      return
    }
    // A body read and parsed once and handed on saves a third of the CPU of a call.
    const body = await readBody(request)
    if (body.kind === 'json') await serve(message, response, body.value)
    else if (body.kind === 'broken') refuse(response, 400, -32_700, 'the body is not JSON')
    else refuse(response, 413, -32_000, `the body is longer than ${maxBodyBytes} bytes`)
  }
}

function isCaller(value: unknown): value is Caller {
  return typeof value === 'object' && value !== null && 'tenant' in value && 'principal' in value
}

/** The handler for `/mcp`, any method. It never rejects for what a client sent. */
export function createMcpHttpHandler(options: McpOptions): McpHttpHandler {
  const factory = createServerFactory(options, context => {
    const caller = context.http?.authInfo?.extra?.['caller']
    if (!isCaller(caller)) throw new Error('an mcp request without a caller')
    return caller
  })
  return mountFactory(factory, options.logger)
}
