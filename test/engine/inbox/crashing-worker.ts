/** The real inbox in a worker that ends, as a crash would end it, when a request of the tenant `crash` comes. */
import { MessageChannel, MessagePort, workerData } from 'node:worker_threads'
import type { InboxWorkerData } from '../../../src/engine/inbox/inbox-client.ts'
import type { InboxCommand } from '../../../src/engine/inbox/inbox-messages.ts'
import { serveInbox } from '../../../src/engine/inbox/inbox-service.ts'

const { port, options } = workerData as InboxWorkerData // set by the client under test
const { port1, port2 } = new MessageChannel()
port.on('message', (command: InboxCommand) => {
  if (command.type === 'submit' && command.requests.some(request => request.tenant === 'crash'))
    process.exit(1)
  const transfers = command.type === 'engine' && command.port instanceof MessagePort ? [command.port] : []
  port1.postMessage(command, transfers)
})
port1.on('message', message => port.postMessage(message))
serveInbox(port2, options)
