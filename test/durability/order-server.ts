/**
 * The smallest server with the real engine and the real OTLP/HTTP handler, for running under strace:
 * `node order-server.ts DIRECTORY FULL|OFF`. Says its port on stdout; ends when stdin does.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createOtlpHttpHandler } from '../../src/ingest/http-handler.ts'
import { ReceiveBudget } from '../../src/ingest/receive-budget.ts'
import { createLogger } from '../../src/logger.ts'
import { systemClock } from '../../src/model/time.ts'
import { KeyAuthenticator } from '../../src/server/authenticator.ts'
import { startSmallEngine } from './small-engine.ts'

const mebibyte = 1024 * 1024
const [directory = '', mode = 'FULL'] = process.argv.slice(2)
const logger = createLogger('WARN')

const engine = await startSmallEngine({
  directory,
  synchronous: mode === 'OFF' ? 'OFF' : 'FULL',
  logger,
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
