/** Merging in a real process that is killed at any moment: nothing lost, nothing twice, and it gets done. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { verifyData } from '../../src/engine/verify/verify-data.ts'
import { signals } from '../../src/model/telemetry.ts'
import { decodeBatch } from '../../src/otlp/decode-batch.ts'
import { buildSegments } from '../../src/store/segment/build-segments.ts'
import { fetchSegment } from '../../src/store/segment/read-segment.ts'
import { openSqliteReader } from '../../src/store/sqlite/store-reader.ts'
import { openSqliteWriter } from '../../src/store/sqlite/store-writer.ts'
import { randomFrom } from '../otlp/mutation.ts'
import { receivedMs, requests } from './arbitrary-requests.ts'
import { factsOf } from './item-facts.ts'

const hour = 3_600_000
const hours = 12
const inboxId = 'cafecafecafecafecafecafecafecafe'
const program = fileURLToPath(new URL('compacting-process.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'otelcontext-kill-'))
const file = join(folder, 'store.db')

/** Small segments of every hour and signal. */
beforeAll(async () => {
  const writer = openSqliteWriter(file)
  let position = 0
  for (let at = 0; at < hours; at++)
    for (let seal = 0; seal < 4; seal++) {
      position++
      const built = signals.map((signal, index) => {
        const [body = new Uint8Array()] = fc.sample(requests[signal], {
          numRuns: 1,
          seed: position * 7 + index,
        })
        const batch = decodeBatch(signal, body, { receivedMs, attributeMaxBytes: 65_536 })
        const entries = [{ position, receivedMs: receivedMs + at * hour, batch, templates: null }]
        return { signal, entries, items: batch.block.count }
      })
      await writer.commitSeal({
        position: { inboxId, position },
        segments: built.flatMap(({ signal, entries }) =>
          buildSegments({ tenant: 'acme', signal, inboxId, entries }),
        ),
        rollups: [],
        templates: [],
        counts: built.map(({ signal, items }) => ({ tenant: 'acme', signal, items })),
      })
    }
  await writer.close()
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function stored(): Promise<{ readonly segments: number; readonly facts: readonly string[] }> {
  const reader = openSqliteReader(file)
  const snapshot = await reader.snapshot()
  const { added } = await snapshot.segmentChanges(0)
  const facts: string[] = []
  for (const header of added) {
    const { columns, records } = await fetchSegment(names => snapshot.segmentParts(header.id, names))
    facts.push(...factsOf(columns.block, records))
  }
  await snapshot.release()
  await reader.close()
  return { segments: added.length, facts: facts.sort() }
}

/** Runs until it ends, or is killed so long after it began; returns what it said. */
async function compact(killAfterMs: number | null): Promise<string> {
  const child = spawn(process.execPath, [program, file, String(receivedMs + 100 * hour)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  const begun = Promise.withResolvers<void>()
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
    begun.resolve()
  })
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  await Promise.race([begun.promise, ended])
  if (killAfterMs !== null) {
    await pause(killAfterMs)
    child.kill('SIGKILL')
  }
  await ended
  return said
}

it('loses nothing, stores nothing twice, and is done in the end', async () => {
  const before = await stored()
  expect(before.facts.length).toBeGreaterThan(150)
  const random = randomFrom(3)
  let killed = 0
  let last = before.segments
  for (let round = 0; round < 8; round++) {
    if (!(await compact(random(60))).includes('done')) killed++
    const now = await stored()
    expect(now.facts).toEqual(before.facts)
    expect(now.segments).toBeLessThanOrEqual(last)
    last = now.segments
  }
  expect(killed).toBeGreaterThan(2)
  expect(await compact(null)).toContain('done')
  const after = await stored()
  expect(after.facts).toEqual(before.facts)
  expect(after.segments).toBeLessThan(before.segments)
  const report = await verifyData(
    {
      store: { driver: 'sqlite', file },
      inboxFile: join(folder, 'none'),
      deadLetterDirectory: join(folder, 'none'),
    },
    () => undefined,
  )
  expect(report.findings).toEqual([])
})
