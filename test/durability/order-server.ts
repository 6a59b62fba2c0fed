/**
 * The smallest server with the real engine and the real OTLP/HTTP handler, for running under strace:
 * `node order-server.ts DIRECTORY FULL|OFF`. Says its port on stdout; ends when stdin does.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { startEngine } from '../../src/engine/engine.ts'
import { createOtlpHttpHandler } from '../../src/ingest/http-handler.ts'
import { ReceiveBudget } from '../../src/ingest/receive-budget.ts'
import { createLogger } from '../../src/logger.ts'
import { systemClock } from '../../src/model/time.ts'
import { KeyAuthenticator } from '../../src/server/authenticator.ts'

const mebibyte = 1024 * 1024
const [directory = '', mode = 'FULL'] = process.argv.slice(2)
const logger = createLogger('WARN')

const engine = await startEngine({
  inboxFile: join(directory, 'inbox.db'),
  store: { driver: 'sqlite', file: join(directory, 'store.db') },
  deadLetters: { directory: join(directory, 'dlq'), maxFiles: 10, maxBytes: mebibyte },
  inboxMaxBytes: 64 * mebibyte,
  inboxKeepSealedMs: 0,
  decompressionBudgetBytes: 16 * mebibyte,
  attributeMaxBytes: 65_536,
  trustResourceTenant: false,
  maxWaitingRequests: 1_000,
  maxWaitingBytes: 16 * mebibyte,
  retentionDays: { traces: 7, logs: 7, metrics: 7 },
  synchronous: mode === 'OFF' ? 'OFF' : 'FULL',
  logger,
  onFatal: error => {
    throw error
  },
})
const handler = createOtlpHttpHandler({
  admission: engine.admission,
  authenticator: new KeyAuthenticator({
    keys: [],
    keyRequired: false,
    defaultTenant: 'default',
    clock: systemClock,
  }),
  observer: { answered: () => undefined, refused: () => undefined },
  budget: new ReceiveBudget(64 * mebibyte),
  clock: systemClock,
  logger,
  maxBodyBytes: mebibyte,
})
const server = createServer((request, response) => handler(request, response))
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo // a TCP server that listens has one
  process.stdout.write(`${port}\n`)
})
process.stdin.resume()
process.stdin.on('end', () => {
  server.close()
  server.closeAllConnections()
  void engine.stop()
})
