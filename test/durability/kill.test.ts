import { afterAll, expect, test } from 'vitest'
import { compileServer } from '../../scripts/compiled-server.ts'
import { runKills } from './kill-run.ts'

const kills = 25
const server = compileServer()

afterAll(() => server.remove())

test(`${kills} kills at random moments lose nothing acknowledged and store nothing twice`, {
  timeout: 300_000,
}, async () => {
  const seed = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000)
  const figures = await runKills({ server, seed, kills })
  const { lost, twice, invented, deadLetters } = figures
  expect({ lost, twice, invented, deadLetters }, `seed ${seed}`).toEqual({
    lost: 0,
    twice: 0,
    invented: 0,
    deadLetters: 0,
  })
  expect(figures.acknowledged).toBeGreaterThan(kills * 20)
  // Requests were on their way when the server died, and some servers had sealed, or the kills show nothing.
  expect(figures.cutOff).toBeGreaterThan(kills)
  expect(figures.seals).toBeGreaterThan(0)
})
