/** Random export requests of every signal, with the odd shapes senders really produce. */
import fc from 'fast-check'
import type { Signal } from '../../src/model/telemetry.ts'
import { encode, requestTypes } from './protobuf-root.ts'

/** The receive time tests use; items lie around it. */
export const receivedMs = 1_763_640_000_000

const bytes = (size: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: size, maxLength: size })

/** Never all zero. */
const id = (size: number): fc.Arbitrary<Uint8Array> =>
  bytes(size).map(value => {
    value[0] = (value[0] ?? 0) | 1
    return value
  })

/** Few, so that traces have several spans and parents are found. */
const traceId = fc.oneof(fc.constantFrom(...[1, 2, 3].map(n => new Uint8Array(16).fill(n))), id(16))

const text = fc.oneof(
  fc.constantFrom('', 'GET /cart', 'SELECT 1', 'übermäßig', 'x'.repeat(300), '订单'),
  fc.string({ unit: 'binary', maxLength: 20 }),
)

const double = fc.oneof(
  fc.double(),
  fc.constantFrom(0, -0, 1, -1, 0.1, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY),
)

const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -5n, max: 300n }),
)

/** Nanoseconds: none, near the receive time, in milliseconds only, far away. */
const time = fc.oneof(
  fc.constant(0n),
  fc
    .bigInt({ min: -3_600_000_000_000n, max: 3_000_000_000_000n })
    .map(ns => BigInt(receivedMs) * 1_000_000n + ns),
  fc.integer({ min: -100_000, max: 100_000 }).map(ms => BigInt(receivedMs + ms) * 1_000_000n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
)

const fixed64 = fc.oneof(fc.bigInt({ min: 0n, max: 1000n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))

const longs = (value: bigint): string => value.toString()

const value: fc.Arbitrary<object> = fc.letrec<{ value: object }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant({}),
    text.map(stringValue => ({ stringValue })),
    fc.boolean().map(boolValue => ({ boolValue })),
    int64.map(intValue => ({ intValue: longs(intValue) })),
    double.map(doubleValue => ({ doubleValue })),
    fc.uint8Array({ maxLength: 20 }).map(bytesValue => ({ bytesValue })),
    fc.array(tie('value'), { maxLength: 3 }).map(values => ({ arrayValue: { values } })),
    fc
      .array(fc.record({ key: text, value: tie('value') }), { maxLength: 3 })
      .map(values => ({ kvlistValue: { values } })),
  ),
})).value

const key = fc.oneof(
  fc.constantFrom('http.route', 'db.system.name', 'server.address', 'error.type', 'k'.repeat(140), ''),
  text,
)

const attributes = fc.array(fc.record({ key, value }), { maxLength: 5 })

const dropped = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1000 }))

const resource = fc.record({
  resource: fc.record({
    attributes: fc
      .tuple(fc.constantFrom('cart', 'checkout', 'payment'), attributes)
      .map(([service, rest]) => [{ key: 'service.name', value: { stringValue: service } }, ...rest]),
    droppedAttributesCount: dropped,
  }),
  schemaUrl: fc.constantFrom('', 'https://opentelemetry.io/schemas/1.37.0'),
})

const scope = fc.record({
  scope: fc.option(fc.record({ name: text, version: text, attributes, droppedAttributesCount: dropped }), {
    nil: undefined,
  }),
  schemaUrl: fc.constantFrom('', 'https://example.org/scope'),
})

const span = fc.record({
  traceId,
  spanId: id(8),
  traceState: fc.constantFrom('', 'vendor=1'),
  parentSpanId: fc.oneof(fc.constant(new Uint8Array()), id(8), fc.constant(new Uint8Array(8).fill(1))),
  flags: fc.constantFrom(0, 1, 257),
  name: text,
  kind: fc.constantFrom(0, 1, 2, 3, 4, 5, 77),
  startTimeUnixNano: time.map(longs),
  endTimeUnixNano: time.map(longs),
  attributes,
  droppedAttributesCount: dropped,
  events: fc.array(
    fc.record({ timeUnixNano: time.map(longs), name: text, attributes, droppedAttributesCount: dropped }),
    { maxLength: 2 },
  ),
  droppedEventsCount: dropped,
  links: fc.array(fc.record({ traceId, spanId: id(8), traceState: text, attributes, flags: dropped }), {
    maxLength: 2,
  }),
  droppedLinksCount: dropped,
  status: fc.option(fc.record({ code: fc.constantFrom(0, 1, 2), message: text }), { nil: undefined }),
})

/** Lines of a few shapes: with numbers, ids and UUIDs, in capitals, long, and the same words beside them. */
const line = fc
  .tuple(
    fc.constantFrom(
      ...[
        'order % done in % ms, total %',
        '% Failed: ID=%/x-%',
        'peer %:% of %%%',
        '%',
        'é % %',
        'no numbers',
      ],
      `%${'.'.repeat(200)} % ${'word '.repeat(30)}%`,
    ),
    fc.array(
      fc.oneof(
        fc.nat(99_999).map(String),
        fc.constantFrom(
          'deadbeef',
          'cafe',
          'DEAD12',
          'a1',
          '',
          'wörd1',
          'x'.repeat(50),
          '7'.repeat(60),
          'fee',
        ),
        fc.uuid(),
      ),
      { minLength: 5, maxLength: 5 },
    ),
  )
  .map(([form, values]) => {
    let next = 0
    return { stringValue: form.replace(/%/g, () => values[next++] ?? '') }
  })

const exception = fc
  .tuple(fc.constantFrom('exception.type', 'exception.message', 'exception.escaped'), text)
  .map(([name, stringValue]) => ({ key: name, value: { stringValue } }))

const logRecord = fc.record({
  timeUnixNano: time.map(longs),
  observedTimeUnixNano: time.map(longs),
  severityNumber: fc.integer({ min: 0, max: 24 }),
  severityText: fc.constantFrom('', 'INFO', 'Error'),
  body: fc.oneof(line, line, fc.option(value, { nil: undefined })),
  attributes: fc.oneof(attributes, fc.array(exception, { maxLength: 2 })),
  droppedAttributesCount: dropped,
  flags: fc.constantFrom(0, 1),
  traceId: fc.oneof(fc.constant(new Uint8Array()), traceId),
  spanId: fc.oneof(fc.constant(new Uint8Array()), id(8)),
  eventName: fc.constantFrom('', 'device.app.lifecycle'),
})

const exemplars = fc.array(
  fc.record({
    filteredAttributes: attributes,
    timeUnixNano: time.map(longs),
    asDouble: double,
    spanId: id(8),
    traceId,
  }),
  { maxLength: 2 },
)

const pointBase = {
  attributes,
  startTimeUnixNano: time.map(longs),
  timeUnixNano: time.map(longs),
  flags: fc.constantFrom(0, 1),
}

const numberPoint = fc
  .record({
    ...pointBase,
    exemplars,
    number: fc.oneof(
      double.map(asDouble => ({ asDouble })),
      int64.map(asInt => ({ asInt: longs(asInt) })),
      fc.constant({}),
    ),
  })
  .map(({ number, ...rest }) => ({ ...rest, ...number }))

const histogramPoint = fc
  .record({
    ...pointBase,
    exemplars,
    count: fixed64.map(longs),
    optional: fc.record({ sum: double, min: double, max: double }, { requiredKeys: [] }),
    bucketCounts: fc.array(fixed64.map(longs), { maxLength: 6 }),
    explicitBounds: fc.array(double, { maxLength: 5 }),
  })
  .map(({ optional, ...rest }) => ({ ...rest, ...optional }))

const buckets = fc.record({
  offset: fc.integer({ min: -500, max: 500 }),
  bucketCounts: fc.array(fixed64.map(longs), { maxLength: 6 }),
})

const exponentialPoint = fc
  .record({
    ...pointBase,
    exemplars,
    count: fixed64.map(longs),
    optional: fc.record({ sum: double, min: double, max: double }, { requiredKeys: [] }),
    scale: fc.integer({ min: -10, max: 20 }),
    zeroCount: fixed64.map(longs),
    positive: buckets,
    negative: buckets,
    zeroThreshold: double,
  })
  .map(({ optional, ...rest }) => ({ ...rest, ...optional }))

const summaryPoint = fc.record({
  ...pointBase,
  count: fixed64.map(longs),
  sum: double,
  quantileValues: fc.array(fc.record({ quantile: double, value: double }), { maxLength: 3 }),
})

const temporality = fc.constantFrom(0, 1, 2)
const points = <T>(point: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(point, { minLength: 1, maxLength: 4 })

const metric = fc
  .tuple(
    fc.record({ name: text, description: text, unit: fc.constantFrom('', 'By', 'ms'), metadata: attributes }),
    fc.oneof(
      points(numberPoint).map(dataPoints => ({ gauge: { dataPoints } })),
      fc
        .record({
          dataPoints: points(numberPoint),
          aggregationTemporality: temporality,
          isMonotonic: fc.boolean(),
        })
        .map(sum => ({ sum })),
      fc
        .record({ dataPoints: points(histogramPoint), aggregationTemporality: temporality })
        .map(histogram => ({ histogram })),
      fc
        .record({ dataPoints: points(exponentialPoint), aggregationTemporality: temporality })
        .map(exponentialHistogram => ({ exponentialHistogram })),
      points(summaryPoint).map(dataPoints => ({ summary: { dataPoints } })),
    ),
  )
  .map(([base, data]) => ({ ...base, ...data }))

function request<T>(
  item: fc.Arbitrary<T>,
  names: { readonly groups: string; readonly scopes: string; readonly items: string },
  typeName: string,
): fc.Arbitrary<Uint8Array> {
  const scopes = fc.array(
    fc
      .tuple(scope, fc.array(item, { maxLength: 6 }))
      .map(([one, items]) => ({ ...one, [names.items]: items })),
    { maxLength: 2 },
  )
  return fc
    .array(
      fc.tuple(resource, scopes).map(([one, list]) => ({ ...one, [names.scopes]: list })),
      { minLength: 1, maxLength: 3 },
    )
    .map(groups => encode(typeName, { [names.groups]: groups }))
}

/** Uncompressed export requests. */
export const requests: Readonly<Record<Signal, fc.Arbitrary<Uint8Array>>> = {
  traces: request(
    span,
    { groups: 'resourceSpans', scopes: 'scopeSpans', items: 'spans' },
    requestTypes.traces,
  ),
  logs: request(
    logRecord,
    { groups: 'resourceLogs', scopes: 'scopeLogs', items: 'logRecords' },
    requestTypes.logs,
  ),
  metrics: request(
    metric,
    { groups: 'resourceMetrics', scopes: 'scopeMetrics', items: 'metrics' },
    requestTypes.metrics,
  ),
}
