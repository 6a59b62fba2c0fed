/** `npm run test:failover`: Postgres fails over to a streaming standby under load; see `failover-run.ts`. */

import { compileServer } from '../../scripts/compiled-server.ts'
import { figuresText, Progress, readCommandLine, say } from './command.ts'
import { runFailovers } from './failover-run.ts'

/** On one chain of servers; each series has a seed of its own, and an interrupted run repeats at most one. */
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
const failovers = numbers['failovers'] ?? 0
const firstSeed = numbers['seed'] ?? 0
const lateMs = numbers['late'] ?? 0
const progress = new Progress(state)
const server = compileServer()
try {
  for (let done = 0; done < failovers; done += seriesFailovers) {
    const seed = firstSeed + done / seriesFailovers
    const series = Math.min(seriesFailovers, failovers - done)
    const key = `${seed}:${series}:${lateMs}`
    if (progress.has(key)) continue
    const everyMs = numbers['every'] ?? 0
    const figures = await runFailovers({ server, seed, failovers: series, everyMs, lateMs })
    say(`seed ${seed}: ${figuresText({ ...figures })}`)
    progress.add(key, { ...figures })
  }
} finally {
  server.remove()
}
const totals = progress.totals()
say(`all series: ${figuresText(totals)}`)
const found = ['lost', 'twice', 'invented', 'deadLetters'].reduce((sum, name) => sum + (totals[name] ?? 0), 0)
say(found === 0 ? 'failover test: ok' : 'failover test: FAILED')
process.exit(found === 0 ? 0 : 1)
