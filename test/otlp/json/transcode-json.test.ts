import { describe, expect, test } from 'vitest'
import { InvalidInputError } from '../../../src/errors.ts'
import { itemFlags, type Signal } from '../../../src/model/telemetry.ts'
import { decodeBatch } from '../../../src/otlp/decode-batch.ts'
import { collectorServices } from '../../../src/otlp/fields/collector-fields.ts'
import { transcodeJson } from '../../../src/otlp/json/transcode-json.ts'
import { decodeReference } from '../reference-types.ts'
import { context } from '../request-builder.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

type Plain = Record<string, unknown>

/** What the reference decoder sees in our protobuf. */
function transcoded(signal: Signal, json: string | Uint8Array): Plain {
  const bytes = transcodeJson(signal, typeof json === 'string' ? utf8(json) : json)
  return decodeReference(collectorServices[signal].request.name, bytes)
}

const spanJson = (span: string): string => `{"resourceSpans":[{"scopeSpans":[{"spans":[${span}]}]}]}`
const logJson = (record: string): string => `{"resourceLogs":[{"scopeLogs":[{"logRecords":[${record}]}]}]}`
const metricJson = (metric: string): string =>
  `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[${metric}]}]}]}`

/** The only item of a request. */
function onlyItem(request: Plain): Plain {
  let value: unknown = request
  for (let level = 0; level < 3; level++) {
    const lists = Object.values(value as Plain)
    value = (lists.find(Array.isArray) as unknown[] | undefined)?.[0]
  }
  return value as Plain
}

const oneSpan = (span: string): Plain => onlyItem(transcoded('traces', spanJson(span)))
const oneLog = (record: string): Plain => onlyItem(transcoded('logs', logJson(record)))

const ids = '"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"'
const traceBase64 = Buffer.from('5b8efff798038103d269b633813fc60c', 'hex').toString('base64')

describe('OTLP/JSON', () => {
  test('of the specification example becomes the same request', () => {
    const json = `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"my.service"}}]},
      "scopeSpans":[{"scope":{"name":"my.library","version":"1.0.0"},"spans":[{${ids},"parentSpanId":"eee19b7ec3c1b173",
      "name":"I'm a server span","startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712661000000000","kind":2,
      "attributes":[{"key":"my.span.attr","value":{"stringValue":"some value"}}]}]}]}]}`
    expect(transcoded('traces', json)).toEqual({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'my.service' } }] },
          scopeSpans: [
            {
              scope: { name: 'my.library', version: '1.0.0' },
              spans: [
                {
                  traceId: traceBase64,
                  spanId: Buffer.from('eee19b7ec3c1b174', 'hex').toString('base64'),
                  parentSpanId: Buffer.from('eee19b7ec3c1b173', 'hex').toString('base64'),
                  name: "I'm a server span",
                  kind: 2,
                  startTimeUnixNano: '1544712660000000000',
                  endTimeUnixNano: '1544712661000000000',
                  attributes: [{ key: 'my.span.attr', value: { stringValue: 'some value' } }],
                },
              ],
            },
          ],
        },
      ],
    })
  })

  test('ids are hexadecimal in any case, in spans, links, logs and exemplars', () => {
    const upper = '"traceId":"5B8EFFF798038103d269b633813FC60C"'
    expect(oneSpan(`{${upper}}`)['traceId']).toBe(traceBase64)
    expect(oneSpan(`{"links":[{${upper}}]}`)['links']).toEqual([{ traceId: traceBase64 }])
    expect(oneLog(`{${upper}}`)['traceId']).toBe(traceBase64)
    const metric = onlyItem(
      transcoded('metrics', metricJson(`{"gauge":{"dataPoints":[{"exemplars":[{${upper}}]}]}}`)),
    )
    expect(metric['gauge']).toEqual({ dataPoints: [{ exemplars: [{ traceId: traceBase64 }] }] })
  })

  test('other bytes are base64 of either alphabet, padded or not', () => {
    const body = (text: string) => oneLog(`{"body":{"bytesValue":"${text}"}}`)['body']
    expect(body('+/8=')).toEqual({ bytesValue: '+/8=' })
    expect(body('-_8')).toEqual({ bytesValue: '+/8=' })
    expect(body('')).toEqual({ bytesValue: '' })
  })

  test.each([
    ['as text', '"1544712660300000001"', '1544712660300000001'],
    ['as a number beyond 2^53, with every digit', '1544712660300000001', '1544712660300000001'],
    ['as the largest number there is', '18446744073709551615', '18446744073709551615'],
    ['as a number with an exponent', '1e3', '1000'],
    ['as text with an exponent', '"1.5e3"', '1500'],
  ])('unsigned 64-bit integers come %s', (_, json, value) => {
    expect(oneSpan(`{"startTimeUnixNano":${json}}`)['startTimeUnixNano']).toBe(value)
  })

  test.each([
    ['"-9223372036854775808"', '-9223372036854775808'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['9223372036854775807', '9223372036854775807'],
    ['"-1"', '-1'],
    ['-4294967296', '-4294967296'],
    ['"-4294967297"', '-4294967297'],
    ['9007199254740993', '9007199254740993'],
    ['0', '0'],
  ])('the integer value %s is exact', (json, value) => {
    expect(oneLog(`{"body":{"intValue":${json}}}`)['body']).toEqual({ intValue: value })
  })

  test('a long number does not change what stands in strings beside it', () => {
    const json =
      '{"timeUnixNano":1544712660300000001,"body":{"stringValue":"id: 12345678901234567890, [1.0]"}}'
    expect(oneLog(json)).toEqual({
      timeUnixNano: '1544712660300000001',
      body: { stringValue: 'id: 12345678901234567890, [1.0]' },
    })
  })

  test.each([
    ['"NaN"', Number.NaN],
    ['"Infinity"', Number.POSITIVE_INFINITY],
    ['"-Infinity"', Number.NEGATIVE_INFINITY],
    ['-0.5', -0.5],
    ['"2.5e-3"', 0.0025],
    ['12345678901234567890', 12345678901234567000],
    ['3', 3],
  ])('the double %s is read', (json, value) => {
    expect(oneLog(`{"body":{"doubleValue":${json}}}`)['body']).toEqual({ doubleValue: value })
  })

  test('enums are integers; names, which general protobuf writers send, are taken too', () => {
    expect(oneSpan('{"kind":3,"status":{"code":2}}')).toEqual({ kind: 3, status: { code: 2 } })
    expect(oneSpan('{"kind":"SPAN_KIND_CLIENT","status":{"code":"STATUS_CODE_ERROR"}}')).toEqual({
      kind: 3,
      status: { code: 2 },
    })
  })

  test('null is the default, as a field and as an element', () => {
    expect(oneSpan('{"name":null,"attributes":null,"kind":null,"status":null}')).toEqual({})
    const body = '{"arrayValue":{"values":[null,{"stringValue":"b"}]}}'
    expect(oneLog(`{"body":${body}}`)['body']).toEqual({ arrayValue: { values: [{}, { stringValue: 'b' }] } })
    expect(transcoded('traces', '{"resourceSpans":null}')).toEqual({})
  })

  test('a default inside a oneof is present, elsewhere it is left out', () => {
    expect(oneLog('{"body":{"stringValue":""},"severityText":"","severityNumber":0,"flags":0}')).toEqual({
      body: { stringValue: '' },
    })
    expect(oneLog('{"body":{"boolValue":false}}')).toEqual({ body: { boolValue: false } })
  })

  test('unknown names are ignored, snake_case names among them, whatever they hold', () => {
    expect(
      oneSpan('{"name":"a","start_time_unix_nano":"1","extra":{"deep":[{"x":1}]},"__proto__":{"name":"b"}}'),
    ).toEqual({ name: 'a' })
  })

  test('the last of equal keys counts, without anything of the first', () => {
    expect(oneSpan('{"name":"a","name":"b","status":{"message":"x"},"status":{"code":1}}')).toEqual({
      name: 'b',
      status: { code: 1 },
    })
    const lists = '{"attributes":[{"key":"a"}],"attributes":[{"key":"b"}]}'
    expect(oneSpan(lists)).toEqual({ attributes: [{ key: 'b' }] })
  })

  test('a byte order mark is skipped', () => {
    expect(transcoded('logs', `\ufeff${logJson('{"eventName":"e"}')}`)).toEqual(
      transcoded('logs', logJson('{"eventName":"e"}')),
    )
  })

  test('lone surrogates and invalid UTF-8 become U+FFFD, whole characters stay', () => {
    expect(oneSpan('{"name":"a\\ud800b"}')['name']).toBe('a\ufffdb')
    expect(oneSpan('{"name":"\\udc00\\ud83d\\ude00"}')['name']).toBe('\ufffd😀')
    const bytes = utf8(spanJson('{"name":"a?b"}'))
    expect(
      onlyItem(
        transcoded(
          'traces',
          bytes.map(byte => (byte === 0x3f ? 0xff : byte)),
        ),
      )['name'],
    ).toBe('a\ufffdb')
  })

  test.each([0, 1, 39, 40, 41, 42, 43, 127, 128, 200, 20_000])(
    'texts of %i characters arrive whole',
    length => {
      for (const character of ['a', 'é', '€', '😀', '\u0000']) {
        const name = character.repeat(length)
        expect(oneSpan(JSON.stringify({ name }))['name'] ?? '').toBe(name)
      }
    },
  )

  test('ids that cannot be ids cost their own item only', () => {
    const bad = [
      '',
      '00',
      '5b8efff798038103d269b633813fc60',
      '5b8efff798038103d269b633813fc60cff',
      'zz',
      'x'.repeat(32),
    ]
    const spans = ['', ...bad].map((id, i) =>
      i === 0 ? `{${ids}}` : `{"traceId":"${id}","spanId":"eee19b7ec3c1b174"}`,
    )
    spans.push('{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"not hexadecimal!"}')
    const bytes = transcodeJson('traces', utf8(spanJson(spans.join(','))))
    const { block, refusals } = decodeBatch('traces', bytes, context)
    expect([block.count, refusals.map(refusal => refusal.index)]).toEqual([1, [1, 2, 3, 4, 5, 6, 7]])
    const log = decodeBatch('logs', transcodeJson('logs', utf8(logJson('{"traceId":"zz"}'))), context)
    expect([log.block.count, log.block.flags[0]].map(Number)).toEqual([
      1,
      itemFlags.badReference | itemFlags.noTime,
    ])
  })

  test('an empty object is an empty request', () => {
    expect(transcodeJson('metrics', utf8('{}')).length).toBe(0)
  })

  const nested = (levels: number) => `${'{"arrayValue":{"values":['.repeat(levels)}{}${']}}'.repeat(levels)}`
  test('lists may nest forty deep', () => {
    const bytes = transcodeJson('logs', utf8(logJson(`{"body":${nested(40)}}`)))
    expect(decodeBatch('logs', bytes, context).block.count).toBe(1)
  })

  test.each([
    ['nothing', ''],
    ['half a request', '{"resourceSpans":['],
    ['two requests', '{} {}'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a number', '17'],
    ['a list where an object belongs', '{"resourceSpans":[[]]}'],
    ['a text where an object belongs', '{"resourceSpans":["x"]}'],
    ['an object where a list belongs', '{"resourceSpans":{}}'],
    ['a number where a text belongs', spanJson('{"name":5}')],
    ['a text where a bool belongs', logJson('{"body":{"boolValue":"true"}}')],
    ['a number where an id belongs', spanJson('{"traceId":5}')],
    ['an enum name nobody knows', spanJson('{"kind":"SPAN_KIND_FRIEND"}')],
    ['a fraction where an integer belongs', spanJson('{"startTimeUnixNano":1.5}')],
    ['a negative unsigned integer', spanJson('{"startTimeUnixNano":"-1"}')],
    ['an unsigned integer of 65 bits', spanJson('{"startTimeUnixNano":"18446744073709551616"}')],
    ['a signed integer of 65 bits', logJson('{"body":{"intValue":"9223372036854775808"}}')],
    ['a negative one', logJson('{"body":{"intValue":"-9223372036854775809"}}')],
    ['an integer with letters', spanJson('{"startTimeUnixNano":"12x"}')],
    ['an empty integer', spanJson('{"startTimeUnixNano":""}')],
    ['a number too large for a double', logJson('{"body":{"doubleValue":1e999}}')],
    ['a number too large for 32 bits', spanJson('{"flags":4294967296}')],
    ['a character outside base64', logJson('{"body":{"bytesValue":"a*"}}')],
    ['lists nested a hundred deep', logJson(`{"body":${nested(100)}}`)],
    ['lists nested a hundred thousand deep', logJson(`{"body":${nested(100_000)}}`)],
    [
      'the same with a long number',
      logJson(`{"timeUnixNano":1544712660300000001,"body":${nested(100_000)}}`),
    ],
    ['brackets a million deep', '['.repeat(1_000_000)],
  ])('%s is undecodable', (_, json) => {
    const decode = () => transcodeJson(json.includes('resourceLogs') ? 'logs' : 'traces', utf8(json))
    expect(decode).toThrow(expect.objectContaining({ constructor: InvalidInputError, code: 'decode_error' }))
  })
})
