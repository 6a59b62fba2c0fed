import { describe, expect, test } from 'vitest'
import { itemFlags, recordOf } from '../../src/model/telemetry.ts'
import { attributesOfLog, attributesOfResource, attributesOfSpan } from '../../src/otlp/attributes.ts'
import { decodeLogs } from '../../src/otlp/logs/decode-logs.ts'
import { decodeMetrics } from '../../src/otlp/metrics/decode-metrics.ts'
import { decodeTraces } from '../../src/otlp/traces/decode-traces.ts'
import { spanEvents, spanLinks } from '../../src/otlp/traces/span-record.ts'
import { decodeReference, encodeReference } from './reference-types.ts'
import {
  attribute,
  context,
  logRequest,
  metricRequest,
  nanos,
  span,
  spanId,
  traceId,
  traceRequest,
} from './request-builder.ts'

const limited = { ...context, attributeMaxBytes: 100 }
const long = 'x'.repeat(101)
const cut = 'x'.repeat(100)
const truncated = 'otelcontext.truncated'

describe('an attribute value over the limit', () => {
  test('is cut and marked, and everything else of the span stays', () => {
    const sent = span({
      attributes: [attribute('a', 1), attribute('big', long), attribute('z', cut)],
      traceState: 'k=v',
    })
    const { block, records, refusals, warnings } = decodeTraces(traceRequest([sent, span()]), limited)
    expect([...block.flags]).toEqual([itemFlags.truncated, 0])
    expect(refusals).toEqual([])
    expect(warnings).toEqual([expect.stringContaining('attribute values over 100 bytes were cut')])
    const record = recordOf(records, 0)
    expect(attributesOfSpan(record)).toEqual([
      { key: 'a', value: 1 },
      { key: 'big', value: cut },
      { key: 'z', value: cut },
      { key: truncated, value: { big: 101 } },
    ])
    const name = 'opentelemetry.proto.trace.v1.Span'
    const { attributes: _a, ...rest } = decodeReference(name, record)
    const { attributes: _b, ...before } = decodeReference(name, encodeReference(name, sent))
    expect(rest).toEqual(before)
    expect(recordOf(records, 1)).toEqual(encodeReference(name, span()))
  })

  test('is left alone at the limit', () => {
    const { block, warnings } = decodeTraces(
      traceRequest([span({ attributes: [attribute('a', cut)] })]),
      limited,
    )
    expect([block.flags[0], warnings.length]).toEqual([0, 0])
  })

  test.each([
    ['two-byte characters', 'é', 50],
    ['three-byte characters', '€', 33],
    ['four-byte characters', '😀', 25],
  ])('is cut between %s', (_, character, kept) => {
    const { records } = decodeTraces(
      traceRequest([span({ attributes: [attribute('a', character.repeat(60))] })]),
      limited,
    )
    expect(attributesOfSpan(recordOf(records, 0))[0]?.value).toBe(character.repeat(kept))
  })

  test('keeps the first bytes, elements and entries that fit', () => {
    const element = { stringValue: 'y'.repeat(40) }
    const attributes = [
      attribute('bytes', new Uint8Array(150).fill(7)),
      { key: 'list', value: { arrayValue: { values: [element, element, element] } } },
      { key: 'map', value: { kvlistValue: { values: [attribute('k', 'v'), attribute('big', long)] } } },
    ]
    const { records } = decodeTraces(traceRequest([span({ attributes })]), limited)
    expect(attributesOfSpan(recordOf(records, 0))).toEqual([
      { key: 'bytes', value: new Uint8Array(100).fill(7) },
      { key: 'list', value: ['y'.repeat(40), 'y'.repeat(40)] },
      { key: 'map', value: { k: 'v' } },
      { key: truncated, value: { bytes: 150, list: 132, map: expect.any(Number) } },
    ])
  })

  test('is cut in events and links too, each marked where it stood', () => {
    const attributes = [attribute('stack', long)]
    const sent = span({
      events: [{ name: 'exception', attributes }, { name: 'b' }],
      links: [{ traceId, spanId, attributes }],
    })
    const { records } = decodeTraces(traceRequest([sent]), limited)
    const marked = [
      { key: 'stack', value: cut },
      { key: truncated, value: { stack: 101 } },
    ]
    expect(spanEvents(recordOf(records, 0)).map(event => event.attributes)).toEqual([marked, []])
    expect(spanLinks(recordOf(records, 0)).map(link => link.attributes)).toEqual([marked])
  })

  test('is cut in log records, whose body is no attribute and stays whole', () => {
    const sent = { body: { stringValue: long }, attributes: [attribute('a', long)], timeUnixNano: nanos(0) }
    const { block, records } = decodeLogs(logRequest([sent]), limited)
    expect(block.flags[0]).toBe(itemFlags.truncated)
    expect(attributesOfLog(recordOf(records, 0))[0]).toEqual({ key: 'a', value: cut })
    expect(decodeReference('opentelemetry.proto.logs.v1.LogRecord', recordOf(records, 0))['body']).toEqual({
      stringValue: long,
    })
  })

  test('is cut in resources and scopes, once, with a warning', () => {
    const request = traceRequest([span(), span()], {
      attributes: [attribute('cmd', long), attribute('service.name', 's')],
    })
    const { block, warnings } = decodeTraces(request, limited)
    expect(block.resources.map(entry => attributesOfResource(entry.bytes))).toEqual([
      [
        { key: 'cmd', value: cut },
        { key: 'service.name', value: 's' },
        { key: truncated, value: { cmd: 101 } },
      ],
    ])
    expect([...block.flags]).toEqual([0, 0])
    expect(warnings).toEqual([expect.stringContaining('0 spans and 1 resources or scopes')])
  })

  test('is cut in data points, their exemplars and metadata, and in the series', () => {
    const point = {
      timeUnixNano: nanos(0),
      attributes: [attribute('b', long), attribute('a', 'v')],
      exemplars: [{ asInt: '1', filteredAttributes: [attribute('f', long)] }],
      asInt: '1',
    }
    const request = metricRequest([
      { name: 'm', gauge: { dataPoints: [point] }, metadata: [attribute('m', long)] },
    ])
    const { block, records, warnings } = decodeMetrics(request, limited)
    expect(block.flags[0]).toBe(itemFlags.truncated)
    expect(block.strings[block.series[0] ?? -1]).toBe(`a=v,b=${cut}`)
    expect(Buffer.from(recordOf(records, 0)).includes(long)).toBe(false)
    expect(Buffer.from(block.metrics[0]?.bytes ?? []).includes(long)).toBe(false)
    expect(warnings).toEqual([expect.stringContaining('1 data points and 1 resources or scopes')])
  })
})
