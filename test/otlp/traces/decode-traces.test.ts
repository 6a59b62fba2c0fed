import { describe, expect, test } from 'vitest'
import { InvalidInputError } from '../../../src/errors.ts'
import { itemFlags, peerKinds, recordOf, type SpanBlock } from '../../../src/model/telemetry.ts'
import { toMs, toNs } from '../../../src/model/time.ts'
import { decodeTraces } from '../../../src/otlp/traces/decode-traces.ts'
import { spanLinks } from '../../../src/otlp/traces/span-record.ts'
import { encodeReference } from '../reference-types.ts'
import {
  attribute,
  concat,
  context,
  encode,
  field,
  nanos,
  receivedMs,
  requestOfItem,
  shopResource,
  span,
  spanId,
  traceId,
  traceRequest,
} from '../request-builder.ts'

const spanName = 'opentelemetry.proto.trace.v1.Span'

function peerOf(block: SpanBlock, row = 0): readonly [string | undefined, number | undefined] {
  return [block.strings[block.peer[row] ?? -1], block.peerKind[row]]
}

describe('resources', () => {
  test('of a thousand services with three instances each are made once, whichever requests they come in', () => {
    const resourceSpans = Array.from({ length: 3_000 }, (_, n) => ({
      resource: {
        attributes: [
          attribute('service.name', `service-${n % 1_000}`),
          attribute('service.instance.id', `instance-${n}`),
        ],
      },
      scopeSpans: [{ spans: [span()] }],
    }))
    const resourcesOf = (some: typeof resourceSpans): SpanBlock['resources'] =>
      decodeTraces(encode('traces', { resourceSpans: some }), context).block.resources
    const first = resourcesOf(resourceSpans)
    expect(new Set(first.map(({ instance }) => instance)).size).toBe(3_000)
    const again = resourcesOf(resourceSpans.slice(1_000, 1_100))
    expect(again).toHaveLength(100)
    for (const [n, resource] of again.entries()) expect(resource).toBe(first[1_000 + n])
  })
})

describe('the columns of a span', () => {
  test('hold ids, times, kind, status, name and the hot attributes', () => {
    const parentSpanId = Uint8Array.from([9, 9, 9, 9, 9, 9, 9, 9])
    const sent = span({
      parentSpanId,
      status: { code: 2, message: 'no' },
      links: [
        { traceId, spanId },
        { traceId, spanId },
      ],
      attributes: [attribute('http.response.status_code', 503), attribute('error.type', 'timeout')],
    })
    const { block, records, refusals, warnings } = decodeTraces(traceRequest([sent]), context)
    expect(block.count).toBe(1)
    expect(block.traceId).toEqual(traceId)
    expect(block.spanId).toEqual(spanId)
    expect(block.parentSpanId).toEqual(parentSpanId)
    expect(toNs(block.startHi[0] ?? 0, block.startLo[0] ?? 0)).toBe(BigInt(nanos(-1000)))
    expect(toNs(block.endHi[0] ?? 0, block.endLo[0] ?? 0)).toBe(BigInt(nanos(-990)))
    expect([...block.kind, ...block.status, ...block.httpStatus, ...block.links]).toEqual([2, 2, 503, 2])
    expect(block.strings[block.name[0] ?? -1]).toBe('GET /')
    expect(block.strings[block.errorType[0] ?? -1]).toBe('timeout')
    expect(block.flags[0]).toBe(0)
    expect(recordOf(records, 0)).toEqual(encodeReference(spanName, sent))
    expect({ refusals, warnings }).toEqual({ refusals: [], warnings: [] })
  })

  test('start a new request without anything of the one before', () => {
    decodeTraces(
      traceRequest([span({ name: 'before', attributes: [attribute('error.type', 'x')] })]),
      context,
    )
    const { block } = decodeTraces(traceRequest([span({ name: 'after' })]), context)
    expect(block.strings).toEqual(['', 'after'])
    expect(block.errorType[0]).toBe(0)
  })

  test.each([
    ['the current key', [attribute('http.response.status_code', 404)], 404],
    ['the older key', [attribute('http.status_code', 500)], 500],
    [
      'both, the current one first',
      [attribute('http.status_code', 1), attribute('http.response.status_code', 2)],
      2,
    ],
    ['digits in a string', [attribute('http.status_code', '429')], 429],
    ['a double', [attribute('http.status_code', 200.5)], 200],
    ['words', [attribute('http.status_code', 'ok')], 0],
    ['an empty string', [attribute('http.status_code', '')], 0],
    ['a negative number', [attribute('http.status_code', -1)], 0],
    ['more than sixteen bits', [attribute('http.status_code', 65_536)], 0],
  ])('take the HTTP status from %s', (_, attributes, status) => {
    expect(decodeTraces(traceRequest([span({ attributes })]), context).block.httpStatus[0]).toBe(status)
  })

  const exception = (type: string) => ({
    name: 'exception',
    attributes: [attribute('exception.message', 'm'), attribute('exception.type', type)],
  })
  test.each([
    ['the attribute', { attributes: [attribute('error.type', 'A')], events: [exception('B')] }, 'A'],
    ['the first exception event', { events: [{ name: 'log' }, exception('B'), exception('C')] }, 'B'],
    ['nothing else', { events: [{ ...exception('B'), name: 'exceptional' }] }, ''],
  ])('take the error type from %s', (_, changes, type) => {
    const { block } = decodeTraces(traceRequest([span(changes)]), context)
    expect(block.strings[block.errorType[0] ?? -1]).toBe(type)
  })

  const a = attribute
  test.each([
    [
      'peer.service before all others',
      3,
      [a('server.address', 'h'), a('peer.service', 'cart')],
      'cart',
      'service',
    ],
    [
      'system and destination',
      4,
      [a('messaging.destination.name', 'orders'), a('messaging.system', 'kafka')],
      'kafka:orders',
      'messaging',
    ],
    ['a destination alone', 5, [a('messaging.destination.name', 'orders')], 'orders', 'messaging'],
    [
      'database system and namespace',
      3,
      [a('db.system.name', 'postgresql'), a('db.namespace', 'shop'), a('server.address', 'h')],
      'postgresql/shop',
      'database',
    ],
    ['older database keys', 3, [a('db.system', 'redis'), a('db.name', '0')], 'redis/0', 'database'],
    [
      'a database system and its host where no namespace tells two apart',
      3,
      [a('db.system', 'redis'), a('server.address', 'carts.local'), a('server.port', 6379)],
      'redis/carts.local',
      'database',
    ],
    [
      'a database system without an address, which does not last',
      3,
      [a('db.system', 'redis'), a('server.address', '10.0.3.7')],
      'redis',
      'database',
    ],
    [
      'the same of version 6',
      3,
      [a('db.system', 'redis'), a('server.address', 'fd00::ab')],
      'redis',
      'database',
    ],
    ['a database system alone', 3, [a('db.system', 'redis')], 'redis', 'database'],
    [
      'address and numeric port',
      3,
      [a('server.port', 8080), a('server.address', 'cart.local')],
      'cart.local:8080',
      'address',
    ],
    [
      'older address keys and port as text',
      3,
      [a('net.peer.name', 'cart'), a('net.peer.port', '80')],
      'cart:80',
      'address',
    ],
    ['an address alone', 3, [a('server.address', 'cart')], 'cart', 'address'],
    ['a port without an address', 3, [a('server.port', 80)], '', 'none'],
    ['a server span, which calls nobody', 2, [a('server.address', 'cart')], '', 'none'],
    ['an internal span', 1, [a('peer.service', 'cart')], '', 'none'],
  ] as const)('name the peer by %s', (_, kind, attributes, name, peerKind) => {
    const { block } = decodeTraces(traceRequest([span({ kind, attributes })]), context)
    expect(peerOf(block)).toEqual([name, peerKinds[peerKind]])
  })

  test('cut a peer name at 512 bytes a part, between characters', () => {
    const attributes = [attribute('server.address', `a${'é'.repeat(400)}`), attribute('server.port', 1)]
    const { block } = decodeTraces(traceRequest([span({ kind: 3, attributes })]), context)
    expect(peerOf(block)[0]).toBe(`a${'é'.repeat(255)}:1`)
  })

  test('cut an error type at 512 bytes, which the record keeps whole', () => {
    const attributes = [attribute('error.type', 'E'.repeat(600))]
    const { block, records } = decodeTraces(traceRequest([span({ attributes })]), context)
    expect(block.strings[block.errorType[0] ?? -1]).toBe('E'.repeat(512))
    expect(recordOf(records, 0)).toEqual(encodeReference(spanName, span({ attributes })))
  })

  test('read unknown kinds and status codes as unspecified', () => {
    const { block } = decodeTraces(traceRequest([span({ kind: 77, status: { code: 9 } })]), context)
    expect([block.kind[0], block.status[0]]).toEqual([0, 0])
  })

  test('count at most 255 links', () => {
    const links = Array.from({ length: 300 }, () => ({ traceId, spanId }))
    expect(decodeTraces(traceRequest([span({ links })]), context).block.links[0]).toBe(255)
  })
})

describe('resources and scopes', () => {
  test('are read once and shared by groups that say the same', () => {
    const group = {
      resource: shopResource,
      scopeSpans: [{ scope: { name: 'lib', version: '1' }, spans: [span()] }],
    }
    const { block } = decodeTraces(encode('traces', { resourceSpans: [group, group] }), context)
    expect([block.resources.length, block.scopes.length, ...block.resource, ...block.scope]).toEqual([
      1, 1, 0, 0, 0, 0,
    ])
    expect(block.scopes[0]).toMatchObject({ name: 'lib', version: '1', schemaUrl: '' })
  })

  test('differ by schema URL, even when it stands behind the spans', () => {
    const spans = [span()]
    const request = encode('traces', {
      resourceSpans: [
        {
          resource: shopResource,
          scopeSpans: [
            { spans, schemaUrl: 's1' },
            { spans, schemaUrl: 's2' },
          ],
          schemaUrl: 'r1',
        },
        { resource: shopResource, scopeSpans: [{ spans, schemaUrl: 's1' }], schemaUrl: 'r2' },
      ],
    })
    const { block } = decodeTraces(request, context)
    expect(block.resources.map(entry => entry.schemaUrl)).toEqual(['r1', 'r2'])
    expect([...block.scope].map(scope => block.scopes[scope]?.schemaUrl)).toEqual(['s1', 's2', 's1'])
  })

  test('leave no entry when no span belongs to them', () => {
    const { block } = decodeTraces(encode('traces', { resourceSpans: [{ resource: shopResource }] }), context)
    expect([block.count, block.resources.length, block.scopes.length]).toEqual([0, 0, 0])
  })

  test('name what identifies the emitter', () => {
    const resource = {
      attributes: [
        attribute('service.name', 'shop'),
        attribute('service.namespace', 'eu'),
        attribute('service.version', '1.2'),
        attribute('k8s.pod.name', 'shop-0'),
        attribute('host.name', 'node-1'),
        attribute('cloud.region', 'west'),
        attribute('deployment.environment', 'prod'),
        attribute('tenant.id', 'acme'),
        attribute('process.pid', 42),
        attribute('process.runtime.name', 'nodejs'),
      ],
    }
    const { block } = decodeTraces(traceRequest([span()], resource), context)
    expect(block.resources[0]).toMatchObject({
      service: 'shop',
      namespace: 'eu',
      version: '1.2',
      instance: 'shop-0',
      region: 'west',
      environment: 'prod',
      tenant: 'acme',
      process: '42/nodejs',
    })
    expect(block.resources[0]?.bytes).toEqual(
      encodeReference('opentelemetry.proto.resource.v1.Resource', resource),
    )
  })

  test('are unknown_service without a name, and without a resource', () => {
    const request = encode('traces', {
      resourceSpans: [
        { scopeSpans: [{ spans: [span()] }] },
        { resource: { attributes: [attribute('a', 'b')] }, scopeSpans: [{ spans: [span()] }] },
      ],
    })
    const { block } = decodeTraces(request, context)
    expect(block.resources.map(entry => entry.service)).toEqual(['unknown_service', 'unknown_service'])
    expect(block.resources[0]?.bytes.length).toBe(0)
  })

  test('are one when the message comes in two parts', () => {
    const part = (key: string, value: string) =>
      field(
        1,
        encodeReference('opentelemetry.proto.resource.v1.Resource', { attributes: [attribute(key, value)] }),
      )
    const spans = field(2, field(2, encodeReference(spanName, span())))
    const request = field(1, concat(part('service.name', 'shop'), spans, part('service.version', '2')))
    const { block } = decodeTraces(request, context)
    expect(block.resources[0]).toMatchObject({ service: 'shop', version: '2' })
  })
})

describe('ids', () => {
  const zero = (size: number) => new Uint8Array(size)
  const bad = [
    ['trace id of 15 bytes', { traceId: traceId.subarray(1) }, /trace id has 15 bytes; send 16/],
    ['trace id of 17 bytes', { traceId: concat(traceId, [1]) }, /trace id has 17 bytes/],
    ['no trace id', { traceId: zero(0) }, /trace id has 0 bytes/],
    ['trace id of zeros', { traceId: zero(16) }, /trace id is all zero/],
    ['span id of 7 bytes', { spanId: spanId.subarray(1) }, /span id has 7 bytes; send 8/],
    ['no span id', { spanId: zero(0) }, /span id has 0 bytes/],
    ['span id of zeros', { spanId: zero(8) }, /span id is all zero/],
    ['parent span id of 7 bytes', { parentSpanId: spanId.subarray(1) }, /parent span id has 7 bytes; send 8/],
  ] as const

  test.each(bad)('a span with %s is refused alone', (_, changes, reason) => {
    const request = traceRequest([span({ name: 'a' }), span(changes), span({ name: 'b' })])
    const { block, records, refusals } = decodeTraces(request, context)
    expect(refusals).toEqual([{ index: 1, reason: expect.stringMatching(reason) }])
    expect([block.count, records.offset.length]).toEqual([2, 2])
    expect([...block.name].map(name => block.strings[name])).toEqual(['a', 'b'])
  })

  test('at most sixteen different reasons are given', () => {
    const spans = Array.from({ length: 40 }, (_, size) => span({ traceId: new Uint8Array(size + 17) }))
    const { refusals } = decodeTraces(traceRequest(spans), context)
    expect([refusals.length, new Set(refusals.map(refusal => refusal.reason)).size]).toEqual([40, 17])
  })

  test('a parent of zeros is a root span', () => {
    const { block, refusals } = decodeTraces(traceRequest([span({ parentSpanId: zero(8) })]), context)
    expect([block.count, refusals.length]).toEqual([1, 0])
  })

  test('a replay leaves out what was refused and judges nothing again', () => {
    const request = traceRequest([
      span({ name: 'a' }),
      span({ traceId: zero(3), name: 'b' }),
      span({ name: 'c' }),
    ])
    const replay = { ...context, refused: Uint32Array.of(0) }
    const { block, refusals } = decodeTraces(request, replay)
    expect([...block.name].map(name => block.strings[name])).toEqual(['b', 'c'])
    expect(refusals).toEqual([])
  })

  test('a link with a bad id is kept without it, flagged and warned about', () => {
    const links = [
      { traceId: zero(3), spanId, traceState: 'x=1', attributes: [attribute('k', 'v')], flags: 7 },
      { traceId, spanId: zero(8), droppedAttributesCount: 4 },
      { traceId, spanId },
    ]
    const { block, records, refusals, warnings } = decodeTraces(
      traceRequest([span({ links }), span()]),
      context,
    )
    expect(refusals).toEqual([])
    expect([...block.flags]).toEqual([itemFlags.badReference, 0])
    expect(warnings).toEqual([expect.stringMatching(/^1 spans carried a trace or span id/)])
    const [hexTrace, hexSpan] = [Buffer.from(traceId).toString('hex'), Buffer.from(spanId).toString('hex')]
    expect(spanLinks(recordOf(records, 0))).toEqual([
      {
        traceId: '',
        spanId: hexSpan,
        traceState: 'x=1',
        flags: 7,
        droppedAttributes: 0,
        attributes: [{ key: 'k', value: 'v' }],
      },
      { traceId: hexTrace, spanId: '', traceState: '', flags: 0, droppedAttributes: 4, attributes: [] },
      { traceId: hexTrace, spanId: hexSpan, traceState: '', flags: 0, droppedAttributes: 0, attributes: [] },
    ])
    expect(recordOf(records, 1)).toEqual(encodeReference(spanName, span()))
  })
})

describe('times', () => {
  const timesOf = (changes: Record<string, unknown>) => {
    const { block, warnings } = decodeTraces(traceRequest([span(changes)]), context)
    return {
      start: toMs(block.startHi[0] ?? 0, block.startLo[0] ?? 0) - receivedMs,
      duration: Number(
        toNs(block.endHi[0] ?? 0, block.endLo[0] ?? 0) - toNs(block.startHi[0] ?? 0, block.startLo[0] ?? 0),
      ),
      flags: block.flags[0],
      warnings: warnings.length,
    }
  }

  test.each([
    [
      'end before start',
      { endTimeUnixNano: nanos(-2000) },
      { start: -1000, duration: 0, flags: itemFlags.endBeforeStart },
    ],
    ['no end', { endTimeUnixNano: '0' }, { start: -1000, duration: 0, flags: itemFlags.endBeforeStart }],
    ['no start', { startTimeUnixNano: '0' }, { start: 0, duration: 0, flags: itemFlags.noTime }],
    [
      'no time at all',
      { startTimeUnixNano: '0', endTimeUnixNano: '0' },
      { start: 0, duration: 0, flags: itemFlags.noTime },
    ],
    [
      'an hour ahead',
      { startTimeUnixNano: nanos(3_600_000), endTimeUnixNano: nanos(3_600_001) },
      { start: 3_600_000, duration: 1e6, flags: 0 },
    ],
  ])('%s', (_, changes, expected) => {
    expect(timesOf(changes)).toEqual({ ...expected, warnings: 0 })
  })

  test('more than an hour ahead is indexed by receipt, keeps its duration and is warned about', () => {
    const changes = { startTimeUnixNano: nanos(3_600_001), endTimeUnixNano: nanos(3_600_008) }
    expect(timesOf(changes)).toEqual({ start: 0, duration: 7e6, flags: itemFlags.future, warnings: 1 })
  })

  test('the largest time there is does no harm', () => {
    const most = String(2n ** 64n - 1n)
    expect(timesOf({ startTimeUnixNano: most, endTimeUnixNano: most })).toMatchObject({
      start: 0,
      duration: 0,
    })
  })
})

describe('the wire', () => {
  const good = encodeReference(spanName, span())

  test('may be empty', () => {
    expect(decodeTraces(new Uint8Array(0), context)).toMatchObject({
      block: { count: 0, strings: [''] },
      refusals: [],
    })
  })

  test('may hold unknown fields of every wire type anywhere', () => {
    const unknown = concat(
      [0xf8, 0x07, 0x96, 0x01],
      [0xf9, 0x07, 1, 2, 3, 4, 5, 6, 7, 8],
      [0xfa, 0x07, 1, 9],
      [0xfd, 0x07, 1, 2, 3, 4],
    )
    const item = concat(unknown, good, unknown)
    const request = field(1, concat(unknown, field(2, concat(unknown, field(2, item), unknown)), unknown))
    const { block, records } = decodeTraces(concat(unknown, request, unknown), context)
    expect([block.count, block.strings[block.name[0] ?? -1]]).toEqual([1, 'GET /'])
    expect(recordOf(records, 0)).toEqual(item)
  })

  test('lets the last of equal singular fields win', () => {
    const item = concat(
      good,
      field(5, new TextEncoder().encode('later')),
      field(15, [0x18, 2]),
      field(15, [0x12, 0]),
    )
    const { block } = decodeTraces(requestOfItem(item), context)
    expect([block.strings[block.name[0] ?? -1], block.status[0]]).toEqual(['later', 2])
  })

  test('steps over a known field of a foreign wire type', () => {
    const { block } = decodeTraces(requestOfItem(concat(good, [0x28, 1], [0x0d, 1, 2, 3, 4])), context)
    expect([block.count, block.strings[block.name[0] ?? -1]]).toEqual([1, 'GET /'])
  })

  const nestedValue = (levels: number): Uint8Array =>
    levels === 0 ? Uint8Array.from([0x18, 1]) : field(5, field(1, nestedValue(levels - 1)))
  const spanWithValue = (value: Uint8Array) =>
    concat(good, field(9, concat(field(1, [0x6b]), field(2, value))))

  test('may nest lists forty deep', () => {
    expect(decodeTraces(requestOfItem(spanWithValue(nestedValue(40))), context).block.count).toBe(1)
  })

  test.each([
    ['lists nested a hundred deep', spanWithValue(nestedValue(100))],
    ['a truncated attribute', concat(good, [0x4a, 0x05, 0x0a, 0x01])],
    ['an attribute whose key is longer than it', concat(good, field(9, [0x0a, 0x05, 0x6b]))],
    [
      'an attribute whose value is longer than it',
      concat(good, field(9, [0x0a, 0x01, 0x6b, 0x12, 0x05, 0x0a])),
    ],
    ['a string value longer than its AnyValue', spanWithValue(Uint8Array.from([0x0a, 0x05, 0x61]))],
    ['a double value of seven bytes', spanWithValue(Uint8Array.from([0x21, 1, 2, 3, 4, 5, 6, 7]))],
    ['a group', concat(good, [0x4b, 0x4c])],
    ['field number 0', concat(good, [0x02, 0x00])],
    ['an event cut short', concat(good, field(11, [0x09, 1, 2]))],
    ['a link cut short', concat(good, field(13, [0x0a, 16, 1]))],
    ['a status cut short', concat(good, field(15, [0x12, 3, 1]))],
  ])('is undecodable with %s', (_, item) => {
    expect(() => decodeTraces(requestOfItem(item), context)).toThrow(
      expect.objectContaining({ constructor: InvalidInputError, code: 'decode_error' }),
    )
  })

  test('is undecodable when the resource is, even if its bytes were seen in a good place before', () => {
    const request = field(1, concat(field(1, [0x0a, 0x09, 0x0a]), field(2, field(2, good))))
    expect(() => decodeTraces(request, context)).toThrow(InvalidInputError)
    expect(() => decodeTraces(request, context)).toThrow(InvalidInputError)
  })

  test('may hold a million items and not one more', () => {
    const spans = (count: number) =>
      field(
        1,
        field(
          2,
          new Uint8Array(count * 2).map((_, i) => (i % 2 === 0 ? 0x12 : 0)),
        ),
      )
    const { refusals } = decodeTraces(spans(1_000_000), context)
    expect([refusals.length, new Set(refusals.map(refusal => refusal.reason)).size]).toEqual([1_000_000, 1])
    expect(() => decodeTraces(spans(1_000_001), context)).toThrow(
      expect.objectContaining({ code: 'too_large' }),
    )
  })
})
