import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidInputError } from '../../../src/errors.ts'
import { type Signal, signals } from '../../../src/model/telemetry.ts'
import { collectorServices } from '../../../src/otlp/fields/collector-fields.ts'
import { requestShape } from '../../../src/otlp/fields/message-shape.ts'
import { decodePlain } from '../../../src/otlp/json/decode-plain.ts'
import { planOf } from '../../../src/otlp/json/json-plan.ts'
import { scanJson } from '../../../src/otlp/json/scan-json.ts'
import { transcodeCompletely } from '../../../src/otlp/json/transcode-json.ts'
import { ByteWriter } from '../../../src/otlp/wire/byte-writer.ts'
import { mutate, randomFrom } from '../mutation.ts'
import { encodeReference } from '../reference-types.ts'
import { messageOf } from '../request-arbitrary.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** What the fast path writes; null if it leaves the request to the complete one. */
function scanned(signal: Signal, json: Uint8Array): Uint8Array | null {
  const out = new ByteWriter()
  return scanJson(json, planOf(requestShape(signal)), out) ? out.copy() : null
}

/** What the complete path writes; null if it refuses the request. */
function completely(signal: Signal, json: Uint8Array): Uint8Array | null {
  const out = new ByteWriter()
  try {
    transcodeCompletely(json, planOf(requestShape(signal)), out)
    return out.copy()
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidInputError)
    return null
  }
}

const escapeAll = (text: string): string =>
  text.replace(/[\u007f-\uffff]/g, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)

const styles: readonly ((value: unknown) => string)[] = [
  value => JSON.stringify(value),
  value => JSON.stringify(value, null, 2),
  value => `\ufeff \r\n\t${JSON.stringify(value, null, '\t')}\n`,
  value => escapeAll(JSON.stringify(value)),
]

const jsonCharacters = utf8('"\\\\,:{}[]0123456789eE.-+nutrfalse \n\u0001aAzZ_/')

/** One character replaced by one that means something in JSON. */
function tweak(json: Uint8Array, random: (below: number) => number): Uint8Array {
  const copy = Uint8Array.from(json)
  copy[random(copy.length)] = jsonCharacters[random(jsonCharacters.length)] ?? 0
  return copy
}

function requests(signal: Signal): fc.Arbitrary<Uint8Array> {
  const { name } = collectorServices[signal].request
  return fc.tuple(messageOf(name), fc.constantFrom(...styles)).map(([plain, style]) => {
    return utf8(style(decodePlain(requestShape(signal), encodeReference(name, plain))))
  })
}

describe.each(signals)('the fast path for %s', signal => {
  test('writes the same bytes as the complete one', () => {
    let taken = 0
    fc.assert(
      fc.property(requests(signal), json => {
        const fast = scanned(signal, json)
        if (fast === null) return
        taken++
        expect(fast).toEqual(completely(signal, json))
      }),
      { numRuns: 100, seed: 5 },
    )
    // Characters beyond the first plane, when escaped, are left to the complete path.
    expect(taken).toBeGreaterThan(70)
  })

  test('never takes what the complete one refuses, and reads damaged requests alike', () => {
    const random = randomFrom(3)
    const valid = fc.sample(requests(signal), { numRuns: 20, seed: 6 })
    let taken = 0
    for (let round = 0; round < 5000; round++) {
      const sample = valid[round % valid.length] ?? new Uint8Array(0)
      const json = round % 4 === 0 ? mutate(sample, random) : tweak(sample, random)
      const fast = scanned(signal, json)
      if (fast === null) continue
      taken++
      expect(fast).toEqual(completely(signal, json))
    }
    expect(taken).toBeGreaterThan(150)
  })
})

describe('the fast path', () => {
  const log = (record: string): Uint8Array =>
    utf8(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[${record}]}]}]}`)

  test.each([
    ['every simple escape', '{"body":{"stringValue":"a\\n\\t\\r\\b\\f\\/\\\\\\"z"}}'],
    ['escapes of one, two and three bytes', '{"eventName":"\\u0041\\u00e9\\u20AC\\u0000"}'],
    ['an escaped text of 200 bytes', `{"eventName":"\\n${'x'.repeat(200)}"}`],
    ['an escaped text of 20,000 bytes', `{"eventName":"\\n${'x'.repeat(20_000)}"}`],
    [
      'a text of 48 bytes and one of 49',
      `{"eventName":"${'x'.repeat(48)}","severityText":"${'y'.repeat(49)}"}`,
    ],
    ['empty objects and lists', '{"body":{},"attributes":[]}'],
    ['nulls', '{"body":null,"attributes":null,"flags":null}'],
    ['a decimal of fifteen digits', '{"body":{"doubleValue":0.12345678901234}}'],
    ['a decimal of seventeen digits', '{"body":{"doubleValue":0.1234567890123456}}'],
    ['minus zero', '{"body":{"doubleValue":-0}}'],
    ['an exponent', '{"body":{"doubleValue":-1.5e-300}}'],
    [
      'the largest 64-bit numbers',
      '{"timeUnixNano":18446744073709551615,"body":{"intValue":-9223372036854775808}}',
    ],
    ['digits with zeros before them, in a text', '{"timeUnixNano":"007","severityNumber":"09"}'],
    ['an enum by name', '{"severityNumber":"SEVERITY_NUMBER_WARN"}'],
  ])('takes %s', (_, record) => {
    const fast = scanned('logs', log(record))
    expect(fast).not.toBeNull()
    expect(fast).toEqual(completely('logs', log(record)))
  })

  test.each([
    ['an unknown key', '{"name":"x"}'],
    ['a repeated key', '{"flags":1,"flags":2}'],
    ['an escaped key', '{"fl\\u0061gs":1}'],
    ['a surrogate escape', '{"eventName":"\\ud83d\\ude00"}'],
    ['a null among elements', '{"attributes":[null]}'],
  ])('leaves %s to the complete one', (_, record) => {
    expect(scanned('logs', log(record))).toBeNull()
    expect(completely('logs', log(record))).not.toBeNull()
  })

  test.each([
    ['a zero before digits', '{"flags":01}'],
    ['a point without digits', '{"body":{"doubleValue":1.}}'],
    ['a point without a whole number', '{"body":{"doubleValue":.5}}'],
    ['a lone minus', '{"body":{"doubleValue":-}}'],
    ['zeros before a decimal', '{"body":{"doubleValue":00.5}}'],
    ['a control character in a text', '{"eventName":"a\nb"}'],
    ['a control character behind an escape', '{"eventName":"\\n\u0001"}'],
    ['an unknown escape', '{"eventName":"\\x"}'],
    ['a short escape', '{"eventName":"\\u00"}'],
    ['an unfinished text', '{"eventName":"abc'],
    ['an unfinished escape', '{"eventName":"abc\\'],
    ['a comma too many', '{"flags":1,}'],
    ['a comma too many in a list', '{"attributes":[{},]}'],
    ['a comma too few', '{"flags":1 "body":{}}'],
    ['half a literal', '{"body":{"boolValue":tru}}'],
    ['something behind the request', '{}}'],
  ])('leaves %s to the complete one, which refuses it', (_, record) => {
    expect(scanned('logs', log(record))).toBeNull()
    expect(completely('logs', log(record))).toBeNull()
  })
})
