/** Retention by bytes beside ingest, in the threads it has in production. */
import { randomFillSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { type Engine, startEngine } from '../../../src/engine/engine.ts'
import { verifyData } from '../../../src/engine/verify/verify-data.ts'
import { createLogger } from '../../../src/logger.ts'
import { encode, requestTypes } from '../../store/protobuf-root.ts'

const directory = mkdtempSync(join(tmpdir(), 'otelcontext-budget-'))
const mebibyte = 2 ** 20
/** Random bytes in each span, marked by sixteen equal ones. */
const noiseBytes = 240
const mark = Buffer.alloc(16, 0xa5)
const budget = 24 * mebibyte
const files = {
  inboxFile: join(directory, 'inbox.db'),
  store: { driver: 'sqlite', file: join(directory, 'store.db') },
} as const

afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Spans that hardly compress, 300 bytes each. */
function request(spans: number): Uint8Array {
  const nowNs = BigInt(Date.now()) * 1_000_000n
  const list = Array.from({ length: spans }, () => ({
    traceId: randomFillSync(new Uint8Array(16)),
    spanId: randomFillSync(new Uint8Array(8)),
    name: 'noise',
    startTimeUnixNano: String(nowNs),
    endTimeUnixNano: String(nowNs + 1_000n),
    attributes: [{ key: 'noise', value: { bytesValue: new Uint8Array(noiseBytes).fill(0xa5) } }],
  }))
  return encode(requestTypes.traces, { resourceSpans: [{ scopeSpans: [{ spans: list }] }] })
}

/** The same with other noise, so that it neither repeats nor compresses. */
function another(body: Uint8Array): Uint8Array {
  const copy = Buffer.from(body)
  for (let at = copy.indexOf(mark); at >= 0; at = copy.indexOf(mark, at + noiseBytes))
    randomFillSync(copy.subarray(at, at + noiseBytes))
  return new Uint8Array(copy)
}

async function figuresOf(engine: Engine) {
  const { engine: worker } = await engine.figures()
  if (worker?.stored == null || worker.invariant == null) throw new Error('no figures')
  return { ...worker, stored: worker.stored, books: worker.invariant }
}

test('while data streams in, the store keeps to its budget, nothing is refused and the books balance', async () => {
  const engine = await startEngine({
    ...files,
    deadLetters: { directory: join(directory, 'dlq'), maxFiles: 10, maxBytes: mebibyte },
    inboxMaxBytes: 256 * mebibyte,
    inboxKeepSealedMs: 0,
    decompressionBudgetBytes: 64 * mebibyte,
    attributeMaxBytes: 65_536,
    trustResourceTenant: false,
    maxWaitingRequests: 1_000,
    maxWaitingBytes: 64 * mebibyte,
    retentionDays: { traces: 7, logs: 7, metrics: 7 },
    diskBudgetBytes: budget,
    sealLimits: { items: 5_000, bytes: 4 * mebibyte, ageMs: 200 },
    logger: createLogger('SILENT'),
    onFatal: error => {
      throw error
    },
  })
  const body = request(400)
  let accepted = 0
  let largest = 0
  for (let round = 0; round < 40; round++) {
    const results = await Promise.all(
      Array.from({ length: 10 }, () =>
        engine.admission.submit({
          signal: 'traces',
          transport: 'http',
          encoding: 'protobuf',
          compression: 'none',
          body: [another(body)],
          tenant: round % 3 === 0 ? 'quiet' : 'noisy',
          principal: 'key',
          peer: '127.0.0.1',
          receivedAtMs: Date.now(),
          maxBytes: 4 * mebibyte,
        }),
      ),
    )
    expect(results.every(result => result.outcome === 'accepted')).toBe(true)
    accepted += 10 * 400
    const { stored } = await figuresOf(engine)
    largest = Math.max(largest, stored.bytes - stored.freeBytes)
    await pause(50)
  }
  await expect
    .poll(async () => (await figuresOf(engine)).books.map(row => row.waiting), { timeout: 20_000 })
    .toEqual([0, 0])
  // A last look after the last seal.
  await expect
    .poll(
      async () => {
        const { stored } = await figuresOf(engine)
        return stored.bytes - stored.freeBytes
      },
      { timeout: 20_000 },
    )
    .toBeLessThan(budget)
  const { books, maintenance } = await figuresOf(engine)
  expect(books.reduce((sum, row) => sum + row.accepted, 0)).toBe(accepted)
  expect(books.map(row => [row.difference, row.storeDifference])).toEqual([
    [0, 0],
    [0, 0],
  ])
  expect(books.reduce((sum, row) => sum + row.removed, 0)).toBeGreaterThan(accepted / 4)
  expect(maintenance.consecutiveFailures).toBe(0)
  // Between two looks at the disk no more comes in than the machine can take; without retention it would be all.
  expect(largest).toBeLessThan(accepted * 240)
  await engine.stop()
  const report = await verifyData({ ...files, deadLetterDirectory: join(directory, 'dlq') }, () => undefined)
  expect(report.findings).toEqual([])
}, 60_000)
