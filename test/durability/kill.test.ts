import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { type ServerProcess, startServerProcess } from '../../scripts/server-process.ts'
import { judge, Ledger, storedItems } from './ledger.ts'
import { RetryingClients } from './retrying-clients.ts'

const kills = 25
const dataDirectory = mkdtempSync(join(tmpdir(), 'kill-'))

afterAll(() => rmSync(dataDirectory, { recursive: true, force: true }))

/** A small generator, so that a run can be repeated with its seed. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

test(`${kills} kills at random moments lose nothing acknowledged and store nothing twice`, {
  timeout: 400_000,
}, async () => {
  const seed = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000)
  const random = randomFrom(seed)
  const ledger = new Ledger()
  let server: ServerProcess | null = null
  const clients = new RetryingClients(ledger, 2, () => server)
  let rounds = 0
  for (; rounds < kills; rounds++) {
    const started = await startServerProcess({ dataDirectory, environment: { LOG_LEVEL: 'INFO' } })
    server = started
    // Seals come every two seconds; a quarter of the kills wait long enough to meet one.
    await pause(rounds % 4 === 3 ? 1_900 + random() * 600 : 50 + random() * 500)
    await started.kill()
    server = null
  }
  const last = await startServerProcess({ dataDirectory })
  server = last
  await clients.finish()
  expect(await last.stop(), `seed ${seed}`).toBe(0)
  const stored = await storedItems(join(dataDirectory, 'otelcontext.db'))
  expect(judge(ledger, stored), `seed ${seed}`).toEqual({ lost: [], twice: [], invented: [] })
  expect(ledger.acknowledged.size).toBeGreaterThan(kills * 100)
  expect(stored.size).toBe(ledger.acknowledged.size)
  // Requests were on their way when the server died, or the kills have shown nothing.
  expect(ledger.requestsCutOff).toBeGreaterThan(kills)
  expect(readdirSync(join(dataDirectory, 'dlq'))).toEqual([])
})
