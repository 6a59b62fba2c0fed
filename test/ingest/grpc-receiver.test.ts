/** OTLP/gRPC over real sockets with a bare grpc-js client. */
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { IngestResult, RetryReason } from '../../src/model/ingest.ts'
import { signals } from '../../src/model/telemetry.ts'
import { BareGrpcClient, compressionAlgorithms, exportPaths } from './grpc-client.ts'
import { sampleSpans } from './otlp-samples.ts'
import { RunningReceivers } from './running-receivers.ts'

/** google.rpc.Code */
const codes = {
  ok: 0,
  invalidArgument: 3,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  unavailable: 14,
  unauthenticated: 16,
} as const

const rawHeaders = { ':method': 'POST', ':path': exportPaths.traces, 'content-type': 'application/grpc' }

let receivers: RunningReceivers
const clients: BareGrpcClient[] = []

function client(options: ConstructorParameters<typeof BareGrpcClient>[1] = {}): BareGrpcClient {
  const made = new BareGrpcClient(receivers.grpcAddress, options)
  clients.push(made)
  return made
}

beforeAll(async () => {
  receivers = await RunningReceivers.start()
})
afterEach(() => {
  receivers.answer = null
  receivers.inbox.gate.resume({})
  for (const open of clients.splice(0)) open.close()
})
afterAll(() => receivers.stop())

describe('an export', () => {
  it.each(signals)('of no %s succeeds with nothing in its answer', async signal => {
    const answer = await client().call(exportPaths[signal], new Uint8Array())
    expect(answer).toMatchObject({ code: codes.ok, message: new Uint8Array() })
  })

  it('hands the inbox the bytes that were sent, alone in their buffer', async () => {
    const { protobuf } = sampleSpans(3)
    await client().call(exportPaths.traces, protobuf)
    const noted = receivers.noted.at(-1)
    expect(noted?.body).toEqual(protobuf)
    expect(noted).toMatchObject({
      peer: '127.0.0.1',
      principal: 'loopback',
      tenant: 'default',
      compression: 'none',
    })
    expect(noted?.result).toMatchObject({ outcome: 'accepted', accepted: 3, rejected: 0 })
  })

  it('reports items that were refused, with their number and the reason', async () => {
    receivers.answer = async () => accepted({ accepted: 5, rejected: 2, message: 'two spans have no id' })
    const answer = await client().call(exportPaths.traces, sampleSpans(1).protobuf)
    // partial_success = 1 { rejected_spans = 1: 2, error_message = 2: 20 bytes }
    expect(Buffer.from(answer.message ?? [])).toEqual(
      Buffer.concat([Buffer.from([0x0a, 24, 0x08, 2, 0x12, 20]), Buffer.from('two spans have no id')]),
    )
  })

  it('passes a warning on without a count', async () => {
    receivers.answer = async () => accepted({ accepted: 5, rejected: 0, message: 'cut' })
    const answer = await client().call(exportPaths.logs, new Uint8Array())
    expect(Buffer.from(answer.message ?? [])).toEqual(Buffer.from([0x0a, 5, 0x12, 3, 0x63, 0x75, 0x74]))
  })

  it('keeps a sentence of any length and with half characters within what a header may hold', async () => {
    receivers.answer = async () => invalid('decode_error', `\ud800${'x'.repeat(100_000)}`)
    const answer = await client().call(exportPaths.traces, new Uint8Array())
    expect(answer.code).toBe(codes.invalidArgument)
    expect(answer.details).toHaveLength(1_000)
  })
})

describe('what the inbox refuses for now', () => {
  const reasons: readonly (readonly [RetryReason, number])[] = [
    ['queue_full', codes.resourceExhausted],
    ['paused', codes.unavailable],
    ['draining', codes.unavailable],
    ['store_fault', codes.unavailable],
  ]
  it.each(reasons)('%s is code %i with RetryInfo', async (reason, code) => {
    receivers.answer = async () => ({ outcome: 'retry', reason, retryAfterMs: 2_500, message: 'later' })
    const answer = await client().call(exportPaths.metrics, new Uint8Array())
    expect(answer).toMatchObject({ code, details: 'later', retryAfterMs: 2_500 })
  })

  it('a bug behind the receiver is UNAVAILABLE with RetryInfo, so that no client drops the batch', async () => {
    receivers.answer = async () => {
      throw new Error('a bug')
    }
    const answer = await client().call(exportPaths.traces, new Uint8Array())
    expect(answer).toMatchObject({ code: codes.unavailable, retryAfterMs: 1_000 })
    expect(answer.details).not.toContain('bug')
  })
})

describe('what can never be taken', () => {
  it.each([
    ['decode_error', codes.invalidArgument],
    ['bad_compression', codes.invalidArgument],
    ['invalid_tenant', codes.invalidArgument],
    ['too_large', codes.resourceExhausted],
  ] as const)('%s is code %i without RetryInfo', async (reason, code) => {
    receivers.answer = async () => invalid(reason, 'never')
    const answer = await client().call(exportPaths.traces, new Uint8Array())
    expect(answer).toMatchObject({ code, details: 'never', retryAfterMs: null })
  })

  it('bytes that are no OTLP are INVALID_ARGUMENT', async () => {
    const answer = await client().call(exportPaths.traces, Buffer.from('this is not protobuf'))
    expect(answer).toMatchObject({ code: codes.invalidArgument, retryAfterMs: null })
  })

  it('a message over the limit is RESOURCE_EXHAUSTED without RetryInfo, and counted', async () => {
    const before = await receivers.metric('OtelContext_otlp_payload_rejected_total{reason="too_large"}')
    const answer = await client().call(exportPaths.traces, Buffer.alloc(5 * 1024 * 1024))
    expect(answer).toMatchObject({ code: codes.resourceExhausted, retryAfterMs: null })
    expect(await receivers.metric('OtelContext_otlp_payload_rejected_total{reason="too_large"}')).toBe(
      before + 1,
    )
  })

  it.each([
    '/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export',
    '/opentelemetry.proto.experimental.arrow.v1.ArrowTracesService/ArrowTraces',
    '/opentelemetry.proto.collector.trace.v1.TraceService/Import',
  ])('%s is UNIMPLEMENTED', async path => {
    expect(await client().call(path, new Uint8Array())).toMatchObject({ code: codes.unimplemented })
  })
})

describe('compression', () => {
  it('gzip reaches the inbox as it was sent', async () => {
    const { protobuf } = sampleSpans(50)
    const zipped = client({ 'grpc.default_compression_algorithm': compressionAlgorithms.gzip })
    const answer = await zipped.call(exportPaths.traces, protobuf)
    const noted = receivers.noted.at(-1)
    expect(answer.code).toBe(codes.ok)
    expect(noted?.compression).toBe('gzip')
    expect(noted?.body.length).toBeLessThan(protobuf.length)
    expect(noted?.result).toMatchObject({ outcome: 'accepted', accepted: 50 })
  })

  it('another encoding is UNIMPLEMENTED and the answer says which ones there are', async () => {
    const deflating = client({ 'grpc.default_compression_algorithm': compressionAlgorithms.deflate })
    const answer = await deflating.call(exportPaths.traces, sampleSpans(1).protobuf)
    expect(answer.code).toBe(codes.unimplemented)
    expect(answer.metadata.get('grpc-accept-encoding')).toEqual(['identity,gzip'])
  })

  it('success says which encodings there are', async () => {
    const { headers, status } = await rawCall(Buffer.alloc(5))
    expect(headers['grpc-accept-encoding']).toBe('identity,gzip')
    expect(status).toBe(codes.ok)
  })

  it('a client that announces gzip may still send a message as it is', async () => {
    expect((await rawCall(framed(sampleSpans(4).protobuf, false))).status).toBe(codes.ok)
    expect(receivers.noted.at(-1)).toMatchObject({ compression: 'none', result: { accepted: 4 } })
  })

  it('a message that is no gzip although it says so is INVALID_ARGUMENT', async () => {
    const broken = gzipSync(sampleSpans(4).protobuf).fill(0xff, 20, 40)
    expect((await rawCall(framed(broken, true))).status).toBe(codes.invalidArgument)
    expect((await rawCall(framed(Buffer.from('plain'), true))).status).toBe(codes.invalidArgument)
  })

  it('a hundred bombs at once are refused for good and leave the memory as it was', async () => {
    const bomb = framed(gzipSync(Buffer.alloc(64 * 1024 * 1024)), true)
    const before = process.memoryUsage().rss
    const answers = await Promise.all(Array.from({ length: 100 }, () => rawCall(bomb)))
    expect(new Set(answers.map(answer => answer.status))).toEqual(new Set([codes.resourceExhausted]))
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024)
  })
})

/** A gRPC message with its five bytes of framing. */
function framed(body: Uint8Array, compressed: boolean): Buffer {
  const header = Buffer.alloc(5)
  header.writeUInt8(compressed ? 1 : 0, 0)
  header.writeUInt32BE(body.length, 1)
  return Buffer.concat([header, body])
}

interface RawAnswer {
  readonly headers: IncomingHttpHeaders
  readonly status: number
}

/** Sends framed bytes over plain HTTP/2, as if compressed by gzip. */
function rawCall(bytes: Uint8Array): Promise<RawAnswer> {
  const session = connectHttp2(`http://${receivers.grpcAddress}`)
  const stream = session.request({ ...rawHeaders, te: 'trailers', 'grpc-encoding': 'gzip' })
  stream.end(bytes)
  return new Promise((resolve, reject) => {
    let first: IncomingHttpHeaders = {}
    const read = (headers: IncomingHttpHeaders): void => {
      if (headers['grpc-status'] === undefined) return
      resolve({ headers: first, status: Number(headers['grpc-status']) })
      session.close()
    }
    stream.on('response', headers => {
      first = headers
      read(headers)
    })
    stream.on('trailers', read).on('error', reject).resume()
    session.on('error', reject)
  })
}

describe('several calls', () => {
  it('one that waits for its answer holds up no other', async () => {
    let release = (): void => undefined
    const held = new Promise<void>(resolve => {
      release = resolve
    })
    receivers.answer = async request => {
      if (request.signal === 'traces') await held
      return accepted({ accepted: 1, rejected: 0, message: '' })
    }
    const one = client()
    const slow = one.call(exportPaths.traces, new Uint8Array())
    const quick = await one.call(exportPaths.logs, new Uint8Array())
    expect(quick.code).toBe(codes.ok)
    release()
    expect((await slow).code).toBe(codes.ok)
  })
})

describe('a tenant', () => {
  it('is named in the metadata by an operator', async () => {
    await client().call(exportPaths.traces, new Uint8Array(), { metadata: { 'X-Tenant-ID': 'shop' } })
    expect(receivers.noted.at(-1)).toMatchObject({ tenant: 'shop', principal: 'loopback' })
  })

  it('of more than 128 bytes is INVALID_ARGUMENT before anything is read', async () => {
    const before = receivers.noted.length
    const metadata = { 'x-tenant-id': 'x'.repeat(129) }
    const answer = await client().call(exportPaths.traces, Buffer.alloc(3_000_000), { metadata })
    expect(answer).toMatchObject({ code: codes.invalidArgument, retryAfterMs: null })
    expect(receivers.noted).toHaveLength(before)
  })
})

describe('a pause', () => {
  it('of one signal turns away that signal alone, and health says so', async () => {
    receivers.inbox.gate.pause({ signal: 'logs' })
    expect(await client().call(exportPaths.logs, new Uint8Array())).toMatchObject({ code: codes.unavailable })
    expect(await client().call(exportPaths.traces, new Uint8Array())).toMatchObject({ code: codes.ok })
    expect(await health('opentelemetry.proto.collector.logs.v1.LogsService')).toBe(2)
    expect(await health('opentelemetry.proto.collector.trace.v1.TraceService')).toBe(1)
    expect(await health('')).toBe(1)
  })

  it('of everything makes the whole server NOT_SERVING until it is resumed', async () => {
    receivers.inbox.gate.pause({})
    expect(await health('')).toBe(2)
    receivers.inbox.gate.resume({})
    expect(await health('')).toBe(1)
  })

  it('of one tenant is no matter of health', async () => {
    receivers.inbox.gate.pause({ tenant: 'shop' })
    expect(await health('')).toBe(1)
  })

  async function health(service: string): Promise<number | undefined> {
    const request = Buffer.concat([Buffer.from([0x0a, service.length]), Buffer.from(service)])
    const answer = await client().call('/grpc.health.v1.Health/Check', request)
    // HealthCheckResponse { status = 1 }
    return answer.message?.[1]
  }
})

describe('slow clients', () => {
  it('lose a call that does not arrive in time, and a connection that never speaks', async () => {
    const impatient = await RunningReceivers.start({ grpc: { receiveTimeoutMs: 300 } })
    try {
      const silent = connect(impatient.grpcPort, '127.0.0.1').resume()
      const closed = new Promise(resolve => silent.on('close', resolve))
      const session = connectHttp2(`http://${impatient.grpcAddress}`)
      const stream = session.request(rawHeaders)
      stream.write(Buffer.from([0, 0, 0, 1, 0, 1, 2, 3]))
      const status = await new Promise(resolve =>
        stream.on('response', headers => resolve(headers['grpc-status'])),
      )
      expect(status).toBe(String(codes.deadlineExceeded))
      expect(impatient.budget.heldBytes).toBe(0)
      await closed
      expect(session.destroyed).toBe(false)
      session.close()
    } finally {
      await impatient.stop()
    }
  })

  it('give back what they held when they go away in the middle', async () => {
    const session = connectHttp2(`http://${receivers.grpcAddress}`)
    const stream = session.request(rawHeaders)
    const header = Buffer.from([0, 0, 0x10, 0, 0])
    stream.write(Buffer.concat([header, Buffer.alloc(30_000)]))
    await expect.poll(() => receivers.budget.heldBytes).toBeGreaterThan(0)
    session.destroy()
    await expect.poll(() => receivers.budget.heldBytes).toBe(0)
  })
})

it('a thousand streams that are opened and dropped leave nothing behind', async () => {
  const session = connectHttp2(`http://${receivers.grpcAddress}`)
  const streams = Array.from({ length: 1_000 }, () => {
    const stream = session.request(rawHeaders)
    stream.on('error', () => undefined)
    stream.write(Buffer.from([0, 0, 0, 50, 0, 1, 2, 3]))
    return stream
  })
  await expect.poll(() => receivers.budget.heldBytes).toBe(8_000)
  for (const stream of streams) stream.close(8) // CANCEL
  await expect.poll(() => receivers.budget.heldBytes).toBe(0)
  session.close()
  expect(await client().call(exportPaths.traces, new Uint8Array())).toMatchObject({ code: codes.ok })
})

it('a client that speaks HTTP/1 on this port harms nobody', async () => {
  const socket = connect(receivers.grpcPort, '127.0.0.1')
  const closed = new Promise(resolve => socket.on('close', resolve).on('error', resolve))
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  socket.resume()
  await closed
  expect(await client().call(exportPaths.traces, new Uint8Array())).toMatchObject({ code: codes.ok })
})

describe('a busy port', () => {
  it('is told in one sentence with the remedy', async () => {
    const second = RunningReceivers.start({ grpc: { port: receivers.grpcPort } })
    await expect(second).rejects.toThrow(
      `Failed to start gRPC server: port ${receivers.grpcPort} on 127.0.0.1 is in use; stop the process that holds it or set GRPC_PORT`,
    )
  })
})

describe('stopping', () => {
  it('finishes a call in flight, tells watchers, and may be asked for twice', async () => {
    const stopping = await RunningReceivers.start()
    let release = (): void => undefined
    stopping.answer = () =>
      new Promise(resolve => {
        release = () => resolve(accepted({ accepted: 1, rejected: 0, message: '' }))
      })
    const caller = new BareGrpcClient(stopping.grpcAddress)
    const inFlight = caller.call(exportPaths.traces, new Uint8Array())
    await expect.poll(() => stopping.noted.length).toBe(1)
    const watched: number[] = []
    const ended = new Promise(resolve => {
      const watch = caller.channel.makeServerStreamRequest(
        '/grpc.health.v1.Health/Watch',
        (bytes: Uint8Array) => Buffer.from(bytes),
        (bytes: Buffer) => bytes,
        new Uint8Array(),
      )
      watch.on('data', (bytes: Buffer) => watched.push(bytes[1] ?? 0))
      watch.on('error', error => resolve('code' in error ? error.code : error))
    })
    await expect.poll(() => watched).toEqual([1])
    const stopped = stopping.stopGrpc()
    expect(stopping.stopGrpc()).toBe(stopped)
    expect(await ended).toBe(codes.unavailable)
    expect(watched).toEqual([1, 2])
    release()
    expect((await inFlight).code).toBe(codes.ok)
    await stopped
    const late = await new BareGrpcClient(stopping.grpcAddress).call(exportPaths.traces, new Uint8Array())
    expect(late.code).toBe(codes.unavailable)
    caller.close()
    await stopping.stop()
  })

  it('cuts off a call that outlasts the deadline', async () => {
    const stopping = await RunningReceivers.start({ grpc: { drainDeadlineMs: 200 } })
    stopping.answer = () => new Promise(() => undefined)
    const caller = new BareGrpcClient(stopping.grpcAddress)
    const inFlight = caller.call(exportPaths.traces, new Uint8Array())
    await expect.poll(() => stopping.noted.length).toBe(1)
    await stopping.stopGrpc()
    expect((await inFlight).code).not.toBe(codes.ok)
    caller.close()
    await stopping.stop()
  })
})

function accepted(figures: { accepted: number; rejected: number; message: string }): IngestResult {
  return { outcome: 'accepted', duplicate: false, ...figures }
}

function invalid(
  reason: Extract<IngestResult, { outcome: 'invalid' }>['reason'],
  message: string,
): IngestResult {
  return { outcome: 'invalid', reason, message }
}
