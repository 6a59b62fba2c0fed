/** The real engine in a worker that ends, as running out of memory would end it, whenever it is to take position 2. */
import { workerData } from 'node:worker_threads'
import type { EngineWorkerData } from '../../../src/engine/sealing/engine-client.ts'
import { serveEngine } from '../../../src/engine/sealing/engine-service.ts'

const { port, options } = workerData as EngineWorkerData // set by the client under test
const progress = new Float64Array(options.progress)
progress[0] = 0
setInterval(() => {
  if (progress[0] === 2) process.exit(1)
}, 1)
await serveEngine(port, options)
