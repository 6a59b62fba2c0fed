import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SegmentHeader, StoreReader, StoreWriter } from '../../src/model/store.ts'
import { type Signal, signals } from '../../src/model/telemetry.ts'
import { decodeBatch } from '../../src/otlp/decode-batch.ts'
import { groupsOf, SegmentCompactor } from '../../src/store/compact-segments.ts'
import { buildSegments } from '../../src/store/segment/build-segments.ts'
import { fetchSegment } from '../../src/store/segment/read-segment.ts'
import { openSqliteReader } from '../../src/store/sqlite/store-reader.ts'
import { openSqliteWriter } from '../../src/store/sqlite/store-writer.ts'
import { receivedMs, requests } from './arbitrary-requests.ts'
import { segment } from './conformance.ts'
import { factsOf } from './item-facts.ts'

const inboxId = 'beefbeefbeefbeefbeefbeefbeefbeef'
const hour = 3_600_000

let folder: string
let writer: StoreWriter
let reader: StoreReader

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'otelcontext-compact-'))
  writer = openSqliteWriter(join(folder, 'store.db'))
  reader = openSqliteReader(join(folder, 'store.db'))
})

afterEach(async () => {
  await reader.close()
  await writer.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Seals one request per position and signal, for two tenants. */
async function sealMany(count: number): Promise<void> {
  for (let position = 1; position <= count; position++) {
    const segments = signals.flatMap((signal, at) => {
      const [body = new Uint8Array()] = fc.sample(requests[signal], { numRuns: 1, seed: position * 3 + at })
      const batch = decodeBatch(signal, body, { receivedMs, attributeMaxBytes: 65_536 })
      const tenant = position % 2 === 0 ? 'acme' : 'globex'
      return buildSegments({
        tenant,
        signal,
        inboxId,
        entries: [{ position, receivedMs: receivedMs + position, batch, templates: null }],
      })
    })
    await writer.commitSeal({
      position: { inboxId, position },
      segments,
      rollups: [],
      templates: [],
      counts: [],
    })
  }
}

async function stored(): Promise<{
  readonly headers: readonly SegmentHeader[]
  readonly facts: readonly string[]
}> {
  const snapshot = await reader.snapshot()
  const { added } = await snapshot.segmentChanges(0)
  const facts: string[] = []
  for (const header of added) {
    const { columns, records } = await fetchSegment(names => snapshot.segmentParts(header.id, names))
    for (const fact of factsOf(columns.block, records)) facts.push(`${header.tenant} ${fact}`)
  }
  await snapshot.release()
  return { headers: added, facts: facts.sort() }
}

describe('merging small segments', () => {
  it('keeps every item of every tenant and signal, in far fewer segments and bytes', async () => {
    await sealMany(24)
    const before = await stored()
    const compactor = new SegmentCompactor(reader, writer)
    const result = await compactor.run(receivedMs + 3 * hour, 1000)
    const after = await stored()
    expect(after.facts).toEqual(before.facts)
    expect(before.facts.length).toBeGreaterThan(150)
    expect(before.headers.length - after.headers.length).toBe(result.merged - result.into)
    expect(after.headers.length).toBeLessThan(before.headers.length / 2)
    const bytes = (headers: readonly SegmentHeader[]): number =>
      headers.reduce((sum, header) => sum + header.byteLength, 0)
    expect(bytes(after.headers)).toBeLessThan(bytes(before.headers))
    const positions = (headers: readonly SegmentHeader[], signal: Signal): number =>
      Math.max(...headers.filter(header => header.signal === signal).map(header => header.toPosition))
    for (const signal of signals)
      expect(positions(after.headers, signal)).toBe(positions(before.headers, signal))
  })

  it('stores spans that were sent twice once, counts them, and says that answers may change', async () => {
    const bodies = fc.sample(requests.traces, { numRuns: 8, seed: 8 })
    // Another request that has the same ids, but says something else of them, is no repetition.
    const other = decodeBatch('traces', bodies[0] ?? new Uint8Array(), { receivedMs, attributeMaxBytes: 2 })
    let items = 0
    const send = async (position: number, body: Uint8Array, batch = decodeBatch('traces', body, context)) => {
      const entries = [{ position, receivedMs, batch, templates: null }]
      items += batch.block.count
      await writer.commitSeal({
        position: { inboxId, position },
        segments: buildSegments({ tenant: 'acme', signal: 'traces', inboxId, entries }),
        rollups: [],
        templates: [],
        counts: [{ tenant: 'acme', signal: 'traces', items: batch.block.count }],
      })
    }
    const context = { receivedMs, attributeMaxBytes: 65_536 }
    for (const [at, body] of bodies.entries()) await send(at + 1, body)
    const once = await stored()
    for (const [at, body] of bodies.entries()) await send(at + 9, body)
    await send(17, new Uint8Array(), other)
    const before = await stored()
    await new SegmentCompactor(reader, writer).run(receivedMs + 3 * hour, 1000)
    const after = await stored()
    expect(once.facts.length).toBeGreaterThan(10)
    expect([...new Set(after.facts)]).toEqual([...new Set(before.facts)])
    expect(after.facts.length).toBeLessThanOrEqual(before.facts.length - once.facts.length)
    const snapshot = await reader.snapshot()
    const [count] = await snapshot.sealedCounts()
    const { list } = await snapshot.retirements('acme')
    await snapshot.release()
    expect(count).toMatchObject({ items, stored: after.facts.length, merged: items - after.facts.length })
    expect(list.length).toBeGreaterThan(0)
  })

  it('is done after a few runs and then writes nothing more', async () => {
    await sealMany(20)
    const compactor = new SegmentCompactor(reader, writer)
    let runs = 0
    while (runs < 10 && (await compactor.run(receivedMs + 3 * hour, 1000)).merged > 0) runs++
    expect(runs).toBeGreaterThan(0)
    expect(runs).toBeLessThan(5)
    expect((await new SegmentCompactor(reader, writer).run(receivedMs + 3 * hour, 1000)).merged).toBe(0)
  })

  it('leaves a damaged segment where it is and merges the others', async () => {
    await sealMany(30)
    const { headers } = await stored()
    const victim = headers.find(header => header.signal === 'logs')
    const db = new Database(join(folder, 'store.db'))
    db.prepare(
      `UPDATE segment_part SET bytes = zeroblob(length(bytes)) WHERE id =
         (SELECT sequence * 4096 FROM segment WHERE id = ?)`,
    ).run(victim?.id)
    db.close()
    const result = await new SegmentCompactor(reader, writer).run(receivedMs + 3 * hour, 1000)
    expect(result.damaged).toBe(1)
    expect(result.merged).toBeGreaterThan(20)
    const snapshot = await reader.snapshot()
    const left = (await snapshot.segmentChanges(0)).added.map(header => header.id)
    await snapshot.release()
    expect(left).toContain(victim?.id)
  })
})

describe('groups', () => {
  const header = (id: string, count: number, change: Partial<SegmentHeader> = {}): SegmentHeader => ({
    ...segment(id, { receivedMs: 10 * hour }).header,
    count,
    ...change,
  })
  const ids = (groups: readonly (readonly SegmentHeader[])[]): readonly (readonly string[])[] =>
    groups.map(group => group.map(one => one.id))

  it('wait for eight, unless nothing is added any more', () => {
    const seven = Array.from({ length: 7 }, (_, n) => header(`s${n}`, 10))
    expect(groupsOf(seven, 10 * hour)).toEqual([])
    expect(ids(groupsOf([...seven, header('s7', 10)], 10 * hour))[0]).toHaveLength(8)
    expect(ids(groupsOf(seven, 13 * hour))[0]).toHaveLength(7)
  })

  it('never mix tenants, signals, inboxes, hours of receipt or hours of late items', () => {
    const others: readonly Partial<SegmentHeader>[] = [
      { tenant: 'globex' },
      { signal: 'logs' },
      { inboxId: 'f'.repeat(32) },
      { maxReceivedMs: 11.5 * hour },
      { minTimeMs: 1 * hour, maxTimeMs: 1 * hour },
    ]
    const all = others.flatMap((change, at) => [header(`a${at}`, 10), header(`b${at}`, 10, change)])
    const groups = ids(groupsOf(all, 20 * hour))
    expect(groups).toEqual([['a0', 'a1', 'a2', 'a3', 'a4']])
  })

  it('fill one segment and no more', () => {
    const groups = groupsOf(
      Array.from({ length: 30 }, (_, n) => header(`s${n}`, 1000)),
      10 * hour,
    )
    expect(groups.map(group => group.length)).toEqual([10, 10, 10])
  })
})
