import { describe, expect, test } from 'vitest'
import { InvalidInputError } from '../../../src/errors.ts'
import { itemFlags, recordOf } from '../../../src/model/telemetry.ts'
import { toMs } from '../../../src/model/time.ts'
import { attributesOfLog } from '../../../src/otlp/attributes.ts'
import { decodeLogs } from '../../../src/otlp/logs/decode-logs.ts'
import { logBody, logBodyText, logDetails } from '../../../src/otlp/logs/log-record.ts'
import { severityOfText } from '../../../src/otlp/logs/severity.ts'
import { decodeReference, encodeReference } from '../reference-types.ts'
import {
  attribute,
  concat,
  context,
  field,
  logRequest,
  nanos,
  receivedMs,
  requestOfItem,
  spanId,
  traceId,
} from '../request-builder.ts'

const recordName = 'opentelemetry.proto.logs.v1.LogRecord'

describe('the columns of a log record', () => {
  test('hold ids, time, severity and event name, and the record stays as sent', () => {
    const sent = {
      timeUnixNano: nanos(-5),
      observedTimeUnixNano: nanos(-1),
      severityNumber: 13,
      severityText: 'odd',
      body: { stringValue: 'disk nearly full' },
      attributes: [attribute('free', 0.03)],
      traceId,
      spanId,
      flags: 1,
      droppedAttributesCount: 2,
      eventName: 'disk.low',
    }
    const { block, records, refusals, warnings } = decodeLogs(logRequest([sent]), context)
    expect([block.count, block.severity[0], block.template[0], block.flags[0]]).toEqual([1, 13, 0, 0])
    expect(block.traceId).toEqual(traceId)
    expect(block.spanId).toEqual(spanId)
    expect(toMs(block.timeHi[0] ?? 0, block.timeLo[0] ?? 0) - receivedMs).toBe(-5)
    expect(block.strings[block.eventName[0] ?? -1]).toBe('disk.low')
    expect(recordOf(records, 0)).toEqual(encodeReference(recordName, sent))
    expect({ refusals, warnings }).toEqual({ refusals: [], warnings: [] })
    expect(logDetails(recordOf(records, 0))).toEqual({
      severityText: 'odd',
      timeNs: BigInt(nanos(-5)),
      observedTimeNs: BigInt(nanos(-1)),
      flags: 1,
      droppedAttributes: 2,
    })
    expect(attributesOfLog(recordOf(records, 0))).toEqual([{ key: 'free', value: 0.03 }])
  })

  test.each([
    ['its own time', { timeUnixNano: nanos(-9), observedTimeUnixNano: nanos(-3) }, -9, 0],
    ['the observed time', { observedTimeUnixNano: nanos(-3) }, -3, itemFlags.noTime],
    ['receipt', {}, 0, itemFlags.noTime],
    ['receipt when it is from the future', { timeUnixNano: nanos(3_600_001) }, 0, itemFlags.future],
    [
      'receipt when only the observed time is from the future',
      { observedTimeUnixNano: nanos(3_600_001) },
      0,
      itemFlags.noTime | itemFlags.future,
    ],
  ])('index it by %s', (_, sent, offset, flags) => {
    const { block } = decodeLogs(logRequest([sent]), context)
    expect([toMs(block.timeHi[0] ?? 0, block.timeLo[0] ?? 0) - receivedMs, block.flags[0]]).toEqual([
      offset,
      flags,
    ])
  })

  test.each([
    ['the number', { severityNumber: 9, severityText: 'ERROR' }, 9],
    ['the text without a number', { severityText: 'Error' }, 17],
    ['the text behind an impossible number', { severityNumber: 25, severityText: 'WARN' }, 13],
    ['neither', { severityText: 'purple' }, 0],
  ])('take the severity from %s', (_, sent, severity) => {
    expect(decodeLogs(logRequest([sent]), context).block.severity[0]).toBe(severity)
  })

  const zeros = (size: number) => new Uint8Array(size)
  test.each([
    ['a trace id of 15 bytes', { traceId: zeros(15).fill(1), spanId }, { spanId }],
    ['a trace id of zeros', { traceId: zeros(16), spanId }, { spanId }],
    ['a span id of 9 bytes', { traceId, spanId: zeros(9).fill(1) }, { traceId }],
    ['a span id of zeros', { traceId, spanId: zeros(8) }, { traceId }],
    ['two bad ids', { traceId: zeros(1), spanId: zeros(1) }, {}],
  ])('keep a record with %s, without it, flagged and warned about', (_, ids, kept) => {
    const rest = { body: { stringValue: 'hello' }, severityNumber: 9, timeUnixNano: nanos(0) }
    const { block, records, refusals, warnings } = decodeLogs(logRequest([{ ...rest, ...ids }]), context)
    expect([block.count, block.flags[0], refusals.length, warnings.length]).toEqual([
      1,
      itemFlags.badReference,
      0,
      1,
    ])
    expect(decodeReference(recordName, recordOf(records, 0))).toEqual(
      decodeReference(recordName, encodeReference(recordName, { ...rest, ...kept })),
    )
    expect(block.traceId).toEqual('traceId' in kept ? traceId : zeros(16))
    expect(block.spanId).toEqual('spanId' in kept ? spanId : zeros(8))
  })

  test('an empty id is no id and nothing to warn about', () => {
    const request = requestOfItem(concat([0x4a, 0x00, 0x52, 0x00], [0x10, 9]))
    expect(decodeLogs(request, context)).toMatchObject({ block: { count: 1 }, warnings: [] })
  })

  test('an empty record is one', () => {
    expect(decodeLogs(requestOfItem(new Uint8Array(0)), context).block.count).toBe(1)
  })

  test.each([
    ['a body longer than the record', [0x2a, 0x05, 0x0a]],
    ['a body whose string is longer than it', [0x2a, 0x02, 0x0a, 0x05]],
    ['a time of seven bytes', [0x09, 1, 2, 3, 4, 5, 6, 7]],
    ['flags of three bytes', [0x45, 1, 2, 3]],
  ])('%s is undecodable', (_, item) => {
    expect(() => decodeLogs(requestOfItem(Uint8Array.from(item)), context)).toThrow(InvalidInputError)
  })
})

describe('the body as text', () => {
  const textOf = (body: object) => logBodyText(encodeReference(recordName, { body }))
  const list = {
    values: [{ stringValue: 'a' }, { intValue: '9007199254740993' }, { doubleValue: Number.NaN }, {}],
  }
  test.each([
    ['a string as it is', { stringValue: 'line 1\nline "2" ü' }, 'line 1\nline "2" ü'],
    ['a long string as it is', { stringValue: 'x'.repeat(300) }, 'x'.repeat(300)],
    ['an empty string', { stringValue: '' }, ''],
    ['an integer', { intValue: '-3' }, '-3'],
    ['a double', { doubleValue: 0.5 }, '0.5'],
    ['a bool', { boolValue: false }, 'false'],
    ['bytes as base64', { bytesValue: Uint8Array.of(1, 2, 255) }, '"AQL/"'],
    ['a list with every digit', { arrayValue: list }, '["a",9007199254740993,"NaN",null]'],
    [
      'a map in its order',
      {
        kvlistValue: {
          values: [attribute('z', 'q"'), attribute('__proto__', 1), { key: 'n', value: { arrayValue: {} } }],
        },
      },
      '{"z":"q\\"","__proto__":1,"n":[]}',
    ],
    ['an empty value', {}, ''],
  ])('shows %s', (_, body, text) => {
    expect(textOf(body)).toBe(text)
  })

  test('is empty without a body', () => {
    expect(logBodyText(encodeReference(recordName, { severityNumber: 1 }))).toBe('')
  })

  test('merges a map that comes in two parts', () => {
    const part = (key: string) =>
      field(
        5,
        encodeReference('opentelemetry.proto.common.v1.AnyValue', {
          kvlistValue: { values: [attribute(key, 1)] },
        }),
      )
    const record = concat(part('a'), part('b'))
    expect(logBody(record)).toEqual({ a: 1, b: 1 })
    expect(logBodyText(record)).toBe('{"a":1,"b":1}')
  })
})

describe('severityOfText', () => {
  test.each([
    ['TRACE', 1],
    ['Debug', 5],
    ['info', 9],
    ['Information', 9],
    ['NOTICE', 10],
    ['warning', 13],
    ['WARN3', 15],
    ['[error]', 17],
    ['err', 17],
    ['SEVERE', 17],
    ['CRITICAL', 21],
    ['Fatal4', 24],
    ['E', 17],
    [' w ', 13],
    ['', 0],
    ['12', 0],
    ['informative', 0],
    ['WARN5', 0],
  ])('reads %j as %i', (text, severity) => {
    expect(severityOfText(text)).toBe(severity)
  })
})
