import { afterEach, expect, test } from 'vitest'
import { JsonThread, longJsonBytes } from '../../../src/engine/inbox/json-thread.ts'
import { transcodeJson } from '../../../src/otlp/json/transcode-json.ts'
import { spanRequest, spanRequestJson } from '../requests.ts'
import { InboxHarness } from './inbox-harness.ts'

const timeMs = 1_700_000_000_000
const harnesses: InboxHarness[] = []

afterEach(() => {
  for (const harness of harnesses.splice(0)) harness.remove()
})

function open(): InboxHarness {
  const harness = new InboxHarness()
  harnesses.push(harness)
  return harness
}

const long = spanRequestJson({ seed: 7, spans: 16_000, timeMs })
const json = { encoding: 'json', maxBytes: 64 * 2 ** 20 } as const

test('a long JSON request holds nobody up, and is stored like any other', async () => {
  expect(long.length).toBeGreaterThan(longJsonBytes)
  const harness = open()
  const id = harness.take(long, json)
  const other = harness.ingest(spanRequest({ seed: 1, spans: 3 }))
  expect(other).toMatchObject({ outcome: 'accepted', accepted: 3 })
  expect(harness.answerTo(id)).toBeUndefined()
  await expect
    .poll(
      () => {
        harness.inbox.flush()
        return harness.answerTo(id)
      },
      { timeout: 20_000 },
    )
    .toMatchObject({ outcome: 'accepted', accepted: 16_000, rejected: 0, duplicate: false })
  const entry = harness.groups.at(-1)?.entries[0]
  expect(Buffer.compare(entry?.bytes ?? Buffer.alloc(0), transcodeJson('traces', long))).toBe(0)
  const again = harness.take(long, json)
  await expect
    .poll(
      () => {
        harness.inbox.flush()
        return harness.answerTo(again)
      },
      { timeout: 20_000 },
    )
    .toMatchObject({ outcome: 'accepted', duplicate: true })
})

test('a long one that is no JSON is refused for good, and too many of them for now', async () => {
  const harness = open()
  const broken = new Uint8Array(long)
  broken[broken.length - 1] = 0x2c
  const ids = Array.from({ length: 7 }, () => harness.take(broken, json))
  await expect.poll(() => ids.every(id => harness.answerTo(id) !== undefined), { timeout: 20_000 }).toBe(true)
  const outcomes = ids.map(id => harness.answerTo(id))
  expect(outcomes[0]).toMatchObject({ outcome: 'invalid', reason: 'decode_error' })
  expect(outcomes.at(-1)).toMatchObject({ outcome: 'retry', reason: 'queue_full' })
  expect(harness.ingest(spanRequest({ seed: 2, spans: 1 }))).toMatchObject({ outcome: 'accepted' })
})

test('the thread starts again after it was let go', async () => {
  const thread = new JsonThread()
  const small = spanRequestJson({ seed: 1, spans: 2, timeMs })
  const first = await thread.transcode('traces', small)
  thread.close()
  const second = await thread.transcode('traces', small)
  thread.close()
  expect(Buffer.compare(first, second)).toBe(0)
  expect(Buffer.compare(first, transcodeJson('traces', small))).toBe(0)
})
