/** Whatever bytes of an inbox file are changed or cut off: the rest is sealed, and what is lost is reported. */
import {
  copyFileSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkLog } from '../../../src/engine/verify/check-log.ts'
import { verifyData } from '../../../src/engine/verify/verify-data.ts'
import { ConfigurationError, StoreError } from '../../../src/errors.ts'
import { InboxHarness } from '../inbox/inbox-harness.ts'
import { spanRequest } from '../requests.ts'
import { EngineHarness } from '../sealing/engine-harness.ts'

const requestCount = 60
const sound = new InboxHarness()
let names: readonly string[]

beforeAll(async () => {
  for (let seed = 1; seed <= requestCount; seed++)
    sound.ingest(spanRequest({ seed, spans: 1 + (seed % 40), timeMs: sound.nowMs }))
  sound.inbox.close()
  const harness = await startOn(file => copyFileSync(sound.file, file))
  await harness.core?.stop(5_000)
  names = await harness.spanNames()
  await harness.remove()
})

afterAll(() => rmSync(sound.directory, { recursive: true, force: true }))

/** An engine that is to start on the file that `make` puts in place. */
async function startOn(make: (file: string) => void): Promise<EngineHarness> {
  const harness = new EngineHarness()
  harness.inboxes.inbox.close()
  for (const suffix of ['', '-wal', '-shm']) rmSync(harness.inboxes.file + suffix, { force: true })
  make(harness.inboxes.file)
  try {
    harness.inboxes.reopen()
    await harness.start()
  } catch (error) {
    harness.core = null
    await harness.remove()
    throw error
  }
  return harness
}

async function soundFile(file: string): Promise<boolean> {
  const report = await verifyData(
    {
      store: { driver: 'sqlite', file: join(sound.directory, 'none.db') },
      inboxFile: file,
      deadLetterDirectory: join(sound.directory, 'none'),
    },
    () => undefined,
  )
  return report.sound
}

async function judge(change: (file: string) => void): Promise<'same' | 'less' | 'refused'> {
  const file = join(sound.directory, 'damaged.db')
  copyFileSync(sound.file, file)
  change(file)
  const isSound = await soundFile(file)
  let harness: EngineHarness
  try {
    harness = await startOn(target => copyFileSync(file, target))
  } catch (error) {
    if (!(error instanceof ConfigurationError || error instanceof StoreError)) throw error
    expect(isSound).toBe(false)
    return 'refused'
  }
  await harness.core?.stop(10_000)
  const figures = harness.core?.figures()
  harness.deliver()
  const found = await harness.spanNames()
  const { lostPositions } = harness.tail
  await harness.remove()
  const known = new Set(names)
  expect(found.filter(name => !known.has(name))).toEqual([])
  expect(found.length).toBeLessThanOrEqual(names.length)
  if (found.length === names.length) return 'same'
  expect(isSound).toBe(false)
  expect(lostPositions).toBeGreaterThan(0)
  expect((figures?.missingRows ?? 0) + (figures?.buried ?? 0)).toBe(lostPositions)
  return 'less'
}

test('an untouched inbox is sound', async () => {
  expect(names.length).toBeGreaterThan(1_000)
  expect(await soundFile(sound.file)).toBe(true)
})

test('flipped bits: the other rows are sealed, and what is lost is reported', async () => {
  const size = statSync(sound.file).size
  const outcomes = { same: 0, less: 0, refused: 0 }
  const flips = fc.sample(fc.tuple(fc.nat(size - 1), fc.integer({ min: 1, max: 255 })), {
    numRuns: 25,
    seed: 9,
  })
  for (const [at, bits] of flips)
    outcomes[
      await judge(file => {
        const bytes = readFileSync(file)
        bytes[at] = (bytes[at] ?? 0) ^ bits
        writeFileSync(file, bytes)
      })
    ]++
  expect(outcomes.less).toBeGreaterThan(3)
})

test('pages of zeros and files cut short: the same', async () => {
  const size = statSync(sound.file).size
  const outcomes = { same: 0, less: 0, refused: 0 }
  for (let page = 1; page < size / 16_384; page += 4)
    outcomes[
      await judge(file => {
        const bytes = readFileSync(file)
        bytes.fill(0, page * 16_384, (page + 1) * 16_384)
        writeFileSync(file, bytes)
      })
    ]++
  for (const length of [0.3, 0.6, 0.95])
    outcomes[await judge(file => truncateSync(file, Math.floor(size * length)))]++
  expect(outcomes.less + outcomes.refused).toBeGreaterThan(3)
})

test('a damaged frame in the log is noticed with what lies behind it', () => {
  const harness = new InboxHarness()
  for (let seed = 1; seed <= 20; seed++) harness.ingest(spanRequest({ seed, spans: 3 }))
  const log = `${harness.file}-wal`
  const intact = checkLog(log)
  expect(intact?.valid).toBeGreaterThan(20)
  expect(intact?.lost).toBe(0)
  const bytes = readFileSync(log)
  const frame = 24 + 16_384
  const at = 32 + 10 * frame + 500
  bytes[at] = (bytes[at] ?? 0) ^ 1
  const copy = join(harness.directory, 'copy-wal')
  writeFileSync(copy, bytes)
  const damaged = checkLog(copy)
  expect(damaged?.valid).toBeLessThanOrEqual(10)
  expect(damaged?.lost).toBeGreaterThan(10)
  expect(existsSync(join(harness.directory, 'no-wal'))).toBe(false)
  expect(checkLog(join(harness.directory, 'no-wal'))).toBeNull()
  harness.remove()
})
