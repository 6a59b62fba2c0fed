/** The inbox behind a port: messages in, commits, answers out. Runs in its own worker, or inline in tests. */
import type { MessagePort } from 'node:worker_threads'
import { systemClock } from '../../model/time.ts'
import type { Answer } from './commit-group.ts'
import { Handover } from './handover.ts'
import { Inbox, type InboxOptions } from './inbox.ts'
import type { EngineToInbox, InboxCommand, InboxReport, InboxToEngine } from './inbox-messages.ts'

/** Trimming and recovery are looked at this often. */
const tickMs = 100

/** Serves until `stop`; closes `port` then. Errors on opening are reported as `failed`. */
export function serveInbox(port: MessagePort, options: InboxOptions): void {
  const report = (message: InboxReport): void => port.postMessage(message)
  let inbox: Inbox
  try {
    inbox = new Inbox(options, { answer, committed, alarm, wake }, systemClock)
  } catch (error) {
    report({ type: 'failed', message: error instanceof Error ? error.message : String(error) })
    port.close()
    return
  }
  let engine: { readonly port: MessagePort; readonly handover: Handover } | null = null
  let gathered: Answer[] = []
  let awake = false
  let stopped = false
  const timer = setInterval(() => {
    inbox.tick()
    sendAnswers()
  }, tickMs)

  function answer(answers: readonly Answer[]): void {
    for (const one of answers) gathered.push(one)
    wake()
  }

  function committed(group: Parameters<Handover['offer']>[0]): void {
    // The senders wait, the engine does not.
    sendAnswers()
    engine?.handover.offer(group)
  }

  function alarm(problem: string | null): void {
    report({ type: 'alarm', problem })
  }

  /** Everything that is waiting in the port joins before the check phase, where the commit runs. */
  function wake(): void {
    if (awake) return
    awake = true
    setImmediate(() => {
      awake = false
      inbox.flush()
      sendAnswers()
    })
  }

  function sendAnswers(): void {
    if (gathered.length === 0) return
    const answers = gathered
    gathered = []
    report({ type: 'answers', answers })
  }

  function connectEngine(enginePort: MessagePort): void {
    engine?.port.close()
    engine = { port: enginePort, handover: new Handover(enginePort, inbox.lastPosition) }
    enginePort.on('message', (message: EngineToInbox) => heedEngine(enginePort, message))
  }

  function heedEngine(enginePort: MessagePort, message: EngineToInbox): void {
    switch (message.type) {
      case 'consumed':
        engine?.handover.consumed(message.bytes)
        return
      case 'trim':
        inbox.trim(message.position)
        return
      case 'bury':
        bury(enginePort, message)
        return
      default:
        message satisfies never
    }
  }

  function bury(enginePort: MessagePort, message: Extract<EngineToInbox, { type: 'bury' }>): void {
    try {
      inbox.bury(message.burial)
    } catch {
      // The engine waits until it is durable, and asks again after a restart.
      if (!stopped) setTimeout(() => bury(enginePort, message), 1_000)
      return
    }
    enginePort.postMessage({
      type: 'buried',
      position: message.burial.position,
    } satisfies InboxToEngine)
  }

  function stop(): void {
    stopped = true
    clearInterval(timer)
    inbox.close()
    sendAnswers()
    engine?.port.close()
    report({ type: 'stopped' })
    port.close()
  }

  port.on('message', (message: InboxCommand) => {
    switch (message.type) {
      case 'submit':
        for (const request of message.requests) inbox.take(request)
        return
      case 'engine':
        connectEngine(message.port)
        return
      case 'figures':
        report({ type: 'figures', id: message.id, figures: inbox.figures() })
        return
      case 'stop':
        stop()
        return
      default:
        message satisfies never
    }
  })
  report({ type: 'ready', inboxId: inbox.inboxId, lastPosition: inbox.lastPosition })
}
