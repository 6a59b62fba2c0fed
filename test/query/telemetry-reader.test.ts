import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Deadline, Scanned, ScanQuery, TelemetryReader } from '../../src/model/reader.ts'
import type { StoreReader, StoreWriter } from '../../src/model/store.ts'
import type { TailEntry } from '../../src/model/tail.ts'
import { type Block, type Signal, type SpanBlock, signals } from '../../src/model/telemetry.ts'
import { type TimeRange, toMs } from '../../src/model/time.ts'
import { decodeBatch } from '../../src/otlp/decode-batch.ts'
import { createReaderCaches, type ReaderCaches } from '../../src/query/reader-caches.ts'
import { Tail } from '../../src/query/tail.ts'
import { type OpenReader, openTelemetryReader } from '../../src/query/telemetry-reader.ts'
import { buildSegments } from '../../src/store/segment/build-segments.ts'
import { entryIndexOf } from '../../src/store/segment/entry-index.ts'
import { openSqliteReader } from '../../src/store/sqlite/store-reader.ts'
import { openSqliteWriter } from '../../src/store/sqlite/store-writer.ts'
import { receivedMs, requests } from '../store/arbitrary-requests.ts'
import { factsOf } from '../store/item-facts.ts'
import { encode, requestTypes } from '../store/protobuf-root.ts'

const inboxId = 'feedfacefeedfacefeedfacefeedface'
const everything = { fromMs: 0, toMs: 2 ** 64 / 1e6 + 1 }
const attributeMaxBytes = 65_536

const patient: Deadline = { signal: new AbortController().signal, check: () => undefined }

let folder: string
let writer: StoreWriter
let store: StoreReader
let tail: Tail
let caches: ReaderCaches

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'otelcontext-reader-'))
  writer = openSqliteWriter(join(folder, 'store.db'))
  store = openSqliteReader(join(folder, 'store.db'))
  tail = new Tail(inboxId)
  caches = createReaderCaches()
})

afterEach(async () => {
  await store.close()
  await writer.close()
  rmSync(folder, { recursive: true, force: true })
})

function entry(position: number, signal: Signal, bytes: Uint8Array, tenant = 'acme'): TailEntry {
  const refused = new Uint32Array()
  const bare = { position, tenant, signal, receivedMs, bytes, refused, templates: null }
  // Every other one comes without, as of an engine that does not say what it holds.
  return position % 2 === 0 ? bare : { ...bare, index: entryIndexOf(batchOf(bare).block) }
}

function batchOf(one: TailEntry): ReturnType<typeof decodeBatch> {
  return decodeBatch(one.signal, one.bytes, { receivedMs, attributeMaxBytes, refused: one.refused })
}

function publish(from: number, to: number, entries: readonly TailEntry[]): void {
  tail.accept({
    type: 'publication',
    inboxId,
    from,
    to,
    timeMs: receivedMs,
    entries,
    rollupsFrom: from,
    rollups: [],
    templates: [],
  })
}

async function sealUpTo(position: number, entries: readonly TailEntry[], after = 0): Promise<void> {
  const tenants = [...new Set(entries.map(one => one.tenant))]
  const segments = tenants.flatMap(tenant =>
    signals.flatMap(signal =>
      buildSegments({
        tenant,
        signal,
        inboxId,
        entries: entries
          .filter(one => one.tenant === tenant && one.signal === signal)
          .filter(one => one.position > after && one.position <= position)
          .map(one => ({ position: one.position, receivedMs, batch: batchOf(one), templates: null })),
      }),
    ),
  )
  await writer.commitSeal({
    position: { inboxId, position },
    segments,
    rollups: [],
    templates: [],
    counts: [],
  })
}

function open(tenant = 'acme', deadline = patient): Promise<OpenReader> {
  return openTelemetryReader({
    store,
    tail,
    tenant,
    deadline,
    nowMs: receivedMs,
    caches,
    ingestCounters: async () => [],
    attributeMaxBytes,
  })
}

async function using<T>(work: (reader: TelemetryReader) => Promise<T>, tenant = 'acme'): Promise<T> {
  const reader = await open(tenant)
  try {
    return await work(reader)
  } finally {
    await reader.release()
  }
}

function scan(reader: TelemetryReader, signal: Signal): AsyncIterable<Scanned<Block>> {
  if (signal === 'traces') return reader.scanSpans({ range: everything })
  if (signal === 'logs') return reader.scanLogs({ range: everything })
  return reader.scanMetrics({ range: everything })
}

async function factsIn(reader: TelemetryReader): Promise<readonly string[]> {
  const facts: string[] = []
  for (const signal of signals)
    for await (const scanned of scan(reader, signal))
      facts.push(...factsOf(scanned.block, await scanned.records()))
  return facts.sort()
}

const factsOfEntry = new WeakMap<TailEntry, readonly string[]>()

function factsOfEntries(entries: readonly TailEntry[]): readonly string[] {
  return entries
    .flatMap(one => {
      const known = factsOfEntry.get(one)
      if (known !== undefined) return known
      const { block, records } = batchOf(one)
      const facts = factsOf(block, records)
      factsOfEntry.set(one, facts)
      return facts
    })
    .sort()
}

/** One request per position, signals in turn. */
function randomEntries(count: number, seed: number, tenant = 'acme'): readonly TailEntry[] {
  return Array.from({ length: count }, (_, index) => {
    const signal = signals[index % 3] ?? 'traces'
    const [bytes = new Uint8Array()] = fc.sample(requests[signal], { numRuns: 1, seed: seed + index })
    return entry(index + 1, signal, bytes, tenant)
  })
}

describe('entries that say what they hold', () => {
  const spansOf = (traceId: string): Uint8Array =>
    encode(requestTypes.traces, {
      resourceSpans: [
        {
          scopeSpans: [
            { spans: [{ traceId: Buffer.from(traceId, 'hex'), spanId: Buffer.alloc(8, 1), name: 'a' }] },
          ],
        },
      ],
    })
  const [one, other] = ['a1'.repeat(16), 'b2'.repeat(16)]

  it('are decoded only for what they hold, and give the same answers as those that do not', async () => {
    const indexed = [entry(1, 'traces', spansOf(one)), entry(3, 'traces', spansOf(other))]
    const bare = indexed.map(({ index, ...rest }) => rest)
    const answers = async (entries: readonly TailEntry[]): Promise<unknown> => {
      publish(1, 3, entries)
      return using(async reader => {
        const { perSignal } = await reader.coverage(everything)
        const afterCoverage = caches.entries.size
        const found = await reader.trace(other)
        const newest = await reader.newestPosition(everything)
        const answer = { perSignal, parts: found?.parts.map(part => part.block.count), newest }
        return { answer, afterCoverage, decoded: caches.entries.size }
      })
    }
    const told = await answers(indexed)
    tail = new Tail(inboxId)
    caches = createReaderCaches()
    const asked = await answers(bare)
    expect(told).toMatchObject({ afterCoverage: 0, decoded: 1, answer: { parts: [1], newest: 3 } })
    expect(asked).toMatchObject({ decoded: 2, answer: (told as { readonly answer: object }).answer })
  })
})

describe('reading what is sealed and what is not', () => {
  it('finds each item exactly once at every step between publication, seal, commit and trim', async () => {
    const entries = randomEntries(36, 100)
    const all = factsOfEntries(entries)
    expect(all.length).toBeGreaterThan(100)
    let visible = 0
    let sealed = 0
    const check = async (step: string): Promise<void> => {
      const expected = factsOfEntries(entries.filter(one => one.position <= visible))
      expect(await using(factsIn), step).toEqual(expected)
    }
    for (let from = 1; from <= 36; from += 6) {
      publish(from, from + 5, entries.slice(from - 1, from + 5))
      visible = from + 5
      await check(`published ${from}`)
      if (from % 4 === 1) {
        const next = from + 2
        await sealUpTo(next, entries, sealed)
        await check(`committed ${next}, inside a publication`)
        sealed = next
        await sealUpTo(visible, entries, sealed)
        sealed = visible
        await check(`committed ${visible}`)
        tail.accept({ type: 'sealed', inboxId, position: sealed })
        await check(`trimmed ${sealed}`)
      }
    }
    expect(await using(factsIn)).toEqual(all)
  })

  it('keeps what it saw when it opened, whatever is sealed, trimmed and published meanwhile', async () => {
    const entries = randomEntries(12, 300)
    publish(1, 6, entries.slice(0, 6))
    const reader = await open()
    await sealUpTo(6, entries)
    tail.accept({ type: 'sealed', inboxId, position: 6 })
    publish(7, 12, entries.slice(6))
    expect(await factsIn(reader)).toEqual(factsOfEntries(entries.slice(0, 6)))
    expect(reader.asOf.position).toBe(6)
    await reader.release()
    expect(await using(factsIn)).toEqual(factsOfEntries(entries))
  })

  it('finds each item once however reads, seals and trims overlap', async () => {
    const entries = Array.from({ length: 30 }, (_, at) =>
      entry(
        at + 1,
        'traces',
        spanRequest(
          traceA,
          [1, 2, 3].map(n => ({ id: at * 3 + n, startMs: receivedMs + at })),
        ),
      ),
    )
    const reads: Promise<void>[] = []
    const read = async (atLeast: number): Promise<void> => {
      const reader = await open()
      const { position } = reader.asOf
      expect(position).toBeGreaterThanOrEqual(atLeast)
      const found: number[] = []
      for await (const { block } of reader.scanSpans({ range: everything }))
        for (let row = 0; row < block.count; row++) found.push(block.spanId[row * 8 + 7] ?? -1)
      await reader.release()
      expect(found.sort((a, b) => a - b)).toEqual(Array.from({ length: position * 3 }, (_, n) => n + 1))
    }
    for (let position = 1; position <= 30; position++) {
      publish(position, position, entries.slice(position - 1, position))
      reads.push(read(position))
      if (position % 5 !== 0) continue
      const sealing = sealUpTo(position, entries, position - 5)
      reads.push(read(position))
      await sealing
      reads.push(read(position))
      tail.accept({ type: 'sealed', inboxId, position })
      reads.push(read(position))
    }
    await Promise.all(reads)
    expect(reads.length).toBe(48)
  })

  it('does not reach over positions it was never told of, and says so', async () => {
    const entries = randomEntries(9, 700)
    publish(1, 3, entries.slice(0, 3))
    publish(7, 9, entries.slice(6))
    const reader = await open()
    expect(reader.asOf.position).toBe(3)
    expect(await factsIn(reader)).toEqual(factsOfEntries(entries.slice(0, 3)))
    expect((await reader.coverage(everything)).lagPositions).toBe(6)
    await reader.release()
  })

  it('takes a publication that was told twice once', async () => {
    const entries = randomEntries(3, 800)
    publish(1, 3, entries)
    publish(1, 3, entries)
    expect(await using(factsIn)).toEqual(factsOfEntries(entries))
  })

  it('reports rollups it had to leave out when a seal ended inside a publication', async () => {
    const entries = randomEntries(4, 900)
    publish(1, 4, entries)
    await sealUpTo(3, entries)
    expect((await using(reader => reader.coverage(everything))).lagPositions).toBe(1)
    await sealUpTo(4, entries, 3)
    expect((await using(reader => reader.coverage(everything))).lagPositions).toBe(0)
  })
})

describe('counting points', () => {
  async function counted(reader: TelemetryReader, range: TimeRange, services?: readonly string[]) {
    const found = new Map<string, { points: number; newestMs: number }>()
    const add = (key: string, points: number, newestMs: number): void => {
      const known = found.get(key)
      found.set(key, {
        points: points + (known?.points ?? 0),
        newestMs: Math.max(newestMs, known?.newestMs ?? 0),
      })
    }
    const query = { range, ...(services === undefined ? {} : { services }) }
    for await (const { metrics, counts } of reader.countPoints(query))
      for (const { metric, service, points, newestMs } of counts)
        add(`${metrics[metric]?.name} of ${service}`, points, newestMs)
    const byCount = [...found]
    found.clear()
    for await (const { block } of reader.scanMetrics(query))
      for (let row = 0; row < block.count; row++) {
        const timeMs = toMs(block.timeHi[row] ?? 0, block.timeLo[row] ?? 0)
        const service = block.resources[block.resource[row] ?? 0]?.service ?? ''
        if (timeMs < range.fromMs || timeMs >= range.toMs || services?.includes(service) === false) continue
        add(`${block.metrics[block.metric[row] ?? 0]?.name} of ${service}`, 1, timeMs)
      }
    return { byCount, byScan: [...found] }
  }

  it('gives what reading them gives, for any range and service, sealed or not, asked for the first time or again', async () => {
    const entries = randomEntries(45, 4_000).filter(one => one.signal === 'metrics')
    publish(1, 45, entries)
    await sealUpTo(15, entries)
    await sealUpTo(30, entries, 15)
    const times = entries.flatMap(one => {
      const { block } = batchOf(one)
      if (block.signal !== 'metrics') return []
      return Array.from(block.timeHi, (high, row) => toMs(high, block.timeLo[row] ?? 0))
    })
    const services = [...new Set(entries.flatMap(one => batchOf(one).block.resources.map(r => r.service)))]
    const edge = fc.constantFrom(...times, everything.fromMs, everything.toMs)
    const asked = fc.record({
      edges: fc.tuple(edge, edge),
      services: fc.option(fc.subarray(services), { nil: undefined }),
    })
    let most = 0
    await fc.assert(
      fc.asyncProperty(asked, async ({ edges: [a, b], services: named }) => {
        const range = { fromMs: Math.min(a, b), toMs: Math.max(a, b) }
        const { byCount, byScan } = await using(reader => counted(reader, range, named))
        expect(byCount).toEqual(byScan)
        most = Math.max(most, byCount.length)
      }),
      { numRuns: 60 },
    )
    expect(most).toBeGreaterThan(10)
    expect(caches.pointCounts.size).toBeGreaterThan(1)
  })
})

describe('scans for some rows', () => {
  type Wanted = NonNullable<ScanQuery['wanted']>

  function holds(wanted: Wanted, block: SpanBlock, row: number): boolean {
    if ('services' in wanted)
      return wanted.services.includes(block.resources[block.resource[row] ?? 0]?.service ?? '')
    return Buffer.from(wanted.traceIds)
      .toString('hex')
      .includes(hexOf(block.traceId, row, 16))
  }

  /** Spans of the range: how many, and those that are wanted in the order in which they come. */
  async function found(reader: TelemetryReader, range: TimeRange, wanted: Wanted, told: boolean) {
    const spans: string[] = []
    let [inside, picked] = [0, 0]
    for await (const { block, pickedFrom } of reader.scanSpans({ range, ...(told ? { wanted } : {}) })) {
      inside += pickedFrom ?? 0
      picked += pickedFrom === undefined ? 0 : 1
      for (let row = 0; row < block.count; row++) {
        const startMs = toMs(block.startHi[row] ?? 0, block.startLo[row] ?? 0)
        if (startMs < range.fromMs || startMs >= range.toMs) continue
        if (pickedFrom === undefined) inside++
        const span = `${hexOf(block.spanId, row, 8)} ${startMs} ${block.strings[block.name[row] ?? 0]}`
        if (holds(wanted, block, row)) spans.push(span)
      }
    }
    return { answer: { spans, inside }, picked }
  }

  const hexOf = (ids: Uint8Array, row: number, width: number): string =>
    Buffer.from(ids.subarray(row * width, row * width + width)).toString('hex')

  it('give the same as scans for all of them, in the same order, and count as many', async () => {
    const entries = randomEntries(90, 6_000).filter(one => one.signal === 'traces')
    publish(1, 90, entries)
    await sealUpTo(30, entries)
    await sealUpTo(60, entries, 30)
    const blocks = entries.map(one => batchOf(one).block).filter(block => block.signal === 'traces')
    const times = blocks.flatMap(block =>
      Array.from(block.startHi, (high, row) => toMs(high, block.startLo[row] ?? 0)),
    )
    const services = [...new Set(blocks.flatMap(block => block.resources.map(one => one.service)))]
    const ids = [
      ...new Set(blocks.flatMap(block => [...block.kind.keys()].map(row => hexOf(block.traceId, row, 16)))),
    ]
    const edge = fc.oneof(fc.constantFrom(everything.fromMs, everything.toMs), fc.constantFrom(...times))
    const asked = fc.record({
      edges: fc.tuple(edge, edge),
      wanted: fc.oneof(
        fc.subarray(services).map(some => ({ services: some })),
        fc.subarray(ids).map(some => ({ traceIds: new Uint8Array(Buffer.from(some.join(''), 'hex')) })),
        fc.constantFrom(...ids).map(id => ({ traceIds: new Uint8Array(Buffer.from(id, 'hex')) })),
      ),
    })
    // Asked for certain, so that what was found does not hang on luck: everything, of half of the services.
    const half = services.slice(0, Math.ceil(services.length / 2))
    const sure: [{ edges: [number, number]; wanted: { services: string[] } }] = [
      {
        edges: [everything.fromMs, everything.toMs] as [number, number],
        wanted: { services: half },
      },
    ]
    let [spans, picked] = [0, 0]
    await fc.assert(
      fc.asyncProperty(asked, async ({ edges: [a, b], wanted }) => {
        const range = { fromMs: Math.min(a, b), toMs: Math.max(a, b) }
        caches = createReaderCaches()
        const some = await using(reader => found(reader, range, wanted, true))
        const all = await using(reader => found(reader, range, wanted, false))
        expect(some.answer).toEqual(all.answer)
        spans += some.answer.spans.length
        picked += some.picked
      }),
      { numRuns: 80, examples: Array.from({ length: 12 }, () => sure) },
    )
    expect(spans).toBeGreaterThan(1_000)
    expect(picked).toBeGreaterThan(20)
  })
})

describe('tenants', () => {
  it('see nothing of each other, neither sealed nor published', async () => {
    const ours = randomEntries(6, 1000, 'acme')
    const theirs = randomEntries(6, 2000, 'globex').map(one => ({ ...one, position: one.position + 6 }))
    publish(1, 12, [...ours, ...theirs])
    for (const step of ['published', 'sealed']) {
      expect(await using(factsIn, 'acme'), step).toEqual(factsOfEntries(ours))
      expect(await using(factsIn, 'globex'), step).toEqual(factsOfEntries(theirs))
      expect(await using(factsIn, 'nobody'), step).toEqual([])
      await sealUpTo(12, [...ours, ...theirs])
      tail.accept({ type: 'sealed', inboxId, position: 12 })
    }
    expect(factsOfEntries(theirs).length).toBeGreaterThan(10)
  })
})

const traceA = 'aaaaaaaabbbbbbbbccccccccdddddddd'
const traceB = 'aaaaaaaa00000000ccccccccdddddddd'

function spanRequest(
  traceId: string,
  spans: readonly { id: number; startMs: number }[],
  service = 'cart',
): Uint8Array {
  return encode(requestTypes.traces, {
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
        scopeSpans: [
          {
            spans: spans.map(({ id, startMs }) => ({
              traceId: Buffer.from(traceId, 'hex'),
              spanId: Buffer.from(id.toString(16).padStart(16, '0'), 'hex'),
              name: `span ${id}`,
              startTimeUnixNano: `${startMs}000000`,
              endTimeUnixNano: `${startMs + 5}000000`,
            })),
          },
        ],
      },
    ],
  })
}

describe('traces', () => {
  it('are found whole over segments and tail, equal spans merged and counted', async () => {
    const entries = [
      entry(
        1,
        'traces',
        spanRequest(traceA, [
          { id: 1, startMs: receivedMs },
          { id: 2, startMs: receivedMs + 1 },
        ]),
      ),
      entry(
        2,
        'traces',
        spanRequest(traceA, [
          { id: 2, startMs: receivedMs + 1 },
          { id: 3, startMs: receivedMs + 2 },
        ]),
      ),
      entry(3, 'traces', spanRequest(traceB, [{ id: 1, startMs: receivedMs }])),
      entry(
        4,
        'traces',
        spanRequest(traceA, [
          { id: 3, startMs: receivedMs + 2 },
          { id: 4, startMs: 1_000_000 },
        ]),
      ),
    ]
    await sealUpTo(2, entries)
    publish(3, 4, entries.slice(2))
    const trace = await using(reader => reader.trace(traceA.toUpperCase()))
    const names = trace?.parts.flatMap(part =>
      part.rows.map(row => part.block.strings[part.block.name[row] ?? 0]),
    )
    expect(names?.sort()).toEqual(['span 1', 'span 2', 'span 3', 'span 4'])
    expect(trace?.duplicates).toBe(2)
    for (const part of trace?.parts ?? [])
      for (const row of part.rows) expect(part.records.length[row]).toBeGreaterThan(20)
    expect(await using(reader => reader.trace('f'.repeat(32)))).toBeNull()
    expect(await using(reader => reader.trace('not a trace'))).toBeNull()
  })

  it('are named by their first eight digits or more', async () => {
    const entries = [
      entry(1, 'traces', spanRequest(traceA, [{ id: 1, startMs: receivedMs }])),
      entry(2, 'traces', spanRequest(traceB, [{ id: 1, startMs: receivedMs }])),
    ]
    await sealUpTo(1, entries)
    publish(2, 2, entries.slice(1))
    const find = (prefix: string, limit = 10): Promise<readonly string[]> =>
      using(reader => reader.findTraces(prefix, limit))
    expect(await find('aaaaaaaa')).toEqual([traceB, traceA])
    expect(await find('AAAAAAAAB')).toEqual([traceA])
    expect(await find('aaaaaaaa', 1)).toEqual([traceB])
    expect(await find('aaaaaaab')).toEqual([])
    expect(await find('aaaaaaa')).toEqual([])
  })
})

describe('scans', () => {
  it('skip blocks outside the window or without the service, and go by time in the order asked for', async () => {
    const hour = 3_600_000
    const entries = [0, 1, 2, 3].map(n =>
      entry(
        n + 1,
        'traces',
        spanRequest(traceA, [{ id: n, startMs: receivedMs - n * hour }], n === 2 ? 'payment' : 'cart'),
      ),
    )
    for (const position of [1, 2, 3]) await sealUpTo(position, entries, position - 1)
    publish(4, 4, entries.slice(3))
    const names = async (query: Parameters<TelemetryReader['scanSpans']>[0]): Promise<readonly string[]> =>
      using(async reader => {
        const found: string[] = []
        for await (const { block } of reader.scanSpans(query))
          found.push(block.strings[block.name[0] ?? 0] ?? '')
        return found
      })
    expect(await names({ range: everything })).toEqual(['span 0', 'span 1', 'span 2', 'span 3'])
    expect(await names({ range: everything, order: 'oldest_first' })).toEqual([
      'span 3',
      'span 2',
      'span 1',
      'span 0',
    ])
    const range = { fromMs: receivedMs - 2.5 * hour, toMs: receivedMs - hour / 2 }
    expect(await names({ range })).toEqual(['span 1', 'span 2'])
    expect(await names({ range: everything, services: ['payment', 'nobody'] })).toEqual(['span 2'])
  })

  it('keep late items out of the segments of the present', async () => {
    const day = 86_400_000
    const spans = [0, 10, 400].map((days, id) => ({ id, startMs: receivedMs - days * day }))
    await sealUpTo(1, [entry(1, 'traces', spanRequest(traceA, spans))])
    const range = { fromMs: receivedMs - day, toMs: receivedMs + day }
    const times = await using(async reader => {
      const found: number[] = []
      for await (const { block } of reader.scanSpans({ range }))
        for (let row = 0; row < block.count; row++)
          found.push(toMs(block.startHi[row] ?? 0, block.startLo[row] ?? 0))
      return found
    })
    expect(times).toEqual([receivedMs])
  })
})

describe('positions and coverage', () => {
  it('tell the newest position with items in a window', async () => {
    const entries = [0, 5, 10].map((minutes, at) =>
      entry(at + 1, 'traces', spanRequest(traceA, [{ id: at, startMs: receivedMs - minutes * 60_000 }])),
    )
    await sealUpTo(2, entries)
    publish(3, 3, entries.slice(2))
    const newest = (minutesAgo: number): Promise<number> =>
      using(reader =>
        reader.newestPosition({
          fromMs: receivedMs - (minutesAgo + 1) * 60_000,
          toMs: receivedMs - (minutesAgo - 1) * 60_000,
        }),
      )
    expect(await newest(10)).toBe(3)
    expect(await newest(20)).toBe(0)
    expect(await newest(5)).toBe(2)
  })

  it('give the same position, time and coverage before and after sealing', async () => {
    const entries = randomEntries(9, 4000)
    publish(1, 9, entries)
    const facts = (): Promise<unknown> =>
      using(async reader => [reader.asOf, await reader.coverage(everything)])
    const before = await facts()
    await sealUpTo(9, entries)
    tail.accept({ type: 'sealed', inboxId, position: 9 })
    expect(await facts()).toEqual(before)
    expect(before).toMatchObject([{ position: 9, timeMs: receivedMs, inboxId }, { corruptSegments: 0 }])
  })
})

describe('damage', () => {
  it('anywhere in the store is skipped and counted, and never returns something else', async () => {
    const entries = randomEntries(15, 5000)
    for (let position = 3; position <= 15; position += 3) await sealUpTo(position, entries, position - 3)
    const all = factsOfEntries(entries)
    const db = new Database(join(folder, 'store.db'))
    const parts = db
      .prepare<[], { id: number; size: number }>('SELECT id, length(bytes) AS size FROM segment_part')
      .all()
    expect(parts.length).toBeGreaterThan(40)
    const random = fc.sample(fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 })), {
      numRuns: 30,
      seed: 11,
    })
    let skipped = 0
    for (const [which, where, flip] of random) {
      const part = parts[which % parts.length] ?? { id: 0, size: 1 }
      const bytes = db
        .prepare<[number], { bytes: Buffer }>('SELECT bytes FROM segment_part WHERE id = ?')
        .get(part.id)?.bytes
      if (bytes === undefined) throw new Error('no such part')
      const before = Buffer.from(bytes)
      bytes[where % part.size] = (bytes[where % part.size] ?? 0) ^ flip
      const put = db.prepare('UPDATE segment_part SET bytes = ? WHERE id = ?')
      put.run(bytes, part.id)
      caches = createReaderCaches()
      await using(async reader => {
        const found: string[] = []
        let missing = 0
        for (const signal of signals)
          for await (const { block, records } of scan(reader, signal)) {
            const table = await records()
            const loaded = [...table.length.keys()].filter(row => (table.length[row] ?? 0) > 0)
            missing += block.count - loaded.length
            found.push(...factsOf(block, table, loaded))
          }
        await reader.trace('01'.repeat(16))
        const known = new Set(all)
        expect(found.filter(fact => !known.has(fact))).toEqual([])
        const { corruptSegments, corruptItems } = await reader.coverage(everything)
        if (found.length < all.length) {
          skipped++
          expect(corruptSegments).toBe(1)
          expect(corruptItems).toBeGreaterThanOrEqual(all.length - found.length)
        }
        expect(missing).toBeLessThanOrEqual(corruptItems)
      })
      put.run(before, part.id)
    }
    db.close()
    expect(skipped).toBeGreaterThan(10)
  })
})

describe('giving up', () => {
  it('ends a scan at its next check', async () => {
    const entries = randomEntries(9, 6000)
    for (let position = 3; position <= 9; position += 3) await sealUpTo(position, entries, position - 3)
    let checks = 0
    const impatient: Deadline = {
      signal: new AbortController().signal,
      check: () => {
        if (++checks > 3) throw new Error('the time is over')
      },
    }
    const reader = await open('acme', impatient)
    await expect(factsIn(reader)).rejects.toThrow('the time is over')
    await reader.release()
  })
})
