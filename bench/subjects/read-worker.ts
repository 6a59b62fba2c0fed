/** Runs one row of reads, as a query worker would; `inQueryWorker` starts it. */
import { parentPort, workerData } from 'node:worker_threads'
import type { FromThread, RowStart } from '../measure/query-worker-thread.ts'
import { graph, logSearch, trace } from '../rows/reads.ts'

const { row: wanted, context } = workerData as RowStart // `inQueryWorker` gives nothing else
const row = [trace, logSearch, graph].find(one => one.id === wanted)
if (row === undefined) throw new Error(`no row of reads is named ${wanted}`)
const post = (message: FromThread): void => parentPort?.postMessage(message)
post({
  type: 'result',
  result: await row.run({ ...context, progress: text => post({ type: 'progress', text }) }),
})
