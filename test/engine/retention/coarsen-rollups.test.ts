import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { RollupCoarsener } from '../../../src/engine/retention/coarsen-rollups.ts'
import { openBlock } from '../../../src/graph/rollups/decode.ts'
import { createLogger } from '../../../src/logger.ts'
import { crc32c } from '../../../src/model/crc32c.ts'
import type { RollupLimit, RollupRecord, StoreWriter } from '../../../src/model/store.ts'
import { openSqliteWriter } from '../../../src/store/sqlite/store-writer.ts'
import { cellText } from '../../graph/cell-text.ts'
import { logCountRecords, loggedTotal } from '../../graph/log-count-records.ts'

const minute = 60_000
const hour = 60 * minute
const startMs = 1_700_000_000_000 - (1_700_000_000_000 % (6 * hour))
const firstWindow = startMs / 10_000

let directory: string
let store: StoreWriter
let rests: number

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'coarsen-'))
  store = openSqliteWriter(join(directory, 'store.db'))
  rests = 0
})
afterEach(async () => {
  await store.close()
  rmSync(directory, { recursive: true, force: true })
})

function coarsener(page?: RollupLimit): RollupCoarsener {
  const rest = async (): Promise<void> => {
    rests++
  }
  return new RollupCoarsener(store, createLogger('SILENT'), rest, page)
}

/** Counts of logs, received `afterMs` behind the start, from one window on. */
async function add(
  services: number,
  from: number,
  to: number,
  afterMs = 0,
): Promise<readonly RollupRecord[]> {
  const source = `${services} ${from} ${to} ${afterMs}`
  const windows = { from: firstWindow + from, to: firstWindow + to }
  const records = logCountRecords({ services, ...windows, source, receivedMs: startMs + afterMs })
  await store.replaceRollups({ remove: [], add: records })
  return records
}

async function stored(): Promise<readonly RollupRecord[]> {
  return store.rollups('t', 0, Number.MAX_SAFE_INTEGER)
}

test('all records of a minute are merged, however many there are', async () => {
  for (let at = 0; at < 150; at++) await add(3, at % 20, (at % 20) + 2, at * 300)
  const before = cellText(await stored())
  await coarsener().run(startMs + 3 * minute)
  expect((await stored()).length).toBeLessThanOrEqual(3)
  expect(cellText(await stored())).toEqual(before)
})

test.each([
  [3 * minute, 10],
  [9 * hour, 60],
])(
  '%i ms later all have been merged into %i seconds, also where bytes end a page',
  async (afterMs, seconds) => {
    for (let at = 0; at < 150; at++) await add(3, at % 20, (at % 20) + 2, at * 300)
    const before = cellText(await stored(), 60)
    const bytes = 2 * ((await stored())[0]?.bytes.length ?? 0)
    await coarsener({ records: 64, bytes }).run(startMs + afterMs)
    expect((await stored()).length).toBeLessThanOrEqual(80)
    expect((await stored()).every(record => record.stepSeconds === seconds)).toBe(true)
    expect(cellText(await stored(), 60)).toEqual(before)
  },
)

test('a large record with its time for itself is not written anew, until its windows become wider', async () => {
  const large = (await add(400, 0, 340)).map(record => record.id)
  for (let at = 0; at < 10; at++) await add(2, 342 + at, 344 + at, at * 1_000)
  const before = cellText(await stored(), 60)
  const run = coarsener()
  await run.run(startMs + hour)
  expect((await stored()).length).toBe(2)
  expect((await stored()).map(record => record.id)).toEqual(expect.arrayContaining(large))
  await run.run(startMs + 9 * hour)
  expect((await stored()).map(record => record.stepSeconds)).toEqual([60])
  expect(cellText(await stored(), 60)).toEqual(before)
})

test('records of an hour each are merged with rests, into such as are bounded, and only once', async () => {
  for (let at = 0; at < 6; at++) await add(800, 0, 360, at * 1_000)
  const before = loggedTotal(await stored())
  const run = coarsener()
  await run.run(startMs + 3 * minute)
  expect(rests).toBeGreaterThan(20)
  const ids = (await stored()).map(record => record.id)
  expect(ids).toHaveLength(2)
  expect(loggedTotal(await stored())).toBe(before)
  await run.run(startMs + 2 * hour)
  expect((await stored()).map(record => record.id)).toEqual(ids)
})

test('a record that is damaged inside of a sound checksum stays, and the others become wider', async () => {
  for (let at = 0; at < 5; at++) await add(3, at, at + 2, at * 1_000)
  const victim = (await stored())[2]
  if (victim === undefined) throw new Error('nothing to damage')
  // Cells of another width than its record says.
  const bytes = Uint8Array.from(victim.bytes, (byte, at) => (at === 5 ? 60 : byte))
  new DataView(bytes.buffer).setUint32(bytes.length - 4, crc32c(bytes, 0, bytes.length - 4), true)
  expect(openBlock(bytes).stepSeconds).toBe(60)
  await store.replaceRollups({ remove: [victim.id], add: [{ ...victim, bytes }] })
  const run = coarsener()
  await run.run(startMs + 9 * hour)
  await run.run(startMs + 10 * hour)
  const left = await stored()
  expect(left.filter(record => record.stepSeconds === 10).map(record => record.id)).toEqual([victim.id])
  const sound = left.filter(record => record.stepSeconds === 60)
  expect(cellText(sound, 60).length).toBeGreaterThan(0)
})
