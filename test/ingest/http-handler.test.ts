/** OTLP/HTTP over real sockets with fetch and node:http. */
import { connect, type Socket } from 'node:net'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { IngestResult, RetryReason } from '../../src/model/ingest.ts'
import { signals } from '../../src/model/telemetry.ts'
import { decodeRpcStatus } from './grpc-client.ts'
import { sampleSpans } from './otlp-samples.ts'
import { RunningReceivers } from './running-receivers.ts'

const mebibyte = 1024 * 1024
const protobuf = 'application/x-protobuf'
const json = 'application/json'

let receivers: RunningReceivers

beforeAll(async () => {
  receivers = await RunningReceivers.start({ http: { allowedOrigins: ['https://console.example.com'] } })
})
afterEach(() => {
  receivers.answer = null
})
afterAll(() => receivers.stop())

function post(
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${receivers.otlpUrl}${path}`, {
    method: 'POST',
    body,
    headers: { 'content-type': protobuf, ...headers },
  })
}

async function statusIn(response: Response): Promise<ReturnType<typeof decodeRpcStatus>> {
  expect(response.headers.get('content-type')).toBe(protobuf)
  return decodeRpcStatus(new Uint8Array(await response.arrayBuffer()))
}

function answerWith(result: IngestResult): void {
  receivers.answer = async () => result
}

describe('an export', () => {
  it.each(signals)('of no %s succeeds with nothing in its answer', async signal => {
    const response = await post(`/v1/${signal}`, new Uint8Array())
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe(protobuf)
    expect((await response.arrayBuffer()).byteLength).toBe(0)
  })

  it('in JSON of nothing is answered with an empty JSON object', async () => {
    const response = await post('/v1/logs', '{}', { 'content-type': json })
    expect(response.headers.get('content-type')).toBe(json)
    expect(await response.json()).toEqual({})
  })

  it.each([
    ['none', (bytes: Uint8Array) => bytes],
    ['identity', (bytes: Uint8Array) => bytes],
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
    ['GZIP', gzipSync],
  ] as const)('compressed with %s is stored whole in both encodings', async (name, compress) => {
    const sample = sampleSpans(20)
    const headers: Record<string, string> = name === 'none' ? {} : { 'content-encoding': name }
    const first = await post('/v1/traces', new Uint8Array(compress(sample.protobuf)), headers)
    expect(first.status).toBe(200)
    expect(receivers.noted.at(-1)?.result).toMatchObject({ outcome: 'accepted', accepted: 20, rejected: 0 })
    const again = sampleSpans(20)
    const second = await post('/v1/traces', new Uint8Array(compress(again.json)), {
      ...headers,
      'content-type': json,
    })
    expect(second.status).toBe(200)
    expect(receivers.noted.at(-1)?.result).toMatchObject({ outcome: 'accepted', accepted: 20, rejected: 0 })
  })

  it('tolerates parameters of the content type and its letter case', async () => {
    const response = await post('/v1/logs', '{}', { 'content-type': 'Application/JSON; charset=UTF-8' })
    expect(response.status).toBe(200)
    expect(receivers.noted.at(-1)?.encoding).toBe('json')
  })

  it('tolerates a query', async () => {
    expect((await post('/v1/traces?from=agent', new Uint8Array())).status).toBe(200)
  })

  it.each([
    ['traces', 'rejectedSpans'],
    ['logs', 'rejectedLogRecords'],
    ['metrics', 'rejectedDataPoints'],
  ] as const)('of %s tells in JSON how many items were refused as %s', async (signal, name) => {
    answerWith({ outcome: 'accepted', accepted: 5, rejected: 2, message: 'two have no id', duplicate: false })
    const response = await post(`/v1/${signal}`, '{}', { 'content-type': json })
    expect(await response.json()).toEqual({ partialSuccess: { [name]: '2', errorMessage: 'two have no id' } })
  })

  it('passes a warning on without a count', async () => {
    answerWith({ outcome: 'accepted', accepted: 5, rejected: 0, message: 'cut', duplicate: false })
    const response = await post('/v1/traces', '{}', { 'content-type': json })
    expect(await response.json()).toEqual({ partialSuccess: { errorMessage: 'cut' } })
  })
})

describe('what the inbox refuses for now', () => {
  const reasons: readonly (readonly [RetryReason, number, number])[] = [
    ['queue_full', 429, 8],
    ['paused', 503, 14],
    ['draining', 503, 14],
    ['store_fault', 503, 14],
  ]
  it.each(reasons)('%s is %i with Retry-After and code %i', async (reason, status, code) => {
    answerWith({ outcome: 'retry', reason, retryAfterMs: 2_500, message: 'later' })
    const response = await post('/v1/traces', new Uint8Array())
    expect(response.status).toBe(status)
    expect(response.headers.get('retry-after')).toBe('3')
    expect(await statusIn(response)).toEqual({ code, message: 'later', retryAfterMs: 2_500 })
  })

  it('says the same in JSON to those who send JSON', async () => {
    answerWith({ outcome: 'retry', reason: 'queue_full', retryAfterMs: 2_500, message: 'later' })
    const response = await post('/v1/traces', '{}', { 'content-type': json })
    expect(await response.json()).toEqual({
      code: 8,
      message: 'later',
      details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '2.500s' }],
    })
  })

  it('is counted as throttled when it is 429', async () => {
    const before = await receivers.metric('otelcontext_http_otlp_throttled_total{signal="logs"}')
    answerWith({ outcome: 'retry', reason: 'queue_full', retryAfterMs: 1, message: 'later' })
    expect((await post('/v1/logs', new Uint8Array())).headers.get('retry-after')).toBe('1')
    expect(await receivers.metric('otelcontext_http_otlp_throttled_total{signal="logs"}')).toBe(before + 1)
  })

  it('a bug behind the receiver is 503 with Retry-After, never a bare 500', async () => {
    receivers.answer = async () => {
      throw new Error('a bug')
    }
    const response = await post('/v1/traces', new Uint8Array())
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('1')
    expect((await statusIn(response)).message).not.toContain('bug')
  })
})

describe('what can never be taken', () => {
  it.each([
    ['decode_error', 400, 3],
    ['bad_compression', 400, 3],
    ['invalid_tenant', 400, 3],
    ['too_large', 413, 8],
  ] as const)('%s is %i with code %i and no Retry-After', async (reason, status, code) => {
    answerWith({ outcome: 'invalid', reason, message: 'never' })
    const response = await post('/v1/metrics', new Uint8Array())
    expect(response.status).toBe(status)
    expect(response.headers.get('retry-after')).toBeNull()
    expect(await statusIn(response)).toEqual({ code, message: 'never', retryAfterMs: null })
  })

  it.each([
    ['bytes that are no protobuf', 'nonsense', protobuf],
    ['text that is no JSON', '{"resourceSpans":', json],
    ['JSON of the wrong kind', '[]', json],
    ['JSON nested too deep', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, json],
  ])('%s are 400', async (_, body, type) => {
    const response = await post('/v1/traces', body, { 'content-type': type })
    expect(response.status).toBe(400)
    expect(response.headers.get('content-type')).toBe(type)
  })

  it.each(['gzip', 'zstd'])('a body that is no %s although it says so is 400', async name => {
    const response = await post('/v1/traces', 'plain', { 'content-encoding': name })
    expect(response.status).toBe(400)
  })

  it.each(['text/plain', 'application/grpc', 'multipart/form-data; boundary=x'])(
    '%s is 415 in JSON',
    async type => {
      const response = await post('/v1/traces', 'x', { 'content-type': type })
      expect(response.status).toBe(415)
      expect(await response.json()).toMatchObject({ code: 3 })
    },
  )

  it.each(['deflate', 'br', 'gzip, gzip'])(
    'content-encoding %s is 415 and the answer names those there are',
    async name => {
      const response = await post('/v1/traces', 'x', { 'content-encoding': name })
      expect(response.status).toBe(415)
      expect(response.headers.get('accept-encoding')).toBe('gzip, zstd')
    },
  )

  it.each(['GET', 'PUT', 'DELETE'])('%s is 405 and the answer names the method', async method => {
    const response = await fetch(`${receivers.otlpUrl}/v1/traces`, { method })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toContain('POST')
  })

  it.each(['/v1/profiles', '/v1development/profiles', '/v1/traces/', '/', '/mcp', '/metrics'])(
    'the OTLP port has no %s: 404',
    async path => {
      expect((await post(path, new Uint8Array())).status).toBe(404)
    },
  )

  it('a body that announces more than the limit is 413 before it is read', async () => {
    const { port, socket, answered } = await openRaw()
    socket.write(
      `POST /v1/traces HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: ${json}\r\nContent-Length: ${9 * mebibyte}\r\n\r\n{`,
    )
    expect(await answered).toContain('413')
    socket.destroy()
  })

  it('a body that turns out larger than the limit is 413, and the client reads the answer', async () => {
    const body = new ReadableStream<Uint8Array>({
      start: controller => {
        for (let i = 0; i < 10; i++) controller.enqueue(new Uint8Array(mebibyte))
        controller.close()
      },
    })
    const init = { method: 'POST', body, duplex: 'half', headers: { 'content-type': protobuf } }
    const response = await fetch(`${receivers.otlpUrl}/v1/traces`, init as RequestInit) // `duplex` is undici's
    expect(response.status).toBe(413)
    expect(await statusIn(response)).toMatchObject({ code: 8, retryAfterMs: null })
  })

  it.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const)(
    '%s bombs, a hundred at once, are 413 and leave the memory as it was',
    async (name, compress) => {
      const bomb = compress(Buffer.alloc(256 * mebibyte))
      const before = process.memoryUsage().rss
      const responses = await Promise.all(
        Array.from({ length: 100 }, () =>
          post('/v1/traces', new Uint8Array(bomb), { 'content-encoding': name }),
        ),
      )
      expect(new Set(responses.map(response => response.status))).toEqual(new Set([413]))
      expect(process.memoryUsage().rss - before).toBeLessThan(400 * mebibyte)
    },
  )
})

describe('sockets', () => {
  it('an upload that is broken off gives back what it held', async () => {
    const { port, socket } = await openRaw()
    socket.write(
      `POST /v1/traces HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: ${json}\r\nContent-Length: 1000000\r\n\r\n`,
    )
    socket.write('x'.repeat(500_000))
    await expect.poll(() => receivers.budget.heldBytes).toBe(500_000)
    socket.destroy()
    await expect.poll(() => receivers.budget.heldBytes).toBe(0)
  })

  it('two hundred broken uploads leave nothing behind and hold up nobody', async () => {
    const open = await Promise.all(Array.from({ length: 200 }, () => openRaw()))
    for (const { port, socket } of open) {
      socket.write(
        `POST /v1/traces HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: ${json}\r\nContent-Length: 1000000\r\n\r\nxxx`,
      )
    }
    await expect.poll(() => receivers.budget.heldBytes).toBe(600)
    expect((await post('/v1/traces', new Uint8Array(sampleSpans(1).protobuf))).status).toBe(200)
    for (const { socket } of open) socket.destroy()
    await expect.poll(() => receivers.budget.heldBytes).toBe(0)
  })

  it('a slow client is cut off, whether it sends nothing, half a head or half a body', async () => {
    const impatient = await RunningReceivers.start({ http: { receiveTimeoutMs: 400 } })
    try {
      const head = `POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${json}\r\n`
      const starts = ['', head, `${head}Content-Length: 10\r\n\r\n{`]
      const ends = await Promise.all(
        starts.map(async start => {
          const socket = connect(impatient.otlpPort, '127.0.0.1').resume()
          socket.write(start)
          return new Promise(resolve => socket.on('close', () => resolve('closed')))
        }),
      )
      expect(ends).toEqual(['closed', 'closed', 'closed'])
      expect(impatient.budget.heldBytes).toBe(0)
    } finally {
      await impatient.stop()
    }
  })

  it('when too much arrives at once the largest upload is told to come again and the others pass', async () => {
    const small = await RunningReceivers.start({ budgetBytes: 2 * mebibyte })
    try {
      const hog = await openRaw(small.otlpPort)
      hog.socket.write(
        `POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${json}\r\nContent-Length: ${3 * mebibyte}\r\n\r\n`,
      )
      hog.socket.write('x'.repeat(2 * mebibyte - 1000))
      await expect.poll(() => small.budget.heldBytes).toBe(2 * mebibyte - 1000)
      const response = await fetch(`${small.otlpUrl}/v1/traces`, {
        method: 'POST',
        body: new Uint8Array(sampleSpans(40).protobuf),
        headers: { 'content-type': protobuf },
      })
      expect(response.status).toBe(200)
      const answer = await hog.answered
      expect(answer).toContain('HTTP/1.1 429')
      expect(answer.toLowerCase()).toContain('retry-after: 1')
      hog.socket.destroy()
    } finally {
      await small.stop()
    }
  })

  it('a request that waits for its answer holds up no other', async () => {
    let release = (): void => undefined
    const held = new Promise<void>(resolve => {
      release = resolve
    })
    receivers.answer = async request => {
      if (request.signal === 'traces') await held
      return { outcome: 'accepted', accepted: 1, rejected: 0, message: '', duplicate: false }
    }
    const slow = post('/v1/traces', new Uint8Array())
    expect((await post('/v1/logs', new Uint8Array())).status).toBe(200)
    release()
    expect((await slow).status).toBe(200)
  })
})

describe('pages of other origins', () => {
  it('may send if they are on the list', async () => {
    const origin = 'https://console.example.com'
    const asked = await fetch(`${receivers.otlpUrl}/v1/traces`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    })
    expect(asked.status).toBe(204)
    expect(asked.headers.get('access-control-allow-origin')).toBe(origin)
    expect(asked.headers.get('access-control-allow-methods')).toContain('POST')
    expect(asked.headers.get('access-control-allow-headers')).toContain('content-type')
    const sent = await post('/v1/traces', new Uint8Array(), { origin })
    expect(sent.status).toBe(200)
    expect(sent.headers.get('access-control-allow-origin')).toBe(origin)
  })

  it('are refused otherwise, in the encoding they sent', async () => {
    const response = await post('/v1/traces', new Uint8Array(), { origin: 'https://evil.example.org' })
    expect(response.status).toBe(403)
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
    expect(await statusIn(response)).toMatchObject({ code: 7 })
  })
})

describe('tenants', () => {
  it('are named by the loopback caller while no key is set', async () => {
    await post('/v1/traces', new Uint8Array(), { 'X-Tenant-ID': 'shop' })
    expect(receivers.noted.at(-1)).toMatchObject({ tenant: 'shop', principal: 'loopback' })
  })

  it.each([
    ['too long', 'x'.repeat(129)],
    ['empty', ''],
    ['with a control character', 'a\tb'],
  ])('with a name that is %s are refused with 400', async (_, name) => {
    const before = receivers.noted.length
    const response = await post('/v1/traces', new Uint8Array(), { 'x-tenant-id': name })
    expect(response.status).toBe(400)
    expect(receivers.noted).toHaveLength(before)
  })
})

interface RawConnection {
  readonly port: number
  readonly socket: Socket
  /** Resolves with the first bytes of the answer. */
  readonly answered: Promise<string>
}

function openRaw(port: number = receivers.otlpPort): Promise<RawConnection> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      const answered = new Promise<string>(done => socket.once('data', bytes => done(bytes.toString())))
      resolve({ port, socket, answered })
    })
    socket.once('error', reject)
  })
}
