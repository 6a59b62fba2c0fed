/** What every store has to do; run on each with a fresh, empty one per test. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type {
  RollupLimit,
  RollupRecord,
  Seal,
  SegmentRecord,
  StoreReader,
  StoreWriter,
  TemplateRecord,
} from '../../src/model/store.ts'
import type { Signal } from '../../src/model/telemetry.ts'
import { sealPart } from '../../src/store/part.ts'

export interface StoreUnderTest {
  readonly writer: StoreWriter
  /** Opens a further reader on the same store. */
  openReader(): StoreReader
  /** Closes the writer, opens the store again. */
  reopen(): Promise<StoreWriter>
  /** Flips a byte of one stored part, behind the store's back. */
  damagePart(segmentId: string, part: string): Promise<void>
  close(): Promise<void>
}

export const inbox = '0123456789abcdef0123456789abcdef'

export function segment(
  id: string,
  options: { tenant?: string; signal?: Signal; receivedMs?: number; parts?: Record<string, string> } = {},
): SegmentRecord {
  const {
    tenant = 'acme',
    signal = 'traces',
    receivedMs = 1000,
    parts = { columns: `columns of ${id}` },
  } = options
  const sealedParts = new Map(
    Object.entries(parts).map(([name, text]) => [name, sealPart(out => out.raw(Buffer.from(text)))]),
  )
  return {
    header: {
      id,
      tenant,
      signal,
      formatVersion: 1,
      inboxId: inbox,
      fromPosition: 1,
      toPosition: 9,
      count: 10,
      byteLength: [...sealedParts.values()].reduce((sum, part) => sum + part.length, 0),
      minTimeMs: receivedMs - 0.25,
      maxTimeMs: receivedMs + 0.5,
      minReceivedMs: receivedMs,
      maxReceivedMs: receivedMs,
      services: ['cart', 'checkout'],
    },
    parts: sealedParts,
  }
}

export function rollup(id: string, fromMs: number, toMs: number, tenant = 'acme'): RollupRecord {
  return {
    id,
    tenant,
    stepSeconds: 10,
    fromMs,
    toMs,
    receivedMs: toMs,
    bytes: new Uint8Array(Buffer.from(`cells of ${id}`)),
  }
}

export function template(number: number, tenant = 'acme', pattern = 'order <*> placed'): TemplateRecord {
  const id = number.toString(16).padStart(16, '0')
  return { tenant, service: 'cart', number, id, pattern, severity: 9, firstSeenMs: 5 }
}

export function seal(position: number, content: Partial<Omit<Seal, 'position'>> = {}): Seal {
  return {
    position: { inboxId: inbox, position },
    segments: [],
    rollups: [],
    templates: [],
    counts: [],
    ...content,
  }
}

async function partText(reader: StoreReader, id: string, part: string): Promise<string> {
  const snapshot = await reader.snapshot()
  try {
    const bytes = (await snapshot.segmentParts(id, [part])).get(part) ?? new Uint8Array()
    return Buffer.from(bytes.subarray(1, bytes.length - 4)).toString()
  } finally {
    await snapshot.release()
  }
}

async function ids(reader: StoreReader): Promise<readonly string[]> {
  const snapshot = await reader.snapshot()
  const { added } = await snapshot.segmentChanges(0)
  await snapshot.release()
  return added.map(header => header.id).sort()
}

/** `open` makes an empty store. */
export function describeStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`a store on ${name}`, () => {
    let store: StoreUnderTest
    let reader: StoreReader

    beforeEach(async () => {
      store = await open()
      reader = store.openReader()
    })

    afterEach(async () => {
      await reader.close()
      await store.close()
    })

    it('gives back headers, parts, rollups, templates and counts as they were sealed', async () => {
      const stored = segment('a', { parts: { columns: 'c', dictionary: 'd', 'frame.0': 'f' } })
      const counts = [{ tenant: 'acme', signal: 'traces' as const, items: 10 }]
      await store.writer.commitSeal(
        seal(9, { segments: [stored], rollups: [rollup('r', 0, 10_000)], templates: [template(1)], counts }),
      )
      const snapshot = await reader.snapshot()
      expect(await snapshot.sealedPosition(inbox)).toBe(9)
      const changes = await snapshot.segmentChanges(0)
      expect(changes.added).toEqual([stored.header])
      const parts = await snapshot.segmentParts('a', ['frame.0', 'columns'])
      expect([...parts].map(([part, bytes]) => [part, Buffer.from(bytes).toString('hex')])).toEqual(
        ['frame.0', 'columns'].map(part => [part, Buffer.from(stored.parts.get(part) ?? []).toString('hex')]),
      )
      const [read] = await snapshot.rollups('acme', 0, 1)
      expect({ ...read, bytes: Buffer.from(read?.bytes ?? []).toString() }).toEqual({
        ...rollup('r', 0, 10_000),
        bytes: 'cells of r',
      })
      expect(await snapshot.templates('acme')).toEqual([template(1)])
      expect(await snapshot.sealedCounts()).toEqual([
        { ...counts[0], stored: 10, merged: 0, removed: 0, bytes: stored.header.byteLength },
      ])
      await snapshot.release()
    })

    it('starts at 0 for an inbox it has never seen', async () => {
      await store.writer.commitSeal(seal(9))
      expect(await store.writer.sealedPosition('f'.repeat(32))).toBe(0)
      expect(await store.writer.sealedPosition(inbox)).toBe(9)
    })

    it('does nothing for a seal at or below its position', async () => {
      await store.writer.commitSeal(seal(9, { segments: [segment('a')] }))
      const counts = [{ tenant: 'acme', signal: 'traces' as const, items: 10 }]
      await store.writer.commitSeal(seal(9, { segments: [segment('b')], counts }))
      await store.writer.commitSeal(seal(4, { segments: [segment('c')], counts }))
      expect(await ids(reader)).toEqual(['a'])
      expect((await store.writer.storageReport()).segments).toBe(1)
    })

    it('takes a segment it has already only once', async () => {
      await store.writer.commitSeal(seal(1, { segments: [segment('a')] }))
      await store.writer.commitSeal(seal(2, { segments: [segment('a'), segment('b')] }))
      expect(await ids(reader)).toEqual(['a', 'b'])
      expect((await store.writer.storageReport()).perSignal[0]?.items).toBe(20)
    })

    it('stores a seal whole or not at all', async () => {
      const broken = { ...rollup('r', 0, 1), tenant: undefined as unknown as string }
      await expect(
        store.writer.commitSeal(seal(1, { segments: [segment('a')], rollups: [broken] })),
      ).rejects.toThrow()
      expect(await ids(reader)).toEqual([])
      expect(await store.writer.sealedPosition(inbox)).toBe(0)
      await store.writer.commitSeal(seal(1, { segments: [segment('a')] }))
      expect(await ids(reader)).toEqual(['a'])
    })

    it('stores a seal of many tenants and of large parts', async () => {
      const tenants = Array.from({ length: 230 }, (_, i) => `tenant-${i}`)
      const large = segment('large', { parts: { columns: 'x'.repeat(3_000_000), traces: 'y'.repeat(10) } })
      await store.writer.commitSeal(
        seal(1, {
          segments: [...tenants.map(tenant => segment(`of ${tenant}`, { tenant })), large],
          rollups: tenants.map(tenant => rollup(`r of ${tenant}`, 0, 10_000, tenant)),
          templates: tenants.map(tenant => template(1, tenant)),
          counts: tenants.map(tenant => ({ tenant, signal: 'traces', items: 10 })),
        }),
      )
      const snapshot = await reader.snapshot()
      expect((await snapshot.segmentChanges(0)).added).toHaveLength(231)
      expect(await partText(reader, 'large', 'traces')).toBe('y'.repeat(10))
      expect((await partText(reader, 'large', 'columns')).length).toBe(3_000_000)
      expect(await partText(reader, 'of tenant-229', 'columns')).toBe('columns of of tenant-229')
      expect((await snapshot.rollups('tenant-229', 0, 1)).map(record => record.id)).toEqual([
        'r of tenant-229',
      ])
      expect((await snapshot.sealedCounts()).filter(count => count.items === count.stored)).toHaveLength(230)
      expect(await snapshot.templates('tenant-7')).toEqual([template(1, 'tenant-7')])
      await snapshot.release()
    })

    it('keeps everything over a restart', async () => {
      await store.writer.commitSeal(seal(3, { segments: [segment('a')], templates: [template(1)] }))
      const writer = await store.reopen()
      expect(await writer.sealedPosition(inbox)).toBe(3)
      expect(await writer.allTemplates()).toEqual([template(1)])
      expect(await partText(reader, 'a', 'columns')).toBe('columns of a')
    })

    it('shows a snapshot what was there when it was opened, whatever happens meanwhile', async () => {
      await store.writer.commitSeal(seal(1, { segments: [segment('a')] }))
      const snapshot = await reader.snapshot()
      await store.writer.commitSeal(seal(2, { segments: [segment('b')] }))
      await store.writer.removeSegments('traces', 5000, 1)
      expect(await snapshot.sealedPosition(inbox)).toBe(1)
      const changes = await snapshot.segmentChanges(0)
      expect(changes.added.map(header => header.id)).toEqual(['a'])
      expect((await snapshot.segmentParts('a', ['columns'])).size).toBe(1)
      await snapshot.release()
      expect(await ids(reader)).toEqual(['b'])
    })

    it('reports additions and removals since a sequence', async () => {
      await store.writer.commitSeal(seal(1, { segments: [segment('a'), segment('b')] }))
      const first = await reader.snapshot()
      const before = await first.segmentChanges(0)
      await first.release()
      await store.writer.commitSeal(seal(2, { segments: [segment('c', { receivedMs: 9000 })] }))
      await store.writer.removeSegments('traces', 2000, 1)
      const second = await reader.snapshot()
      const after = await second.segmentChanges(before.sequence)
      expect(after.added.map(header => header.id)).toEqual(['c'])
      expect(after.removed).toEqual(['a'])
      expect(after.sequence).toBeGreaterThan(before.sequence)
      const nothing = await second.segmentChanges(after.sequence)
      expect([nothing.added, nothing.removed]).toEqual([[], []])
      await second.release()
    })

    it('replaces segments by others, and does nothing when one of them is gone', async () => {
      await store.writer.commitSeal(seal(1, { segments: [segment('a'), segment('b')] }))
      const merged = segment('ab')
      expect(await store.writer.replaceSegments({ remove: ['a', 'b'], add: [merged] })).toBe(true)
      expect(await ids(reader)).toEqual(['ab'])
      expect(await store.writer.replaceSegments({ remove: ['a', 'b'], add: [segment('twice')] })).toBe(false)
      expect(await ids(reader)).toEqual(['ab'])
    })

    it('removes whole segments of one signal by receive time, oldest first, and says what went', async () => {
      await store.writer.commitSeal(
        seal(1, {
          segments: [
            segment('old', { receivedMs: 100 }),
            segment('older', { receivedMs: 50 }),
            segment('new', { receivedMs: 900 }),
            segment('logs', { receivedMs: 10, signal: 'logs' }),
            segment('other', { receivedMs: 60, tenant: 'globex' }),
          ],
        }),
      )
      expect(await store.writer.removeSegments('traces', 500, 2)).toEqual({
        segments: 2,
        counts: [
          { tenant: 'acme', signal: 'traces', items: 10 },
          { tenant: 'globex', signal: 'traces', items: 10 },
        ],
      })
      expect(await ids(reader)).toEqual(['logs', 'new', 'old'])
      expect((await store.writer.removeSegments('traces', 500, 100)).segments).toBe(1)
      expect((await store.writer.removeSegments('traces', 500, 100)).segments).toBe(0)
    })

    it('removes segments of one tenant alone if it is named', async () => {
      const theirs = segment('theirs', { receivedMs: 50, tenant: 'globex' })
      await store.writer.commitSeal(
        seal(1, {
          segments: [segment('old', { receivedMs: 100 }), theirs, segment('new', { receivedMs: 900 })],
        }),
      )
      expect(await store.writer.rowsBehind('traces', 500)).toBe(20)
      expect(await store.writer.rowsBehind('logs', 500)).toBe(0)
      expect((await store.writer.removeSegments('traces', 1000, 1, 'acme')).segments).toBe(1)
      expect(await ids(reader)).toEqual(['new', 'theirs'])
      expect(await store.writer.rowsBehind('traces', 500)).toBe(10)
    })

    it('keeps the books: sealed is stored, merged or removed', async () => {
      const counts = [{ tenant: 'acme', signal: 'traces' as const, items: 30 }]
      const segments = [segment('a'), segment('b'), segment('c', { receivedMs: 9000 })]
      await store.writer.commitSeal(seal(1, { segments, counts }))
      const merged = segment('ab')
      const fewer = { ...merged, header: { ...merged.header, count: 17 } }
      await store.writer.replaceSegments({ remove: ['a', 'b'], add: [fewer] })
      await store.writer.removeSegments('traces', 9001, 1)
      const snapshot = await reader.snapshot()
      expect(await snapshot.sealedCounts()).toMatchObject([{ items: 30, stored: 10, merged: 3, removed: 17 }])
      await snapshot.release()
    })

    it('says since when which times of which tenant lost data or detail', async () => {
      const retirements = async (tenant: string) => {
        const snapshot = await reader.snapshot()
        const found = await snapshot.retirements(tenant)
        await snapshot.release()
        return found
      }
      const segments = [segment('a'), segment('b'), segment('x', { tenant: 'globex', receivedMs: 7000 })]
      const fine = [rollup('r1', 0, 10_000), rollup('r2', 10_000, 20_000)]
      await store.writer.commitSeal(seal(1, { segments, rollups: fine }))
      // What holds the same answers is no loss.
      await store.writer.replaceSegments({
        remove: ['a', 'b'],
        add: [{ ...segment('ab'), header: { ...segment('ab').header, count: 20 } }],
      })
      await store.writer.replaceRollups({ remove: ['r1', 'r2'], add: [rollup('r', 0, 20_000)] })
      expect(await retirements('acme')).toEqual({ generation: 0, since: 0, list: [] })
      await store.writer.replaceRollups({
        remove: ['r'],
        add: [{ ...rollup('wide', 0, 60_000), stepSeconds: 60 }],
      })
      const widened = await retirements('acme')
      expect(widened.list).toMatchObject([{ fromMs: 0, toMs: 20_000 }])
      await store.writer.removeSegments('traces', 8000, 10)
      const { generation, list } = await retirements('acme')
      expect(generation).toBeGreaterThan(widened.generation)
      expect(list.slice(1)).toEqual([{ generation, fromMs: 999.75, toMs: 1000.5 }])
      expect((await retirements('globex')).list).toMatchObject([{ fromMs: 6999.75, toMs: 7000.5 }])
      await store.writer.removeRollups(100_000, 10)
      expect((await retirements('acme')).list.at(-1)).toMatchObject({ fromMs: 0, toMs: 60_000 })
      expect((await retirements('nobody')).generation).toBe(0)
    })

    it('gives space back until there is none left to give', async () => {
      const big = 'x'.repeat(2_000_000)
      await store.writer.commitSeal(
        seal(1, { segments: ['a', 'b'].map(id => segment(id, { parts: { columns: big } })) }),
      )
      await store.writer.removeSegments('traces', 5000, 10)
      let steps = 0
      while ((await store.writer.reclaimSpace()) && steps < 1_000) steps++
      expect((await store.writer.storageReport()).freeBytes).toBe(0)
      expect(await store.writer.reclaimSpace()).toBe(false)
    })

    it('reports bytes and items per signal, and less of them after removal', async () => {
      const logs = segment('l', { signal: 'logs' })
      await store.writer.commitSeal(seal(1, { segments: [segment('a'), logs] }))
      const report = await store.writer.storageReport()
      expect(report.segments).toBe(2)
      expect(report.bytes).toBeGreaterThan(0)
      expect(report.perSignal).toContainEqual({ signal: 'logs', items: 10, bytes: logs.header.byteLength })
      await store.writer.removeSegments('logs', 5000, 10)
      const after = await store.writer.storageReport()
      expect(after.perSignal.find(one => one.signal === 'logs')?.items ?? 0).toBe(0)
    })

    it('rejects a damaged part and still reads the others', async () => {
      await store.writer.commitSeal(
        seal(1, { segments: [segment('a', { parts: { columns: 'c', dictionary: 'd' } }), segment('b')] }),
      )
      await store.damagePart('a', 'columns')
      await expect(partText(reader, 'a', 'columns')).rejects.toMatchObject({ code: 'corrupt_segment' })
      expect(await partText(reader, 'a', 'dictionary')).toBe('d')
      expect(await partText(reader, 'b', 'columns')).toBe('columns of b')
    })

    it('refuses a part of a newer format with the remedy', async () => {
      const newer = segment('a')
      const bytes = sealPart(out => {
        out.length = 0
        out.u8(200)
        out.raw(Buffer.from('later'))
      })
      await store.writer.commitSeal(
        seal(1, { segments: [{ ...newer, parts: new Map([['columns', bytes]]) }] }),
      )
      await expect(partText(reader, 'a', 'columns')).rejects.toMatchObject({
        code: 'newer_format',
        message: expect.stringContaining('install the newer version'),
      })
    })

    it('finds the rollups that overlap a window, of one tenant, oldest first', async () => {
      const records = Array.from({ length: 150 }, (_, i) => rollup(`r${i}`, i * 10_000, (i + 1) * 10_000))
      await store.writer.commitSeal(
        seal(1, { rollups: [...records.reverse(), rollup('theirs', 0, 2_000_000, 'globex')] }),
      )
      const snapshot = await reader.snapshot()
      const found = await snapshot.rollups('acme', 35_000, 1_200_000)
      expect(found.map(record => record.fromMs)).toEqual(
        Array.from({ length: 117 }, (_, i) => (i + 3) * 10_000),
      )
      expect((await snapshot.rollups('globex', 0, 1)).map(record => record.id)).toEqual(['theirs'])
      const heads = await snapshot.rollupHeads('acme', 35_000, 1_200_000)
      expect(heads).toEqual(found.map(({ bytes: _, ...head }) => head))
      await snapshot.release()
    })

    it('replaces rollups by coarser ones and removes those received before a time', async () => {
      await store.writer.commitSeal(
        seal(1, { rollups: [rollup('a', 0, 10), rollup('b', 10, 20), rollup('c', 20, 90)] }),
      )
      await store.writer.replaceRollups({ remove: ['a', 'b'], add: [rollup('ab', 0, 20)] })
      expect((await store.writer.rollups('acme', 0, 100)).map(record => record.id)).toEqual(['ab', 'c'])
      expect(await store.writer.removeRollups(50, 10)).toBe(1)
      expect((await store.writer.rollups('acme', 0, 100)).map(record => record.id)).toEqual(['c'])
    })

    it('finds the rollups of one width by receipt, oldest first, of all tenants', async () => {
      const coarse = { ...rollup('coarse', 0, 40), stepSeconds: 60 }
      await store.writer.commitSeal(
        seal(1, {
          rollups: [rollup('c', 20, 40), rollup('a', 0, 20), coarse, rollup('b', 10, 30, 'globex')],
        }),
      )
      const found = async (
        fromMs: number,
        toMs: number,
        limit: Partial<RollupLimit> = {},
      ): Promise<readonly string[]> =>
        (await store.writer.rollupsReceived(10, fromMs, toMs, { records: 10, bytes: 1e9, ...limit })).map(
          record => record.id,
        )
      expect(await found(20, 41)).toEqual(['a', 'b', 'c'])
      expect(await found(20, 40)).toEqual(['a', 'b'])
      expect(await found(21, 41, { records: 1 })).toEqual(['b'])
      const { length } = rollup('a', 0, 10).bytes
      expect(await found(20, 41, { bytes: 1 })).toEqual(['a'])
      expect(await found(20, 41, { bytes: length + 1 })).toEqual(['a', 'b'])
    })

    it('hands out all rollups page by page in the order in which they were written', async () => {
      await store.writer.commitSeal(seal(1, { rollups: [rollup('b', 50, 60), rollup('a', 0, 10, 'globex')] }))
      await store.writer.commitSeal(seal(2, { rollups: [rollup('c', 20, 30)] }))
      const snapshot = await reader.snapshot()
      const first = await snapshot.rollupPage(0, 2)
      expect(first.records.map(record => [record.tenant, record.id])).toEqual([
        ['acme', 'b'],
        ['globex', 'a'],
      ])
      const second = await snapshot.rollupPage(first.last, 2)
      expect(second.records.map(record => record.id)).toEqual(['c'])
      expect(await snapshot.rollupPage(second.last, 2)).toEqual({ records: [], last: second.last })
      await snapshot.release()
    })

    it('lets a template generalise and never changes its id', async () => {
      await store.writer.commitSeal(seal(1, { templates: [template(1, 'acme', 'order 7 placed')] }))
      const changed = { ...template(1, 'acme', 'order <*> placed'), id: 'f'.repeat(16) }
      await store.writer.commitSeal(seal(2, { templates: [changed, template(1, 'globex')] }))
      const all = await store.writer.allTemplates()
      expect(all.map(one => [one.tenant, one.id, one.pattern])).toEqual([
        ['acme', template(1).id, 'order <*> placed'],
        ['globex', template(1).id, 'order <*> placed'],
      ])
    })

    it('adds up what was sealed per tenant and signal, and knows the tenants', async () => {
      const counts = [
        { tenant: 'globex', signal: 'logs' as const, items: 2 },
        { tenant: 'acme', signal: 'traces' as const, items: 3 },
      ]
      await store.writer.commitSeal(seal(1, { counts }))
      await store.writer.commitSeal(seal(2, { counts }))
      const snapshot = await reader.snapshot()
      expect(await snapshot.sealedCounts()).toMatchObject([
        { tenant: 'acme', signal: 'traces', items: 6 },
        { tenant: 'globex', signal: 'logs', items: 4 },
      ])
      await snapshot.release()
      expect(await store.writer.tenants()).toEqual(['acme', 'globex'])
    })

    it('rejects reads after release, reads given up and reads of what is not stored', async () => {
      await store.writer.commitSeal(seal(1, { segments: [segment('a')] }))
      const snapshot = await reader.snapshot()
      const given = AbortSignal.abort()
      await expect(snapshot.segmentParts('a', ['columns'], given)).rejects.toThrow()
      await expect(snapshot.segmentParts('none', ['columns'])).rejects.toMatchObject({
        code: 'missing_segment',
      })
      await expect(snapshot.segmentParts('a', ['nothing'])).rejects.toMatchObject({ code: 'corrupt_segment' })
      await snapshot.release()
      await snapshot.release()
      await expect(snapshot.sealedPosition(inbox)).rejects.toMatchObject({ code: 'snapshot_released' })
    })

    it('serves more snapshots at once than it keeps connections', async () => {
      await store.writer.commitSeal(seal(1, { segments: [segment('a')] }))
      const snapshots = await Promise.all(Array.from({ length: 9 }, () => reader.snapshot()))
      const positions = await Promise.all(snapshots.map(one => one.sealedPosition(inbox)))
      expect(positions).toEqual(new Array(9).fill(1))
      await Promise.all(snapshots.map(one => one.release()))
      expect(await ids(reader)).toEqual(['a'])
    })
  })
}
