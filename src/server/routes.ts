/** What is answered where, once Host and Origin are known to be ours. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '../logger.ts'
import { type Access, type Authenticator, ownerPrincipal } from '../model/auth.ts'
import type { HealthPort } from '../model/health.ts'
import { peerAddress } from '../model/peer.ts'
import type { Caller } from '../model/tool.ts'
import { type AdminOptions, handleAdmin } from './admin.ts'
import { type HttpError, sendError, sendJson, sendText } from './json-answer.ts'
import { landingPage } from './landing-page.ts'
import type { OwnMetrics } from './own-metrics.ts'
import type { RateLimit } from './rate-limit.ts'
import { readiness } from './ready.ts'

/** Serves MCP; the caller has been authenticated and counted against the rate limit. */
export type McpHandler = (request: IncomingMessage, response: ServerResponse, caller: Caller) => Promise<void>

/** Serves OTLP/HTTP; with `forbidden` it only says why, in the encoding of the request. */
export type OtlpHandler = (request: IncomingMessage, response: ServerResponse, forbidden?: string) => void

export interface RouteOptions {
  readonly authenticator: Authenticator
  readonly otlp: OtlpHandler
  /** `path` null: only the shell commands and stdio copies of the owner are served. */
  readonly mcp: { readonly path: string | null; readonly handle: McpHandler }
  readonly health: HealthPort
  readonly admin: AdminOptions
  readonly metrics: OwnMetrics
  readonly rateLimit: RateLimit
  readonly logger: Logger
}

/** Where a process that holds the token of the data directory finds MCP, whatever MCP_PATH and MCP_ENABLED say. */
const ownMcpPath = '/mcp'

type Route = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

/** Agents send questions, not data; the largest arguments are pasted logs. */
const mcpMaxBytes = 4 * 1024 * 1024

export function isOtlpPath(path: string): boolean {
  return path.startsWith('/v1/')
}

/** Routes of the main listener: exact paths, then prefixes. */
export class Routes {
  readonly #options: RouteOptions
  readonly #exact: ReadonlyMap<string, Route>

  constructor(options: RouteOptions) {
    this.#options = options
    const page = landingPage(options.mcp.path)
    this.#exact = new Map<string, Route>([
      ['/', reading((_, response) => sendText(response, 200, 'text/html; charset=utf-8', page))],
      ['/live', reading((_, response) => sendJson(response, 200, { status: 'ok' }))],
      ['/ready', reading((request, response) => this.#ready(request, response))],
      ['/metrics', reading((request, response) => this.#metrics(request, response))],
      ['/metrics/prometheus', reading((request, response) => this.#metrics(request, response))],
    ])
  }

  /** Answers every request; what goes wrong is logged and answered here. */
  async serve(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#routeOf(path)(request, response)
    } catch (error) {
      this.#options.logger.error({ event: 'request_failed', path, err: error }, 'request failed')
      const message = 'the server failed to answer; try again'
      sendError(response, { status: 503, code: 'failed', message, headers: { 'retry-after': '1' } })
      if (!response.writableEnded) response.destroy()
    }
  }

  #routeOf(path: string): Route {
    const exact = this.#exact.get(path)
    if (exact !== undefined) return exact
    if (isOtlpPath(path)) return this.#options.otlp
    const { mcp } = this.#options
    if (path === mcp.path) return (request, response) => this.#mcp(request, response, () => true)
    if (path === ownMcpPath)
      return (request, response) =>
        this.#mcp(request, response, caller => caller.principal === ownerPrincipal)
    if (path === '/admin' || path.startsWith('/admin/')) {
      return (request, response) => this.#admin(request, response)
    }
    return (_, response) => sendNothingHere(response)
  }

  async #ready(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { granted } = this.#authenticate(request)
    const { httpStatus, body } = await readiness(this.#options.health, granted)
    sendJson(response, httpStatus, body)
  }

  async #metrics(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const access = this.#authenticate(request)
    if (!access.granted) {
      this.#turnAway(response, access)
      return
    }
    const { metrics } = this.#options
    sendText(response, 200, metrics.contentType, await metrics.text())
  }

  async #mcp(
    request: IncomingMessage,
    response: ServerResponse,
    isServed: (caller: Caller) => boolean,
  ): Promise<void> {
    const caller = this.#admit(request, response)
    if (caller === null) return
    if (!isServed(caller)) {
      sendNothingHere(response)
      return
    }
    if (Number(request.headers['content-length'] ?? 0) > mcpMaxBytes) {
      const message = `the request is larger than ${mcpMaxBytes} bytes`
      sendError(response, { status: 413, code: 'too_large', message, headers: { connection: 'close' } })
      return
    }
    await this.#options.mcp.handle(request, response, caller)
  }

  async #admin(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const caller = this.#admit(request, response)
    if (caller !== null) await handleAdmin(this.#options.admin, request, response, caller)
  }

  /** The caller, within his rate; or null when the answer has been given. */
  #admit(request: IncomingMessage, response: ServerResponse): Caller | null {
    const access = this.#authenticate(request)
    if (!access.granted) {
      this.#turnAway(response, access)
      return null
    }
    const waitMs = this.#options.rateLimit.waitMs(access.caller.principal)
    if (waitMs === 0) return access.caller
    this.#options.metrics.add('otelcontext_http_requests_refused_total', { reason: 'rate_limited' })
    const message = 'too many requests with this key; see API_RATE_LIMIT_RPS'
    sendError(response, { status: 429, code: 'rate_limited', message, headers: retryAfter(waitMs) })
    return null
  }

  #authenticate(request: IncomingMessage): Access {
    return this.#options.authenticator.authenticate({
      authorization: request.headers.authorization,
      apiKey: onlyHeader(request, 'x-api-key'),
      tenant: onlyHeader(request, 'x-tenant-id'),
      peer: peerAddress(request.socket.remoteAddress),
    })
  }

  #turnAway(response: ServerResponse, access: Exclude<Access, { granted: true }>): void {
    const counted = access.refusal === 'unauthenticated' || access.refusal === 'throttled'
    const reason = counted ? 'unauthenticated' : 'forbidden'
    this.#options.metrics.add('otelcontext_http_requests_refused_total', { reason })
    sendError(response, { ...accessErrors[access.refusal](access.retryAfterMs), message: access.message })
  }
}

function sendNothingHere(response: ServerResponse): void {
  sendError(response, { status: 404, code: 'not_found', message: 'there is nothing at this path' })
}

type AccessRefused = Exclude<Access, { granted: true }>

const accessErrors: Readonly<
  Record<AccessRefused['refusal'], (retryAfterMs: number) => Omit<HttpError, 'message'>>
> = {
  unauthenticated: () => ({
    status: 401,
    code: 'unauthenticated',
    headers: { 'www-authenticate': 'Bearer realm="otelcontext"' },
  }),
  forbidden: () => ({ status: 403, code: 'forbidden' }),
  invalid_tenant: () => ({ status: 400, code: 'invalid_tenant' }),
  throttled: retryAfterMs => ({ status: 429, code: 'throttled', headers: retryAfter(retryAfterMs) }),
}

function retryAfter(ms: number): Readonly<Record<string, string>> {
  return { 'retry-after': String(Math.max(1, Math.ceil(ms / 1000))) }
}

/** A route that only reads: GET and HEAD. */
function reading(route: Route): Route {
  return (request, response) => {
    if (request.method === 'GET' || request.method === 'HEAD') return route(request, response)
    const headers = { allow: 'GET, HEAD' }
    sendError(response, { status: 405, code: 'method_not_allowed', message: 'use GET', headers })
    return undefined
  }
}

/** A header that comes twice is ambiguous; it counts as a value nobody can have. */
function onlyHeader(request: IncomingMessage, name: string): string | undefined {
  // Looked at alone first: few requests have it, and the list of all headers has to be made.
  if (request.headers[name] === undefined) return undefined
  const values = request.headersDistinct[name]
  return values !== undefined && values.length > 1 ? '' : values?.[0]
}
