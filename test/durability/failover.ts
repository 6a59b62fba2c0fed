/** `npm run test:failover`: Postgres fails over to a streaming standby under load; see `failover-run.ts`. */
import { readCommandLine } from './command.ts'
import { runFailovers } from './failover-run.ts'
import { runSeries } from './series.ts'

/** On one chain of servers. */
const seriesFailovers = 5

const { numbers, state } = readCommandLine({
  usage: 'npm run test:failover -- --failovers 20 [--every MS] [--late MS] [--seed S] [--state FILE]',
  description:
    'Lets the primary behind the server die while clients send over every transport and retry, and promotes its\nstreaming standby; everything acknowledged has to be in the new primary at the end, once. With --late commits do\nnot wait for the standby, which is cut off before: what it does not have has to come out of the inbox again.',
  options: {
    failovers: { default: 5, help: 'failovers in all' },
    every: { default: 5_000, help: 'milliseconds from a new standby to the next failover, about' },
    late: { default: 0, help: 'milliseconds the standby is cut off before; 0: commits wait for it' },
    seed: { default: 1, help: 'seed of the first series; each has the next one' },
  },
})
const lateMs = numbers['late'] ?? 0
await runSeries(
  {
    name: 'failover test',
    total: numbers['failovers'] ?? 0,
    each: seriesFailovers,
    firstSeed: numbers['seed'] ?? 0,
    settings: String(lateMs),
    state,
  },
  async (server, seed, failovers) => ({
    ...(await runFailovers({ server, seed, failovers, everyMs: numbers['every'] ?? 0, lateMs })),
  }),
)
