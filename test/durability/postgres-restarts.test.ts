import { afterAll, expect, test } from 'vitest'
import { compileServer } from '../../scripts/compiled-server.ts'
import { runRestarts } from './postgres-restarts-run.ts'

const server = compileServer()

afterAll(() => server.remove())

test('restarts of Postgres, and a start without it, lose nothing acknowledged and store nothing twice', {
  timeout: 120_000,
}, async () => {
  const seed = Number(process.env['RESTART_SEED'] ?? Date.now() % 1_000_000)
  const figures = await runRestarts({ server, seed, cycles: 4, everyMs: 2_500, leastMs: 200, awayMs: 1_500 })
  const { lost, twice, invented, deadLetters, serverKills } = figures
  expect({ lost, twice, invented, deadLetters, serverKills }, `seed ${seed}`).toEqual({
    lost: 0,
    twice: 0,
    invented: 0,
    deadLetters: 0,
    serverKills: 2,
  })
  expect(figures.acknowledged).toBeGreaterThan(1_000)
  expect(figures.minAcknowledgedWhileAway).toBeGreaterThan(0)
})
