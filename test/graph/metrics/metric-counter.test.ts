import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rollupView } from '../../../src/graph/rollups/rollup-view.ts'
import { TenantGraph } from '../../../src/graph/tenant-graph.ts'
import { cellText } from '../cell-text.ts'
import { epochMs, metricBatch, type TestPoint } from '../telemetry-batches.ts'

const minute = { fromMs: epochMs, toMs: epochMs + 60_000 }

function metricsOf(points: readonly TestPoint[], limits = {}) {
  const graph = new TenantGraph({ tenant: 't', templates: [], limits })
  graph.ingest(metricBatch(points), epochMs)
  const view = rollupView(graph.cut().rollups, minute, 10)
  return { graph, view, series: view.series('metric') }
}

function counter(values: readonly (readonly [atMs: number, value: number, startMs?: number])[]): TestPoint[] {
  return values.map(([atMs, value, startMs]) => ({
    metric: 'requests',
    type: 'sum',
    temporality: 2,
    monotonic: true,
    atMs,
    value,
    ...(startMs === undefined ? {} : { startMs }),
  }))
}

describe('metric summaries', () => {
  it('of gauges hold count, sum, last, smallest and largest value of a window', () => {
    const { series } = metricsOf([3, 9, 5].map((value, i) => ({ metric: 'cpu', atMs: i * 1_000, value })))
    const cpu = series[0]
    expect(cpu?.key).toEqual(['shop', 'cpu', '', '', '1', 'gauge'])
    expect([cpu?.count[0], cpu?.sum[0], cpu?.self[0], cpu?.paired[0], cpu?.max[0]]).toEqual([3, 17, 5, 3, 9])
  })

  it('of counters hold increases where the later point lies', () => {
    const { series } = metricsOf(
      counter([
        [0, 100],
        [10_000, 130],
        [20_000, 190],
      ]),
    )
    expect([...(series[0]?.sum ?? [])]).toEqual([0, 30, 60, 0, 0, 0])
    expect([...(series[0]?.max ?? [])]).toEqual([100, 130, 190, 0, 0, 0])
  })

  it('take a falling counter as one that began anew', () => {
    const { series } = metricsOf(
      counter([
        [0, 100],
        [10_000, 130],
        [20_000, 7],
      ]),
    )
    expect([...(series[0]?.sum ?? [])]).toEqual([0, 30, 7, 0, 0, 0])
    expect([...(series[0]?.errors ?? [])]).toEqual([0, 0, 1, 0, 0, 0])
  })

  it('take a new start time as a reset even where the value has grown', () => {
    const { series } = metricsOf(
      counter([
        [0, 100, -900_000],
        [10_000, 120, 5_000],
      ]),
    )
    expect([...(series[0]?.sum ?? [])].slice(0, 2)).toEqual([0, 120])
  })

  it('count the first point of a counter that has just begun, and of no other', () => {
    expect(metricsOf(counter([[0, 40, -10_000]])).series[0]?.sum[0]).toBe(40)
    expect(metricsOf(counter([[0, 40, -900_000]])).series[0]?.sum[0]).toBe(0)
    expect(metricsOf(counter([[0, 40]])).series[0]?.sum[0]).toBe(0)
  })

  it('of counters are the same forwards, backwards and in stretches', () => {
    const points = counter([
      [0, 5],
      [10_000, 9],
      [20_000, 30],
      [30_000, 31],
    ])
    const late = counter([
      [7_200_000, 90],
      [7_210_000, 95],
    ])
    const cells = (order: readonly TestPoint[]) => {
      const graph = new TenantGraph({ tenant: 't', templates: [] })
      const cuts = order.flatMap(point => {
        graph.ingest(metricBatch([point]), epochMs)
        return graph.cut().rollups
      })
      return cellText(cuts)
    }
    const expected = cells([...points, ...late])
    expect(expected).toHaveLength(6)
    expect(cells([...late, ...points])).toEqual(expected)
    expect(cells([...points.toReversed(), ...late.toReversed()])).toEqual(expected)
  })

  it('never invent an increase: of all points in order they sum up to the way from the first to the last', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 1_000 }), { minLength: 2, maxLength: 30 }), steps => {
        const valueAt = (i: number) => 50 + steps.slice(0, i + 1).reduce((a, b) => a + b, 0)
        const points = steps.map((_, i) => [i * 1_500, valueAt(i)] as const)
        const sum = metricsOf(counter(points)).series[0]?.sum.reduce((a, b) => a + b, 0)
        expect(sum).toBe(valueAt(steps.length - 1) - valueAt(0))
      }),
    )
  })

  it('of histograms hold observations, their sum and the mean of what was added', () => {
    const at = (atMs: number, value: number, count: number): TestPoint => ({
      metric: 'latency',
      type: 'histogram',
      temporality: 2,
      atMs,
      value,
      count,
    })
    const { series } = metricsOf([at(0, 100, 10), at(10_000, 160, 30)])
    const latency = series[0]
    expect([latency?.count[1], latency?.sum[1], latency?.self[1]]).toEqual([20, 60, 3])
  })

  it('leave out points that hold no number', () => {
    const { series } = metricsOf([
      { metric: 'cpu', atMs: 0, value: Number.NaN, count: 0 },
      { metric: 'cpu', atMs: 1, value: 2 },
    ])
    expect(series[0]?.count[0]).toBe(1)
  })

  it('count points of series beyond the limit in one overflow series', () => {
    const points = Array.from({ length: 9 }, (_, i) => ({
      metric: 'm',
      series: `id=${i}`,
      atMs: 0,
      value: i,
    }))
    const { series, graph } = metricsOf(points, { metricSeries: 4 })
    expect(series.map(one => [one.key[1], one.count[0]])).toEqual([
      ['_overflow', 5],
      ['m', 1],
      ['m', 1],
      ['m', 1],
      ['m', 1],
    ])
    expect(graph.folded.metricSeries).toBe(5)
  })
})

describe('service-graph metrics', () => {
  const call = (metric: string, atMs: number, value: number): TestPoint => ({
    metric,
    type: 'sum',
    temporality: 2,
    monotonic: true,
    series: 'client=web,connection_type=,server=pay',
    atMs,
    value,
  })

  it('become call edges from the first point on', () => {
    const { view } = metricsOf([call('traces_service_graph_request_total', 0, 5)])
    const edge = view.series('edge')[0]
    expect(edge?.key).toEqual(['web', 'pay', 'metric', 'service'])
    expect(edge?.count[0]).toBe(0)
  })

  it('count calls and failures by their increases', () => {
    const { view } = metricsOf([
      call('traces_service_graph_request_total', 0, 5),
      call('traces_service_graph_request_total', 10_000, 25),
      call('traces_service_graph_request_failed_total', 0, 1),
      call('traces_service_graph_request_failed_total', 10_000, 4),
    ])
    const edge = view.series('edge')[0]
    expect([edge?.count[1], edge?.errors[1]]).toEqual([20, 3])
  })
})
