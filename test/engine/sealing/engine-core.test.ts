import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, describe, expect, test } from 'vitest'
import { InboxFileReader } from '../../../src/engine/inbox/inbox-file-reader.ts'
import { readInvariant } from '../../../src/engine/sealing/invariant.ts'
import { StoreError } from '../../../src/errors.ts'
import { unpackPublication } from '../../../src/model/packed-tail.ts'
import { Tail } from '../../../src/query/tail.ts'
import { logRequest, spanRequest } from '../requests.ts'
import { EngineHarness, type EngineHarnessOptions } from './engine-harness.ts'

const harnesses: EngineHarness[] = []

function make(options: EngineHarnessOptions = {}): EngineHarness {
  const harness = new EngineHarness({ tickMs: 100, ...options })
  harnesses.push(harness)
  return harness
}

afterEach(async () => {
  for (const harness of harnesses.splice(0)) await harness.remove()
})

async function sealedUpTo(harness: EngineHarness, position: number): Promise<void> {
  harness.handOver()
  await expect
    .poll(() => harness.core?.figures().sealedPosition, { interval: 5, timeout: 10_000 })
    .toBe(position)
  harness.deliver()
}

/** Changes rows of the inbox behind its back. */
function tamper(harness: EngineHarness, sql: string): void {
  const file = new Database(harness.inboxes.file)
  file.exec(sql)
  file.close()
}

describe('replay', () => {
  test('what was committed and not sealed before a crash is sealed by the next start, once', async () => {
    const harness = make({
      hook: step => {
        if (step === 'before commit') throw new StoreError('busy', 'away')
      },
    })
    await harness.start()
    for (const seed of [1, 2, 3]) harness.inboxes.ingest(spanRequest({ seed, spans: 2 }))
    harness.handOver()
    await expect.poll(() => harness.core?.figures().storeFault).toBe('away')
    await harness.crash()
    harness.hook = () => undefined
    await harness.start()
    await sealedUpTo(harness, 3)
    expect(await harness.spanNames()).toEqual(['1-0', '1-1', '2-0', '2-1', '3-0', '3-1'])
  })

  test('what is read back waits for a reader that still looks at what was read back before', async () => {
    const harness = make({ core: { maxRestoredBytes: 1 } })
    for (const seed of [1, 2, 3]) harness.inboxes.ingest(spanRequest({ seed, spans: 2 }))
    await harness.start()
    for (const position of [1, 2, 3]) {
      await expect.poll(() => harness.core?.figures().sealedPosition, { timeout: 10_000 }).toBe(position)
      expect(harness.core?.figures().takenPosition).toBe(position)
      harness.deliver()
    }
    expect(await harness.spanNames()).toEqual(['1-0', '1-1', '2-0', '2-1', '3-0', '3-1'])
  })

  test('an engine that is handed nothing reads everything from the inbox file', async () => {
    const harness = make()
    for (let seed = 0; seed < 300; seed++) harness.inboxes.take(spanRequest({ seed, spans: 2 }))
    harness.inboxes.inbox.flush()
    harness.inboxes.groups.length = 0
    await harness.start()
    await sealedUpTo(harness, 300)
    expect(await harness.spanNames()).toHaveLength(600)
  })

  test('rows handed over and rows read from the file come in one order', async () => {
    const harness = make()
    await harness.start()
    harness.inboxes.ingest(spanRequest({ seed: 1, spans: 1 }))
    harness.inboxes.groups.pop()
    harness.core?.offer({ type: 'committed', from: 1, to: 1, buffer: null, entries: [] })
    harness.inboxes.ingest(spanRequest({ seed: 2, spans: 1 }))
    await sealedUpTo(harness, 2)
    expect(await harness.spanNames()).toEqual(['1-0', '2-0'])
  })

  test('refused items stay refused', async () => {
    const harness = make()
    harness.inboxes.ingest(spanRequest({ seed: 1, spans: 4, badFrom: 2 }))
    harness.inboxes.groups.length = 0
    await harness.start()
    await sealedUpTo(harness, 1)
    expect(await harness.spanNames()).toEqual(['1-0', '1-1'])
  })
})

describe('readers', () => {
  test('see entries before they are sealed, and a late one sees all of them', async () => {
    const harness = make({ core: { sealLimits: { items: 50_000, bytes: 2 ** 25, ageMs: 3_600_000 } } })
    const core = await harness.start()
    harness.inboxes.ingest(spanRequest({ seed: 1, spans: 2 }))
    harness.handOver()
    await expect.poll(() => harness.core?.figures().publishedPosition).toBe(1)
    expect(core.figures().sealedPosition).toBe(0)
    harness.deliver()
    expect(await harness.spanNames()).toEqual(['1-0', '1-1'])
    const late = new Tail()
    core.tail.subscribe({ postMessage: message => late.accept(message) })
    expect(late.pin().take(0)).toMatchObject({ position: 1, missingPositions: 0 })
    expect(late.pin().take(0).rollups.length).toBeGreaterThan(0)
  })

  test('find each span once in rollups, told once or several times, sealed or not', async () => {
    const harness = make({ core: { sealLimits: { items: 7, bytes: 2 ** 25, ageMs: 3_600_000 } } })
    const core = await harness.start()
    for (let seed = 1; seed <= 6; seed++) {
      const tenant = seed % 3 === 0 ? 'globex' : 'default'
      harness.inboxes.ingest(spanRequest({ seed, spans: 2 }), { tenant })
      harness.handOver()
      await expect.poll(() => core.figures().publishedPosition).toBe(seed)
      harness.deliver()
      const globex = Math.floor(seed / 3)
      expect(await harness.countedSpans()).toBe((seed - globex) * 2)
      expect(await harness.countedSpans('globex')).toBe(globex * 2)
    }
    await expect.poll(() => core.figures().sealedPosition).toBe(4)
    harness.deliver()
    expect(await harness.countedSpans()).toBe(8)
    expect(await harness.countedSpans('globex')).toBe(4)
  })

  test('log lines carry the same template before and after the seal', async () => {
    const harness = make({ core: { sealLimits: { items: 50_000, bytes: 2 ** 25, ageMs: 2_000 } } })
    await harness.start()
    harness.inboxes.ingest(logRequest({ seed: 1, lines: 30 }), { signal: 'logs' })
    harness.handOver()
    await expect.poll(() => harness.messages.some(message => message.type === 'packed')).toBe(true)
    const told = harness.messages.find(message => message.type === 'packed')
    const tailTemplates = told?.type === 'packed' ? unpackPublication(told).entries[0]?.templates : null
    expect(new Set(tailTemplates).size).toBe(1)
    await sealedUpTo(harness, 1)
    const blocks = await harness.logBlocks()
    expect(blocks.flatMap(block => [...block.template])).toEqual([...(tailTemplates ?? [])])
  })
})

describe('a store that fails', () => {
  test('is asked again with the same seal while the inbox goes on, and nothing is trimmed before', async () => {
    let away = true
    let attempts = 0
    const harness = make({
      hook: step => {
        if (step !== 'before commit') return
        attempts++
        if (away) throw new StoreError('busy', 'the store is away')
      },
    })
    await harness.start()
    harness.inboxes.ingest(spanRequest({ seed: 1, spans: 2 }))
    harness.handOver()
    await expect.poll(() => attempts).toBeGreaterThan(1)
    expect(harness.inboxes.ingest(spanRequest({ seed: 2, spans: 2 }))).toMatchObject({ accepted: 2 })
    expect(harness.core?.figures()).toMatchObject({ storeFault: 'the store is away', sealedPosition: 0 })
    expect(harness.inboxes.inbox.figures().counters).toMatchObject([{ rows: 2 }])
    away = false
    await sealedUpTo(harness, 2)
    expect(harness.core?.figures().storeFault).toBeNull()
    expect(await harness.spanNames()).toEqual(['1-0', '1-1', '2-0', '2-1'])
    await expect.poll(() => harness.inboxes.inbox.figures().counters).toMatchObject([{ rows: 0 }])
  })

  test('that took the seal but did not say so stores it once', async () => {
    let lost = false
    const harness = make({
      hook: step => {
        if (step !== 'after commit' || lost) return
        lost = true
        throw new StoreError('connection_lost', 'no answer')
      },
    })
    await harness.start()
    harness.inboxes.ingest(spanRequest({ seed: 1, spans: 2 }))
    await sealedUpTo(harness, 1)
    expect(lost).toBe(true)
    expect(await harness.spanNames()).toEqual(['1-0', '1-1'])
  })
})

describe('entries that cannot be processed', () => {
  test('a damaged row becomes a dead letter, and the others are sealed', async () => {
    const harness = make()
    for (const seed of [1, 2, 3]) harness.inboxes.ingest(spanRequest({ seed, spans: 1 }))
    harness.inboxes.groups.length = 0
    tamper(harness, "UPDATE entry SET body = x'0a05ffff' WHERE position = 2")
    await harness.start()
    await sealedUpTo(harness, 3)
    expect(await harness.spanNames()).toEqual(['1-0', '3-0'])
    expect(harness.core?.figures()).toMatchObject({ buried: 1, deadLetters: { files: 1 } })
    const [name] = readdirSync(harness.deadLetterDirectory)
    const file = join(harness.deadLetterDirectory, name ?? '')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const text = readFileSync(file, 'latin1')
    expect(JSON.parse(text.slice(0, text.indexOf('\n')))).toMatchObject({
      position: 2,
      tenant: 'default',
      signal: 'traces',
      reason: 'inbox row 2 fails its checksum',
    })
    expect(text.slice(text.indexOf('\n') + 1)).toBe('\x0a\x05\xff\xff')
  })

  test('with the dead-letter directory full the row stays in the inbox, skipped and not trimmed', async () => {
    const harness = make({ deadLetterFiles: 0 })
    for (const seed of [1, 2]) harness.inboxes.ingest(spanRequest({ seed, spans: 1 }))
    harness.inboxes.groups.length = 0
    tamper(harness, "UPDATE entry SET body = x'0a05ffff' WHERE position = 1")
    await harness.start()
    await sealedUpTo(harness, 2)
    expect(readdirSync(harness.deadLetterDirectory)).toEqual([])
    await expect
      .poll(() => harness.inboxes.inbox.figures())
      .toMatchObject({ keptRows: 1, counters: [{ rows: 1 }] })
  })

  test('an entry that ended the engine before is set aside without being tried', async () => {
    const harness = make({ core: { suspect: 2 } })
    for (const seed of [1, 2, 3]) harness.inboxes.ingest(spanRequest({ seed, spans: 1 }))
    await harness.start()
    await sealedUpTo(harness, 3)
    expect(await harness.spanNames()).toEqual(['1-0', '3-0'])
    expect(harness.core?.figures().deadLetters.files).toBe(1)
  })

  test('a position without a row is counted and does not stop the rest', async () => {
    const harness = make()
    for (const seed of [1, 2, 3]) harness.inboxes.ingest(spanRequest({ seed, spans: 1 }))
    harness.inboxes.groups.length = 0
    tamper(harness, 'DELETE FROM entry WHERE position = 2')
    await harness.start()
    await sealedUpTo(harness, 3)
    expect(harness.core?.figures().missingRows).toBe(1)
    expect(await harness.spanNames()).toEqual(['1-0', '3-0'])
  })
})

describe('the books', () => {
  test('balance at every moment, with duplicates and entries given up', async () => {
    const harness = make({ core: { suspect: 2 } })
    await harness.start()
    const body = spanRequest({ seed: 1, spans: 5 })
    harness.inboxes.ingest(body)
    harness.inboxes.ingest(body)
    harness.inboxes.ingest(spanRequest({ seed: 2, spans: 3 }))
    harness.inboxes.ingest(spanRequest({ seed: 3, spans: 2 }))
    const inbox = new InboxFileReader(harness.inboxes.file)
    const books = { tenant: 'default', signal: 'traces', accepted: 15, deduplicated: 5, difference: 0 }
    expect(await readInvariant(harness.reader, inbox)).toMatchObject([
      { ...books, sealed: 0, waiting: 10, buried: 0 },
    ])
    await sealedUpTo(harness, 3)
    expect(await readInvariant(harness.reader, inbox)).toMatchObject([
      { ...books, sealed: 7, waiting: 0, buried: 3 },
    ])
    inbox.close()
  })
})
