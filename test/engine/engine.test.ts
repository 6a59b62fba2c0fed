import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Engine, type EngineOptions, startEngine } from '../../src/engine/engine.ts'
import { createLogger } from '../../src/logger.ts'
import type { IngestRequest, IngestResult } from '../../src/model/ingest.ts'
import { unpackPublication } from '../../src/model/packed-tail.ts'
import type { TailMessage } from '../../src/model/tail.ts'
import { rowChecksum } from '../../src/store/sqlite/row-checksum.ts'
import { logRequest, spanRequest } from './requests.ts'

const mebibyte = 1024 * 1024
let directory: string
const engines: Engine[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'engine-'))
})
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.stop()
  rmSync(directory, { recursive: true, force: true })
})

async function start(change: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await startEngine({
    inboxFile: join(directory, 'inbox.db'),
    store: { driver: 'sqlite', file: join(directory, 'store.db') },
    deadLetters: { directory: join(directory, 'dlq'), maxFiles: 10, maxBytes: mebibyte },
    inboxMaxBytes: 64 * mebibyte,
    inboxKeepSealedMs: 0,
    decompressionBudgetBytes: 16 * mebibyte,
    attributeMaxBytes: 65_536,
    trustResourceTenant: false,
    maxWaitingRequests: 1_000,
    maxWaitingBytes: 16 * mebibyte,
    retentionDays: { traces: 7, logs: 7, metrics: 7 },
    sealLimits: { items: 1_000, bytes: mebibyte, ageMs: 200 },
    logger: createLogger('SILENT'),
    onFatal: error => {
      throw error
    },
    ...change,
  })
  engines.push(engine)
  return engine
}

function send(engine: Engine, body: Uint8Array, change: Partial<IngestRequest> = {}): Promise<IngestResult> {
  return engine.admission.submit({
    signal: 'traces',
    transport: 'http',
    encoding: 'protobuf',
    compression: 'none',
    body: [body],
    tenant: 'default',
    principal: 'loopback',
    peer: '127.0.0.1',
    receivedAtMs: Date.now(),
    maxBytes: 4 * mebibyte,
    ...change,
  })
}

async function sealed(engine: Engine, position: number): Promise<void> {
  const reached = async (): Promise<number | undefined> => (await engine.figures()).engine?.sealedPosition
  await expect.poll(reached, { timeout: 10_000 }).toBe(position)
}

describe.each([
  ['in workers', false],
  ['on one thread', true],
])('%s', (_, inline) => {
  test('what is accepted is committed, published and sealed, and the books balance', async () => {
    const engine = await start({ inline })
    const { port1, port2 } = new MessageChannel()
    const heard: TailMessage[] = []
    port1.on('message', message => heard.push(message))
    engine.connectTail(port2)
    const results = await Promise.all(
      Array.from({ length: 50 }, (_unused, seed) => send(engine, spanRequest({ seed, spans: 10 }))),
    )
    expect(results.every(result => result.outcome === 'accepted' && result.accepted === 10)).toBe(true)
    await sealed(engine, 50)
    const { inbox, engine: figures } = await engine.figures()
    expect(inbox?.commits).toBeLessThan(50)
    expect(figures?.stored?.perSignal).toMatchObject([{ signal: 'traces', items: 500 }])
    expect(figures?.invariant).toMatchObject([
      { accepted: 500, sealed: 500, difference: 0, stored: 500, storeDifference: 0 },
    ])
    await expect.poll(() => heard.filter(message => message.type === 'sealed').at(-1)?.position).toBe(50)
    const positions = heard.flatMap(message =>
      message.type === 'packed' ? unpackPublication(message).entries.map(entry => entry.position) : [],
    )
    expect(positions).toEqual(Array.from({ length: 50 }, (_unused, i) => i + 1))
    port1.close()
  })

  test('a stop seals what was accepted, and the next start has nothing to replay', async () => {
    const engine = await start({ inline, sealLimits: { items: 1e9, bytes: 1e12, ageMs: 1e9 } })
    await send(engine, gzipSync(spanRequest({ seed: 1, spans: 10 })), { compression: 'gzip' })
    await engine.stop()
    expect(await send(engine, spanRequest({ seed: 2, spans: 1 }))).toMatchObject({ reason: 'draining' })
    const again = await start({ inline })
    const { engine: figures } = await again.figures()
    expect(figures).toMatchObject({ sealedPosition: 1, committedPosition: 1 })
    expect(figures?.stored?.perSignal).toMatchObject([{ items: 10 }])
  })
})

test('a sender whose names no longer fit is told with later answers, and everything is stored', async () => {
  const engine = await start({ graphLimits: { operationsPerService: 3 } })
  let told: IngestResult | null = null
  for (let seed = 0; seed < 400 && told === null; seed++) {
    const result = await send(engine, spanRequest({ seed, spans: 10 }))
    expect(result).toMatchObject({ outcome: 'accepted', accepted: 10, rejected: 0 })
    if (result.outcome === 'accepted' && result.message !== '') told = result
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  expect(told).toMatchObject({ message: expect.stringMatching(/limit of operations is reached/) })
  expect(engine.overflows()).toMatchObject([{ tenant: 'default', signal: 'traces', limit: 'operations' }])
  // Another signal of the same tenant is not meant.
  const other = await send(engine, logRequest({ seed: 1, lines: 2 }), { signal: 'logs' })
  expect(other).toMatchObject({ outcome: 'accepted', message: '' })
})

describe('starting', () => {
  test('an inbox behind the position the store has of it stops the start with one sentence', async () => {
    const engine = await start()
    await send(engine, spanRequest({ seed: 1, spans: 1 }))
    await sealed(engine, 1)
    await engine.stop()
    const store = new Database(join(directory, 'store.db'))
    const { inbox_id } = store.prepare('SELECT inbox_id FROM sealed_position').get() as { inbox_id: string } // the only row
    store.prepare('UPDATE sealed_position SET position = 7, crc = ?').run(rowChecksum([inbox_id, 7]))
    store.close()
    await expect(start()).rejects.toThrowError(
      /inbox\.db ends at position 1, but .*store\.db holds it up to 7/,
    )
  })

  test('a foreign inbox file stops the start with one sentence', async () => {
    const foreign = new Database(join(directory, 'inbox.db'))
    foreign.exec('CREATE TABLE somebody (else_ TEXT)')
    foreign.close()
    await expect(start()).rejects.toThrowError(/inbox\.db is not an inbox of this program/)
  })
})

describe('a crash of the engine worker', () => {
  test('costs nothing, and an entry that causes it again is set aside', { timeout: 60_000 }, async () => {
    const engine = await start({ engineEntry: new URL('./sealing/crashing-engine.ts', import.meta.url) })
    const { port1, port2 } = new MessageChannel()
    const closed = new Promise(resolve => port1.on('close', resolve))
    port1.on('message', () => undefined)
    engine.connectTail(port2)
    await send(engine, spanRequest({ seed: 1, spans: 3 }))
    await sealed(engine, 1)
    await send(engine, spanRequest({ seed: 2, spans: 5 }))
    const buried = async (): Promise<number | undefined> => (await engine.figures()).engine?.buried
    await expect.poll(buried, { timeout: 30_000 }).toBe(1)
    // Readers learn of it, because what they know of the tail stands still from then on.
    await closed
    expect(await send(engine, spanRequest({ seed: 3, spans: 7 }))).toMatchObject({ accepted: 7 })
    await sealed(engine, 3)
    const { engine: figures } = await engine.figures()
    expect(figures?.deadLetters.files).toBe(1)
    expect(figures?.stored?.perSignal).toMatchObject([{ items: 10 }])
    expect(figures?.invariant).toMatchObject([{ accepted: 15, sealed: 10, buried: 5, difference: 0 }])
  })
})

describe('refusals', () => {
  test('a paused signal is told to come back, others go on, and resuming ends it', async () => {
    const engine = await start({ inline: true })
    engine.control.pause({ signal: 'traces' })
    expect(await send(engine, spanRequest({ seed: 1, spans: 1 }))).toMatchObject({
      outcome: 'retry',
      reason: 'paused',
    })
    expect(await send(engine, new Uint8Array(), { signal: 'logs' })).toMatchObject({ outcome: 'accepted' })
    engine.control.resume({ signal: 'traces' })
    expect(await send(engine, spanRequest({ seed: 1, spans: 1 }))).toMatchObject({ accepted: 1 })
  })

  test('more than may wait for a commit is refused at once, and another tenant still finds room', async () => {
    const engine = await start({ maxWaitingRequests: 20 })
    const many = Array.from({ length: 40 }, (_, seed) => send(engine, spanRequest({ seed, spans: 1 })))
    const other = send(engine, spanRequest({ seed: 99, spans: 1 }), { tenant: 'red' })
    const results = await Promise.all(many)
    const refused = results.filter(result => result.outcome === 'retry')
    expect(refused.length).toBeGreaterThanOrEqual(20)
    expect(refused[0]).toMatchObject({ reason: 'queue_full', retryAfterMs: 1_000 })
    expect(await other).toMatchObject({ outcome: 'accepted', accepted: 1 })
    expect(engine.ingestCounters()).toMatchObject([
      { tenant: 'default', requests: 40, refusedRetry: refused.length },
      { tenant: 'red', accepted: 1 },
    ])
  })
})
