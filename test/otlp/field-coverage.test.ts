import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Signal, signals } from '../../src/model/telemetry.ts'
import { decodeBatch } from '../../src/otlp/decode-batch.ts'
import { encodeRequest, requestJson } from '../../src/otlp/encode-request.ts'
import { collectorServices } from '../../src/otlp/fields/collector-fields.ts'
import { requestShape } from '../../src/otlp/fields/message-shape.ts'
import { decodePlain } from '../../src/otlp/json/decode-plain.ts'
import { transcodeJson } from '../../src/otlp/json/transcode-json.ts'
import { decodeReference, encodeReference } from './reference-types.ts'
import { messageOf } from './request-arbitrary.ts'
import { requestLines } from './request-lines.ts'

const context = { receivedMs: 1_760_000_000_000, attributeMaxBytes: 65_536 }

const requestName = (signal: Signal): string => collectorServices[signal].request.name

describe.each(signals)('a request of %s with every field set', signal => {
  const request = messageOf(requestName(signal))

  test.each([
    ['packed', true],
    ['one by one', false],
  ])('survives columns and records and comes back field by field (numbers %s)', (_, packed) => {
    fc.assert(
      fc.property(request, plain => {
        const sent = encodeReference(requestName(signal), plain, packed)
        const batch = decodeBatch(signal, sent, context)
        expect(batch.refusals).toEqual([])
        const back = encodeRequest({ block: batch.block, records: batch.records })
        const items = requestLines(decodeReference(requestName(signal), sent))
        expect(items.length).toBeGreaterThan(0)
        expect(requestLines(decodeReference(requestName(signal), back))).toEqual(items)
      }),
      { numRuns: 60, seed: 7 },
    )
  })

  test('comes back the same from OTLP/JSON', () => {
    fc.assert(
      fc.property(request, plain => {
        const sent = encodeReference(requestName(signal), plain)
        const batch = decodeBatch(signal, sent, context)
        const json = requestJson({ block: batch.block, records: batch.records })
        const back = transcodeJson(signal, new TextEncoder().encode(json))
        expect(requestLines(decodeReference(requestName(signal), back))).toEqual(
          requestLines(decodeReference(requestName(signal), sent)),
        )
      }),
      { numRuns: 60, seed: 8 },
    )
  })

  test('is the same plain object however often it goes through JSON', () => {
    fc.assert(
      fc.property(request, plain => {
        const sent = encodeReference(requestName(signal), plain)
        const object = decodePlain(requestShape(signal), sent)
        const again = transcodeJson(signal, new TextEncoder().encode(JSON.stringify(object)))
        expect(decodePlain(requestShape(signal), again)).toEqual(object)
      }),
      { numRuns: 40, seed: 9 },
    )
  })
})
