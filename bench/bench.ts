/**
 * `npm run bench [-- --full] [-- --only ROW,ROW] [-- --resume] [-- --smoke] [-- --write]`: every goal of the README,
 * its baseline in the same run. Results go to a state file as they come, so that a run that was cut off goes
 * on with `--resume`; `--write` puts the table and the charts into bench/.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { setHeapFlags } from '../src/heap-flags.ts'
import { curveChart, goalsChart } from './report/charts.ts'
import { keepRow, type RowRecord, readState } from './report/state.ts'
import { resultLines, resultsMarkdown, writeResults } from './report/table.ts'
import type { RowContext, Scale } from './rows/row.ts'
import { rows } from './rows/rows.ts'

const { values: options } = parseArgs({
  options: {
    full: { type: 'boolean' },
    smoke: { type: 'boolean' },
    only: { type: 'string' },
    resume: { type: 'boolean' },
    write: { type: 'boolean' },
    seconds: { type: 'string' },
    spans: { type: 'string' },
    data: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean' },
  },
})

if (options.help === true) {
  console.log(`npm run bench -- [options]

  --only A,B     these rows alone: ${rows.map(row => row.id).join(', ')}
  --full         ten million spans and more, in hours; without it a million, in minutes
  --smoke        a second each, to see that everything runs; its figures mean nothing
  --seconds N    of load per subject, after the warm-up
  --spans N      per subject of the row of spans, instead of seconds
  --data DIR     keeps stored data and the state file there for the next run
  --resume       leaves out rows that the state file has
  --write        puts every row of the state file into bench/README.md and bench/charts
  --json         figures on standard output as JSON
  --help         this text

Exit code 0 also where a goal is not reached: the table says which.`)
  process.exit(0)
}

setHeapFlags()
const scale: Scale = options.full === true ? 'full' : options.smoke === true ? 'smoke' : 'usual'
const runSeconds = { smoke: 1, usual: 8, full: 30 } as const
const spans = { smoke: 50_000, usual: 1_000_000, full: 5_000_000 } as const
const warmUpSeconds = { smoke: 0.5, usual: 6, full: 10 } as const
const dataRoot = options.data ?? join(tmpdir(), 'otelcontext-bench-data')
const stateFile = join(dataRoot, `state-${scale}.json`)
const here = fileURLToPath(new URL('.', import.meta.url))

const context: RowContext = {
  scale,
  seconds: Number(options.seconds ?? runSeconds[scale]),
  spans: Number(options.spans ?? spans[scale]),
  warmUpSeconds: warmUpSeconds[scale],
  dataRoot,
  progress: text => process.stderr.write(`    ${text}\n`),
}

const named = options.only?.split(',')
const wanted = rows.filter(row =>
  named === undefined ? (row.scales?.includes(scale) ?? true) : named.includes(row.id),
)
if (wanted.length === 0) throw new Error(`--only names one of ${rows.map(row => row.id).join(', ')}`)
mkdirSync(dataRoot, { recursive: true })
let state = readState(stateFile)
const done: RowRecord[] = []
for (const row of wanted) {
  const known = state.rows.find(record => record.id === row.id)
  if (options.resume === true && known !== undefined) {
    done.push(known)
    continue
  }
  process.stderr.write(`${row.title}\n`)
  const started = performance.now()
  const { figures, curves = [] } = await row.run(context)
  const seconds = Math.round((performance.now() - started) / 1_000)
  const record = {
    id: row.id,
    title: row.title,
    scale,
    at: new Date().toISOString(),
    seconds,
    loadAverage: loadavg()[0] ?? 0,
    figures,
    curves,
  }
  state = keepRow(stateFile, state, record)
  done.push(record)
  if (options.json !== true) console.log(`${row.title} (${seconds} s)\n${resultLines(record)}`)
}
if (options.json === true) console.log(JSON.stringify({ machine: state.machine, rows: done }, null, 2))
if (options.write === true) {
  writeResults(join(here, 'README.md'), resultsMarkdown(state))
  mkdirSync(join(here, 'charts'), { recursive: true })
  const figures = rows.flatMap(row => state.rows.find(record => record.id === row.id)?.figures ?? [])
  writeFileSync(join(here, 'charts', 'goals.svg'), goalsChart(figures))
  for (const curve of state.rows.flatMap(record => record.curves))
    writeFileSync(join(here, 'charts', `${curve.id}.svg`), curveChart(curve))
}
