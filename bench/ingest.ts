/**
 * `npm run bench:ingest [-- --smoke] [-- --spans N] [-- --json]`: the short one, spans alone: per CPU-second with
 * everything behind it and to the acknowledgement, and bytes on disk, beside two baselines in the same run. Everybody
 * takes the same number of spans, a million unless told otherwise.
 */
import { tmpdir } from 'node:os'
import { readOptions } from './command-line.ts'
import { machineName } from './report/state.ts'
import { resultLines } from './report/table.ts'
import { spans } from './rows/ingest.ts'

const help = `usage: npm run bench:ingest -- [--spans N] [--smoke] [--json]

  --spans N   for each subject (default 1,000,000)
  --smoke     50,000 and hardly any warm-up: to see that it runs
  --json      figures on standard output as JSON
  --help      this text`
const options = readOptions(help, {
  smoke: { type: 'boolean' },
  spans: { type: 'string' },
  json: { type: 'boolean' },
})
const smoke = options.smoke === true
const count = Number(options.spans ?? (smoke ? 50_000 : 1_000_000))
if (!Number.isSafeInteger(count) || count < 1) throw new Error('--spans takes a whole number, at least 1')
const started = performance.now()
const { figures } = await spans.run({
  scale: smoke ? 'smoke' : 'usual',
  seconds: 0,
  spans: count,
  warmUpSeconds: smoke ? 0.5 : 8,
  dataRoot: tmpdir(),
  progress: text => process.stderr.write(`${text}\n`),
})
const machine = machineName()
if (options.json === true) console.log(JSON.stringify({ machine, spans: count, figures }, null, 2))
else {
  const record = {
    id: spans.id,
    title: spans.title,
    scale: 'usual',
    at: '',
    seconds: Math.round((performance.now() - started) / 1_000),
    loadAverage: 0,
    figures,
    curves: [],
  } as const
  console.log(`${machine}, ${count.toLocaleString('en-US')} spans each\n${resultLines(record)}`)
}
