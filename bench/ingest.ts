/**
 * `npm run bench:ingest [-- --smoke] [-- --seconds N] [-- --json]`: the short one, spans alone: per CPU-second with
 * everything behind it and to the acknowledgement, and bytes on disk, beside two baselines in the same run.
 */
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { machineName } from './report/state.ts'
import { resultLines } from './report/table.ts'
import { spans } from './rows/ingest.ts'

const { values: options } = parseArgs({
  options: { smoke: { type: 'boolean' }, seconds: { type: 'string' }, json: { type: 'boolean' } },
})
const smoke = options.smoke === true
const seconds = Number(options.seconds ?? (smoke ? 2 : 10))
const { figures } = await spans.run({
  scale: smoke ? 'smoke' : 'usual',
  seconds,
  warmUpSeconds: smoke ? 0.5 : 8,
  dataRoot: tmpdir(),
  progress: text => process.stderr.write(`${text}\n`),
})
const machine = machineName()
if (options.json === true) console.log(JSON.stringify({ machine, seconds, figures }, null, 2))
else {
  const record = {
    id: spans.id,
    title: spans.title,
    scale: 'usual',
    at: '',
    seconds,
    loadAverage: 0,
    figures,
    curves: [],
  } as const
  console.log(`${machine}, ${seconds} s each\n${resultLines(record)}`)
}
