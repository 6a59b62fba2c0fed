import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { recordOf } from '../../src/model/telemetry.ts'
import { decodeBatch } from '../../src/otlp/decode-batch.ts'
import { tokensOf } from '../../src/store/search/fold-text.ts'
import { eachTextRange } from '../../src/store/search/log-text.ts'
import { RecordWords } from '../../src/store/search/record-words.ts'
import { TermMatcher } from '../../src/store/search/term-matcher.ts'
import { buildSegments } from '../../src/store/segment/build-segments.ts'
import { fetchSegment, readDictionary, readRecordsWith } from '../../src/store/segment/read-segment.ts'
import { WordRows } from '../../src/store/segment/word-rows.ts'
import { receivedMs, requests } from './arbitrary-requests.ts'
import { encode, requestTypes } from './protobuf-root.ts'

type Parts = ReadonlyMap<string, Uint8Array>

function sealed(bodies: readonly Uint8Array[]): readonly Parts[] {
  const entries = bodies.map((body, index) => ({
    position: index + 1,
    receivedMs,
    batch: decodeBatch('logs', body, { receivedMs, attributeMaxBytes: 65_536 }),
    templates: null,
  }))
  const of = { tenant: 'acme', signal: 'logs', inboxId: 'ab'.repeat(16) } as const
  return buildSegments({ ...of, entries }).map(({ parts }) => parts)
}

function logs(records: readonly object[]): Uint8Array {
  return encode(requestTypes.logs, { resourceLogs: [{ scopeLogs: [{ logRecords: records }] }] })
}

function tokensIn(record: Uint8Array): readonly string[] {
  const tokens: string[] = []
  eachTextRange(record, {
    range: (from, to) => tokens.push(...tokensOf(Buffer.from(record.subarray(from, to)).toString('utf8'))),
    text: value => tokens.push(...tokensOf(value)),
  })
  return tokens
}

/** Rows of the segment whose messages are put together for the words, each by its number. */
async function rowsWith(parts: Parts, terms: readonly string[]): Promise<ReadonlySet<number>> {
  const { columns } = await fetchSegment(async () => parts)
  const words = new WordRows(terms.map(term => new TermMatcher(term)))
  const all = [...columns.block.resource.keys()]
  const wanted = { words, suffices: (mask: number): boolean => mask !== 0 }
  return new Set(readRecordsWith(columns, readDictionary(parts), parts, all, wanted).rows)
}

const line = (body: object, n: number, rest: object = {}): object => ({
  timeUnixNano: `${receivedMs + n}000000`,
  body,
  ...rest,
})

describe('rows told by their codes', () => {
  it('are all that have a word, wherever in the record it stands and however it is stored', async () => {
    let found = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(requests.logs, { minLength: 1, maxLength: 4 }),
        fc.nat(),
        fc.nat({ max: 6 }),
        async (bodies, pick, cut) => {
          for (const parts of sealed(bodies)) {
            const { columns, records } = await fetchSegment(async () => parts)
            const rows = [...columns.block.resource.keys()]
            const tokens = [...new Set(rows.flatMap(row => tokensIn(recordOf(records, row))))]
            const terms = [0, 7, 31].flatMap(n => tokens[(pick + n) % tokens.length] ?? [])
            const asked = [...terms, ...terms.map(one => one.slice(0, 1 + cut))].filter(one => one !== '')
            const matchers = asked.map(one => new TermMatcher(one))
            const exact = new RecordWords(
              matchers.map(one => ({ word: one.term, finds: token => one.matches(token) })),
              false,
            )
            const told = await rowsWith(parts, asked)
            for (const row of rows) {
              exact.read(recordOf(records, row))
              if (exact.seen === 0) continue
              found++
              expect([asked, row, told.has(row)]).toEqual([asked, row, true])
            }
          }
        },
      ),
      { numRuns: 150 },
    )
    expect(found).toBeGreaterThan(300)
  })

  it.each([
    ['a word of a shape', 'shipped', [0, 1]],
    ['what a shape leaves out', '4711', [1]],
    ['a word in capitals', 'urgent', [2]],
    ['a word with accents', 'strasse', [3]],
    ['a number that is the body', '4242', [4]],
    ['the message of an exception', 'refused', [5]],
    ['the name of an event', 'clicked', [6]],
    ['a word deep in a body', 'nested', [7]],
    ['the value of an attribute, which is no text of the record', 'hidden', []],
    ['a word that is nowhere', 'zymurgy', []],
  ])('are those with %s', async (_, term, rows) => {
    const text = (stringValue: string): object => ({ stringValue })
    const attribute = (key: string, value: string): object => ({
      attributes: [{ key, value: { stringValue: value } }],
    })
    const kvlist = { kvlistValue: { values: [{ key: 'a', value: { stringValue: 'nested' } }] } }
    const [parts] = sealed([
      logs([
        ...[4710, 4711].map(order => line(text(`order ${order} shipped`), order - 4710)),
        line(text('URGENT: disk'), 2),
        line(text('Straße'), 3),
        line({ intValue: 4242 }, 4),
        line(text('x'), 5, attribute('exception.message', 'connection refused')),
        line(text('x'), 6, { eventName: 'button.clicked' }),
        line(kvlist, 7),
        line(text('x'), 8, attribute('note', 'hidden')),
      ]),
    ])
    if (parts === undefined) throw new Error('no segment')
    expect([...(await rowsWith(parts, [term]))]).toEqual(rows)
  })
})
