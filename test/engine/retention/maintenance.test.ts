import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { decodeReceived } from '../../../src/engine/codec.ts'
import { Maintenance, type MaintenanceParts } from '../../../src/engine/retention/maintenance.ts'
import { StoreError } from '../../../src/errors.ts'
import { rollupView } from '../../../src/graph/rollups/rollup-view.ts'
import { TenantGraph } from '../../../src/graph/tenant-graph.ts'
import { createLogger } from '../../../src/logger.ts'
import type { RollupRecord, StoreReader, StoreWriter } from '../../../src/model/store.ts'
import { buildSegments } from '../../../src/store/segment/build-segments.ts'
import { openSqliteReader } from '../../../src/store/sqlite/store-reader.ts'
import { openSqliteWriter } from '../../../src/store/sqlite/store-writer.ts'
import { spanRequest } from '../requests.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const inboxId = 'ab'.repeat(16)
const startMs = 1_700_000_000_000 - (1_700_000_000_000 % day)

let directory: string
let store: StoreWriter
let reader: StoreReader
let nowMs: number
let position: number

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'maintenance-'))
  store = openSqliteWriter(join(directory, 'store.db'))
  reader = openSqliteReader(join(directory, 'store.db'))
  nowMs = startMs
  position = 0
})
afterEach(async () => {
  await reader.close()
  await store.close()
  rmSync(directory, { recursive: true, force: true })
})

function maintenance(traces = 7, options: Partial<MaintenanceParts> = {}): Maintenance {
  return new Maintenance({
    writer: store,
    reader,
    days: { traces, logs: 7, metrics: 7 },
    clock: { now: () => nowMs },
    logger: createLogger('SILENT'),
    stop: new AbortController().signal,
    files: {
      database: join(directory, 'store.db'),
      inbox: join(directory, 'inbox.db'),
      ballast: join(directory, 'ballast'),
      ballastBytes: 2 ** 21,
      deadLetterBytes: () => 0,
    },
    diskBudgetBytes: null,
    ...options,
  })
}

/** Seals one request of `spans` spans that is received now. */
async function seal(spans: number, tenant = 'default'): Promise<void> {
  position++
  const bytes = spanRequest({ seed: position, spans, timeMs: nowMs })
  const batch = decodeReceived('traces', bytes, nowMs, { attributeMaxBytes: 65_536 })
  const graph = new TenantGraph({ tenant, templates: [] })
  graph.ingest(batch, nowMs)
  const { rollups, templates } = graph.cut(`${position}`)
  const entries = [{ position, receivedMs: nowMs, batch, templates: null }]
  await store.commitSeal({
    position: { inboxId, position },
    segments: buildSegments({ tenant, signal: 'traces', inboxId, entries }),
    rollups,
    templates,
    counts: [{ tenant, signal: 'traces', items: spans }],
  })
}

async function stored(): Promise<readonly RollupRecord[]> {
  return store.rollups('default', 0, Number.MAX_SAFE_INTEGER)
}

function requests(records: readonly RollupRecord[]): number {
  const view = rollupView(records, { fromMs: startMs - day, toMs: startMs + 30 * day }, 600)
  return view
    .series('service')
    .flatMap(series => [...series.count])
    .reduce((sum, count) => sum + count, 0)
}

test('segments go once their signal is past its days, counted from receipt, and are counted', async () => {
  await seal(4)
  nowMs = startMs + 2 * day
  await seal(5)
  const run = maintenance(2)
  nowMs = startMs + 2 * day + hour
  await run.run()
  expect((await store.storageReport()).perSignal).toMatchObject([{ signal: 'traces', items: 5 }])
  expect(run.figures()).toMatchObject({ removedSegments: 1, removedItems: 4, consecutiveFailures: 0 })
})

test('the many small records of ten-second windows are merged, and the sums stay', async () => {
  for (let i = 0; i < 40; i++) {
    nowMs = startMs + i * 2_000
    await seal(3)
  }
  const before = requests(await stored())
  expect(await stored()).toHaveLength(40)
  nowMs = startMs + 5 * minute
  const run = maintenance()
  await run.run()
  expect((await stored()).length).toBeLessThanOrEqual(2)
  expect((await stored()).every(record => record.stepSeconds === 10)).toBe(true)
  expect(requests(await stored())).toBe(before)
  expect(before).toBe(120)
})

test.each([
  [6 * hour + 2 * hour, 60],
  [4 * day, 600],
])('%i ms after receipt the windows are %i seconds wide, and the sums stay', async (age, seconds) => {
  for (let i = 0; i < 20; i++) {
    nowMs = startMs + i * 30_000
    await seal(3)
  }
  nowMs = startMs + age
  await maintenance().run()
  expect(new Set((await stored()).map(record => record.stepSeconds))).toEqual(new Set([seconds]))
  expect(requests(await stored())).toBe(60)
})

test('a process that starts late catches up in one run and has nothing to do in the next', async () => {
  for (let i = 0; i < 100; i++) {
    nowMs = startMs + i * 2 * minute
    await seal(1)
  }
  nowMs = startMs + 12 * hour
  const run = maintenance()
  await run.run()
  const ids = (await stored()).map(record => record.id)
  await run.run()
  expect((await stored()).map(record => record.id)).toEqual(ids)
  expect(requests(await stored())).toBe(100)
})

test('small segments are merged, and hold the same items', async () => {
  for (let i = 0; i < 20; i++) {
    nowMs = startMs + i * 2_000
    await seal(3)
  }
  nowMs = startMs + 3 * hour
  const run = maintenance()
  await run.run()
  const report = await store.storageReport()
  expect(report.perSignal).toMatchObject([{ signal: 'traces', items: 60 }])
  expect(report.segments).toBe(1)
  expect(run.figures()).toMatchObject({ mergedSegments: 20, damagedSegments: 0, consecutiveFailures: 0 })
})

test('rollups go with the longest-kept signal', async () => {
  await seal(1)
  nowMs = startMs + 8 * day
  await maintenance(2).run()
  expect(await stored()).toEqual([])
})

test('a damaged rollup stays where it is and holds nothing else up', async () => {
  for (let i = 0; i < 20; i++) {
    nowMs = startMs + i * 30_000
    await seal(3)
  }
  const victim = (await stored())[7]
  if (victim === undefined) throw new Error('nothing to damage')
  const bytes = Uint8Array.from(victim.bytes, (byte, at) => (at === 20 ? byte ^ 4 : byte))
  await store.replaceRollups({ remove: [victim.id], add: [{ ...victim, bytes }] })
  nowMs = startMs + 4 * day
  const run = maintenance()
  await run.run()
  expect(run.figures()).toMatchObject({ consecutiveFailures: 0 })
  const left = await stored()
  expect(left.filter(record => record.stepSeconds === 10).map(record => record.id)).toEqual([victim.id])
  expect(requests(left.filter(record => record.stepSeconds === 600))).toBe(57)
})

test('a failed run is counted and the next one makes up for it', async () => {
  await seal(1)
  nowMs = startMs + 8 * day
  const run = maintenance()
  await store.close()
  await run.run()
  expect(run.figures()).toMatchObject({ consecutiveFailures: 1, lastSuccessMs: 0 })
  store = openSqliteWriter(join(directory, 'store.db'))
  const again = maintenance()
  await again.run()
  expect(again.figures()).toMatchObject({ consecutiveFailures: 0, removedSegments: 1 })
})

test('what is behind its time is counted until it is gone', async () => {
  for (let i = 0; i < 20; i++) await seal(5)
  nowMs = startMs + 8 * day
  let removals = 0
  const writer = failingOn(() => ++removals > 1, 'store_busy')
  const run = maintenance(7, { writer })
  await run.run()
  expect(run.figures()).toMatchObject({ rowsBehind: 80, removedItems: 20, consecutiveFailures: 1 })
  removals = -1_000
  await run.run()
  expect(run.figures()).toMatchObject({ rowsBehind: 0, removedItems: 100, consecutiveFailures: 0 })
})

describe('a budget of bytes', () => {
  async function fill(): Promise<void> {
    for (let i = 0; i < 30; i++) {
      nowMs += 1_000
      await seal(400, 'noisy')
      if (i % 10 === 0) await seal(400, 'quiet')
    }
  }

  async function held(): Promise<Record<string, number>> {
    const snapshot = await reader.snapshot()
    const counts = await snapshot.sealedCounts()
    await snapshot.release()
    return Object.fromEntries(counts.map(({ tenant, stored }) => [tenant, stored]))
  }

  async function storeBytes(): Promise<number> {
    const { bytes, freeBytes } = await store.storageReport()
    return bytes - freeBytes
  }

  test('is kept by removing the oldest of the tenant that holds most, whatever its age', async () => {
    await fill()
    await reader.close()
    await store.close()
    store = openSqliteWriter(join(directory, 'store.db'))
    reader = openSqliteReader(join(directory, 'store.db'))
    const before = await storeBytes()
    const other = statSync(join(directory, 'store.db-wal')).size
    const budget = Math.round(other + before * 0.7)
    const run = maintenance(7, { diskBudgetBytes: budget })
    await run.tick()
    const after = await held()
    expect(await storeBytes()).toBeLessThanOrEqual((budget - other) * 0.95)
    expect(after['quiet']).toBe(1_200)
    expect(after['noisy']).toBeGreaterThan(0)
    expect(run.figures()).toMatchObject({ removedItems: 12_000 - (after['noisy'] ?? 0) })
    const snapshot = await reader.snapshot()
    const { added } = await snapshot.segmentChanges(0)
    const { list } = await snapshot.retirements('noisy')
    await snapshot.release()
    const noisy = added.filter(header => header.tenant === 'noisy')
    expect(Math.min(...noisy.map(header => header.maxReceivedMs))).toBeGreaterThan(startMs + 1_000)
    expect(list.length).toBeGreaterThan(0)
  })

  test('that is not reached removes nothing, and none at all bounds nothing', async () => {
    await fill()
    await maintenance(7, { diskBudgetBytes: 10 * (await storeBytes()) }).run()
    await maintenance().run()
    expect(await held()).toEqual({ noisy: 12_000, quiet: 1_200 })
  })

  test('leaves the store half of it, whatever inbox and dead letters take', async () => {
    await fill()
    const before = await storeBytes()
    const files = {
      database: join(directory, 'store.db'),
      inbox: join(directory, 'inbox.db'),
      ballast: join(directory, 'ballast'),
      ballastBytes: 2 ** 21,
      deadLetterBytes: () => 100 * before,
    }
    await maintenance(7, { files, diskBudgetBytes: Math.round(before * 1.6) }).run()
    expect(await storeBytes()).toBeGreaterThan(before * 0.6)
    expect((await held())['noisy']).toBeLessThan(12_000)
  })
})

test('on a full disk the ballast is let go, so that removal goes on, and made again when there is room', async () => {
  await seal(3)
  await maintenance().run()
  const ballast = join(directory, 'ballast')
  expect(statSync(ballast).size).toBeGreaterThan(1_000_000)
  expect(statSync(ballast).mode & 0o777).toBe(0o600)
  nowMs = startMs + 8 * day
  const run = maintenance(7, { writer: failingOn(() => existsSync(ballast), 'disk_full') })
  await run.run()
  expect(run.figures()).toMatchObject({ removedItems: 3, consecutiveFailures: 0 })
  expect(existsSync(ballast)).toBe(true)
})

/** The store, whose removals fail while `fails` says so. */
function failingOn(fails: () => boolean, code: string): StoreWriter {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'removeSegments' && fails()) return () => Promise.reject(new StoreError(code, 'it failed'))
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}
