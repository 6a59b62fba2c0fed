/** `npm run test:postgres-restarts`: Postgres restarted under load; see `postgres-restarts-run.ts`. */

import { compileServer } from '../../scripts/compiled-server.ts'
import { figuresText, Progress, readCommandLine, say } from './command.ts'
import { runRestarts } from './postgres-restarts-run.ts'

/** Restarts on one database; each series has a seed of its own, and an interrupted run repeats at most one. */
const seriesCycles = 10

const { numbers, state } = readCommandLine({
  usage:
    'npm run test:postgres-restarts -- --cycles 100 [--every MS] [--least MS] [--away MS] [--seed S] [--state FILE]',
  description:
    'Restarts, crashes and keeps away the Postgres behind the server while clients send over every transport and\nretry; everything acknowledged has to be in the store at the end, once.',
  options: {
    cycles: { default: 20, help: 'restarts in all' },
    every: { default: 5_000, help: 'milliseconds from one to the next' },
    least: { default: 200, help: 'milliseconds it stays away at least' },
    away: { default: 1_500, help: 'milliseconds it stays away at most beyond that' },
    seed: { default: 1, help: 'seed of the first series; each has the next one' },
  },
})
const cycles = numbers['cycles'] ?? 0
const firstSeed = numbers['seed'] ?? 0
const progress = new Progress(state)
const server = compileServer()
try {
  for (let done = 0; done < cycles; done += seriesCycles) {
    const seed = firstSeed + done / seriesCycles
    const series = Math.min(seriesCycles, cycles - done)
    const key = `${seed}:${series}`
    if (progress.has(key)) continue
    const figures = await runRestarts({
      server,
      seed,
      cycles: series,
      everyMs: numbers['every'] ?? 0,
      leastMs: numbers['least'] ?? 0,
      awayMs: numbers['away'] ?? 0,
    })
    say(`seed ${seed}: ${figuresText({ ...figures })}`)
    progress.add(key, { ...figures })
  }
} finally {
  server.remove()
}
const totals = progress.totals()
say(`all series: ${figuresText(totals)}`)
const found = ['lost', 'twice', 'invented', 'deadLetters'].reduce((sum, name) => sum + (totals[name] ?? 0), 0)
say(found === 0 ? 'restart test: ok' : 'restart test: FAILED')
process.exit(found === 0 ? 0 : 1)
