import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { recordOf } from '../../src/model/telemetry.ts'
import { type Attribute, valueText } from '../../src/otlp/any-value.ts'
import { attributesOfLog, attributesOfResource, attributesOfSpan } from '../../src/otlp/attributes.ts'
import { decodeBatch } from '../../src/otlp/decode-batch.ts'
import { AttributeProbe } from '../../src/store/segment/attribute-filter.ts'
import { buildSegments } from '../../src/store/segment/build-segments.ts'
import {
  fetchSegment,
  readAttributes,
  readDictionary,
  rowsWithAttribute,
} from '../../src/store/segment/read-segment.ts'
import { receivedMs, requests } from './arbitrary-requests.ts'
import { encode, requestTypes } from './protobuf-root.ts'

type Parts = ReadonlyMap<string, Uint8Array>

function sealed(signal: 'traces' | 'logs', bodies: readonly Uint8Array[]): readonly Parts[] {
  const entries = bodies.map((body, index) => {
    const batch = decodeBatch(signal, body, { receivedMs, attributeMaxBytes: 65_536 })
    return { position: index + 1, receivedMs, batch, templates: null }
  })
  return buildSegments({ tenant: 'acme', signal, inboxId: 'ab'.repeat(16), entries }).map(
    ({ parts }) => parts,
  )
}

function mayHold(parts: Parts, key: string, value: string): boolean {
  const probe = new AttributeProbe(key, value)
  const answer = probe.inListed(readAttributes(parts, 'attributes'))
  return answer === 'ask values' ? probe.inValues(readAttributes(parts, 'values')) : answer === 'maybe'
}

function logs(values: readonly object[]): Uint8Array {
  const records = values.map((value, n) => ({
    timeUnixNano: `${receivedMs + n}000000`,
    body: { stringValue: 'x' },
    attributes: [{ key: 'k', value }],
  }))
  return encode(requestTypes.logs, { resourceLogs: [{ scopeLogs: [{ logRecords: records }] }] })
}

describe.each(['traces', 'logs'] as const)('the filters of attributes of %s', signal => {
  it('let every attribute pass that any item or resource has, and rows that have it are told', async () => {
    let asked = 0
    await fc.assert(
      fc.asyncProperty(fc.array(requests[signal], { minLength: 1, maxLength: 3 }), async bodies => {
        for (const parts of sealed(signal, bodies)) {
          const { columns, records } = await fetchSegment(async () => parts)
          const { block } = columns
          const own = Array.from({ length: block.count }, (_, row): readonly Attribute[] =>
            (signal === 'traces' ? attributesOfSpan : attributesOfLog)(recordOf(records, row)),
          )
          const dictionary = readDictionary(parts)
          for (const [row, attributes] of own.slice(0, 5).entries())
            for (const { key, value } of attributes) {
              asked++
              const wanted = { key, value: valueText(value) }
              expect([key, wanted.value, mayHold(parts, key, wanted.value)]).toEqual([
                key,
                wanted.value,
                true,
              ])
              expect(rowsWithAttribute(columns, dictionary, parts, wanted)[row]).toBe(1)
            }
          for (const { bytes } of block.resources)
            for (const { key, value } of attributesOfResource(bytes))
              expect([key, mayHold(parts, key, valueText(value))]).toEqual([key, true])
        }
      }),
      { numRuns: 40 },
    )
    expect(asked).toBeGreaterThan(100)
  })
})

describe('a filter of attributes', () => {
  it.each([
    ['a string', { stringValue: 'Cart' }, 'cart', 'car'],
    ['a string with accents', { stringValue: 'Zürich' }, 'ZÜRICH', 'Zurich'],
    ['an integer', { intValue: -42 }, '-42', '42'],
    ['a large integer', { intValue: '9007199254740993' }, '9007199254740993', '9007199254740992'],
    ['a double', { doubleValue: 0.25 }, '0.25', '0.26'],
    ['a truth value', { boolValue: true }, 'True', 'false'],
    ['nothing', {}, '', ' '],
  ])('finds %s by its text, and not by another', (_, value, text, other) => {
    const [parts] = sealed('logs', [logs([value])])
    if (parts === undefined) throw new Error('no segment')
    expect([mayHold(parts, 'k', text), mayHold(parts, 'k', other), mayHold(parts, 'other', text)]).toEqual([
      true,
      false,
      false,
    ])
  })

  it('knows only the key of lists and maps', () => {
    const [parts] = sealed('logs', [logs([{ arrayValue: { values: [{ intValue: 1 }] } }])])
    if (parts === undefined) throw new Error('no segment')
    expect([mayHold(parts, 'k', '[1]'), mayHold(parts, 'other', '[1]')]).toEqual([true, false])
  })

  it('keeps ids apart from values that repeat, and finds both', () => {
    const ids = Array.from({ length: 400 }, (_, n) => ({ stringValue: `order-${n * 7919}` }))
    const [parts] = sealed('logs', [logs(ids)])
    if (parts === undefined) throw new Error('no segment')
    const asked = ids.map(({ stringValue }) => new AttributeProbe('k', stringValue))
    const listed = readAttributes(parts, 'attributes')
    expect(asked.filter(probe => probe.inListed(listed) === 'ask values').length).toBeGreaterThan(200)
    expect(ids.every(({ stringValue }) => mayHold(parts, 'k', stringValue))).toBe(true)
    const absent = Array.from({ length: 400 }, (_, n) => mayHold(parts, 'k', `order-${n * 7919 + 1}`))
    expect(absent.filter(Boolean).length).toBeLessThan(30)
  })
})
