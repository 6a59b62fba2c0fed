import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rollupView } from '../../../src/graph/rollups/rollup-view.ts'
import { TenantGraph } from '../../../src/graph/tenant-graph.ts'
import type { RollupSeries } from '../../../src/model/rollup.ts'
import { cellText } from '../cell-text.ts'
import { epochMs, kinds, spanBatch, type TestSpan } from '../telemetry-batches.ts'

function seriesOf(spans: readonly TestSpan[], kind: 'edge' | 'service' | 'operation' | 'instance') {
  const graph = new TenantGraph({ tenant: 't', templates: [] })
  graph.ingest(spanBatch(spans), epochMs)
  const view = rollupView(graph.cut().rollups, { fromMs: epochMs, toMs: epochMs + 60_000 }, 60)
  return new Map<string, RollupSeries>(view.series(kind).map(one => [one.key.join(' '), one]))
}

/** Cells after the spans came in this order, cut wherever `cuts` says. */
function cellsInOrder(spans: readonly TestSpan[], cuts: readonly boolean[]): string[] {
  const graph = new TenantGraph({ tenant: 't', templates: [] })
  const records = spans.flatMap((span, i) => {
    graph.ingest(spanBatch([span]), epochMs)
    return cuts[i] === true ? graph.cut().rollups : []
  })
  return cellText([...records, ...graph.cut().rollups])
}

const checkout: readonly TestSpan[] = [
  { service: 'web', id: 1, name: 'POST /buy', startMs: 0, durationMs: 100 },
  {
    service: 'web',
    id: 2,
    parent: 1,
    kind: kinds.client,
    name: 'charge',
    startMs: 10,
    durationMs: 50,
    peer: 'pay:80',
    peerKind: 4,
  },
  { service: 'pay', id: 3, parent: 2, name: 'Charge', startMs: 15, durationMs: 40, failed: true },
  {
    service: 'pay',
    id: 4,
    parent: 3,
    kind: kinds.client,
    name: 'INSERT',
    startMs: 20,
    durationMs: 20,
    peer: 'postgresql/shop',
  },
  { service: 'web', id: 5, parent: 1, kind: kinds.internal, name: 'render', startMs: 40, durationMs: 40 },
  {
    service: 'web',
    id: 6,
    parent: 1,
    kind: kinds.producer,
    name: 'publish',
    startMs: 85,
    durationMs: 5,
    peer: 'kafka:orders',
    peerKind: 2,
  },
  { service: 'ship', id: 7, parent: 6, kind: kinds.consumer, name: 'consume', startMs: 500, durationMs: 30 },
  {
    service: 'mail',
    id: 8,
    trace: 2,
    kind: kinds.consumer,
    name: 'batch',
    startMs: 9_990,
    durationMs: 30,
    links: [{ id: 6 }, { id: 99 }],
  },
]

describe('requests of a service', () => {
  it.each([
    ['a root span of any kind', kinds.internal, 0, 1],
    ['a root client span', kinds.client, 0, 1],
    ['a server span with a parent', kinds.server, 1, 1],
    ['a consumer span with a parent', kinds.consumer, 1, 1],
    ['an internal span with a parent', kinds.internal, 1, 0],
    ['a client span with a parent', kinds.client, 1, 0],
    ['a producer span with a parent', kinds.producer, 1, 0],
  ])('%s: counted as a span and, if it is one, as a request', (_, kind, parent, requests) => {
    const spans: TestSpan[] = [
      { service: 'web', id: 1, kind: kinds.server, startMs: 0, durationMs: 9 },
      { service: 'pay', id: 2, parent, kind, name: 'work', startMs: 1, durationMs: 5 },
    ]
    expect(seriesOf(spans, 'service').get('pay')?.total('count') ?? 0).toBe(requests)
    expect(seriesOf(spans, 'operation').get(`pay work ${kind}`)?.total('count')).toBe(1)
    expect(seriesOf(spans, 'service').get('web')?.total('count')).toBe(1)
  })
})

describe('calls between services', () => {
  it('are seen from the client, with the gap between client and server span', () => {
    const edge = seriesOf(checkout, 'edge').get('web pay rpc service')
    expect([edge?.count[0], edge?.errors[0], edge?.sum[0], edge?.paired[0], edge?.self[0]]).toEqual([
      1, 1, 50, 1, 10,
    ])
  })

  it('are charged once: a peer edge only where no callee reports', () => {
    expect([...seriesOf(checkout, 'edge').keys()]).toEqual([
      'pay postgresql/shop database peer',
      'web mail link service',
      'web pay rpc service',
      'web ship messaging service',
    ])
  })

  it('without a client span count with the server span', () => {
    const spans: TestSpan[] = [
      { service: 'a', id: 1, startMs: 0, durationMs: 9 },
      { service: 'b', id: 2, parent: 1, startMs: 1, durationMs: 4 },
    ]
    const edge = seriesOf(spans, 'edge').get('a b rpc service')
    expect([edge?.count[0], edge?.sum[0], edge?.paired[0]]).toEqual([1, 4, 0])
  })

  it('through nested client spans are charged to the inner one, or to the callee alone', () => {
    const nested: TestSpan[] = [
      { service: 'a', id: 1, startMs: 0, durationMs: 9 },
      { service: 'a', id: 2, parent: 1, kind: kinds.client, startMs: 1, durationMs: 8, peer: 'store' },
      {
        service: 'a',
        id: 3,
        parent: 2,
        kind: kinds.client,
        startMs: 2,
        durationMs: 6,
        peer: 'host:1',
        peerKind: 4,
      },
    ]
    expect([...seriesOf(nested, 'edge').keys()]).toEqual(['a host:1 external peer'])
    const answered: TestSpan[] = [...nested, { service: 'b', id: 4, parent: 3, startMs: 3, durationMs: 4 }]
    expect([...seriesOf(answered, 'edge').keys()]).toEqual(['a b rpc service'])
  })

  it('take an HTTP status of 500 and over as failed where the span says nothing', () => {
    const spans: TestSpan[] = [
      { service: 'a', id: 1, startMs: 0, durationMs: 1, httpStatus: 503 },
      { service: 'a', id: 2, trace: 2, startMs: 0, durationMs: 1, httpStatus: 404 },
    ]
    const service = seriesOf(spans, 'service').get('a')
    expect([service?.count[0], service?.errors[0]]).toEqual([2, 1])
  })
})

describe('self time', () => {
  it('counts concurrent children once and only inside the span', () => {
    const spans: TestSpan[] = [
      { service: 'a', id: 1, startMs: 0, durationMs: 100 },
      { service: 'a', id: 2, parent: 1, kind: kinds.internal, startMs: 10, durationMs: 30, name: 'one' },
      { service: 'a', id: 3, parent: 1, kind: kinds.internal, startMs: 20, durationMs: 30, name: 'two' },
      { service: 'a', id: 4, parent: 1, kind: kinds.internal, startMs: 90, durationMs: 500, name: 'three' },
    ]
    expect(seriesOf(spans, 'operation').get('a work 2')?.self[0]).toBe(50)
  })

  it('of a service leaves out what its client spans wait for', () => {
    const spans: TestSpan[] = [
      { service: 'a', id: 1, startMs: 0, durationMs: 100 },
      { service: 'a', id: 2, parent: 1, kind: kinds.client, startMs: 10, durationMs: 60, name: 'query' },
    ]
    expect(seriesOf(spans, 'service').get('a')?.self[0]).toBe(40)
    expect(seriesOf(spans, 'operation').get('a query 3')?.self[0]).toBe(60)
  })

  it('takes a remote child with another clock as lying inside', () => {
    const spans: TestSpan[] = [
      { service: 'a', id: 1, startMs: 0, durationMs: 100, kind: kinds.client },
      { service: 'b', id: 2, parent: 1, startMs: 5_000, durationMs: 80 },
    ]
    expect(seriesOf(spans, 'operation').get('a work 3')?.self[0]).toBe(20)
  })
})

describe('the order of arrival', () => {
  it('leaves no trace in the cells, wherever they are cut', () => {
    const expected = cellsInOrder(checkout, [])
    expect(expected.length).toBeGreaterThan(15)
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...checkout], { minLength: checkout.length }),
        fc.array(fc.boolean(), { minLength: checkout.length, maxLength: checkout.length }),
        (spans, cuts) => {
          expect(cellsInOrder(spans, cuts)).toEqual(expected)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('leaves none for random traces with odd parents, either', () => {
    const span = fc.record({
      service: fc.constantFrom('a', 'b', 'c'),
      parent: fc.integer({ min: 0, max: 12 }),
      kind: fc.integer({ min: 0, max: 5 }),
      startMs: fc.integer({ min: 0, max: 40_000 }),
      durationMs: fc.integer({ min: 0, max: 20_000 }),
      failed: fc.boolean(),
      peer: fc.constantFrom('', 'db', 'cache'),
    })
    const traces = fc.array(span, { minLength: 2, maxLength: 10 }).chain(spans => {
      const numbered: TestSpan[] = spans.map((one, i) => ({ ...one, id: i + 1 }))
      return fc.record({
        spans: fc.constant(numbered),
        shuffled: fc.shuffledSubarray(numbered, { minLength: numbered.length }),
        cuts: fc.array(fc.boolean(), { minLength: numbered.length, maxLength: numbered.length }),
      })
    })
    fc.assert(
      fc.property(traces, ({ spans, shuffled, cuts }) => {
        expect(cellsInOrder(shuffled, cuts)).toEqual(cellsInOrder(spans, []))
      }),
      { numRuns: 300 },
    )
  })

  it('does not matter for spans that are minutes late', () => {
    const graph = new TenantGraph({ tenant: 't', templates: [] })
    const late = checkout.slice(0, 1)
    graph.ingest(spanBatch(checkout.slice(1)), epochMs)
    const first = graph.cut().rollups
    graph.ingest(spanBatch(late), epochMs + 600_000)
    expect(cellText([...first, ...graph.cut().rollups])).toEqual(cellsInOrder(checkout, []))
  })
})

describe('the span join', () => {
  it('counts a span that is sent twice once', () => {
    const graph = new TenantGraph({ tenant: 't', templates: [] })
    graph.ingest(spanBatch(checkout), epochMs)
    graph.ingest(spanBatch(checkout), epochMs)
    expect(cellText(graph.cut().rollups)).toEqual(cellsInOrder(checkout, []))
    expect(graph.joinCounts.duplicates).toBe(checkout.length)
  })

  it('gives the oldest spans up when it is full, and keeps what it has counted', () => {
    const graph = new TenantGraph({ tenant: 't', templates: [], limits: { joinSpans: 64 } })
    const spans = Array.from({ length: 1_000 }, (_, i) => ({
      service: 'a',
      id: i + 1,
      trace: i + 1,
      startMs: 0,
      durationMs: 7,
    }))
    for (const span of spans) graph.ingest(spanBatch([span]), epochMs)
    const view = rollupView(graph.cut().rollups, { fromMs: epochMs, toMs: epochMs + 10_000 }, 10)
    const service = view.series('service')[0]
    expect([service?.count[0], service?.self[0]]).toEqual([1_000, 7_000])
    expect(graph.joinCounts.evicted).toBe(1_000 - 64)
  })

  it('keeps a parent whose child it has given up at the self time it had', () => {
    const graph = new TenantGraph({ tenant: 't', templates: [], limits: { joinSpans: 16 } })
    graph.ingest(
      spanBatch([{ service: 'a', id: 2, parent: 1, kind: 1, startMs: 0, durationMs: 60, name: 'child' }]),
      epochMs,
    )
    graph.ingest(spanBatch([{ service: 'a', id: 1, startMs: 0, durationMs: 100 }]), epochMs)
    const others = Array.from({ length: 40 }, (_, i) => ({
      service: 'b',
      id: 100 + i,
      trace: 5,
      startMs: 0,
      durationMs: 1,
    }))
    graph.ingest(spanBatch(others), epochMs)
    const view = rollupView(graph.cut().rollups, { fromMs: epochMs, toMs: epochMs + 10_000 }, 10)
    expect(view.series('operation', 'a').map(one => [one.key[1], one.self[0]])).toEqual([
      ['child', 60],
      ['work', 40],
    ])
  })

  it('survives spans that are their own parent, cycles and equal ids', () => {
    const spans: TestSpan[] = [
      { service: 'a', id: 1, parent: 1, startMs: 0, durationMs: 5 },
      { service: 'a', id: 2, parent: 3, startMs: 0, durationMs: 5 },
      { service: 'b', id: 3, parent: 2, startMs: 0, durationMs: 5 },
      { service: 'c', id: 3, parent: 2, startMs: 1, durationMs: 5 },
    ]
    const services = seriesOf(spans, 'service')
    expect([...services].map(([name, one]) => [name, one.count[0]])).toEqual([
      ['a', 2],
      ['b', 1],
      ['c', 1],
    ])
  })

  it('takes a chain of spans of any length', () => {
    const spans = Array.from({ length: 20_000 }, (_, i) => ({
      service: 'a',
      id: i + 1,
      parent: i,
      kind: kinds.client,
      startMs: 0,
      durationMs: 1,
      peer: 'db',
    }))
    const edges = seriesOf(spans.toReversed(), 'edge')
    expect(edges.get('a db database peer')?.count[0]).toBe(1)
  })
})

describe('limits of the graph', () => {
  it('fold services, operations and edges that do not fit, and count them', () => {
    const limits = { services: 2, operationsPerService: 2, edges: 2 }
    const graph = new TenantGraph({ tenant: 't', templates: [], limits })
    const spans = Array.from({ length: 10 }, (_, i) => ({
      service: `s${i}`,
      name: `op${i}`,
      id: i + 1,
      trace: i,
      kind: kinds.client,
      startMs: 0,
      durationMs: 1,
      peer: `db${i}`,
    }))
    graph.ingest(spanBatch(spans), epochMs)
    const view = rollupView(graph.cut().rollups, { fromMs: epochMs, toMs: epochMs + 10_000 }, 10)
    const counts = (kind: 'service' | 'operation' | 'edge') =>
      view.series(kind).map(one => `${one.key.slice(0, 2).join(' ')} ${one.count[0]}`)
    expect(counts('service')).toEqual(['_overflow 8', 's0 1', 's1 1'])
    expect(counts('operation')).toEqual([
      '_overflow _overflow 6',
      '_overflow op2 1',
      '_overflow op3 1',
      's0 op0 1',
      's1 op1 1',
    ])
    expect(counts('edge')).toEqual(['_overflow _overflow 8', 's0 db0 1', 's1 db1 1'])
    expect(graph.folded).toMatchObject({ services: 8, operations: 6, edges: 8 })
  })

  it('are forgotten after an hour, so that a flood of names does not fold those of today', () => {
    const graph = new TenantGraph({ tenant: 't', templates: [], limits: { operationsPerService: 2 } })
    const span = (id: number) => ({ service: 'a', name: `op${id}`, id, trace: id, startMs: 0, durationMs: 1 })
    const names = (id: number, receivedMs: number) => {
      graph.ingest(spanBatch([span(id)]), receivedMs)
      const view = rollupView(graph.cut().rollups, { fromMs: epochMs, toMs: epochMs + 10_000 }, 10)
      return view.series('operation').map(one => one.key[1])
    }
    expect([1, 2, 3].map(id => names(id, epochMs))).toEqual([['op1'], ['op2'], ['_overflow']])
    names(4, epochMs + 3_600_000)
    expect(names(5, epochMs + 3_600_001)).toEqual(['op5'])
    expect(graph.folded.operations).toBe(2)
  })

  it('encode cells early when there are too many, without losing any', () => {
    const graph = new TenantGraph({ tenant: 't', templates: [], limits: { openCells: 20 } })
    const spans = Array.from({ length: 200 }, (_, i) => ({
      service: 'a',
      id: i + 1,
      trace: i,
      startMs: i * 10_000,
      durationMs: 1,
    }))
    for (const span of spans) graph.ingest(spanBatch([span]), epochMs)
    const { rollups } = graph.cut('here')
    const view = rollupView(rollups, { fromMs: epochMs, toMs: epochMs + 2_000_000 }, 10)
    expect(view.series('service')[0]?.count.reduce((a, b) => a + b)).toBe(200)
    expect(new Set(rollups.map(record => record.id)).size).toBe(rollups.length)
  })
})
