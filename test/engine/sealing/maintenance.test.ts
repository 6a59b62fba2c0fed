import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { decodeReceived } from '../../../src/engine/codec.ts'
import { Maintenance } from '../../../src/engine/sealing/maintenance.ts'
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

function maintenance(traces = 7): Maintenance {
  return new Maintenance({
    writer: store,
    reader,
    days: { traces, logs: 7, metrics: 7 },
    clock: { now: () => nowMs },
    logger: createLogger('SILENT'),
    stop: new AbortController().signal,
  })
}

/** Seals one request of `spans` spans that is received now. */
async function seal(spans: number): Promise<void> {
  position++
  const tenant = 'default'
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
