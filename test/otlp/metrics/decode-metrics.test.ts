import { describe, expect, test } from 'vitest'
import { InvalidInputError } from '../../../src/errors.ts'
import { itemFlags, type MetricBlock, recordOf } from '../../../src/model/telemetry.ts'
import { toMs } from '../../../src/model/time.ts'
import { readDataPoint } from '../../../src/otlp/metrics/data-point.ts'
import { decodeMetrics } from '../../../src/otlp/metrics/decode-metrics.ts'
import { parseSeriesText } from '../../../src/otlp/metrics/series-text.ts'
import { decodeReference, encodeReference } from '../reference-types.ts'
import {
  attribute,
  concat,
  context,
  field,
  metricRequest,
  nanos,
  receivedMs,
  requestOfItem,
  spanId,
  traceId,
} from '../request-builder.ts'

const metrics = 'opentelemetry.proto.metrics.v1'
const times = { startTimeUnixNano: nanos(-60_000), timeUnixNano: nanos(-1) }
const attributes = [attribute('b', 'x'), attribute('a', 1)]
const exemplar = {
  timeUnixNano: nanos(-2),
  asDouble: 0.25,
  traceId,
  spanId,
  filteredAttributes: [attribute('u', 7)],
}

const gauge = {
  name: 'temp',
  unit: 'Cel',
  description: 'd',
  gauge: { dataPoints: [{ ...times, attributes, asDouble: 21.5 }] },
}
const sum = {
  name: 'requests',
  metadata: [attribute('from', 'prometheus')],
  sum: {
    aggregationTemporality: 2,
    isMonotonic: true,
    dataPoints: [
      { ...times, attributes, asInt: '-9007199254740991', exemplars: [exemplar] },
      { ...times, attributes, asInt: '4' },
    ],
  },
}
const histogram = {
  name: 'latency',
  histogram: {
    aggregationTemporality: 1,
    dataPoints: [
      {
        ...times,
        attributes,
        count: '7',
        sum: 12.5,
        min: 0.5,
        max: 9,
        bucketCounts: ['3', '0', '4'],
        explicitBounds: [1, 5],
        exemplars: [exemplar],
        flags: 0,
      },
      { ...times, attributes, count: '7', bucketCounts: ['7'] },
    ],
  },
}
const exponential = {
  name: 'size',
  exponentialHistogram: {
    aggregationTemporality: 2,
    dataPoints: [
      {
        ...times,
        attributes,
        count: '9',
        sum: 3,
        scale: -2,
        zeroCount: '2',
        zeroThreshold: 0.001,
        min: -1,
        max: 8,
        positive: { offset: -3, bucketCounts: ['1', '300'] },
        negative: { offset: 4, bucketCounts: ['6'] },
        exemplars: [exemplar],
      },
    ],
  },
}
const summary = {
  name: 'gc',
  summary: {
    dataPoints: [
      {
        ...times,
        attributes,
        count: '3',
        sum: 0.9,
        quantileValues: [
          { quantile: 0.5, value: 0.2 },
          { quantile: 1, value: 0.5 },
        ],
      },
    ],
  },
}
const all = [gauge, sum, histogram, exponential, summary]

function seriesOf(block: MetricBlock, row: number): string | undefined {
  return block.strings[block.series[row] ?? -1]
}

describe('the columns of data points', () => {
  const { block, records, refusals, warnings } = decodeMetrics(metricRequest(all), context)

  test('hold one row a point for all five kinds', () => {
    expect([block.count, refusals.length, warnings.length]).toEqual([7, 0, 0])
    expect([...block.metric]).toEqual([0, 1, 1, 2, 2, 3, 4])
    expect([...block.value]).toEqual([21.5, -9007199254740991, 4, 12.5, Number.NaN, 3, 0.9])
    expect([...block.pointCount]).toEqual([1, 1, 1, 7, 7, 9, 3])
  })

  test('tell metrics apart by kind, temporality and monotonicity', () => {
    const shown = block.metrics.map(({ bytes: _, ...entry }) => entry)
    const plain = { unit: '', description: '', temporality: 0, monotonic: false }
    expect(shown).toEqual([
      { ...plain, name: 'temp', unit: 'Cel', description: 'd', type: 'gauge' },
      { ...plain, name: 'requests', type: 'sum', temporality: 2, monotonic: true },
      { ...plain, name: 'latency', type: 'histogram', temporality: 1 },
      { ...plain, name: 'size', type: 'exponential_histogram', temporality: 2 },
      { ...plain, name: 'gc', type: 'summary' },
    ])
  })

  test('leave the Metric message as sent but for its points', () => {
    const { sum: data, ...rest } = sum
    const { dataPoints: _, ...kept } = data
    const name = `${metrics}.Metric`
    expect(decodeReference(name, block.metrics[1]?.bytes ?? new Uint8Array(0))).toEqual(
      decodeReference(name, encodeReference(name, { ...rest, sum: kept })),
    )
  })

  test('hold times and the canonical series', () => {
    expect(toMs(block.timeHi[0] ?? 0, block.timeLo[0] ?? 0) - receivedMs).toBe(-1)
    expect(toMs(block.startHi[0] ?? 0, block.startLo[0] ?? 0) - receivedMs).toBe(-60_000)
    expect(block.strings).toEqual(['', 'a=1,b=x'])
    expect([...block.series]).toEqual([1, 1, 1, 1, 1, 1, 1])
  })

  test('give way to the records for everything else', () => {
    const point = (row: number) =>
      readDataPoint(block.metrics[block.metric[row] ?? 0]?.type ?? 'gauge', recordOf(records, row))
    const shared = {
      attributes: [
        { key: 'b', value: 'x' },
        { key: 'a', value: 1 },
      ],
      timeNs: BigInt(nanos(-1)),
      startNs: BigInt(nanos(-60_000)),
      flags: 0,
    }
    const exemplars = [
      {
        timeNs: BigInt(nanos(-2)),
        value: 0.25,
        traceId: Buffer.from(traceId).toString('hex'),
        spanId: Buffer.from(spanId).toString('hex'),
        attributes: [{ key: 'u', value: 7 }],
      },
    ]
    expect(point(0)).toEqual({ ...shared, type: 'gauge', value: 21.5, exemplars: [] })
    expect(point(1)).toEqual({ ...shared, type: 'sum', value: -9007199254740991, exemplars })
    expect(point(3)).toEqual({
      ...shared,
      ...{ type: 'histogram', count: 7, sum: 12.5, min: 0.5, max: 9 },
      ...{ bucketCounts: [3, 0, 4], bounds: [1, 5], exemplars },
    })
    expect(point(5)).toEqual({
      ...shared,
      ...{ type: 'exponential_histogram', count: 9, sum: 3, min: -1, max: 8, exemplars },
      ...{ scale: -2, zeroCount: 2, zeroThreshold: 0.001 },
      ...{ positive: { offset: -3, counts: [1, 300] }, negative: { offset: 4, counts: [6] } },
    })
    expect(point(6)).toEqual({
      ...shared,
      ...{ type: 'summary', count: 3, sum: 0.9, exemplars: [] },
      quantiles: [
        { quantile: 0.5, value: 0.2 },
        { quantile: 1, value: 0.5 },
      ],
    })
  })

  test('count nothing where no value was recorded', () => {
    const request = metricRequest([
      { name: 'g', gauge: { dataPoints: [{ ...times, flags: 1 }] } },
      { name: 'h', histogram: { dataPoints: [{ ...times, count: '4', flags: 1 }] } },
    ])
    const { block: empty } = decodeMetrics(request, context)
    expect([...empty.pointCount]).toEqual([0, 0])
    expect([...empty.value]).toEqual([Number.NaN, Number.NaN])
  })

  test('hold nothing of a metric without points', () => {
    const request = metricRequest([
      { name: 'a', gauge: {} },
      { name: 'b' },
      { name: 'c', sum: { isMonotonic: true } },
    ])
    expect(decodeMetrics(request, context).block).toMatchObject({
      count: 0,
      metrics: [],
      strings: [''],
    })
  })

  test('index points without a time, and those from the future, by receipt', () => {
    const points = [{ asInt: '1' }, { asInt: '1', timeUnixNano: nanos(3_600_001) }]
    const late = decodeMetrics(metricRequest([{ name: 'g', gauge: { dataPoints: points } }]), context)
    expect([...late.block.flags]).toEqual([itemFlags.noTime, itemFlags.future])
    expect([...late.block.timeHi].map((high, i) => toMs(high, late.block.timeLo[i] ?? 0))).toEqual([
      receivedMs,
      receivedMs,
    ])
    expect(late.warnings.length).toBe(1)
  })

  test('keep an exemplar with bad ids without them, flagged and warned about', () => {
    const bad = { ...exemplar, traceId: new Uint8Array(16), spanId: Uint8Array.of(1) }
    const { traceId: _t, spanId: _s, ...clean } = exemplar
    const pointOf = (first: object) => ({ ...times, attributes, count: '1', exemplars: [first, exemplar] })
    const request = metricRequest([
      { name: 'h', histogram: { dataPoints: [pointOf(bad), pointOf(exemplar)] } },
    ])
    const batch = decodeMetrics(request, context)
    expect([...batch.block.flags]).toEqual([itemFlags.badReference, 0])
    expect([batch.refusals.length, batch.warnings.length]).toEqual([0, 1])
    const name = `${metrics}.HistogramDataPoint`
    expect(decodeReference(name, recordOf(batch.records, 0))).toEqual(
      decodeReference(name, encodeReference(name, pointOf(clean))),
    )
  })

  test('let the last kind of data take the place of those before, and merge parts of one kind', () => {
    const part = (number: number, content: Uint8Array | number[]) => field(number, content)
    const point = (value: number) =>
      field(1, encodeReference(`${metrics}.NumberDataPoint`, { ...times, asInt: String(value) }))
    const metric = concat(
      field(1, new TextEncoder().encode('m')),
      part(5, point(1)),
      part(7, concat(point(2), [0x10, 2])),
      part(7, concat([0x18, 1], point(3))),
    )
    const batch = decodeMetrics(requestOfItem(metric), context)
    expect([...batch.block.value]).toEqual([2, 3])
    expect(batch.block.metrics[0]).toMatchObject({ type: 'sum', temporality: 2, monotonic: true })
  })

  test.each([
    ['packed bounds of seven bytes', field(7, [1, 2, 3, 4, 5, 6, 7])],
    ['an exemplar cut short', field(8, [0x11, 1])],
    ['an attribute cut short', field(9, [0x0a, 5, 1])],
    ['a count of seven bytes', Uint8Array.from([0x21, 1, 2, 3, 4, 5, 6, 7])],
  ])('are refused as undecodable with %s', (_, point) => {
    const metric = field(9, field(1, point))
    expect(() => decodeMetrics(requestOfItem(metric), context)).toThrow(InvalidInputError)
  })

  test('are refused as undecodable with a cut varint among packed buckets', () => {
    const metric = field(10, field(1, field(8, field(2, [0x80]))))
    expect(() => decodeMetrics(requestOfItem(metric), context)).toThrow(InvalidInputError)
  })
})

describe('the series text', () => {
  const textOf = (list: readonly object[]) => {
    const request = metricRequest([
      { name: 'g', gauge: { dataPoints: [{ ...times, attributes: list, asInt: '1' }] } },
    ])
    return seriesOf(decodeMetrics(request, context).block, 0)
  }

  test.each([
    ['nothing', [], ''],
    ['sorted keys', [attribute('b', 2), attribute('a', 'x')], 'a=x,b=2'],
    ['the last of equal keys', [attribute('a', 1), attribute('a', 2)], 'a=2'],
    [
      'every kind of value',
      [attribute('b', true), attribute('d', 0.5), attribute('e', '')],
      'b=true,d=0.5,e=',
    ],
    ['escapes', [attribute('a=b', 'c,d\\e')], 'a\\=b=c\\,d\\\\e'],
    [
      'a list as JSON',
      [{ key: 'l', value: { arrayValue: { values: [{ intValue: '1' }, { stringValue: 'z' }] } } }],
      'l=[1\\,"z"]',
    ],
  ])('is %s', (_, list, text) => {
    expect(textOf(list)).toBe(text)
  })

  test('is the same whatever the order, also when other fields stand between the attributes', () => {
    const one = field(7, encodeReference('opentelemetry.proto.common.v1.KeyValue', attribute('a', 1)))
    const two = field(7, encodeReference('opentelemetry.proto.common.v1.KeyValue', attribute('b', 2)))
    const metric = field(
      5,
      concat(field(1, concat(two, [0x40, 0], one)), field(1, concat(one, two)), field(1, concat(two, one))),
    )
    const { block } = decodeMetrics(requestOfItem(metric), context)
    expect([...block.series]).toEqual([1, 1, 1])
    expect(block.strings).toEqual(['', 'a=1,b=2'])
  })

  test('comes apart again', () => {
    expect(parseSeriesText(textOf([attribute('a=b', 'c,d\\e=f'), attribute('z', '')]) ?? '')).toEqual([
      ['a=b', 'c,d\\e=f'],
      ['z', ''],
    ])
    expect(parseSeriesText('')).toEqual([])
  })
})
