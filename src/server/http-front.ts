/**
 * The HTTP listeners: the main one (MCP, OTLP, health, metrics, administration) and the one for OTLP alone.
 * Checks Host and Origin of every request before anything else looks at it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { listenFailure } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { sendError } from './json-answer.ts'
import { NameGuard, type NameGuardOptions } from './name-guard.ts'
import { isOtlpPath, type RouteOptions, Routes } from './routes.ts'

/** Room for the 2,000 stuck sockets a fault may bring, and for every client of a large system beside them. */
const maxConnections = 10_000

/** Connections that may wait to be accepted: after a restart every exporter comes back at once. */
const backlog = 4_096

/**
 * Longer than the minute between two exports of metrics: an exporter that sends into a connection which is
 * being closed loses the batch.
 */
const keepAliveMs = 75_000

/** How often a stopping server looks for connections that have become idle. */
const idleSweepMs = 50

const securityHeaders: readonly (readonly [string, string])[] = Object.entries({
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
})

/** What pages of an allowed origin may send and read. */
const corsRequestHeaders = [
  'accept',
  'authorization',
  'content-encoding',
  'content-type',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'mcp-session-id',
  'traceparent',
  'tracestate',
  'x-api-key',
  'x-tenant-id',
].join(', ')
const corsAnswerHeaders = 'mcp-protocol-version, mcp-session-id, retry-after, www-authenticate'
const corsMaxAgeSeconds = '600'

export interface HttpFrontOptions extends NameGuardOptions, RouteOptions {
  /** 0 picks a free port. */
  readonly httpPort: number
  /** Null: OTLP is served on the main port only. */
  readonly otlpPort: number | null
  /** How long the head and the body of a request may take to arrive. */
  readonly receiveTimeoutMs: number
  /** How long `stop` waits for requests in flight. */
  readonly drainDeadlineMs: number
  readonly logger: Logger
}

export interface HttpPorts {
  readonly port: number
  readonly otlpPort: number | null
}

type Listener = 'main' | 'otlp'

export class HttpFront {
  readonly name = 'http front'
  readonly #options: HttpFrontOptions
  readonly #guard: NameGuard
  readonly #routes: Routes
  readonly #main: Server
  readonly #otlp: Server
  readonly #sockets = new Set<Socket>()
  #stopping: Promise<void> | null = null

  constructor(options: HttpFrontOptions) {
    this.#options = options
    this.#guard = new NameGuard(options)
    this.#routes = new Routes(options)
    options.metrics.declare('otelcontext_http_requests_refused_total')
    this.#main = this.#server('main')
    this.#otlp = this.#server('otlp')
  }

  /** Resolves with the chosen ports. Rejects with ConfigurationError if one cannot be opened; then none is. */
  async start(): Promise<HttpPorts> {
    const { httpPort, otlpPort, bindAddress, logger } = this.#options
    const port = await this.#listen(this.#main, httpPort, 'HTTP_PORT')
    try {
      const second = otlpPort === null ? null : await this.#listen(this.#otlp, otlpPort, 'OTLP_HTTP_PORT')
      logger.info({ event: 'http_server_started', address: bindAddress, port }, 'HTTP')
      const ports = [port, ...(second === null ? [] : [second])]
      logger.info(
        { event: 'otlp_receiver_started', transport: 'http', address: bindAddress, ports },
        'OTLP/HTTP',
      )
      return { port, otlpPort: second }
    } catch (error) {
      await closed(this.#main)
      throw error
    }
  }

  /** Takes no new connections, finishes requests in flight until the deadline, then cuts them off. */
  stop(): Promise<void> {
    this.#stopping ??= this.#drain([this.#main, this.#otlp])
    return this.#stopping
  }

  async #drain(servers: readonly Server[]): Promise<void> {
    const sweep = setInterval(() => this.#closeIdle(servers), idleSweepMs)
    this.#closeIdle(servers)
    const cut = setTimeout(() => {
      for (const server of servers) server.closeAllConnections()
    }, this.#options.drainDeadlineMs)
    await Promise.all(servers.map(closed))
    clearInterval(sweep)
    clearTimeout(cut)
  }

  /** Node counts a connection that has not said anything yet as busy. */
  #closeIdle(servers: readonly Server[]): void {
    for (const server of servers) server.closeIdleConnections()
    for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy()
  }

  #server(listener: Listener): Server {
    const { receiveTimeoutMs } = this.#options
    const server = createServer(
      {
        // Overdue sockets are looked for at intervals; together both stay within the time given.
        requestTimeout: Math.ceil(receiveTimeoutMs * 0.8),
        headersTimeout: Math.ceil(receiveTimeoutMs * 0.8),
        connectionsCheckingInterval: Math.ceil(receiveTimeoutMs * 0.1),
        keepAliveTimeout: keepAliveMs,
        noDelay: true,
      },
      (request, response) => this.#receive(listener, request, response),
    )
    server.maxConnections = maxConnections
    server.on('connection', socket => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    return server
  }

  #listen(server: Server, port: number, setting: string): Promise<number> {
    const address = this.#options.bindAddress
    return new Promise((resolve, reject) => {
      server.once('error', cause => reject(listenFailure({ kind: 'HTTP', address, port, setting }, cause)))
      server.listen({ port, host: address, backlog }, () => {
        const bound = server.address()
        resolve(typeof bound === 'object' && bound !== null ? bound.port : port)
      })
    })
  }

  #receive(listener: Listener, request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of securityHeaders) response.setHeader(name, value)
    if (this.#stopping !== null) response.setHeader('connection', 'close')
    const path = (request.url ?? '').split('?', 1)[0] ?? ''
    const foreign = this.#whyForeign(request)
    if (foreign !== null) {
      this.#options.metrics.add('otelcontext_http_requests_refused_total', { reason: foreign.reason })
      if (isOtlpPath(path)) this.#options.otlp(request, response, foreign.message)
      else sendError(response, { status: 403, code: `foreign_${foreign.reason}`, message: foreign.message })
      return
    }
    if (isOtlpPath(path) || path === this.#options.mcp.path) this.#allowOrigin(request, response)
    if (request.method === 'OPTIONS') answerOptions(response)
    else if (listener === 'otlp') this.#serveOtlpOnly(path, request, response)
    else void this.#routes.serve(path, request, response)
  }

  #serveOtlpOnly(path: string, request: IncomingMessage, response: ServerResponse): void {
    if (isOtlpPath(path)) {
      this.#options.otlp(request, response)
      return
    }
    const message = 'this port takes OTLP at /v1/traces, /v1/logs and /v1/metrics'
    sendError(response, { status: 404, code: 'not_found', message })
  }

  #whyForeign(request: IncomingMessage): { readonly reason: string; readonly message: string } | null {
    const { host, origin, authorization, 'x-api-key': apiKey } = request.headers
    if (!this.#guard.hostAllowed(host, authorization !== undefined || apiKey !== undefined)) {
      return { reason: 'host', message: 'this server does not go by that name; see ALLOWED_HOSTS' }
    }
    if (!this.#guard.originAllowed(origin, host)) {
      return { reason: 'origin', message: 'pages of that origin may not call; see CORS_ALLOWED_ORIGINS' }
    }
    return null
  }

  /** Only for what pages are meant to use: OTLP and MCP, never administration. */
  #allowOrigin(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader('vary', 'Origin')
    const { origin } = request.headers
    if (origin === undefined || !this.#guard.corsAllowed(origin)) return
    response.setHeader('access-control-allow-origin', origin)
    response.setHeader('access-control-expose-headers', corsAnswerHeaders)
    if (request.method !== 'OPTIONS') return
    response.setHeader('access-control-allow-methods', 'GET, POST, DELETE')
    response.setHeader('access-control-allow-headers', corsRequestHeaders)
    response.setHeader('access-control-max-age', corsMaxAgeSeconds)
  }
}

/** What a page may do is said in the headers; without them a browser goes no further. */
function answerOptions(response: ServerResponse): void {
  response.writeHead(204).end()
}

/** Resolves when the last connection is gone; at once for a server that does not listen. */
function closed(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
  })
}
