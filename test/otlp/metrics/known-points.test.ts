/** What is recognised from earlier requests must decode as if nothing had come before. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidInputError } from '../../../src/errors.ts'
import { recordOf } from '../../../src/model/telemetry.ts'
import { decodeMetrics } from '../../../src/otlp/metrics/decode-metrics.ts'
import { mutate, randomFrom } from '../mutation.ts'
import { attribute, concat, context, metricRequest, nanos, spanId, traceId } from '../request-builder.ts'

/** Another limit of attributes makes the decoder forget what it knows. */
function forget(): void {
  decodeMetrics(new Uint8Array(0), { ...context, attributeMaxBytes: context.attributeMaxBytes + 1 })
}

function decoded(bytes: Uint8Array): unknown {
  try {
    const { block, records, refusals, warnings } = decodeMetrics(bytes, context)
    const rows = Array.from({ length: block.count }, (_, row) =>
      Buffer.from(recordOf(records, row)).toString('hex'),
    )
    return { block, rows, refusals, warnings }
  } catch (error) {
    if (error instanceof InvalidInputError) return error.message
    throw error
  }
}

function decodedAnew(bytes: Uint8Array): unknown {
  forget()
  return decoded(bytes)
}

const numberOf = fc.oneof(fc.integer({ min: -5, max: 1_000 }), fc.double({ noNaN: true }), fc.constant(0))
const routes = fc.constantFrom('/', '/cart', '/cart/{id}', '/pay')
const attributes = fc
  .tuple(routes, fc.constantFrom(200, 404, 500))
  .map(([route, status]) => [attribute('route', route), attribute('status', status)])
const times = fc
  .tuple(
    fc.integer({ min: -90_000, max: 0 }),
    fc.integer({ min: 0, max: 60_000 }),
    fc.boolean(),
    fc.boolean(),
  )
  .map(([ms, before, timed, started]) => ({
    ...(timed ? { timeUnixNano: nanos(ms) } : {}),
    ...(started ? { startTimeUnixNano: nanos(ms - before) } : {}),
  }))
const exemplar = { timeUnixNano: nanos(-2), asDouble: 0.25, traceId, spanId }
const common = fc
  .tuple(times, fc.option(attributes), fc.constantFrom(0, 0, 0, 1), fc.constantFrom(0, 0, 0, 1))
  .map(([time, set, flags, exemplars]) => ({
    ...time,
    attributes: set ?? [],
    flags,
    exemplars: exemplars === 0 ? [] : [exemplar],
  }))
const numberPoint = fc.tuple(common, numberOf, fc.boolean()).map(([point, value, whole]) => ({
  ...point,
  ...(whole ? { asInt: String(Math.trunc(value % 1e9)) } : { asDouble: value }),
}))
const counts = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 3, maxLength: 4 })
const histogramPoint = fc.tuple(common, counts, fc.option(numberOf)).map(([point, buckets, sum]) => ({
  ...point,
  count: String(buckets.reduce((all, one) => all + one, 0)),
  bucketCounts: buckets.map(String),
  explicitBounds: buckets.slice(1).map((_, bound) => bound * 10),
  ...(sum === null ? {} : { sum, min: sum, max: sum }),
}))
const exponentialPoint = fc.tuple(common, counts).map(([point, buckets]) => ({
  ...point,
  count: '4',
  scale: 3,
  positive: { offset: 1, bucketCounts: buckets.map(String) },
}))
const summaryPoint = fc
  .tuple(common, numberOf, counts)
  .map(([{ exemplars: _, ...point }, value, quantiles]) => ({
    ...point,
    count: '3',
    sum: value,
    quantileValues: quantiles.map(one => ({ quantile: one / 10, value: one })),
  }))
const few = { maxLength: 4 }
const kind = { aggregationTemporality: 2, isMonotonic: true }
const temporality = { aggregationTemporality: 1 }
const metric = fc.oneof(
  fc.array(numberPoint, few).map(dataPoints => ({ name: 'level', unit: '1', gauge: { dataPoints } })),
  fc.array(numberPoint, few).map(dataPoints => ({ name: 'requests', sum: { ...kind, dataPoints } })),
  fc
    .array(histogramPoint, few)
    .map(dataPoints => ({ name: 'took', histogram: { ...temporality, dataPoints } })),
  fc
    .array(exponentialPoint, few)
    .map(dataPoints => ({ name: 'spread', exponentialHistogram: { ...temporality, dataPoints } })),
  fc.array(summaryPoint, few).map(dataPoints => ({ name: 'old', summary: { dataPoints } })),
)
const request = fc
  .array(fc.tuple(fc.array(metric, { maxLength: 5 }), fc.constantFrom('shop', 'cart')), {
    minLength: 1,
    maxLength: 3,
  })
  .map(groups =>
    concat(
      ...groups.map(([metrics, service]) =>
        metricRequest(metrics, { attributes: [attribute('service.name', service)] }),
      ),
    ),
  )

describe('points that were seen before', () => {
  test('decode as they do for the first time, whatever came between', () => {
    let points = 0
    fc.assert(
      fc.property(fc.array(request, { minLength: 2, maxLength: 6 }), requests => {
        forget()
        const again = [...requests, ...requests].map(bytes => [bytes, decoded(bytes)] as const)
        for (const [bytes, warm] of again) {
          expect(warm).toEqual(decodedAnew(bytes))
          points += (warm as { rows: readonly string[] }).rows.length
        }
      }),
      { seed: 41, numRuns: 60 },
    )
    expect(points).toBeGreaterThan(500)
  })

  test('do not hide damage to the next request of the same sender', () => {
    let refused = 0
    fc.assert(
      fc.property(request, fc.array(fc.nat(), { minLength: 1, maxLength: 8 }), (bytes, seeds) => {
        forget()
        decoded(bytes)
        const damaged = seeds.map(seed => mutate(bytes, randomFrom(seed)))
        const warm = damaged.map(decoded)
        expect(warm).toEqual(damaged.map(decodedAnew))
        refused += warm.filter(result => typeof result === 'string').length
      }),
      { seed: 42, numRuns: 120 },
    )
    expect(refused).toBeGreaterThan(100)
  })

  test('are told apart by metric, unit and resource although their own bytes are the same', () => {
    const point = { timeUnixNano: nanos(-1), attributes: [attribute('a', 'x')], asDouble: 1 }
    const metrics = [
      { name: 'one', unit: 's', gauge: { dataPoints: [point] } },
      { name: 'one', unit: 'ms', gauge: { dataPoints: [point] } },
      { name: 'two', unit: 's', gauge: { dataPoints: [point] } },
    ]
    const shop = metricRequest(metrics)
    const bytes = concat(shop, metricRequest(metrics, { attributes: [attribute('service.name', 'cart')] }))
    decodeMetrics(bytes, context)
    const { block } = decodeMetrics(bytes, context)
    const named = Array.from(block.metric, (number, row) => {
      const entry = block.metrics[number]
      return `${block.resources[block.resource[row] ?? -1]?.service} ${entry?.name} ${entry?.unit}`
    })
    expect(named).toEqual([
      'shop one s',
      'shop one ms',
      'shop two s',
      'cart one s',
      'cart one ms',
      'cart two s',
    ])
  })
})
