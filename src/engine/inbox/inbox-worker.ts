/** Entry of the inbox worker. */
import { workerData } from 'node:worker_threads'
import type { InboxWorkerData } from './inbox-client.ts'
import { serveInbox } from './inbox-service.ts'

const { port, options } = workerData as InboxWorkerData // set by the InboxClient that starts this worker
serveInbox(port, options)
