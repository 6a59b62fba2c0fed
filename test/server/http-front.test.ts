/** The HTTP front over real sockets, with receivers and inbox behind it. */
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ownerPrincipal } from '../../src/model/auth.ts'
import type { HealthReport } from '../../src/model/health.ts'
import type { Caller } from '../../src/model/tool.ts'
import { RateLimit } from '../../src/server/rate-limit.ts'
import type { McpHandler } from '../../src/server/routes.ts'
import { RunningReceivers } from '../ingest/running-receivers.ts'

const key = 'a-key-of-the-front-test'
const authorized = { authorization: `Bearer ${key}` }
const loopback = { keys: [], keyRequired: false }
const keyed = { keys: [{ id: 'api-key', secret: key }], keyRequired: true }

const callers: Caller[] = []
let report: () => Promise<HealthReport> = async () => ({})
let open: RunningReceivers
let closed: RunningReceivers

beforeAll(async () => {
  const http = {
    allowedOrigins: ['https://console.example.com'],
    health: { report: () => report() },
    mcp: { path: '/mcp', handle: echo },
  }
  open = await RunningReceivers.start({ auth: loopback, http })
  closed = await RunningReceivers.start({ auth: keyed, http })
})
afterEach(() => {
  report = async () => ({})
  callers.length = 0
})
afterAll(async () => {
  await open.stop()
  await closed.stop()
})

/** Stands where MCP is mounted, and says who asked what. */
const echo: McpHandler = async (request, response, caller) => {
  callers.push(caller)
  let text = ''
  for await (const chunk of request) text += String(chunk)
  response.end(`asked ${text}`)
}

/** `fetch` does not let a test choose the Host. */
function get(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    httpRequest({ port, path, headers, host: '127.0.0.1' }, response => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })
}

const everyPath = [
  '/',
  '/live',
  '/ready',
  '/metrics',
  '/metrics/prometheus',
  '/admin/stats',
  '/mcp',
  '/v1/traces',
  '/.well-known/oauth-protected-resource',
  '/nowhere',
]

describe('every route', () => {
  it.each(everyPath)('%s refuses a foreign Host and a foreign Origin with 403, key or not', async path => {
    for (const headers of [
      { host: 'evil.example.org' },
      { host: `evil.example.org:${closed.httpPort}`, ...authorized },
      { host: 'localhost', origin: 'https://evil.example.org' },
      { host: 'localhost', origin: 'https://evil.example.org', ...authorized },
    ]) {
      expect(await get(closed.httpPort, path, headers)).toBe(403)
      expect(await get(open.httpPort, path, headers)).toBe(403)
    }
  })

  it.each(['/v1/logs', '/'])('of the OTLP port (%s) as well', async path => {
    expect(await get(open.otlpPort, path, { host: 'evil.example.org' })).toBe(403)
    expect(await get(open.otlpPort, path, { host: 'localhost', origin: 'https://evil.example.org' })).toBe(
      403,
    )
  })

  it.each(everyPath)('%s carries security headers and no banner', async path => {
    const { headers } = await fetch(`${open.httpUrl}${path}`)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('server')).toBeNull()
    expect(headers.get('x-powered-by')).toBeNull()
  })
})

describe('the page', () => {
  it('says what this is', async () => {
    const response = await fetch(open.httpUrl)
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(await response.text()).toContain('observability server')
  })

  it.each(['/nowhere', '/.well-known/oauth-authorization-server', '/admin', '/favicon.ico'])(
    'is the only one: %s is 404 in JSON',
    async path => {
      const response = await fetch(`${open.httpUrl}${path}`, { headers: { 'x-otelcontext-admin': '1' } })
      expect(response.status).toBe(404)
      expect(await response.json()).toMatchObject({ error: { code: 'not_found' } })
    },
  )

  it('takes no other method than GET', async () => {
    const response = await fetch(open.httpUrl, { method: 'POST' })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('GET, HEAD')
  })
})

describe('health', () => {
  it('/live depends on nothing', async () => {
    report = () => Promise.reject(new Error('down'))
    const response = await fetch(`${closed.httpUrl}/live`)
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ status: 'ok' })
  })

  it('/ready names its checks with figures and is ready with a warning', async () => {
    report = async () => ({
      store: { status: 'ok', detail: '', figures: { last_commit_ms: 3 } },
      inbox: { status: 'warning', detail: 'the inbox is 81 % full', figures: { fill_percent: 81 } },
    })
    const response = await fetch(`${open.httpUrl}/ready`)
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ status: 'warning', checks: await report() })
  })

  it('/ready is 503 while a check is critical, or while nobody can say', async () => {
    report = async () => ({ store: { status: 'critical', detail: 'no answer', figures: {} } })
    expect((await fetch(`${open.httpUrl}/ready`)).status).toBe(503)
    report = () => Promise.reject(new Error('no engine'))
    const response = await fetch(`${open.httpUrl}/ready`)
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ checks: { report: { detail: 'no engine' } } })
  })

  it('/ready tells strangers the state of each check and no more', async () => {
    report = async () => ({
      inbox: { status: 'warning', detail: 'tenant shop is full', figures: { shop: 1 } },
    })
    const stranger = await fetch(`${closed.httpUrl}/ready`)
    expect(await stranger.json()).toEqual({ status: 'warning', checks: { inbox: { status: 'warning' } } })
    const known = await fetch(`${closed.httpUrl}/ready`, { headers: authorized })
    expect(await known.json()).toEqual({ status: 'warning', checks: await report() })
  })
})

describe('own metrics', () => {
  it.each(['/metrics', '/metrics/prometheus'])(
    'are at %s in Prometheus text, for those with the key',
    async path => {
      expect((await fetch(`${closed.httpUrl}${path}`)).status).toBe(401)
      const response = await fetch(`${closed.httpUrl}${path}`, { headers: authorized })
      expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4')
      expect(await response.text()).toContain(
        'otelcol_receiver_accepted_spans{receiver="otlp",transport="grpc"} 0',
      )
    },
  )
})

describe('MCP', () => {
  it('is handed on with the caller', async () => {
    const response = await fetch(`${closed.httpUrl}/mcp`, {
      method: 'POST',
      body: 'why?',
      headers: { ...authorized, 'x-tenant-id': 'shop' },
    })
    expect(await response.text()).toBe('asked why?')
    expect(callers).toEqual([{ tenant: 'shop', principal: 'api-key', operator: true }])
  })

  it('asks for a key with a challenge and hands nothing on', async () => {
    const response = await fetch(`${closed.httpUrl}/mcp`, { method: 'POST', body: 'why?' })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="otelcontext"')
    expect(await response.json()).toMatchObject({ error: { code: 'unauthenticated' } })
    expect(callers).toEqual([])
  })

  it('may be called by pages of a listed origin', async () => {
    const origin = 'https://console.example.com'
    const asked = await fetch(`${open.httpUrl}/mcp`, { method: 'OPTIONS', headers: { origin } })
    expect(asked.headers.get('access-control-allow-origin')).toBe(origin)
    expect(asked.headers.get('access-control-allow-headers')).toContain('mcp-protocol-version')
  })

  it('refuses a request that is far too large', async () => {
    const body = new Uint8Array(5 * 1024 * 1024)
    const response = await fetch(`${open.httpUrl}/mcp`, { method: 'POST', body }).catch(() => null)
    // A client may see the connection close before it has read the answer.
    expect(response === null ? 413 : response.status).toBe(413)
    expect(callers).toEqual([])
  })

  it.each([
    ['elsewhere', '/agents', 200],
    ['off', null, 404],
  ] as const)(
    '%s is still at /mcp for who holds the token of the owner, and for nobody else',
    async (_, path, status) => {
      const token = 'a-token-of-the-owner'
      const keys = [...keyed.keys, { id: ownerPrincipal, secret: token }]
      const moved = await RunningReceivers.start({
        auth: { ...keyed, keys },
        http: { mcp: { path, handle: echo } },
      })
      const ask = async (at: string, secret: string): Promise<number> => {
        const headers = { authorization: `Bearer ${secret}` }
        return (await fetch(`${moved.httpUrl}${at}`, { method: 'POST', headers })).status
      }
      try {
        expect(await ask('/agents', key)).toBe(status)
        expect(await ask('/mcp', key)).toBe(404)
        expect(await ask('/mcp', token)).toBe(200)
        expect(callers.at(-1)?.principal).toBe(ownerPrincipal)
      } finally {
        await moved.stop()
      }
    },
  )

  it('is limited per key, and OTLP and probes are not', async () => {
    const slow = await RunningReceivers.start({
      auth: keyed,
      http: {
        rateLimit: new RateLimit(1, { now: () => 0 }),
        mcp: { path: '/mcp', handle: async (_request, response) => void response.end() },
      },
    })
    try {
      const ask = (): Promise<Response> =>
        fetch(`${slow.httpUrl}/mcp`, { method: 'POST', headers: authorized })
      expect((await ask()).status).toBe(200)
      const second = await ask()
      expect(second.status).toBe(429)
      expect(second.headers.get('retry-after')).toBe('1')
      for (let i = 0; i < 5; i++) {
        const headers = { ...authorized, 'content-type': 'application/json' }
        const sent = await fetch(`${slow.httpUrl}/v1/traces`, { method: 'POST', body: '{}', headers })
        expect(sent.status).toBe(200)
        expect((await fetch(`${slow.httpUrl}/ready`)).status).toBe(200)
        expect((await fetch(`${slow.httpUrl}/metrics`, { headers: authorized })).status).toBe(200)
      }
    } finally {
      await slow.stop()
    }
  })
})

describe('OTLP', () => {
  it.each(['/v1/traces', '/v1/logs', '/v1/metrics'])('needs the key at %s too', async path => {
    const init = { method: 'POST', body: '{}' }
    const type = { 'content-type': 'application/json' }
    const without = await fetch(`${closed.otlpUrl}${path}`, { ...init, headers: type })
    expect(without.status).toBe(401)
    expect(without.headers.get('www-authenticate')).toBe('Bearer realm="otelcontext"')
    expect(await without.json()).toMatchObject({ code: 16 })
    const withKey = await fetch(`${closed.otlpUrl}${path}`, {
      ...init,
      headers: { ...type, 'x-api-key': key },
    })
    expect(withKey.status).toBe(200)
  })
})

describe('administration', () => {
  const admin = { 'x-otelcontext-admin': '1' }

  it.each(['/admin/stats', '/admin/ingest/pause', '/admin/ingest/resume'])(
    '%s needs a header that no page can send across origins',
    async path => {
      const method = path === '/admin/stats' ? 'GET' : 'POST'
      const response = await fetch(`${open.httpUrl}${path}`, { method })
      expect(response.status).toBe(403)
      expect(await response.json()).toMatchObject({ error: { code: 'header_missing' } })
    },
  )

  it('lets no page of a listed origin ask for that header', async () => {
    const asked = await fetch(`${open.httpUrl}/admin/stats`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://console.example.com',
        'access-control-request-headers': 'x-otelcontext-admin',
      },
    })
    expect(asked.headers.get('access-control-allow-origin')).toBeNull()
  })

  it('needs the key where one is set', async () => {
    expect((await fetch(`${closed.httpUrl}/admin/stats`, { headers: admin })).status).toBe(401)
    expect((await fetch(`${closed.httpUrl}/admin/stats`, { headers: authorized })).status).toBe(200)
  })

  it('shows the figures', async () => {
    const type = { 'content-type': 'application/json', 'x-tenant-id': 'figures' }
    await fetch(`${open.httpUrl}/v1/traces`, { method: 'POST', body: '{"resourceSpans":', headers: type })
    const response = await fetch(`${open.httpUrl}/admin/stats`, { headers: admin })
    expect(await response.json()).toMatchObject({
      figures: { TracesReceived: 0, TotalMessagesReceived: expect.any(Number) },
      ingest: expect.arrayContaining([
        expect.objectContaining({
          tenant: 'figures',
          signal: 'traces',
          transport: 'http',
          requests: 1,
          invalid: 1,
        }),
      ]),
      paused: [],
    })
  })

  it('pauses a signal of a tenant and resumes it', async () => {
    const send = (signal: string, tenant: string): Promise<Response> =>
      fetch(`${open.httpUrl}/v1/${signal}`, {
        method: 'POST',
        body: '{}',
        headers: { 'content-type': 'application/json', 'x-tenant-id': tenant },
      })
    const control = async (action: string): Promise<unknown> => {
      const url = `${open.httpUrl}/admin/ingest/${action}?signal=logs&tenant=shop`
      return (await fetch(url, { method: 'POST', headers: admin })).json()
    }
    expect(await control('pause')).toEqual({ paused: [{ signal: 'logs', tenant: 'shop' }] })
    const refused = await send('logs', 'shop')
    expect(refused.status).toBe(503)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await send('logs', 'other')).status).toBe(200)
    expect((await send('traces', 'shop')).status).toBe(200)
    expect(await control('resume')).toEqual({ paused: [] })
    expect((await send('logs', 'shop')).status).toBe(200)
  })

  it.each(['signal=profiles', 'tenant=', `tenant=${'x'.repeat(129)}`])('refuses to pause %s', async query => {
    const url = `${open.httpUrl}/admin/ingest/pause?${query}`
    const response = await fetch(url, { method: 'POST', headers: admin })
    expect(response.status).toBe(400)
    expect(open.inbox.gate.pauses()).toEqual([])
  })
})

describe('stopping', () => {
  it('finishes what is in flight, closes the connection, and may be asked for twice', async () => {
    const stopping = await RunningReceivers.start()
    let release = (): void => undefined
    stopping.answer = () =>
      new Promise(resolve => {
        release = () =>
          resolve({ outcome: 'accepted', accepted: 1, rejected: 0, message: '', duplicate: false })
      })
    const headers = { 'content-type': 'application/json' }
    const inFlight = fetch(`${stopping.otlpUrl}/v1/traces`, { method: 'POST', body: '{}', headers })
    await expect.poll(() => stopping.noted.length).toBe(1)
    const stopped = stopping.stopHttp()
    expect(stopping.stopHttp()).toBe(stopped)
    await expect(
      fetch(`${stopping.otlpUrl}/v1/traces`, { method: 'POST', body: '{}', headers }),
    ).rejects.toThrow()
    release()
    expect((await inFlight).status).toBe(200)
    await stopped
    await stopping.stop()
  })

  it('cuts off what outlasts the deadline', async () => {
    const stopping = await RunningReceivers.start({ http: { drainDeadlineMs: 200 } })
    stopping.answer = () => new Promise(() => undefined)
    const headers = { 'content-type': 'application/json' }
    const inFlight = fetch(`${stopping.otlpUrl}/v1/traces`, { method: 'POST', body: '{}', headers })
    const failed = expect(inFlight).rejects.toThrow()
    await expect.poll(() => stopping.noted.length).toBe(1)
    await stopping.stopHttp()
    await failed
    await stopping.stop()
  })

  it('is over at once when nothing is in flight, idle connections or not', async () => {
    const stopping = await RunningReceivers.start({ http: { drainDeadlineMs: 30_000 } })
    expect((await fetch(`${stopping.httpUrl}/live`)).status).toBe(200)
    const idle = connect(stopping.httpPort, '127.0.0.1').resume()
    await new Promise(resolve => idle.once('connect', resolve))
    await stopping.stop()
    expect(idle.destroyed || idle.readableEnded).toBe(true)
  })
})

describe('a busy port', () => {
  it.each([
    ['HTTP_PORT', () => ({ httpPort: open.httpPort }), () => open.httpPort],
    ['OTLP_HTTP_PORT', () => ({ otlpPort: open.otlpPort }), () => open.otlpPort],
  ] as const)('of %s is told in one sentence with the remedy', async (setting, change, port) => {
    await expect(RunningReceivers.start({ http: change() })).rejects.toThrow(
      `Failed to start HTTP server: port ${port()} on 127.0.0.1 is in use; stop the process that holds it or set ${setting}`,
    )
  })
})

describe('malformed requests', () => {
  it.each([
    'GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'GET //admin/stats HTTP/1.1\r\nHost: localhost\r\n\r\n',
    '\0\0\0\r\n\r\n',
  ])('%j harm nobody', async text => {
    const socket = connect(open.httpPort, '127.0.0.1')
    const answer = new Promise<string>(resolve => socket.once('data', bytes => resolve(bytes.toString())))
    socket.write(text)
    expect(await answer).toMatch(/^HTTP\/1\.1 4\d\d /)
    socket.destroy()
    expect((await fetch(`${open.httpUrl}/live`)).status).toBe(200)
  })
})
