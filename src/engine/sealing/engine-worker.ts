/** Entry of the engine worker. */
import { workerData } from 'node:worker_threads'
import type { EngineWorkerData } from './engine-client.ts'
import { serveEngine } from './engine-service.ts'

const { port, options } = workerData as EngineWorkerData // set by the EngineClient that starts this worker
await serveEngine(port, options)
