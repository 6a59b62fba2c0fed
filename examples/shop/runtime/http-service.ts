/** Serves JSON over HTTP on a free port, one function per route. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { trace } from '@opentelemetry/api'
import type { Journal } from './journal.ts'
import { Problem } from './problem.ts'

export interface ServedRequest {
  readonly parameters: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: http.IncomingHttpHeaders
  readonly body: unknown
}

/** Returns the JSON body of a 200, or throws a Problem. */
export type Handler = (request: ServedRequest) => Promise<unknown>

/** Keys are a method and a path with parameters in braces, as in `GET /products/{id}`. */
export type Routes = Readonly<Record<string, Handler>>

interface Route {
  readonly method: string
  readonly template: string
  readonly pattern: RegExp
  readonly handler: Handler
}

/** No request of the shop is larger. */
const bodyLimitBytes = 64 * 1024

/** Resolves to the server and its port once it listens. */
export function serveHttp(routes: Routes, journal: Journal): Promise<{ server: http.Server; port: number }> {
  const compiled = Object.entries(routes).map(([key, handler]) => compileRoute(key, handler))
  const server = http.createServer((request, response) => {
    answer(compiled, request, journal)
      .then(({ status, body }) => {
        const text = JSON.stringify(body ?? null)
        response.writeHead(status, {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
        })
        response.end(text)
      })
      .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
  })
  // Longer than any pause between two requests, so that no client writes into a connection that just closed.
  server.keepAliveTimeout = 120_000
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo // a TCP server that listens
      resolve({ server, port })
    })
  })
}

function compileRoute(key: string, handler: Handler): Route {
  const [method = 'GET', template = '/'] = key.split(' ')
  const pattern = new RegExp(`^${template.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`)
  return { method, template, pattern, handler }
}

async function answer(
  routes: readonly Route[],
  request: http.IncomingMessage,
  journal: Journal,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const route = routes.find(each => each.method === request.method && each.pattern.test(url.pathname))
  if (route === undefined) return { status: 404, body: { error: 'no such page' } }
  const span = trace.getActiveSpan()
  span?.setAttribute('http.route', route.template)
  span?.updateName(`${route.method} ${route.template}`)
  try {
    const body = await route.handler({
      parameters: route.pattern.exec(url.pathname)?.groups ?? {},
      query: url.searchParams,
      headers: request.headers,
      body: await readBody(request),
    })
    return { status: 200, body }
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error))
    const status = failure instanceof Problem ? failure.status : 500
    if (status >= 500) {
      span?.recordException(failure)
      journal.error(`${route.method} ${route.template} failed: ${failure.message}`, {
        'exception.type': failure.name,
        'exception.message': failure.message,
      })
    }
    return { status, body: { error: failure.message } }
  }
}

async function readBody(request: http.IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > bodyLimitBytes) throw new Problem(413, `body exceeds ${bodyLimitBytes} bytes`)
    chunks.push(chunk)
  }
  if (size === 0) return null
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw new Problem(400, 'body is no JSON')
  }
}
