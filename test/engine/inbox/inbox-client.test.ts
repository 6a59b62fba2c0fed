import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { InboxClient } from '../../../src/engine/inbox/inbox-client.ts'
import { createLogger } from '../../../src/logger.ts'
import type { IngestResult } from '../../../src/model/ingest.ts'
import { spanRequest } from '../requests.ts'

const mebibyte = 1024 * 1024
let directory: string
let client: InboxClient
let workers = 0
const fatal: Error[] = []

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'inbox-client-'))
  workers = 0
  fatal.length = 0
  client = await InboxClient.start({
    inbox: {
      file: join(directory, 'inbox.db'),
      maxBytes: 64 * mebibyte,
      keepSealedMs: 0,
      decompressionBudgetBytes: 16 * mebibyte,
      attributeMaxBytes: 65_536,
      trustResourceTenant: false,
    },
    maxWaitingRequests: 1_000,
    maxWaitingBytes: 16 * mebibyte,
    logger: createLogger('SILENT'),
    entry: new URL('./crashing-worker.ts', import.meta.url),
    onWorker: () => {
      workers++
    },
    onFatal: error => fatal.push(error),
  })
})
afterEach(async () => {
  await client.stop()
  rmSync(directory, { recursive: true, force: true })
})

function send(body: Uint8Array, tenant = 'default'): Promise<IngestResult> {
  return client.submit({
    signal: 'traces',
    transport: 'http',
    encoding: 'protobuf',
    compression: 'none',
    body: [body],
    tenant,
    principal: 'loopback',
    peer: '127.0.0.1',
    receivedAtMs: Date.now(),
    maxBytes: mebibyte,
  })
}

async function sendUntilTaken(body: Uint8Array): Promise<IngestResult> {
  for (;;) {
    const result = await send(body)
    if (result.outcome !== 'retry') return result
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

test('a slice of a larger buffer is copied, and the rest of that buffer stays usable', async () => {
  const request = spanRequest({ seed: 1, spans: 2 })
  const pool = Buffer.alloc(request.length + 100, 7)
  pool.set(request, 50)
  expect(await send(pool.subarray(50, 50 + request.length))).toMatchObject({ accepted: 2 })
  expect(pool[0]).toBe(7)
  expect(pool.length).toBe(request.length + 100)
})

test('when the worker dies every request it had is told to come back, and the next worker knows what was stored', async () => {
  const stored = spanRequest({ seed: 1, spans: 2 })
  expect(await send(new Uint8Array(stored))).toMatchObject({ accepted: 2, duplicate: false })
  const inFlight = [
    send(spanRequest({ seed: 2, spans: 2 }), 'crash'),
    send(spanRequest({ seed: 3, spans: 2 })),
  ]
  expect(await Promise.all(inFlight)).toMatchObject([
    { outcome: 'retry', reason: 'store_fault' },
    { outcome: 'retry', reason: 'store_fault' },
  ])
  expect(await sendUntilTaken(new Uint8Array(stored))).toMatchObject({ accepted: 2, duplicate: true })
  expect(workers).toBe(2)
  expect(client.waiting).toEqual({ requests: 0, bytes: 0 })
})

test('a worker that keeps dying is fatal and not a loop', async () => {
  while (fatal.length === 0) {
    await send(spanRequest({ seed: 1, spans: 1 }), 'crash')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  expect(fatal.map(error => error.message)).toEqual(['the inbox worker ended 6 times in a minute'])
  expect(await send(spanRequest({ seed: 1, spans: 1 }))).toMatchObject({ outcome: 'retry' })
})
