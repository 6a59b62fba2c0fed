/**
 * A row of read functions in a thread that has the limits of a query worker. In the process of the benchmark they would
 * share its heap, with whatever made the data, and have another.
 */
import { Worker } from 'node:worker_threads'
import { queryWorkerLimits } from '../../src/query/query-worker.ts'
import type { Row, RowContext, RowResult } from '../rows/row.ts'
import { type StoredDataPlan, storedData } from './stored-data.ts'

/** What the thread is started with. */
export interface RowStart {
  readonly row: string
  readonly context: Omit<RowContext, 'progress'>
}

export type FromThread =
  | { readonly type: 'progress'; readonly text: string }
  | { readonly type: 'result'; readonly result: RowResult }

/** The same row, its data made here, in the usual heap, and read in a thread of its own. */
export function inQueryWorker(row: Row, planOf: (context: RowContext) => StoredDataPlan): Row {
  return {
    ...row,
    async run(context) {
      context.progress('making the data')
      await storedData(context.dataRoot, planOf(context))
      return runInThread(row.id, context)
    },
  }
}

function runInThread(row: string, { progress, ...context }: RowContext): Promise<RowResult> {
  const worker = new Worker(new URL('../subjects/read-worker.ts', import.meta.url), {
    workerData: { row, context } satisfies RowStart,
    resourceLimits: queryWorkerLimits,
  })
  return new Promise((resolve, reject) => {
    worker.on('message', (message: FromThread) => {
      if (message.type === 'progress') progress(message.text)
      else resolve(message.result)
    })
    worker.on('error', reject)
    worker.on('exit', () => reject(new Error(`the thread of row ${row} ended without a result`)))
  })
}
