/** `npm run test:kill`: kills at random moments under load; see `kill-run.ts`. */
import { readCommandLine } from './command.ts'
import { runKills } from './kill-run.ts'
import { runSeries } from './series.ts'

/** Kills on one data directory. */
const seriesKills = 25

const { numbers, state } = readCommandLine({
  usage: 'npm run test:kill -- --kills 1000 [--seed S] [--state FILE]',
  description:
    'Kills the server with SIGKILL at random moments while clients send over every transport and retry; after each\nkill everything acknowledged has to be in its files, at the end in the store, once.',
  options: {
    kills: { default: 25, help: 'kills in all' },
    seed: { default: 1, help: 'seed of the first series; each has the next one' },
  },
})
await runSeries(
  {
    name: 'kill test',
    total: numbers['kills'] ?? 0,
    each: seriesKills,
    firstSeed: numbers['seed'] ?? 0,
    state,
  },
  async (server, seed, kills) => ({ ...(await runKills({ server, seed, kills })) }),
)
