import { statSync } from 'node:fs'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import Database from 'better-sqlite3'
import { afterEach, describe, expect, test } from 'vitest'
import type { InboxOptions } from '../../../src/engine/inbox/inbox.ts'
import { InboxFileReader } from '../../../src/engine/inbox/inbox-file-reader.ts'
import { decodeRow } from '../../../src/engine/inbox/inbox-row.ts'
import { logRequest, spanRequest } from '../requests.ts'
import { InboxHarness } from './inbox-harness.ts'

const harnesses: InboxHarness[] = []

function open(options: Partial<InboxOptions> = {}): InboxHarness {
  const harness = new InboxHarness(options)
  harnesses.push(harness)
  return harness
}

afterEach(() => {
  for (const harness of harnesses.splice(0)) harness.remove()
})

function storedRows(harness: InboxHarness): readonly ReturnType<typeof decodeRow>[] {
  const reader = new InboxFileReader(harness.file)
  const rows = reader.read(1, Number.MAX_SAFE_INTEGER, 2 ** 30).map(decodeRow)
  reader.close()
  return rows
}

describe('committing', () => {
  test('nothing is answered before its commit, and one commit answers all that gathered', () => {
    const harness = open()
    const ids = [1, 2, 3].map(seed => harness.take(spanRequest({ seed, spans: 5 })))
    expect(harness.answers).toEqual([])
    harness.inbox.flush()
    expect(ids.map(id => harness.answerTo(id))).toEqual(
      ids.map(() => ({ outcome: 'accepted', accepted: 5, rejected: 0, message: '', duplicate: false })),
    )
    expect(harness.groups.map(({ from, to }) => [from, to])).toEqual([[1, 3]])
    expect(harness.inbox.figures()).toMatchObject({ commits: 1, lastPosition: 3 })
  })

  test('a commit waits two milliseconds at most for as many requests as the last ones had', () => {
    const harness = open()
    let seed = 0
    const take = (): number => harness.take(spanRequest({ seed: seed++, spans: 1 }))
    take()
    expect(harness.inbox.isGathering).toBe(false)
    take()
    take()
    harness.inbox.flush()
    expect(harness.inbox.isGathering).toBe(false)
    take()
    take()
    expect(harness.inbox.isGathering).toBe(true)
    harness.nowMs += 2
    expect(harness.inbox.isGathering).toBe(false)
    harness.nowMs -= 1
    expect(harness.inbox.isGathering).toBe(true)
    take()
    expect(harness.inbox.isGathering).toBe(false)
  })

  test('a sender that has become alone soon waits for nobody', () => {
    const harness = open()
    for (let seed = 0; seed < 8; seed++) harness.take(spanRequest({ seed, spans: 1 }))
    harness.inbox.flush()
    let waits = 0
    for (let seed = 100; seed < 120; seed++) {
      harness.take(spanRequest({ seed, spans: 1 }))
      if (harness.inbox.isGathering) waits++
      harness.inbox.flush()
    }
    expect(waits).toBe(7)
  })

  test('a row holds the bytes as received, and a reader gets them back', () => {
    const harness = open()
    const body = gzipSync(spanRequest({ seed: 1, spans: 3 }))
    harness.ingest(body, { compression: 'gzip', tenant: 'red' })
    expect(storedRows(harness)).toEqual([
      expect.objectContaining({ position: 1, tenant: 'red', compression: 'gzip', items: 3, refusals: [] }),
    ])
    expect(Buffer.compare(storedRows(harness)[0]?.body ?? new Uint8Array(), body)).toBe(0)
  })

  test('what is refused is answered with its number and recorded with its reason', () => {
    const harness = open()
    const answer = harness.ingest(spanRequest({ seed: 1, spans: 5, badFrom: 3 }))
    expect(answer).toMatchObject({ outcome: 'accepted', accepted: 3, rejected: 2 })
    const [row] = storedRows(harness)
    expect(row?.refusals.map(refusal => refusal.index)).toEqual([3, 4])
    expect(row?.refusals[0]?.reason).toContain('trace id')
    expect([...(harness.groups[0]?.entries[0]?.refused ?? [])]).toEqual([3, 4])
  })

  test('an empty request is accepted and takes no row', () => {
    const harness = open()
    expect(harness.ingest(new Uint8Array())).toMatchObject({ outcome: 'accepted', accepted: 0 })
    expect(harness.inbox.lastPosition).toBe(0)
  })

  test('positions are never used again, also after a trim and a restart', () => {
    const harness = open()
    harness.ingest(spanRequest({ seed: 1, spans: 1 }))
    harness.ingest(spanRequest({ seed: 2, spans: 1 }))
    harness.inbox.trim(2)
    harness.inbox.tick()
    expect(storedRows(harness)).toEqual([])
    harness.reopen()
    expect(harness.inbox.lastPosition).toBe(2)
    harness.ingest(spanRequest({ seed: 3, spans: 1 }))
    expect(storedRows(harness).map(row => row.position)).toEqual([3])
  })

  test('the file and its log are readable by their owner only, and synced at every commit', () => {
    const harness = open()
    harness.ingest(spanRequest({ seed: 1, spans: 1 }))
    for (const suffix of ['', '-wal', '-shm']) {
      expect(statSync(harness.file + suffix).mode & 0o777).toBe(0o600)
    }
    const inboxId = harness.inbox.inboxId
    expect(inboxId).toMatch(/^[0-9a-f]{32}$/)
    harness.reopen()
    expect(harness.inbox.inboxId).toBe(inboxId)
  })
})

describe('bad requests', () => {
  test.each([
    ['bytes that are no protobuf', 'decode_error', Buffer.from('no protobuf at all'), {}],
    [
      'a truncated gzip',
      'bad_compression',
      gzipSync(Buffer.alloc(9_000, 1)).subarray(0, 30),
      { compression: 'gzip' },
    ],
    ['a body over its limit', 'too_large', Buffer.alloc(2_000, 1), { maxBytes: 1_000 }],
    [
      'a gzip that claims to be over the limit',
      'too_large',
      gzipSync(Buffer.alloc(9_000_000)),
      { compression: 'gzip' },
    ],
    [
      'a small zstd over its limit',
      'too_large',
      zstdCompressSync(Buffer.alloc(9_000)),
      { compression: 'zstd', maxBytes: 1_000 },
    ],
    ['broken JSON', 'decode_error', Buffer.from('{"resourceSpans":['), { encoding: 'json' }],
  ] as const)('%s fail alone', (_, reason, body, change) => {
    const harness = open()
    const before = harness.take(spanRequest({ seed: 1, spans: 1 }))
    const bad = harness.take(body, change)
    const after = harness.take(spanRequest({ seed: 2, spans: 1 }))
    harness.inbox.flush()
    expect(harness.answerTo(bad)).toMatchObject({ outcome: 'invalid', reason })
    for (const id of [before, after]) expect(harness.answerTo(id)).toMatchObject({ accepted: 1 })
  })

  test('a bomb that lies about its size is refused once it has grown past the limit', async () => {
    const harness = open()
    const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024))
    bomb.writeUInt32LE(100, bomb.length - 4)
    const id = harness.take(bomb, { compression: 'gzip' })
    await expect.poll(() => harness.answerTo(id)).toMatchObject({ outcome: 'invalid', reason: 'too_large' })
  })

  test('of many large compressed requests at once those beyond the budget are told to come back', async () => {
    const harness = open({ decompressionBudgetBytes: 4 * 1024 * 1024 })
    const large = gzipSync(spanRequest({ seed: 1, spans: 60_000 }))
    const ids = Array.from({ length: 40 }, () =>
      harness.take(large, { compression: 'gzip', maxBytes: 2 ** 26 }),
    )
    const outcomes = async (): Promise<readonly string[]> => {
      harness.inbox.flush()
      return ids.map(id => harness.answerTo(id)?.outcome ?? 'waiting')
    }
    await expect.poll(outcomes, { timeout: 20_000 }).not.toContain('waiting')
    expect(ids.filter(id => harness.answerTo(id)?.outcome === 'retry').length).toBeGreaterThan(10)
  })
})

describe('duplicates', () => {
  const duplicate = { outcome: 'accepted', accepted: 4, duplicate: true }

  test('a request sent again is acknowledged and not stored again', () => {
    const harness = open()
    const body = spanRequest({ seed: 1, spans: 4 })
    harness.ingest(body)
    expect(harness.ingest(body)).toMatchObject(duplicate)
    expect(storedRows(harness)).toHaveLength(1)
    expect(harness.inbox.figures().counters).toMatchObject([{ accepted: 8, deduplicated: 4, items: 4 }])
  })

  test('also within one commit', () => {
    const harness = open()
    const body = spanRequest({ seed: 1, spans: 4 })
    harness.take(body)
    const second = harness.take(body)
    harness.inbox.flush()
    expect(harness.answerTo(second)).toMatchObject(duplicate)
    expect(storedRows(harness)).toHaveLength(1)
  })

  test('also after a crash between commit and answer', () => {
    const harness = open()
    const body = spanRequest({ seed: 1, spans: 4 })
    harness.ingest(body)
    harness.answers.length = 0
    harness.reopen()
    expect(harness.ingest(body)).toMatchObject(duplicate)
    expect(storedRows(harness)).toHaveLength(1)
  })

  test('compressed differently it is still the same request', () => {
    const harness = open()
    const body = spanRequest({ seed: 1, spans: 4 })
    harness.ingest(gzipSync(body, { level: 1 }), { compression: 'gzip' })
    expect(harness.ingest(zstdCompressSync(body), { compression: 'zstd' })).toMatchObject(duplicate)
  })

  test.each([
    ['from another peer', { peer: '10.0.0.2' }],
    ['from another principal', { principal: 'key-2' }],
    ['for another tenant', { tenant: 'red' }],
  ])('the same bytes %s are stored', (_, change) => {
    const harness = open()
    const body = spanRequest({ seed: 1, spans: 4 })
    harness.ingest(body)
    expect(harness.ingest(body, change)).toMatchObject({ duplicate: false })
    expect(storedRows(harness)).toHaveLength(2)
  })

  test('equal requests without any time are two events', () => {
    const harness = open()
    const body = logRequest({ seed: 1, lines: 2, timeMs: 0 })
    harness.ingest(body, { signal: 'logs' })
    expect(harness.ingest(body, { signal: 'logs' })).toMatchObject({ duplicate: false, accepted: 2 })
    expect(storedRows(harness)).toHaveLength(2)
  })

  test('after fifteen minutes it is a new request', () => {
    const harness = open()
    const body = spanRequest({ seed: 1, spans: 4 })
    harness.ingest(body)
    harness.nowMs += 15 * 60_000 + 1_000
    expect(harness.ingest(body)).toMatchObject({ duplicate: false })
  })
})

describe('tenants', () => {
  test('the resource does not choose its tenant unless that is trusted', () => {
    const harness = open()
    harness.ingest(spanRequest({ seed: 1, spans: 1, tenant: 'red' }))
    expect(storedRows(harness).map(row => row.tenant)).toEqual(['default'])
  })

  test('a trusted request of several tenants becomes a row for each', () => {
    const harness = open({ trustResourceTenant: true })
    const body = Buffer.concat([
      spanRequest({ seed: 1, spans: 1, tenant: 'red' }),
      spanRequest({ seed: 2, spans: 2, tenant: 'blue' }),
      spanRequest({ seed: 3, spans: 3 }),
      spanRequest({ seed: 4, spans: 4, tenant: 'red' }),
    ])
    expect(harness.ingest(gzipSync(body), { compression: 'gzip' })).toMatchObject({ accepted: 10 })
    expect(storedRows(harness).map(row => [row.tenant, row.items])).toEqual([
      ['red', 5],
      ['blue', 2],
      ['default', 3],
    ])
  })

  test('a tenant name that cannot be is refused with its items alone', () => {
    const harness = open({ trustResourceTenant: true })
    const body = Buffer.concat([
      spanRequest({ seed: 1, spans: 1, tenant: 'a\nb' }),
      spanRequest({ seed: 2, spans: 2, tenant: 'blue' }),
    ])
    expect(harness.ingest(body)).toMatchObject({ accepted: 2, rejected: 1 })
    expect(storedRows(harness).map(row => row.tenant)).toEqual(['blue'])
  })
})

describe('limits and faults', () => {
  test('a full share is told to come back, while another signal still finds room', () => {
    const harness = open({ maxBytes: 400_000 })
    const answers = Array.from({ length: 20 }, (_, seed) => harness.ingest(spanRequest({ seed, spans: 300 })))
    const refused = answers.find(answer => answer?.outcome === 'retry')
    expect(refused).toMatchObject({ reason: 'queue_full' })
    expect(harness.ingest(logRequest({ seed: 1, lines: 100 }), { signal: 'logs' })).toMatchObject({
      accepted: 100,
    })
  })

  test('trimming what is sealed makes room again', () => {
    const harness = open({ maxBytes: 400_000 })
    let seed = 0
    while (harness.ingest(spanRequest({ seed, spans: 300 }))?.outcome === 'accepted') seed++
    harness.inbox.trim(harness.inbox.lastPosition)
    harness.inbox.tick()
    expect(harness.inbox.figures().bytes).toBe(0)
    expect(harness.ingest(spanRequest({ seed, spans: 300 }))).toMatchObject({ accepted: 300 })
  })

  test('sealed entries stay as long as they are to be kept', () => {
    const harness = open({ keepSealedMs: 60_000 })
    harness.ingest(spanRequest({ seed: 1, spans: 1 }))
    harness.inbox.trim(1)
    harness.inbox.tick()
    expect(storedRows(harness)).toHaveLength(1)
    harness.nowMs += 61_000
    harness.inbox.tick()
    expect(storedRows(harness)).toEqual([])
  })

  test('a failed commit acknowledges nothing, raises the alarm, and ends by itself', () => {
    const harness = open({ maxFileBytes: 25 * 16_384 })
    let seed = 0
    let answer = harness.ingest(spanRequest({ seed, spans: 300 }))
    while (answer?.outcome === 'accepted') answer = harness.ingest(spanRequest({ seed: ++seed, spans: 300 }))
    expect(answer).toMatchObject({ outcome: 'retry', reason: 'store_fault' })
    expect(harness.alarms).toEqual(['the inbox cannot be written (SQLITE_FULL)'])
    expect(storedRows(harness)).toHaveLength(seed)
    expect(harness.ingest(spanRequest({ seed: 99, spans: 1 }))).toMatchObject({ reason: 'store_fault' })
    harness.inbox.trim(harness.inbox.lastPosition)
    harness.nowMs += 2_000
    harness.inbox.tick()
    harness.inbox.tick()
    expect(harness.alarms.at(-1)).toBeNull()
    expect(harness.ingest(spanRequest({ seed, spans: 300 }))).toMatchObject({
      accepted: 300,
      duplicate: false,
    })
  })

  test('a flipped byte of a row is found by its checksum', () => {
    const harness = open()
    harness.ingest(spanRequest({ seed: 1, spans: 1 }))
    harness.inbox.close()
    const file = new Database(harness.file)
    file.exec("UPDATE entry SET tenant = 'other'")
    file.close()
    expect(() => storedRows(harness)).toThrowError('inbox row 1 fails its checksum')
  })

  test('a foreign or newer file stops the start with one sentence', () => {
    const harness = open()
    harness.inbox.close()
    const file = new Database(harness.file)
    file.pragma('user_version = 99')
    file.close()
    expect(() => harness.reopen()).toThrowError(/written by a newer version \(schema 99/)
    const again = new Database(harness.file)
    again.pragma('application_id = 7')
    again.close()
    expect(() => harness.reopen()).toThrowError(/is not an inbox of this program/)
  })
})
