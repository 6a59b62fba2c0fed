import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Deadline, TelemetryReader } from '../../../src/model/reader.ts'
import type { StoreReader, StoreWriter } from '../../../src/model/store.ts'
import { decodeBatch } from '../../../src/otlp/decode-batch.ts'
import { createReaderCaches } from '../../../src/query/reader-caches.ts'
import { Tail } from '../../../src/query/tail.ts'
import { type OpenReader, openTelemetryReader } from '../../../src/query/telemetry-reader.ts'
import { tokensOf } from '../../../src/store/search/fold-text.ts'
import { parseLogQuery } from '../../../src/store/search/log-query.ts'
import { rankByRelevance } from '../../../src/store/search/log-relevance.ts'
import { estimatedCount, type LogSearchResult, searchLogs } from '../../../src/store/search/log-search.ts'
import { logBodyText } from '../../../src/store/search/log-text.ts'
import { stemWord } from '../../../src/store/search/stem-word.ts'
import { TermMatcher } from '../../../src/store/search/term-matcher.ts'
import { buildSegments } from '../../../src/store/segment/build-segments.ts'
import { openSqliteReader } from '../../../src/store/sqlite/store-reader.ts'
import { openSqliteWriter } from '../../../src/store/sqlite/store-writer.ts'
import { encode, requestTypes } from '../protobuf-root.ts'

const inboxId = 'c0ffeec0ffeec0ffeec0ffeec0ffee00'
const startMs = 1_763_640_000_000
const patient: Deadline = { signal: new AbortController().signal, check: () => undefined }
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'

interface Line {
  readonly body: unknown
  readonly service?: string
  readonly severity?: number
  readonly attributes?: Readonly<Record<string, string>>
  readonly traceId?: string
}

function request(lines: readonly Line[], firstMs: number): Uint8Array {
  const attributes = (values: Readonly<Record<string, string>>): object[] =>
    Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }))
  return encode(requestTypes.logs, {
    resourceLogs: lines.map((line, index) => ({
      resource: { attributes: attributes({ 'service.name': line.service ?? 'cart', 'host.name': 'node-1' }) },
      scopeLogs: [
        {
          logRecords: [
            {
              timeUnixNano: `${firstMs + index}000000`,
              severityNumber: line.severity ?? 9,
              body: typeof line.body === 'string' ? { stringValue: line.body } : line.body,
              attributes: attributes(line.attributes ?? {}),
              traceId: Buffer.from(line.traceId ?? '', 'hex'),
            },
          ],
        },
      ],
    })),
  })
}

class Fixture {
  readonly #folder = mkdtempSync(join(tmpdir(), 'otelcontext-search-'))
  readonly #writer: StoreWriter = openSqliteWriter(join(this.#folder, 'store.db'))
  readonly #store: StoreReader = openSqliteReader(join(this.#folder, 'store.db'))
  readonly #tail = new Tail(inboxId)
  readonly #caches = createReaderCaches()
  #position = 0

  async seal(lines: readonly Line[], firstMs: number): Promise<void> {
    const position = ++this.#position
    const batch = decodeBatch('logs', request(lines, firstMs), {
      receivedMs: firstMs,
      attributeMaxBytes: 65_536,
    })
    const entries = [{ position, receivedMs: firstMs, batch, templates: null }]
    await this.#writer.commitSeal({
      position: { inboxId, position },
      segments: buildSegments({ tenant: 'acme', signal: 'logs', inboxId, entries }),
      rollups: [],
      templates: [],
      counts: [],
    })
  }

  publish(lines: readonly Line[], firstMs: number): void {
    const position = ++this.#position
    const one = { position, tenant: 'acme', signal: 'logs' as const, receivedMs: firstMs }
    const entry = { ...one, bytes: request(lines, firstMs), refused: new Uint32Array(), templates: null }
    const range = { from: position, to: position, timeMs: firstMs }
    this.#tail.accept({
      type: 'publication',
      inboxId,
      ...range,
      entries: [entry],
      rollupsFrom: position,
      rollups: [],
      templates: [],
    })
  }

  async read<T>(work: (reader: TelemetryReader) => Promise<T>): Promise<T> {
    const reader: OpenReader = await openTelemetryReader({
      store: this.#store,
      tail: this.#tail,
      tenant: 'acme',
      deadline: patient,
      nowMs: startMs,
      caches: this.#caches,
      ingestCounters: async () => [],
    })
    try {
      return await work(reader)
    } finally {
      await reader.release()
    }
  }

  search(query: string, options: Partial<Parameters<typeof searchLogs>[1]> = {}): Promise<LogSearchResult> {
    const range = { fromMs: 0, toMs: startMs + 1e9 }
    const condition = parseLogQuery(query)
    return this.read(reader => searchLogs(reader, { range, condition, limit: 100, ...options }, patient))
  }

  async bodies(query: string, options: Partial<Parameters<typeof searchLogs>[1]> = {}): Promise<string[]> {
    return (await this.search(query, options)).hits.map(hit => logBodyText(hit.record))
  }

  async close(): Promise<void> {
    await this.#store.close()
    await this.#writer.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

const lines: readonly Line[] = [
  { body: 'Payments fail when the gateway is down' },
  { body: 'connection to payment-service:8443 refused', severity: 17, service: 'checkout' },
  { body: 'thread panicked at src/main.rs', severity: 21 },
  { body: 'Café Zürich: Überweisung abgelehnt' },
  { body: 'user_id=42 logged in', attributes: { 'http.route': '/login', region: 'EU' } },
  { body: 'the user logged out', traceId },
  { body: { kvlistValue: { values: [{ key: 'message', value: { stringValue: 'nested disk full' } }] } } },
  {
    body: 'unhandled',
    attributes: { 'exception.type': 'TimeoutError', 'exception.message': 'deadline exceeded' },
  },
  { body: 'retrying in 30s', severity: 13 },
  { body: '订单 已创建' },
]

describe.each(['sealed', 'published'])('search of %s records', where => {
  let fixture: Fixture

  beforeAll(async () => {
    fixture = new Fixture()
    if (where === 'sealed') await fixture.seal(lines, startMs)
    else fixture.publish(lines, startMs)
  })

  afterAll(() => fixture.close())

  it.each<readonly [query: string, found: readonly number[]]>([
    ['failed', [0]],
    ['failing', [0]],
    ['conn', [1]],
    ['connections', [1]],
    ['panic', [2]],
    ['PANIC', [2]],
    ['cafe', [3]],
    ['CAFÉ', [3]],
    ['zurich', [3]],
    ['uberweisung', [3]],
    ['payment', [1, 0]],
    ['payment-service', [1]],
    ['"payment service"', [1]],
    ['"service payment"', []],
    ['service payment', [1]],
    ['refused gateway', []],
    ['refused OR gateway', [1, 0]],
    ['user AND logged', [5, 4]],
    ['user NOT out', [4]],
    ['user -out', [4]],
    ['user -"logged in"', [5]],
    ['(refused OR panicked) -gateway', [2, 1]],
    ['NOT (user OR payment OR panic OR cafe OR unhandled OR retrying)', [9, 6]],
    ['service:checkout', [1]],
    ['SERVICE:checkout', []],
    ['service:Checkout refused', [1]],
    ['service:cart payment', [0]],
    ['severity:error', [1]],
    ['severity:>=error', [2, 1]],
    ['severity:warn+', [8, 2, 1]],
    [`trace_id:${traceId}`, [5]],
    [`trace_id:${traceId.slice(0, 8).toUpperCase()} logged`, [5]],
    ['trace_id:00000000000000000000000000000000', []],
    ['http.route=/login', [4]],
    ['region=eu', [4]],
    ['host.name=node-1 panic', [2]],
    ['http.route=/log', []],
    ['http.route=/login OR disk', [6, 4]],
    ['(http.route=/login logged) OR (region=us panic)', [4]],
    ['NOT http.route=/login user', [5]],
    ['host.name=node-2', []],
    ['(user absent) OR refused', [1]],
    ['42', [4]],
    ['disk full', [6]],
    ['timeouterror', [7]],
    ['deadline', [7]],
    ['订单', [9]],
    ['absent', []],
  ])('for %s finds %j, newest first', async (query, found) => {
    const result = await fixture.search(query)
    const bodies = result.hits.map(hit => lines[Math.round(hit.timeMs - startMs)]?.body)
    expect(bodies).toEqual(found.map(index => lines[index]?.body))
    expect([result.count, result.exact]).toEqual([found.length, true])
  })

  it('finds everything for an empty query, and keeps to window, services and severity', async () => {
    expect((await fixture.search('  ')).count).toBe(lines.length)
    const range = { fromMs: startMs + 2, toMs: startMs + 4 }
    expect(await fixture.bodies('', { range })).toEqual([lines[3]?.body, lines[2]?.body])
    expect(await fixture.bodies('', { services: ['checkout'] })).toEqual([lines[1]?.body])
    expect(await fixture.bodies('', { minSeverity: 20 })).toEqual([lines[2]?.body])
  })
})

describe('search over many blocks', () => {
  let fixture: Fixture
  const perBlock = 300

  beforeAll(async () => {
    fixture = new Fixture()
    for (let block = 0; block < 6; block++)
      await fixture.seal(
        Array.from({ length: perBlock }, (_, n) => ({
          body: `request ${block * perBlock + n} took ${n % 7} ms${n === 5 && block === 1 ? ' needle' : ''}`,
        })),
        startMs + block * perBlock,
      )
    fixture.publish([{ body: 'request newest took 1 ms' }], startMs + 6 * perBlock)
  })

  afterAll(() => fixture.close())

  it('stops when it has the newest, and says that it did not count the rest', async () => {
    const result = await fixture.search('request', { limit: 50 })
    expect(result.hits.map(hit => hit.timeMs - startMs)).toEqual(
      Array.from({ length: 50 }, (_, n) => 6 * perBlock - n),
    )
    expect(result.exact).toBe(false)
    expect(result.count).toBeLessThan(6 * perBlock)
    expect(result.count).toBeGreaterThanOrEqual(50)
  })

  it('counts everything when it is asked to', async () => {
    const result = await fixture.search('took', { limit: 5, countAll: true })
    expect([result.hits.length, result.count, result.exact]).toEqual([5, 6 * perBlock + 1, true])
  })

  it('reads only the frames that hold a rare word', async () => {
    const result = await fixture.search('needle')
    expect(result.count).toBe(1)
    expect(result.exact).toBe(true)
    expect(result.scannedRecords).toBeLessThanOrEqual(130)
    expect((await fixture.search('nothing-like-it')).scannedRecords).toBeLessThanOrEqual(1)
  })

  it('gives up reading at its limit and says so', async () => {
    const result = await fixture.search('-absent', { countAll: true, maxScannedRecords: 600 })
    expect(result.exact).toBe(false)
    expect(result.count).toBeLessThan(6 * perBlock)
    // Records stand a millisecond apart: what was counted reaches back as many milliseconds.
    expect(startMs + 6 * perBlock - (result.countedSinceMs ?? 0)).toBe(result.count)
    expect((await fixture.search('needle')).countedSinceMs).toBeNull()
  })
})

describe('records by relevance', () => {
  const bodies = [
    'timeout in payment',
    'payment accepted',
    'payment timeout: the payment gateway did not answer',
    'timeouts are expected by all who do this',
    'nothing of the kind',
    'payment accepted after a while, after much deliberation by people who do this for a living',
    'payment refused',
  ]

  it.each(['seal', 'publish'] as const)('come with the rarer words first, %s', async where => {
    const fixture = new Fixture()
    await fixture[where](
      bodies.map(body => ({ body })),
      startMs,
    )
    const ranked = async (query: string): Promise<readonly string[]> =>
      rankByRelevance((await fixture.search(query)).hits, parseLogQuery(query)).map(({ hit }) =>
        logBodyText(hit.record),
      )
    // Both words before the rarer one alone; a word before its plural; the newest of equals before others, long ones last.
    expect(await ranked('payment OR timeout')).toEqual([0, 2, 3, 6, 1, 5].map(at => bodies[at]))
    expect(await ranked('timeout')).toEqual([0, 2, 3].map(at => bodies[at]))
    expect(await ranked('payment NOT timeout')).toEqual([6, 1, 5].map(at => bodies[at]))
    expect(await ranked('severity:info')).toEqual(bodies.toReversed())
    await fixture.close()
  })
})

describe('an estimate of a count', () => {
  const held = { fromMs: 1_000, toMs: 2_000 }

  it.each([
    ['a quarter counted', { count: 300, countedSinceMs: 1_750 }, 1_200],
    ['two digits are told', { count: 1_234, countedSinceMs: 1_500 }, 2_500],
    ['all counted', { count: 300, countedSinceMs: null }, null],
    ['hardly anything counted', { count: 300, countedSinceMs: 1_995 }, null],
    ['nothing left to count', { count: 300, countedSinceMs: 1_000 }, null],
  ])('%s', (_, result, expected) => {
    expect(estimatedCount(result, held)).toBe(expected)
  })
})

describe('records of one instant', () => {
  it('come in the same order sealed or not', async () => {
    const bodies = ['b', 'a', 'd', 'c'].map(body => ({ body: `same ${body}` }))
    const found: string[][] = []
    for (const where of ['seal', 'publish'] as const) {
      const fixture = new Fixture()
      for (const line of where === 'seal' ? bodies : [...bodies].reverse())
        await fixture[where]([line], startMs)
      found.push(await fixture.bodies('same', { limit: 3 }))
      await fixture.close()
    }
    expect(found).toEqual([
      ['same a', 'same b', 'same c'],
      ['same a', 'same b', 'same c'],
    ])
  })
})

describe('the query syntax', () => {
  it.each([
    ['"open', 'not closed'],
    ['(open', 'not closed'],
    ['open)', 'unexpected ")"'],
    ['NOT', 'nothing follows NOT'],
    ['a AND -', 'nothing follows -'],
    ['severity:bad', 'severity takes trace, debug'],
    ['trace_id:xyz', '8 to 32 hex digits'],
    ['!!!', 'no word to look for'],
    [Array.from({ length: 33 }, (_, n) => `w${n}`).join(' '), 'the limit is 32'],
    ['('.repeat(20) + 'a' + ')'.repeat(20), 'deeper than 16'],
    ['x'.repeat(3000), 'the limit is 2048'],
  ])('refuses %s and says why', (query, why) => {
    expect(() => parseLogQuery(query)).toThrow(
      expect.objectContaining({
        code: 'invalid_query',
        field: 'query',
        message: expect.stringContaining(why),
      }),
    )
  })

  it('refuses or parses any text, and throws nothing else', () => {
    let parsed = 0
    const word = fc.constantFrom(
      '(',
      ')',
      '"',
      '-',
      'AND',
      'OR',
      'NOT',
      'service:',
      'a=b',
      'word',
      ' ',
      ':',
      '=',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(word).map(words => words.join(' ')),
        ),
        text => {
          try {
            if (parseLogQuery(text) !== null) parsed++
          } catch (error) {
            expect(error).toMatchObject({ code: 'invalid_query' })
          }
        },
      ),
      { numRuns: 500 },
    )
    expect(parsed).toBeGreaterThan(100)
  })
})

describe('stems', () => {
  it.each([
    ['fail', ['failed', 'failing', 'fails']],
    ['connect', ['connected', 'connecting', 'connection', 'connections']],
    ['retri', ['retry', 'retries', 'retried']],
    ['time', ['time', 'times', 'timed', 'timing']],
    ['caress', ['caresses']],
    ['hop', ['hopping', 'hop']],
    ['relat', ['relational', 'relate']],
    ['reject', ['rejected', 'rejection', 'rejects']],
    ['alloc', ['allocation', 'allocated', 'allocate', 'allocator']],
    ['terabyt', ['terabyte', 'terabytes']],
  ])('%s is the stem of %j', (stem, words) => {
    expect(words.map(stemWord)).toEqual(words.map(() => stem))
  })

  it('begin like their words, which is what lookups in dictionaries rely on', () => {
    const part = fc.constantFrom(
      ...[
        'ra',
        'tion',
        'al',
        'iz',
        'er',
        'ing',
        'ed',
        'ness',
        'ful',
        'bil',
        'ity',
        'y',
        's',
        'con',
        'nect',
        'e',
        'at',
      ],
    )
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 5 }),
        fc.array(part, { maxLength: 3 }),
        (a, b) => {
          const word = a.join('')
          const other = a.slice(0, -1).concat(b).join('')
          const matcher = new TermMatcher(word)
          if (other !== '' && matcher.matches(other))
            expect(other.startsWith(matcher.commonPrefix)).toBe(true)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('tokens', () => {
  it.each([
    ['Hello, World!', ['hello', 'world']],
    ['user_id=42', ['user', 'id', '42']],
    ['ÀÉÎõü Straße', ['aeiou', 'strasse']],
    ['ﬁle № 5', ['file', 'no', '5']],
    ['e\u0301tude', ['etude']],
    ['', []],
    ['--- ...', []],
    ['x'.repeat(100), ['x'.repeat(40)]],
  ])('of %s are %j', (text, tokens) => {
    expect(tokensOf(text)).toEqual(tokens)
  })

  it('do not depend on the case or the normal form of the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'É', 'ü', 'Ñ', ' ', '1', 'Ω', '-') }), text => {
        expect(tokensOf(text.normalize('NFD'))).toEqual(tokensOf(text))
        expect(tokensOf(text.toLowerCase())).toEqual(tokensOf(text))
      }),
    )
    expect(tokensOf('ÉTÉ')).toEqual(['ete'])
  })
})
