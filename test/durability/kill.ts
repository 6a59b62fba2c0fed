/** `npm run test:kill`: kills at random moments under load; see `kill-run.ts`. */

import { compileServer } from '../../scripts/compiled-server.ts'
import { figuresText, Progress, readCommandLine, say } from './command.ts'
import { runKills } from './kill-run.ts'

/** Kills on one data directory; each series has a seed of its own, and an interrupted run repeats at most one. */
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
const kills = numbers['kills'] ?? 0
const firstSeed = numbers['seed'] ?? 0
const progress = new Progress(state)
const server = compileServer()
let found = 0
try {
  for (let done = 0; done < kills; done += seriesKills) {
    const seed = firstSeed + done / seriesKills
    const series = Math.min(seriesKills, kills - done)
    const key = `${seed}:${series}`
    if (progress.has(key)) continue
    const startedMs = performance.now()
    const figures = await runKills({ server, seed, kills: series })
    const seconds = (performance.now() - startedMs) / 1_000
    say(`seed ${seed}: ${figuresText({ ...figures })}, seconds ${seconds.toFixed(0)}`)
    progress.add(key, { ...figures, seconds })
    found += figures.lost + figures.twice + figures.invented + figures.deadLetters
  }
} finally {
  server.remove()
}
say(`all series: ${figuresText(progress.totals())}`)
const totals = progress.totals()
found = Math.max(
  found,
  ['lost', 'twice', 'invented', 'deadLetters'].reduce((sum, name) => sum + (totals[name] ?? 0), 0),
)
say(found === 0 ? 'kill test: ok' : 'kill test: FAILED')
process.exit(found === 0 ? 0 : 1)
