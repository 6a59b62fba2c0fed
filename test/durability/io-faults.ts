/** `npm run test:faults`: every n-th sync or write of a thread fails, once or from then on; see `failing-run.ts`. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { seededChoice } from '../seeded-choice.ts'
import { figuresText, Progress, readCommandLine, say } from './command.ts'
import { CrashDisk } from './crash-disk.ts'
import type { FailingRunReport } from './failing-run.ts'
import { itemsOfNote, openImage } from './opened-image.ts'
import { readTrace, traceWrites } from './write-trace.ts'

const runFile = fileURLToPath(new URL('./failing-run.ts', import.meta.url))

const { numbers, state } = readCommandLine({
  usage: 'npm run test:faults -- --from 1 --to 40 [--state FILE]',
  description:
    'Lets the n-th sync or write of each thread fail with EIO or ENOSPC, once or from then on (injected by strace),\nwhile requests are sent. Nothing may be acknowledged that the disk does not hold, what failed syncs covered\ncounted as gone; refusals raise an alarm, reads go on, and the next start finds everything acknowledged.',
  options: {
    from: { default: 13, help: 'the first n; below 12 or so a start meets the fault' },
    to: { default: 15, help: 'the last n' },
  },
})

interface Fault {
  readonly name: string
  readonly inject: (n: number) => string
}

const faults: readonly Fault[] = ['EIO', 'ENOSPC'].flatMap(code =>
  ['fsync,fdatasync', 'pwrite64'].flatMap(calls =>
    ['', '+'].map(lasting => ({
      name: `${calls === 'pwrite64' ? 'write' : 'sync'} ${code}${lasting === '' ? ' once' : ' from then on'}`,
      inject: (n: number) => `${calls}:error=${code}:when=${n}${lasting}`,
    })),
  ),
)

const base = mkdtempSync(join(tmpdir(), 'io-faults-'))
const outcome = { found: 0 }

function find(what: string): void {
  outcome.found++
  say(`  ${what}`)
}

async function tryFault(fault: Fault, n: number): Promise<Readonly<Record<string, number>>> {
  const directory = join(base, 'data')
  mkdirSync(directory)
  const options = { directory, notes: 'acknowledged', traceFile: join(base, 'trace') }
  const reportFile = join(base, 'report')
  const command = ['sh', '-c', `exec "$@" > ${reportFile}`, 'sh', process.execPath, runFile, directory]
  traceWrites({ ...options, command, inject: fault.inject(n) })
  const name = `${fault.name}, n = ${n}`
  const report = readReport(reportFile)
  const events = await readTrace(options)
  const disk = new CrashDisk()
  const acknowledged: string[] = []
  let failures = 0
  for (const event of events) {
    disk.apply(event)
    if (event.type === 'note') acknowledged.push(...itemsOfNote(event.text))
    if (event.type === 'sync fails') failures++
  }
  const injected = countInjected(options.traceFile)
  if (report === null) find(`${name}: the process ended without a word`)
  else if (injected > 0 && report.started) {
    if (report.failedReads > 0) find(`${name}: ${report.failedReads} of ${report.reads} reads failed`)
    if (report.refused > 0 && report.alarmed === 0) find(`${name}: refused without an alarm`)
  } else if (!report.started && report.message === '') find(`${name}: did not start and did not say why`)
  await judgeFiles(`${name}, killed`, directory, acknowledged)
  const image = join(base, 'image')
  mkdirSync(image)
  for (const [file, bytes] of disk.image('dropped', seededChoice(n))) writeFileSync(join(image, file), bytes)
  await judgeFiles(`${name}, power lost`, image, acknowledged)
  for (const path of [directory, image, options.traceFile, reportFile])
    rmSync(path, { recursive: true, force: true })
  return {
    runs: 1,
    injected: injected > 0 ? 1 : 0,
    failedSyncs: failures,
    notStarted: report?.started === true ? 0 : 1,
    refused: report?.refused ?? 0,
    alarmed: report?.alarmed ?? 0,
    acknowledged: acknowledged.length,
    reads: report?.reads ?? 0,
    storeFaults: report?.storeFaults ?? 0,
  }
}

/** What is acknowledged is there once, after a start without faults. */
async function judgeFiles(name: string, directory: string, acknowledged: readonly string[]): Promise<void> {
  try {
    const stored = await openImage(directory)
    const lost = acknowledged.filter(item => !stored.has(item)).length
    const twice = [...stored].filter(([, times]) => times > 1).length
    if (lost + twice > 0) find(`${name}: ${lost} lost, ${twice} twice of ${acknowledged.length}`)
  } catch (error) {
    find(`${name}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function readReport(file: string): FailingRunReport | null {
  const { stdout } = spawnSync('cat', [file], { encoding: 'utf8' })
  return stdout.trim() === '' ? null : (JSON.parse(stdout) as FailingRunReport) // our own process wrote it
}

function countInjected(traceFile: string): number {
  return Number(spawnSync('grep', ['-c', '(INJECTED)', traceFile], { encoding: 'utf8' }).stdout)
}

const progress = new Progress(state)
try {
  for (let n = numbers['from'] ?? 1; n <= (numbers['to'] ?? 1); n++) {
    for (const fault of faults) {
      const key = `${fault.name} ${n}`
      if (progress.has(key)) continue
      const before = outcome.found
      const figures = await tryFault(fault, n)
      progress.add(key, { ...figures, findings: outcome.found - before })
    }
    say(`n = ${n}: ${figuresText(progress.totals())}`)
  }
} finally {
  rmSync(base, { recursive: true, force: true })
}
const totals = progress.totals()
const sound = (totals['findings'] ?? 0) === 0 && (totals['injected'] ?? 0) > 0 && (totals['refused'] ?? 0) > 0
say(sound ? 'failing writes and syncs: ok' : 'failing writes and syncs: FAILED')
process.exit(sound ? 0 : 1)
