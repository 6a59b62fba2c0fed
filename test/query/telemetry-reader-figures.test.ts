/** Rollups and metrics as a reader shows them: the same figures wherever the line between store and tail runs. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TenantGraph } from '../../src/graph/tenant-graph.ts'
import type { Deadline } from '../../src/model/reader.ts'
import type { RollupKind, RollupView } from '../../src/model/rollup.ts'
import type { StoreReader, StoreWriter, TemplateRecord } from '../../src/model/store.ts'
import type { TailPublication } from '../../src/model/tail.ts'
import type { Signal } from '../../src/model/telemetry.ts'
import { decodeBatch } from '../../src/otlp/decode-batch.ts'
import { createReaderCaches } from '../../src/query/reader-caches.ts'
import { Tail } from '../../src/query/tail.ts'
import { type OpenReader, openTelemetryReader } from '../../src/query/telemetry-reader.ts'
import { listMetrics } from '../../src/store/metrics/metric-catalog.ts'
import { queryMetric } from '../../src/store/metrics/metric-query.ts'
import { buildSegments } from '../../src/store/segment/build-segments.ts'
import { openSqliteReader } from '../../src/store/sqlite/store-reader.ts'
import { openSqliteWriter } from '../../src/store/sqlite/store-writer.ts'
import { encode, requestTypes } from '../store/protobuf-root.ts'

const inboxId = 'decadedecadedecadedecadedecade00'
const startMs = 1_763_640_000_000
const patient: Deadline = { signal: new AbortController().signal, check: () => undefined }
const range = { fromMs: startMs, toMs: startMs + 60_000 }

let folder: string
let writer: StoreWriter
let store: StoreReader
let tail: Tail
let graph: TenantGraph
let stretch: TenantGraph

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'otelcontext-figures-'))
  writer = openSqliteWriter(join(folder, 'store.db'))
  store = openSqliteReader(join(folder, 'store.db'))
  tail = new Tail(inboxId)
  graph = new TenantGraph({ tenant: 'acme', templates: [] })
  stretch = new TenantGraph({ tenant: 'acme', templates: [] })
})

afterEach(async () => {
  await store.close()
  await writer.close()
  rmSync(folder, { recursive: true, force: true })
})

const serviceAttribute = { key: 'service.name', value: { stringValue: 'cart' } }

/** Ten requests, one second apart, of which the third failed. */
function spans(position: number): Uint8Array {
  return encode(requestTypes.traces, {
    resourceSpans: [
      {
        resource: { attributes: [serviceAttribute] },
        scopeSpans: [
          {
            spans: Array.from({ length: 10 }, (_, n) => ({
              traceId: Buffer.from((position * 100 + n).toString(16).padStart(32, '0'), 'hex'),
              spanId: Buffer.from((position * 100 + n).toString(16).padStart(16, '0'), 'hex'),
              name: 'GET /cart',
              kind: 2,
              startTimeUnixNano: `${startMs + position * 1000}000000`,
              endTimeUnixNano: `${startMs + position * 1000 + 40}000000`,
              status: { code: n === 2 ? 2 : 0 },
            })),
          },
        ],
      },
    ],
  })
}

function counter(position: number): Uint8Array {
  return encode(requestTypes.metrics, {
    resourceMetrics: [
      {
        resource: { attributes: [serviceAttribute] },
        scopeMetrics: [
          {
            metrics: [
              {
                name: 'orders',
                unit: '{order}',
                sum: {
                  aggregationTemporality: 2,
                  isMonotonic: true,
                  dataPoints: [
                    {
                      startTimeUnixNano: `${startMs}000000`,
                      timeUnixNano: `${startMs + position * 10_000}000000`,
                      asInt: position * 50,
                      attributes: [{ key: 'region', value: { stringValue: 'eu' } }],
                    },
                  ],
                },
              },
            ],
          },
        ],
      },
    ],
  })
}

function publication(position: number, signal: Signal, bytes: Uint8Array): TailPublication {
  const receivedMs = startMs + position * 1000
  const batch = decodeBatch(signal, bytes, { receivedMs, attributeMaxBytes: 65_536 })
  graph.ingest(batch, receivedMs)
  const template: TemplateRecord = {
    tenant: 'acme',
    service: 'cart',
    number: position,
    id: position.toString(16).padStart(16, '0'),
    pattern: `pattern ${position}`,
    severity: 9,
    firstSeenMs: receivedMs,
  }
  return {
    type: 'publication',
    inboxId,
    from: position,
    to: position,
    timeMs: receivedMs,
    entries: [
      { position, tenant: 'acme', signal, receivedMs, bytes, refused: new Uint32Array(), templates: null },
    ],
    rollupsFrom: position,
    rollups: graph.cut(`cut ${position}`).rollups,
    templates: [template],
  }
}

async function seal(one: TailPublication): Promise<void> {
  const segments = one.entries.flatMap(entry =>
    buildSegments({
      tenant: entry.tenant,
      signal: entry.signal,
      inboxId,
      entries: [
        {
          position: entry.position,
          receivedMs: entry.receivedMs,
          batch: decodeBatch(entry.signal, entry.bytes, {
            receivedMs: entry.receivedMs,
            attributeMaxBytes: 65_536,
          }),
          templates: null,
        },
      ],
    }),
  )
  await writer.commitSeal({
    position: { inboxId, position: one.to },
    segments,
    rollups: one.rollups,
    templates: one.templates,
    counts: [],
  })
}

/** Kept from read to read within a test, as in a worker. */
let caches = createReaderCaches()
beforeEach(() => {
  caches = createReaderCaches()
})

async function using<T>(work: (reader: OpenReader) => Promise<T>, tenant = 'acme'): Promise<T> {
  const reader = await openTelemetryReader({
    store,
    tail,
    tenant,
    deadline: patient,
    nowMs: startMs,
    caches,
    ingestCounters: async () => [],
  })
  try {
    return await work(reader)
  } finally {
    await reader.release()
  }
}

async function requests(reader: OpenReader): Promise<readonly number[]> {
  const [series] = (await reader.rollups(range)).series('service', 'cart')
  const sum = (values: Float64Array | undefined): number => values?.reduce((a, b) => a + b, 0) ?? 0
  // The same added up over time.
  const [total] = (await reader.totals(range, 10, ['service'])).view.series('service', 'cart')
  expect([total?.total('count') ?? 0, total?.total('errors') ?? 0, total?.quantile(0.5) ?? 0]).toEqual([
    sum(series?.count),
    sum(series?.errors),
    series?.quantile(0.5) ?? 0,
  ])
  return [sum(series?.count), sum(series?.errors), Math.round(series?.quantile(0.5) ?? 0)]
}

describe('rollups', () => {
  it('add up the same before, between and after seals', async () => {
    const publications = [1, 2, 3, 4].map(position => publication(position, 'traces', spans(position)))
    for (const one of publications) tail.accept(one)
    expect(await using(requests)).toEqual([40, 4, 40])
    for (const one of publications) {
      await seal(one)
      expect(await using(requests)).toEqual([40, 4, 40])
      tail.accept({ type: 'sealed', inboxId, position: one.to })
      expect(await using(requests)).toEqual([40, 4, 40])
    }
    expect(await using(requests, 'globex')).toEqual([0, 0, 0])
  })

  it('of one stretch are counted once however often they were told', async () => {
    for (const position of [1, 2, 3]) {
      const one = publication(position, 'traces', spans(position))
      stretch.ingest(
        decodeBatch('traces', spans(position), { receivedMs: one.timeMs, attributeMaxBytes: 65_536 }),
        one.timeMs,
      )
      tail.accept({ ...one, rollupsFrom: 1, rollups: stretch.soFar(`1-${position}`).rollups })
      expect(await using(requests)).toEqual([10 * position, position, 40])
    }
    stretch.forget()
    expect(stretch.cut('after').rollups).toEqual([])
  })

  it('are one view for reader after reader, as long as what was read of it fits', async () => {
    // Three twentieths are for views: two series of one service over 360 windows, not three.
    caches = createReaderCaches(370_000)
    const hour = { fromMs: startMs, toMs: startMs + 3_600_000 }
    tail.accept(publication(1, 'traces', spans(1)))
    const ask = (...kinds: readonly RollupKind[]): Promise<RollupView> =>
      using(async reader => {
        const view = await reader.rollups(hour)
        for (const kind of kinds) expect(view.series(kind, 'cart')).toHaveLength(1)
        return view
      })
    const first = await ask('service', 'operation')
    expect(await ask('service', 'operation')).toBe(first)
    expect(await ask('instance')).toBe(first)
    expect(await ask()).not.toBe(first)
  })

  it('that are damaged are left out and counted', async () => {
    await seal(publication(1, 'traces', spans(1)))
    await seal(publication(2, 'traces', spans(2)))
    const db = new Database(join(folder, 'store.db'))
    db.exec('UPDATE rollup SET bytes = zeroblob(length(bytes)) WHERE number = 1')
    db.close()
    const [figures, corrupt] = await using(async reader => [
      await requests(reader),
      (await reader.coverage(range)).corruptSegments,
    ])
    expect(figures).toEqual([10, 1, 40])
    expect(corrupt).toBe(1)
  })
})

describe('templates', () => {
  it('come from store and tail, the newer pattern winning', async () => {
    const [first, second] = [publication(1, 'traces', spans(1)), publication(2, 'traces', spans(2))]
    await seal(first)
    const newer = first.templates.map(template => ({ ...template, pattern: 'pattern <*>' }))
    tail.accept({ ...second, templates: [...newer, ...second.templates] })
    const found = await using(reader => reader.templates())
    expect(found.map(template => [template.number, template.pattern])).toEqual([
      [1, 'pattern <*>'],
      [2, 'pattern 2'],
    ])
    expect(await using(reader => reader.templates(), 'globex')).toEqual([])
  })
})

describe('metrics', () => {
  it('are listed and aggregated over store and tail together', async () => {
    const publications = [1, 2, 3, 4].map(position => publication(position, 'metrics', counter(position)))
    await seal(publications[0] ?? publication(9, 'metrics', counter(9)))
    for (const one of publications) tail.accept(one)
    const { metrics } = await using(reader => listMetrics(reader, { range, contains: 'ORD' }, patient))
    expect(metrics).toMatchObject([
      { name: 'orders', type: 'sum', unit: '{order}', services: ['cart'], points: 4, monotonic: true },
    ])
    const query = { name: 'orders', range, stepMs: 10_000, groupBy: ['region'], aggregation: 'rate' as const }
    const answer = await using(reader => queryMetric(reader, query, patient))
    expect(answer.groups.map(group => [group.key, [...group.values]])).toEqual([
      [['eu'], [5, 5, 5, 5, Number.NaN, Number.NaN]],
    ])
    const filtered = { ...query, attributes: [['region', 'us']] as const }
    expect((await using(reader => queryMetric(reader, filtered, patient))).groups).toEqual([])
  })
})
