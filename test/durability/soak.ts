/** `npm run test:soak`: steady load, questions and retention for hours. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compileServer } from '../../scripts/compiled-server.ts'
import { type ServerProcess, startServerProcess } from '../../scripts/server-process.ts'
import { accountedSpans } from './accounted-spans.ts'
import { readCommandLine, say } from './command.ts'
import { type QuarterFigures, runQuarter } from './soak-quarter.ts'

/**
 * The last quarter against the second; the first fills caches. Memory may differ by what one full collection frees,
 * descriptors by connections that happen to be open, times by what else the machine does.
 */
const maxGrowth = 1.1
const spareMib = 24
const spareDescriptors = 8
const maxResidentMib = 512
const maxSlowdown = 1.5
const spareMs = 20

const { numbers } = readCommandLine({
  inOneGo: true,
  usage: 'npm run test:soak -- --minutes 1440',
  description:
    'Sends spans, points and log records at a steady rate and asks questions meanwhile, on a disk budget that has retention\nremove the oldest before long. Less than 512 MiB are resident; memory, descriptors, threads and the time of answers and\nacknowledgements in the last quarter are those of the second; every question is answered, nothing is refused, and all\nthat was acknowledged is accounted for at the end.',
  options: {
    minutes: { default: 1_440, help: 'how long' },
    rate: { default: 2_000, help: 'spans a second, and points; log records half of it' },
    budget: { default: 256, help: 'disk budget, MiB' },
  },
})

function told(figures: QuarterFigures): string {
  const { residentMib, maxResidentMib, descriptors, threads } = figures
  return [
    `${Math.round(residentMib)} MiB (${Math.round(maxResidentMib)} at most), ${descriptors} descriptors, ${threads} threads`,
    `answers ${Math.round(figures.answerP50Ms)} ms, p99 ${Math.round(figures.answerP99Ms)}, ${figures.failedAnswers} failed`,
    `acknowledgements ${figures.ackP50Ms.toFixed(1)} ms, p99 ${figures.ackP99Ms.toFixed(1)}`,
    `${figures.acknowledged} items acknowledged, ${figures.failed} failed`,
  ].join('; ')
}

/** What is not flat, as sentences. */
function drift(early: QuarterFigures, late: QuarterFigures): readonly string[] {
  const found: string[] = []
  const compare = (what: string, before: number, after: number, most: number): void => {
    if (!(after <= most))
      found.push(`${what}: ${before.toFixed(1)} in the second quarter, ${after.toFixed(1)} in the last`)
  }
  const { residentMib, descriptors, threads, answerP50Ms, ackP50Ms } = early
  compare('resident MiB', residentMib, late.residentMib, residentMib * maxGrowth + spareMib)
  compare('descriptors', descriptors, late.descriptors, descriptors + spareDescriptors)
  compare('threads', threads, late.threads, threads)
  compare('answers, ms', answerP50Ms, late.answerP50Ms, answerP50Ms * maxSlowdown + spareMs)
  compare('acknowledgements, ms', ackP50Ms, late.ackP50Ms, ackP50Ms * maxSlowdown + spareMs)
  return found
}

async function run(server: ServerProcess, dataDirectory: string): Promise<readonly string[]> {
  const seconds = ((numbers['minutes'] ?? 1) * 60) / 4
  const quarters: QuarterFigures[] = []
  for (let quarter = 1; quarter <= 4; quarter++) {
    const figures = await runQuarter(server, { seconds, rate: numbers['rate'] ?? 1, seed: quarter })
    say(`quarter ${quarter}: ${told(figures)}`)
    quarters.push(figures)
  }
  const code = await server.stop()
  const sum = (of: 'acknowledged' | 'failed' | 'failedAnswers'): number =>
    quarters.reduce((total, figures) => total + figures[of], 0)
  const { kept, removed } = await accountedSpans(dataDirectory)
  say(
    `acknowledged ${sum('acknowledged')} items, ${kept} stored, ${removed} removed as the oldest, exit code ${code}`,
  )
  const [, second, , last] = quarters
  const found = second === undefined || last === undefined ? ['no quarters'] : [...drift(second, last)]
  if (kept + removed !== sum('acknowledged')) found.push('not all that was acknowledged is accounted for')
  const most = Math.max(...quarters.map(figures => figures.maxResidentMib))
  if (most >= maxResidentMib) found.push(`${Math.round(most)} MiB resident; ${maxResidentMib} are the bound`)
  if (removed === 0) found.push('retention had nothing to do; run longer or give a smaller budget')
  if (sum('failed') > 0) found.push(`${sum('failed')} items were not acknowledged`)
  if (sum('failedAnswers') > 0) found.push(`${sum('failedAnswers')} questions were not answered`)
  if (code !== 0) found.push(`the server ended with code ${code}`)
  return found
}

const directory = mkdtempSync(join(tmpdir(), 'soak-'))
const compiled = compileServer()
let found: readonly string[] = ['it did not come to an end']
try {
  const dataDirectory = join(directory, 'data')
  const environment = { DATA_DISK_BUDGET_MB: String(numbers['budget']), API_RATE_LIMIT_RPS: '1000' }
  const server = await startServerProcess({ dataDirectory, entry: compiled.entry, environment })
  try {
    found = await run(server, dataDirectory)
  } finally {
    await server.kill()
  }
} finally {
  compiled.remove()
  rmSync(directory, { recursive: true, force: true })
}
for (const finding of found) say(finding)
say(found.length === 0 ? 'soak: ok' : 'soak: FAILED')
process.exit(found.length === 0 ? 0 : 1)
