import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MetricEntry, MetricType } from '../../../src/model/telemetry.ts'
import { cumulativeGrowth } from '../../../src/store/metrics/counter.ts'
import {
  type Distribution,
  DistributionSum,
  distributionOf,
} from '../../../src/store/metrics/distribution.ts'
import { type Aggregation, aggregateSeries } from '../../../src/store/metrics/metric-query.ts'
import type { MetricSeries, SeriesPoint } from '../../../src/store/metrics/metric-series.ts'
import { encode } from '../protobuf-root.ts'

const nothing: Distribution = { bounds: [], counts: [], min: Number.NaN, max: Number.NaN, quantiles: [] }

const second = 1000
const startMs = 1_763_640_000_000

function entry(type: MetricType, temporality = 2, monotonic = true): MetricEntry {
  return {
    name: 'm',
    unit: '1',
    description: '',
    type,
    temporality,
    monotonic,
    bytes: new Uint8Array(),
  }
}

/** Points as [seconds, value] or [seconds, value, start in seconds]. */
function series(
  metric: MetricEntry,
  points: readonly (readonly [at: number, value: number, since?: number])[],
  attributes: MetricSeries['attributes'] = [],
  service = 'cart',
): MetricSeries {
  return {
    metric,
    service,
    instance: `${service}-1`,
    attributes,
    points: points.map(([at, value, since]) => ({
      timeMs: startMs + at * second,
      startMs: since === undefined ? 0 : startMs + since * second,
      value,
      count: 1,
      distribution: null,
    })),
  }
}

function values(
  all: readonly MetricSeries[],
  aggregation: Aggregation,
  options: { steps?: number; stepSeconds?: number; groupBy?: readonly string[]; q?: number } = {},
): readonly (readonly number[])[] {
  const { steps = 3, stepSeconds = 10, groupBy = [], q = 0.5 } = options
  const answer = aggregateSeries(all, {
    name: 'm',
    range: { fromMs: startMs, toMs: startMs + steps * stepSeconds * second },
    stepMs: stepSeconds * second,
    groupBy,
    aggregation,
    q,
  })
  return answer.groups.map(group => [...group.values].map(value => Math.round(value * 1e6) / 1e6))
}

const none = Number.NaN

describe('gauges', () => {
  const one = series(entry('gauge'), [
    [1, 4],
    [5, 8],
    [21, 1],
  ])

  it.each<readonly [Aggregation, readonly number[]]>([
    ['avg', [6, none, 1]],
    ['min', [4, none, 1]],
    ['max', [8, none, 1]],
    ['last', [8, none, 1]],
    ['sum', [6, none, 1]],
    ['rate', [none, none, none]],
  ])('have %s %j', (aggregation, expected) => {
    expect(values([one], aggregation)).toEqual([expected])
  })

  it('of several series add up their averages, apart where they are grouped', () => {
    const used = series(entry('gauge'), [[1, 10]], [['state', 'used']])
    const free = series(
      entry('gauge'),
      [
        [1, 2],
        [2, 4],
      ],
      [['state', 'free']],
    )
    expect(values([used, free], 'sum', { steps: 1 })).toEqual([[13]])
    expect(values([used, free], 'sum', { steps: 1, groupBy: ['state'] })).toEqual([[3], [10]])
    const other = series(entry('gauge'), [[1, 1]], [], 'payment')
    expect(values([used, other], 'max', { steps: 1, groupBy: ['service'] })).toEqual([[10], [1]])
  })
})

describe('counters', () => {
  it('grow by differences, whatever was before the window', () => {
    const one = series(entry('sum'), [
      [-10, 100],
      [0, 110],
      [10, 130],
      [20, 130],
    ])
    expect(values([one], 'increase')).toEqual([[20, 0, none]])
    expect(values([one], 'rate')).toEqual([[2, 0, none]])
  })

  it('spread what grew between two points over the steps in between', () => {
    const one = series(entry('sum'), [
      [0, 0],
      [30, 60],
    ])
    expect(values([one], 'increase')).toEqual([[20, 20, 20]])
    expect(values([one], 'rate')).toEqual([[2, 2, 2]])
  })

  it('take the rate of several points in a step over the time they cover', () => {
    const one = series(entry('sum'), [
      [0, 0],
      [2, 10],
      [5, 25],
    ])
    expect(values([one], 'rate', { steps: 1 })).toEqual([[5]])
  })

  it('begin again after a fall and after a new start', () => {
    const fell = series(entry('sum'), [
      [0, 50],
      [10, 60],
      [20, 5],
    ])
    expect(values([fell], 'increase')).toEqual([[10, 5, none]])
    const restarted = series(entry('sum'), [
      [0, 50, -100],
      [10, 60, -100],
      [20, 80, 15],
    ])
    // The new process counts from second 15: nothing is known of the five seconds before.
    expect(values([restarted], 'increase')).toEqual([[10, 80, none]])
  })

  it('that began inside the window have grown by their first value', () => {
    expect(values([series(entry('sum'), [[10, 7, 2]])], 'increase', { steps: 1 })).toEqual([[7]])
    expect(values([series(entry('sum'), [[10, 7]])], 'increase', { steps: 1 })).toEqual([[none]])
  })

  it('with delta temporality are added up as they are', () => {
    const one = series(entry('sum', 1), [
      [5, 3, 0],
      [10, 4, 5],
      [20, 6, 10],
    ])
    expect(values([one], 'increase')).toEqual([[7, 6, none]])
    expect(values([one], 'sum')).toEqual([[3, 4, 6]])
  })

  it('of two series add up their rates', () => {
    const first = series(entry('sum'), [
      [0, 0],
      [10, 10],
    ])
    const other = series(
      entry('sum'),
      [
        [0, 5],
        [10, 35],
      ],
      [],
      'payment',
    )
    expect(values([first, other], 'rate', { steps: 1 })).toEqual([[4]])
  })

  it('never shrink, however they are reset', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 2, maxLength: 30 }), counts => {
        const points = counts.map((value, at) => ({ timeMs: at * 10, startMs: 0, value }))
        for (let at = 1; at < points.length; at++) {
          const point = points[at] ?? { timeMs: 0, startMs: 0, value: 0 }
          expect(cumulativeGrowth(points[at - 1], point, 0)).toBeGreaterThanOrEqual(0)
        }
      }),
    )
  })
})

function histogramPoint(
  at: number,
  counts: readonly number[],
  sum: number,
  bounds: readonly number[] = [1, 2, 4],
): SeriesPoint {
  const total = counts.reduce((a, b) => a + b, 0)
  const record = encode('opentelemetry.proto.metrics.v1.HistogramDataPoint', {
    count: total,
    sum,
    min: 0.5,
    max: 3.5,
    bucketCounts: counts,
    explicitBounds: bounds,
  })
  return {
    timeMs: startMs + at * second,
    startMs: startMs - 3_600_000,
    value: sum,
    count: total,
    distribution: distributionOf('histogram', record),
  }
}

describe('histograms', () => {
  const one: MetricSeries = {
    ...series(entry('histogram'), []),
    points: [histogramPoint(0, [100, 0, 0, 0], 50), histogramPoint(10, [100, 10, 10, 0], 95)],
  }

  it.each<readonly [Aggregation, number, number]>([
    ['quantile', 0.5, 2],
    ['quantile', 0.25, 1.5],
    // Half of (2, 4], which ends at the maximum of 3.5.
    ['quantile', 0.75, 2.75],
    ['increase', 0, 20],
    ['rate', 0, 2],
    ['avg', 0, 2.25],
    ['min', 0, 0.5],
    ['max', 0, 3.5],
  ])('have %s(%d) = %d of what came between two points', (aggregation, q, expected) => {
    expect(values([one], aggregation, { steps: 1, q })).toEqual([[expected]])
  })

  it('of several instances are added up before the quantile is taken', () => {
    const slow: MetricSeries = {
      ...one,
      instance: 'cart-2',
      points: [histogramPoint(0, [0, 0, 0, 0], 0), histogramPoint(10, [0, 0, 80, 0], 240)],
    }
    const [[both = 0] = []] = values([one, slow], 'quantile', { steps: 1, q: 0.5 })
    expect(both).toBeGreaterThan(2.5)
  })

  it('answer with the last bound for what lies above all of them', () => {
    const above = distributionOf(
      'histogram',
      encode('opentelemetry.proto.metrics.v1.HistogramDataPoint', {
        bucketCounts: [0, 5],
        explicitBounds: [9],
      }),
    )
    const sum = new DistributionSum()
    sum.add(above ?? nothing)
    expect(sum.quantile(0.99)).toBe(9)
  })

  it('of seconds in bounds made for milliseconds are read between their extremes', () => {
    const sum = new DistributionSum()
    sum.add({ ...nothing, bounds: [0, 5, 10], counts: [0, 200, 0, 0], min: 0.01, max: 0.03 })
    expect(sum.quantile(0.95)).toBeCloseTo(0.029, 9)
    sum.add({ ...nothing, bounds: [0, 5, 10], counts: [0, 200, 0, 0], min: 0.2, max: 0.5 })
    expect(sum.quantile(1)).toBe(0.5)
    expect(sum.quantile(0.0025)).toBeLessThan(0.02)
    // One that does not say may have had anything.
    sum.add({ ...nothing, bounds: [0, 5, 10], counts: [0, 400, 0, 0] })
    expect(sum.quantile(0.5)).toBe(2.5)
  })

  it('do not believe extremes that contradict the counts', () => {
    const sum = new DistributionSum()
    sum.add({ ...nothing, bounds: [0, 5, 10], counts: [0, 0, 10, 0], min: 0, max: 0 })
    expect(sum.quantile(0.5)).toBe(7.5)
    const quiet = new DistributionSum()
    quiet.add({ ...nothing, bounds: [0, 5, 10], counts: [0, 10, 0, 0], min: 1, max: 2 })
    quiet.add({ ...nothing, bounds: [0, 5, 10], counts: [0, 0, 0, 0], min: 0, max: 0 })
    expect(quiet.quantile(1)).toBe(2)
  })
})

describe('exponential histograms', () => {
  it('have quantiles within one bucket of the values they were made of', () => {
    const scale = 3
    const base = 2 ** (2 ** -scale)
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.001, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 }),
        fc.constantFrom(0.5, 0.9, 0.99),
        (samples, q) => {
          const indices = samples.map(value => Math.ceil(Math.log2(value) * 2 ** scale) - 1)
          const offset = Math.min(...indices)
          const bucketCounts = new Array<number>(Math.max(...indices) - offset + 1).fill(0)
          for (const index of indices) bucketCounts[index - offset] = (bucketCounts[index - offset] ?? 0) + 1
          const record = encode('opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint', {
            scale,
            positive: { offset, bucketCounts },
          })
          const distribution = distributionOf('exponential_histogram', record)
          const sum = new DistributionSum()
          sum.add(distribution ?? nothing)
          const sorted = samples.toSorted((a, b) => a - b)
          const exact = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0
          expect(sum.quantile(q)).toBeLessThanOrEqual(exact * base * 1.0001)
          expect(sum.quantile(q)).toBeGreaterThanOrEqual(exact / base / 1.0001)
        },
      ),
    )
  })

  it('know negative values and zeros', () => {
    const record = encode('opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint', {
      scale: 0,
      zeroCount: 2,
      negative: { offset: 0, bucketCounts: [1, 1] },
      positive: { offset: 1, bucketCounts: [4] },
    })
    const distribution = distributionOf('exponential_histogram', record)
    expect(distribution?.bounds).toEqual([-4, -2, -1, 0, 2, 4])
    expect(distribution?.counts).toEqual([0, 1, 1, 2, 0, 4, 0])
  })
})

describe('summaries', () => {
  it('answer with the quantiles they were sent with, the worst of several', () => {
    const point = (at: number, value: number): SeriesPoint => ({
      timeMs: startMs + at * second,
      startMs: 0,
      value: 1,
      count: 1,
      distribution: distributionOf(
        'summary',
        encode('opentelemetry.proto.metrics.v1.SummaryDataPoint', {
          quantileValues: [
            { quantile: 0.5, value: value / 2 },
            { quantile: 0.99, value },
          ],
        }),
      ),
    })
    const summary = { ...series(entry('summary'), []), points: [point(1, 10), point(2, 30), point(11, 20)] }
    expect(values([summary], 'quantile', { q: 0.99 })).toEqual([[30, 20, none]])
    expect(values([summary], 'quantile', { q: 0.9 })).toEqual([[none, none, none]])
  })
})
