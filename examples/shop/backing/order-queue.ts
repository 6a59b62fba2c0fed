/** The broker: bounded queues in memory, receivers may wait for the first message. It reports no telemetry. */
import { chanceOf } from '../runtime/chance.ts'
import { takeControl } from '../runtime/control.ts'
import { field, settingNumber } from '../runtime/fields.ts'
import { serveLines } from '../runtime/lines.ts'
import { pause } from '../runtime/pause.ts'
import { conditionsOf } from '../runtime/route-conditions.ts'

/** Far more than the shop has orders in a minute; a sender beyond that is refused. */
const queueLimit = 10_000
/** How often a waiting receiver looks again, in milliseconds; it lets several orders gather into a batch. */
const lookAgainMs = 400

const queues = new Map<string, unknown[]>()
const control = await takeControl()
const chance = chanceOf(control.identity.instance)
const meet = conditionsOf(control)

const port = await serveLines(async request => {
  const name = String(field(request, 'queue'))
  const queue = queues.get(name) ?? []
  queues.set(name, queue)
  if (field(request, 'operation') === 'send') {
    await meet('send')
    // A partition whose leader moved takes messages and forgets them.
    if (chance.next() < settingNumber(control.settingsOf(`lose ${name}`), 'share')) return null
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
