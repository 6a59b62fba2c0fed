import { describe, expect, test } from 'vitest'
import { CardinalityBudget } from '../../src/graph/cardinality-budget.ts'
import { kindOfName, OffenderTable } from '../../src/graph/offenders.ts'
import { TenantGraph } from '../../src/graph/tenant-graph.ts'
import { epochMs, spanBatch } from './telemetry-batches.ts'

/** One span each of so many services. */
function services(prefix: string, count: number): Parameters<TenantGraph['ingest']>[0] {
  return spanBatch(
    Array.from({ length: count }, (_, id) => ({
      service: `${prefix}${id}`,
      id: id + 1,
      startMs: 0,
      durationMs: 1,
    })),
  )
}

function heldBy(graph: TenantGraph): number {
  return 500 - (graph.folded.services ?? 0)
}

describe('names of all tenants together', () => {
  test('a tenant alone may have all of them', () => {
    const graph = new TenantGraph({
      tenant: 'a',
      templates: [],
      budget: new CardinalityBudget({ services: 200 }),
    })
    graph.ingest(services('a', 500), epochMs)
    expect(heldBy(graph)).toBe(200)
  })

  test('a noisy one leaves room for the others, and what it gives back may be used again', () => {
    const budget = new CardinalityBudget({ services: 200 })
    const graphs = ['noisy', 'second', 'third'].map(
      tenant => new TenantGraph({ tenant, templates: [], budget }),
    )
    const [noisy, second, third] = graphs
    if (noisy === undefined || second === undefined || third === undefined) throw new Error('no graphs')
    noisy.ingest(services('n', 500), epochMs)
    expect(heldBy(noisy)).toBe(100)
    second.ingest(services('s', 500), epochMs)
    third.ingest(services('t', 500), epochMs)
    expect([heldBy(second), heldBy(third)]).toEqual([50, 50])
    noisy.leave()
    const late = new TenantGraph({ tenant: 'late', templates: [], budget })
    late.ingest(services('l', 40), epochMs)
    expect(late.folded.services).toBe(0)
  })

  test('what no longer fits is counted with whose it was', () => {
    const graph = new TenantGraph({
      tenant: 'a',
      templates: [],
      limits: { services: 50, operationsPerService: 2 },
    })
    graph.ingest(services('pod-', 70), epochMs)
    const operations = Array.from({ length: 9 }, (_, id) => ({
      service: 'pod-1',
      name: `GET /items/${id}`,
      id: id + 1,
      startMs: 0,
      durationMs: 1,
    }))
    graph.ingest(spanBatch(operations), epochMs)
    const byLimit = new Map(graph.overflows().map(overflow => [overflow.limit, overflow]))
    expect(byLimit.get('services')).toMatchObject({
      tenant: 'a',
      signal: 'traces',
      count: 20,
      offenders: [{ name: 'pod-*', count: 20 }],
    })
    expect(byLimit.get('operations')?.offenders[0]).toMatchObject({ name: 'pod-1' })
    expect(byLimit.has('templates')).toBe(false)
  })
})

describe('top offenders', () => {
  test('whoever is often there is found among many that are not', () => {
    const table = new OffenderTable()
    for (let round = 0; round < 3_000; round++) {
      table.note('metricSeries', round % 3 === 0 ? 'checkout requests' : `other ${round}`)
    }
    expect(table.top('metricSeries', 1)).toMatchObject([{ name: 'checkout requests' }])
    expect(table.top('metricSeries', 100).length).toBeLessThanOrEqual(16)
    expect(table.top('services', 3)).toEqual([])
  })

  test.each([
    ['GET /orders/8123/items', 'GET /orders/*/items'],
    ['job-5f3a9c', 'job-*'],
    ['checkout', 'checkout'],
  ])('%s is one of %s', (name, kind) => {
    expect(kindOfName(name)).toBe(kind)
  })
})
