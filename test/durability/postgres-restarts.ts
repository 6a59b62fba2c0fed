/** `npm run test:postgres-restarts`: Postgres restarted under load; see `postgres-restarts-run.ts`. */
import { readCommandLine } from './command.ts'
import { runRestarts } from './postgres-restarts-run.ts'
import { runSeries } from './series.ts'

/** Restarts on one database. */
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
await runSeries(
  {
    name: 'restart test',
    total: numbers['cycles'] ?? 0,
    each: seriesCycles,
    firstSeed: numbers['seed'] ?? 0,
    state,
  },
  async (server, seed, cycles) => ({
    ...(await runRestarts({
      server,
      seed,
      cycles,
      everyMs: numbers['every'] ?? 0,
      leastMs: numbers['least'] ?? 0,
      awayMs: numbers['away'] ?? 0,
    })),
  }),
)
