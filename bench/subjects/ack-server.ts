/**
 * Receivers and inbox without an engine behind them, as a process of its own: `node ack-server.ts DIRECTORY`. What is
 * measured on it is the way to the acknowledgement alone. Prints its ports.
 */
import { createServer } from 'node:http'
import { join } from 'node:path'
import { InboxClient } from '../../src/engine/inbox/inbox-client.ts'
import { setHeapFlags } from '../../src/heap-flags.ts'
import { GrpcReceiver } from '../../src/ingest/grpc-receiver.ts'
import { createOtlpHttpHandler } from '../../src/ingest/http-handler.ts'
import { ReceiveBudget } from '../../src/ingest/receive-budget.ts'
import { createLogger } from '../../src/logger.ts'
import type { IngestObserver } from '../../src/model/ingest-observer.ts'
import { systemClock } from '../../src/model/time.ts'
import { KeyAuthenticator } from '../../src/server/authenticator.ts'

setHeapFlags()

const mebibyte = 1024 * 1024
const [directory = '.'] = process.argv.slice(2)
const logger = createLogger('warn')
const inbox = await InboxClient.start({
  inbox: {
    file: join(directory, 'inbox.db'),
    // Nothing is ever sealed here, so all of a run has to fit.
    maxBytes: 32 * 1024 * mebibyte,
    keepSealedMs: 0,
    decompressionBudgetBytes: 128 * mebibyte,
    attributeMaxBytes: 65_536,
    trustResourceTenant: false,
    synchronous: 'FULL',
  },
  maxWaitingRequests: 50_000,
  maxWaitingBytes: 128 * mebibyte,
  logger,
  onWorker: () => undefined,
  onFatal: error => {
    throw error
  },
})
const authenticator = new KeyAuthenticator({
  keys: [],
  keyRequired: false,
  defaultTenant: 'default',
  clock: systemClock,
})
const observer: IngestObserver = { answered: () => undefined, refused: () => undefined }
const budget = new ReceiveBudget(128 * mebibyte)
const receiver = { admission: inbox, authenticator, observer, budget, clock: systemClock, logger }
const handle = createOtlpHttpHandler({ ...receiver, maxBodyBytes: 64 * mebibyte })
const http = createServer((request, response) => handle(request, response))
await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
const grpc = new GrpcReceiver({
  ...receiver,
  address: '127.0.0.1',
  port: 0,
  pauses: () => [],
  maxReceiveBytes: 16 * mebibyte,
  maxConcurrentStreams: 1_000,
  receiveTimeoutMs: 30_000,
  drainDeadlineMs: 1_000,
})
const { port: grpcPort } = await grpc.start()
const address = http.address()
console.log(JSON.stringify({ port: typeof address === 'object' ? address?.port : 0, grpcPort }))
process.on('SIGTERM', () => process.exit(0))
