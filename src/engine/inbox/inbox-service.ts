/** The inbox behind a port: messages in, commits, answers out. Runs in its own worker, or inline in tests. */
import { type Clock, systemClock } from '../../model/time.ts'
import { systemTimers, type Timers } from '../../model/timers.ts'
import { YoungGarbage } from '../../model/young-garbage.ts'
import type { ThreadPort } from '../thread-port.ts'
import type { Answer } from './commit-group.ts'
import { Handover } from './handover.ts'
import { Inbox, type InboxOptions } from './inbox.ts'
import { inboxStorage } from './inbox-file.ts'
import type { EngineEnd, EngineToInbox, InboxCommand, InboxReport } from './inbox-messages.ts'
import type { InboxStorage } from './inbox-storage.ts'
import type { IncomingRequest } from './intake.ts'

/** Trimming and recovery are looked at this often. */
const tickMs = 100

/** Bytes handed over after which this thread lets go of the columns that came with them. */
const collectEveryBytes = 8 * 1024 * 1024

/** A commit that waits for more is looked at again after this time. */
const recallMs = 1

/** What the service finds itself in; the simulation brings all of it. */
export interface InboxSurroundings {
  readonly clock: Clock
  readonly timers: Timers
  readonly storage: InboxStorage
}

/** Serves until `stop`; closes `port` then. Errors on opening are reported as `failed`. */
export function serveInbox(
  port: ThreadPort<InboxCommand, InboxReport>,
  options: InboxOptions,
  surroundings: InboxSurroundings = {
    clock: systemClock,
    timers: systemTimers,
    storage: inboxStorage(options),
  },
): void {
  const { clock, timers, storage } = surroundings
  const report = (message: InboxReport, transfer: readonly ArrayBuffer[] = []): void =>
    port.postMessage(message, transfer)
  let inbox: Inbox
  try {
    inbox = new Inbox(options, { answer, committed, alarm, wake }, clock, storage, timers.elapsedMs)
  } catch (error) {
    report({ type: 'failed', message: error instanceof Error ? error.message : String(error) })
    port.close()
    return
  }
  let engine: { readonly port: EngineEnd; readonly handover: Handover } | null = null
  let gathered: Answer[] = []
  /** Buffers of bodies by request, until it is answered. */
  const lent = new Map<number, ArrayBuffer>()
  /** Those of the last answers. They go back with the next ones, because the engine's copy is made in between. */
  let spent: ArrayBuffer[] = []
  const garbage = new YoungGarbage(collectEveryBytes)
  let awake = false
  let stopped = false
  let recall: (() => void) | null = null
  let cancelTick = timers.after(tickMs, tick)

  function tick(): void {
    cancelTick = timers.after(tickMs, tick)
    inbox.tick()
    sendAnswers()
  }

  function answer(answers: readonly Answer[]): void {
    for (const one of answers) gathered.push(one)
    wake()
  }

  function committed(group: Parameters<Handover['offer']>[0]): void {
    // The senders wait, the engine does not.
    sendAnswers()
    engine?.handover.offer(group)
    garbage.passed(group.entries.reduce((sum, entry) => sum + entry.bytes.length, 0))
  }

  function alarm(problem: string | null): void {
    report({ type: 'alarm', problem })
  }

  /** Everything that is waiting in the port joins before the check phase, where the commit runs. */
  function wake(): void {
    if (awake) return
    awake = true
    timers.soon(() => {
      awake = false
      if (inbox.isGathering) recall ??= timers.after(recallMs, recalled)
      else inbox.flush()
      sendAnswers()
    })
  }

  function recalled(): void {
    recall = null
    wake()
  }

  function sendAnswers(): void {
    if (gathered.length === 0) return
    const answers = gathered
    const returned = spent
    gathered = []
    spent = []
    for (const { id } of answers) {
      const buffer = lent.get(id)
      if (buffer !== undefined) spent.push(buffer)
      lent.delete(id)
    }
    report({ type: 'answers', answers, returned }, returned)
  }

  function take(request: IncomingRequest): void {
    const { buffer } = request.body
    if (buffer instanceof ArrayBuffer) lent.set(request.id, buffer)
    inbox.take(request)
  }

  function connectEngine(enginePort: EngineEnd): void {
    engine?.port.close()
    engine = { port: enginePort, handover: new Handover(enginePort, inbox.lastPosition) }
    enginePort.on('message', (message: EngineToInbox) => heedEngine(enginePort, message))
  }

  function heedEngine(enginePort: EngineEnd, message: EngineToInbox): void {
    switch (message.type) {
      case 'released':
        engine?.handover.released(message.position)
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

  function bury(enginePort: EngineEnd, message: Extract<EngineToInbox, { type: 'bury' }>): void {
    try {
      inbox.bury(message.burial)
    } catch {
      // The engine waits until it is durable, and asks again after a restart.
      if (!stopped) timers.after(1_000, () => bury(enginePort, message))
      return
    }
    enginePort.postMessage({
      type: 'buried',
      position: message.burial.position,
    })
  }

  function stop(): void {
    stopped = true
    cancelTick()
    recall?.()
    inbox.close()
    sendAnswers()
    engine?.port.close()
    report({ type: 'stopped' })
    port.close()
  }

  port.on('message', (message: InboxCommand) => {
    switch (message.type) {
      case 'submit':
        for (const request of message.requests) take(request)
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
