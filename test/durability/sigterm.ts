/** `npm run test:sigterm`: orderly stops at random moments under load lose nothing and take less than ten seconds. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { CompiledServer } from '../../scripts/compiled-server.ts'
import type { ServerProcess } from '../../scripts/server-process.ts'
import { seededChoice } from '../seeded-choice.ts'
import { readCommandLine } from './command.ts'
import { FileAudit } from './file-audit.ts'
import { judgeFiles, Ledger } from './ledger.ts'
import { RetryingClients } from './retrying-clients.ts'
import { runSeries } from './series.ts'
import { standBy } from './standby.ts'

/** Stops on one data directory. */
const seriesStops = 20
/** What operators give a process before they kill it. */
const patienceMs = 10_000
/** Up to here every second stop meets a server that has just become ready. */
const lifeMs = 800

const { numbers, state } = readCommandLine({
  usage: 'npm run test:sigterm -- --times 200 [--seed S] [--state FILE]',
  description:
    'Stops the server with SIGTERM at random moments while clients send over every transport and retry. It has to end\nby itself with code 0 in ten seconds; everything acknowledged has to be in its files after each stop, once.',
  options: {
    times: { default: 20, help: 'stops in all' },
    seed: { default: 1, help: 'seed of the first series; each has the next one' },
  },
})

async function runStops(server: CompiledServer, seed: number, stops: number) {
  const choice = seededChoice(seed)
  const directory = mkdtempSync(join(tmpdir(), 'sigterm-'))
  const dataDirectory = join(directory, 'data')
  const ledger = new Ledger()
  let running: ServerProcess | null = null
  let next = standBy(server, { dataDirectory })
  const clients = new RetryingClients(ledger, 2, () => running)
  const audit = new FileAudit(ledger, dataDirectory, join(directory, 'copy'))
  const figures = { stops: 0, late: 0, badCodes: 0, maxStopMs: 0, stopMsInAll: 0 }
  try {
    for (let round = 0; round < stops; round++) {
      const started: ServerProcess = await next.start()
      running = started
      next = standBy(server, { dataDirectory })
      await pause(choice.next() * lifeMs)
      const atMs = performance.now()
      // Clients go on sending to a server that is stopping.
      const code = await started.stop()
      const tookMs = performance.now() - atMs
      running = null
      figures.stops++
      figures.stopMsInAll += tookMs
      figures.maxStopMs = Math.max(figures.maxStopMs, tookMs)
      if (tookMs > patienceMs) figures.late++
      if (code !== 0) figures.badCodes++
      audit.copy()
    }
    running = await next.start()
    await clients.finish()
    await running.stop()
    running = null
    await audit.done()
    const whole = await judgeFiles(ledger, dataDirectory)
    return {
      ...figures,
      acknowledged: ledger.acknowledged.size,
      cutOff: ledger.requestsCutOff,
      unsealed: whole.unsealed,
      lost: whole.lost.length + audit.lost,
      twice: whole.twice.length + audit.twice,
      invented: whole.invented.length + audit.invented,
    }
  } finally {
    await next.kill()
    await running?.kill()
    rmSync(directory, { recursive: true, force: true })
  }
}

await runSeries(
  {
    name: 'SIGTERM test',
    total: numbers['times'] ?? 0,
    each: seriesStops,
    firstSeed: numbers['seed'] ?? 0,
    state,
  },
  async (server, seed, stops) => ({ ...(await runStops(server, seed, stops)) }),
)
