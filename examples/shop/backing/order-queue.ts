/** The broker: bounded queues in memory, receivers may wait for the first message. It reports no telemetry. */
import { takeControl } from '../runtime/control.ts'
import { field } from '../runtime/fields.ts'
import { serveLines } from '../runtime/lines.ts'
import { pause } from '../runtime/pause.ts'

/** Far more than the shop has orders in a minute; a sender beyond that is refused. */
const queueLimit = 10_000
/** How often a waiting receiver looks again, in milliseconds; it lets several orders gather into a batch. */
const lookAgainMs = 400

const queues = new Map<string, unknown[]>()
const control = await takeControl()

const port = await serveLines(async request => {
  const name = String(field(request, 'queue'))
  const queue = queues.get(name) ?? []
  queues.set(name, queue)
  if (field(request, 'operation') === 'send') {
    if (queue.length >= queueLimit) throw new Error(`queue ${name} holds ${queueLimit} messages`)
    queue.push(field(request, 'message'))
    return null
  }
  const patienceMs = Number(field(request, 'waitMs'))
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += lookAgainMs) {
    await pause(lookAgainMs)
    if (queue.length > 0) break
  }
  const messages = queue.splice(0, Number(field(request, 'max')))
  return { messages, depth: queue.length }
})
control.report({ kind: 'ready', port })
