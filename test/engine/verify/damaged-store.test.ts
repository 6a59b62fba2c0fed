/** Whatever bytes of a store file are changed or cut off: what is served is true, and what is not is reported. */
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type VerifyReport, verifyData } from '../../../src/engine/verify/verify-data.ts'
import { StoreError } from '../../../src/errors.ts'
import { TenantGraph } from '../../../src/graph/tenant-graph.ts'
import type { Coverage, TelemetryReader } from '../../../src/model/reader.ts'
import { signals } from '../../../src/model/telemetry.ts'
import { decodeBatch } from '../../../src/otlp/decode-batch.ts'
import { createReaderCaches } from '../../../src/query/reader-caches.ts'
import { Tail } from '../../../src/query/tail.ts'
import { openTelemetryReader } from '../../../src/query/telemetry-reader.ts'
import { buildSegments } from '../../../src/store/segment/build-segments.ts'
import { openSqliteReader } from '../../../src/store/sqlite/store-reader.ts'
import { openSqliteWriter } from '../../../src/store/sqlite/store-writer.ts'
import { receivedMs, requests } from '../../store/arbitrary-requests.ts'
import { factsOf } from '../../store/item-facts.ts'

const inboxId = 'feedfacefeedfacefeedfacefeedface'
const everything = { fromMs: 0, toMs: 2 ** 64 / 1e6 + 1 }
const around = { fromMs: receivedMs - 86_400_000, toMs: receivedMs + 86_400_000 }
const tenants = ['acme', 'globex']

let folder: string
let sound: string
let whole: Readonly<Record<string, Served>>

interface Served {
  readonly facts: ReadonlySet<string>
  readonly count: number
  readonly cells: number
  readonly patterns: readonly string[]
  readonly coverage: Coverage
  /** What was said of damage while reading. */
  readonly said: readonly string[]
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'otelcontext-damage-'))
  sound = join(folder, 'sound.db')
  const writer = openSqliteWriter(sound)
  let position = 0
  for (let seal = 0; seal < 3; seal++)
    for (const tenant of tenants) {
      position++
      const graph = new TenantGraph({
        tenant,
        templates: await writer.allTemplates().then(all => all.filter(one => one.tenant === tenant)),
      })
      const built = signals.map((signal, at) => {
        const bodies = fc.sample(requests[signal], { numRuns: 6, seed: seal * 31 + at * 7 + position })
        const entries = bodies.map(body => {
          const batch = decodeBatch(signal, body, { receivedMs, attributeMaxBytes: 65_536 })
          return { position, receivedMs, batch, templates: graph.ingest(batch, receivedMs).templates }
        })
        return { signal, entries, items: entries.reduce((sum, { batch }) => sum + batch.block.count, 0) }
      })
      const { rollups, templates } = graph.cut(`${position}`)
      await writer.commitSeal({
        position: { inboxId, position },
        segments: built.flatMap(({ signal, entries }) => buildSegments({ tenant, signal, inboxId, entries })),
        rollups,
        templates,
        counts: built.map(({ signal, items }) => ({ tenant, signal, items })),
      })
    }
  await writer.close()
  whole = await readAll(sound)
}, 60_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function readAll(file: string): Promise<Record<string, Served>> {
  const store = openSqliteReader(file)
  const caches = createReaderCaches()
  const result: Record<string, Served> = {}
  try {
    for (const tenant of tenants) {
      const said: string[] = []
      const reader = await openTelemetryReader({
        store,
        tail: new Tail(inboxId),
        tenant,
        deadline: { signal: new AbortController().signal, check: () => undefined },
        nowMs: receivedMs,
        caches,
        ingestCounters: async () => [],
        onDamage: what => said.push(what),
      })
      result[tenant] = { ...(await readTenant(reader)), said }
      await reader.release()
    }
  } finally {
    await store.close()
  }
  return result
}

async function readTenant(reader: TelemetryReader): Promise<Omit<Served, 'said'>> {
  const facts: string[] = []
  const query = { range: everything }
  for (const scans of [reader.scanSpans(query), reader.scanLogs(query), reader.scanMetrics(query)])
    for await (const { block, records } of scans) {
      const table = await records()
      const loaded = [...table.length.keys()].filter(row => (table.length[row] ?? 0) > 0)
      facts.push(...factsOf(block, table, loaded))
    }
  const view = await reader.rollups(around, 600)
  const cells = (['service', 'operation', 'severity', 'metric', 'template'] as const)
    .flatMap(kind => view.series(kind))
    .reduce((sum, series) => sum + series.count.reduce((all, one) => all + one, 0), 0)
  const patterns = (await reader.templates()).map(one => one.pattern)
  return {
    facts: new Set(facts),
    count: facts.length,
    cells,
    patterns,
    coverage: await reader.coverage(everything),
  }
}

function verifyFile(file: string): Promise<VerifyReport> {
  const places = { inboxFile: join(folder, 'none.db'), deadLetterDirectory: join(folder, 'none') }
  return verifyData({ store: { driver: 'sqlite', file }, ...places }, () => undefined)
}

/** Copies the sound file, changes it, and compares. Returns what happened. */
async function judge(change: (file: string) => void): Promise<'same' | 'less' | 'refused'> {
  const file = join(folder, 'damaged.db')
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
  copyFileSync(sound, file)
  change(file)
  const report = await verifyFile(file)
  let served: Record<string, Served>
  try {
    served = await readAll(file)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    expect(report.sound).toBe(false)
    return 'refused'
  }
  let less = false
  for (const tenant of tenants) {
    const [before, after] = [whole[tenant], served[tenant]]
    if (before === undefined || after === undefined) throw new Error('a tenant is missing')
    // Nothing is served that was not stored, and nothing of another tenant.
    expect([...after.facts].filter(fact => !before.facts.has(fact))).toEqual([])
    expect(after.count).toBeLessThanOrEqual(before.count)
    expect(after.cells).toBeLessThanOrEqual(before.cells)
    expect(after.patterns.filter(text => text !== '<damaged>' && !before.patterns.includes(text))).toEqual([])
    const gap = after.count < before.count
    if (gap) {
      less = true
      expect(after.coverage.corruptSegments).toBeGreaterThan(0)
      expect(after.coverage.corruptItems).toBeGreaterThanOrEqual(before.count - after.count)
      expect(after.said.length + (served[tenants[0] ?? '']?.said.length ?? 0)).toBeGreaterThan(0)
    }
    if (gap || after.cells < before.cells || after.patterns.length < before.patterns.length) {
      less = true
      expect(report.sound).toBe(false)
    }
  }
  return less ? 'less' : 'same'
}

test('an untouched store is sound and served whole', async () => {
  expect(whole['acme']?.count).toBeGreaterThan(200)
  expect(whole['acme']?.cells).toBeGreaterThan(300)
  expect(whole['acme']?.patterns.length).toBeGreaterThan(3)
  const report = await verifyFile(sound)
  expect(report.findings).toEqual([])
  expect(report.store).toMatchObject({ segments: expect.any(Number), rollups: expect.any(Number) })
  expect(report.store?.items).toBe(tenants.reduce((sum, tenant) => sum + (whole[tenant]?.count ?? 0), 0))
})

test('flipped bits: what is served is true, what is not is reported', async () => {
  const size = statSync(sound).size
  const outcomes = { same: 0, less: 0, refused: 0 }
  const flips = fc.sample(fc.tuple(fc.nat(size - 1), fc.integer({ min: 1, max: 255 })), {
    numRuns: 60,
    seed: 5,
  })
  for (const [at, bits] of flips)
    outcomes[
      await judge(file => {
        const bytes = readFileSync(file)
        bytes[at] = (bytes[at] ?? 0) ^ bits
        writeFileSync(file, bytes)
      })
    ]++
  expect(outcomes.less).toBeGreaterThan(3)
}, 300_000)

test('a page of noise or zeros: the same', async () => {
  const pages = statSync(sound).size / 16_384
  const outcomes = { same: 0, less: 0, refused: 0 }
  for (let page = 0; page < pages; page += Math.max(1, Math.floor(pages / 12)))
    outcomes[
      await judge(file => {
        const bytes = readFileSync(file)
        const noise =
          page % 2 === 0
            ? new Uint8Array(16_384)
            : Uint8Array.from({ length: 16_384 }, (_, i) => (i * 7919 + page) % 251)
        bytes.set(noise, page * 16_384)
        writeFileSync(file, bytes)
      })
    ]++
  expect(outcomes.less + outcomes.refused).toBeGreaterThan(4)
}, 300_000)

test('a file cut short: the same', async () => {
  const size = statSync(sound).size
  const outcomes = { same: 0, less: 0, refused: 0 }
  for (const length of fc.sample(fc.nat(size - 1), { numRuns: 6, seed: 6 }))
    outcomes[await judge(file => truncateSync(file, length))]++
  expect(outcomes.less + outcomes.refused).toBeGreaterThan(4)
}, 300_000)
