/**
 * The main thread's side of the inbox: bounds what waits, passes bytes to the worker, matches answers.
 *
 * Every request is answered: by the worker, or with `store_fault` when the worker is gone. A worker that
 * crashes is replaced; one that keeps crashing is fatal, because then nothing can be promised any more.
 */
import { MessageChannel, MessagePort, Worker } from 'node:worker_threads'
import { ConfigurationError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import type { Admission, IngestRequest, IngestResult } from '../../model/ingest.ts'
import type { IngestCounter } from '../../model/reader.ts'
import { type Clock, systemClock } from '../../model/time.ts'
import { systemTimers, type Timers } from '../../model/timers.ts'
import { YoungGarbage } from '../../model/young-garbage.ts'
import { hearLastWords } from '../last-words.ts'
import type { ThreadPort } from '../thread-port.ts'
import { workerEntry } from '../worker-entry.ts'
import { AdmissionGate } from './admission-gate.ts'
import { BodyPool } from './body-pool.ts'
import type { InboxFigures, InboxOptions } from './inbox.ts'
import type { EngineEnd, InboxCommand, InboxReport } from './inbox-messages.ts'
import { serveInbox } from './inbox-service.ts'
import { IngestFigures } from './ingest-figures.ts'
import type { IncomingRequest } from './intake.ts'
import { ShareLimit, shareKey } from './share-limit.ts'

export interface InboxWorkerData {
  readonly port: MessagePort
  readonly options: InboxOptions
}

export interface InboxClientOptions {
  readonly inbox: InboxOptions
  /** Requests and bytes that may wait for a commit, all together; shared out by signal and tenant. */
  readonly maxWaitingRequests: number
  readonly maxWaitingBytes: number
  readonly logger: Logger
  /** On this thread instead of a worker, for tests. */
  readonly inline?: boolean
  /** Another worker file, for tests. */
  readonly entry?: URL
  readonly clock?: Clock
  readonly timers?: Timers
  /** Instead of starting a worker: the client's end of a channel to a service that runs elsewhere. */
  readonly connect?: () => InboxPort
  /** A new worker is up; it needs a new channel to the engine. Called for the first one too. */
  onWorker(connectEngine: (port: EngineEnd) => void): void
  /** The worker crashed too often to be replaced again. */
  onFatal(error: Error): void
}

type InboxPort = ThreadPort<InboxReport, InboxCommand>

interface Waiting {
  readonly request: IngestRequest
  readonly bytes: number
  readonly key: string
  resolve(result: IngestResult): void
}

/** Crashes within this time count together. */
const crashWindowMs = 60_000
const maxCrashes = 5

/** As the engine's. */
const maxYoungGenerationSizeMb = 6

/** Body buffers that lie idle: what 250 requests of usual size need, twice what one commit takes. */
const idleBodyBytes = 16 * 1024 * 1024

/**
 * Bytes of bodies after which the pieces they arrived in are collected. They die young, but V8 counts them as memory
 * outside of its heap and answers that with full collections: four a second under load, 1.5 µs a span.
 */
const collectEveryBytes = 8 * 1024 * 1024

export class InboxClient implements Admission {
  readonly gate: AdmissionGate = new AdmissionGate()
  readonly #options: InboxClientOptions
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #figures = new IngestFigures()
  readonly #waiting = new Map<number, Waiting>()
  readonly #waitingRequests: ShareLimit
  readonly #waitingBytes: ShareLimit
  readonly #asked = new Map<number, (figures: InboxFigures | null) => void>()
  #port: InboxPort | null = null
  #worker: Worker | null = null
  readonly #bodies = new BodyPool(idleBodyBytes)
  readonly #garbage = new YoungGarbage(collectEveryBytes)
  #outbox: IncomingRequest[] = []
  #nextId = 1
  #crashes: number[] = []
  #alarm: string | null = null
  #stopped: Promise<void> | null = null
  #onStopped: (() => void) | null = null
  #ready = { inboxId: '', lastPosition: 0 }

  private constructor(options: InboxClientOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#timers = options.timers ?? systemTimers
    this.#waitingRequests = new ShareLimit(options.maxWaitingRequests)
    this.#waitingBytes = new ShareLimit(options.maxWaitingBytes)
  }

  /** Resolves once the file is open and requests are taken. Rejects with the worker's one sentence. */
  static async start(options: InboxClientOptions): Promise<InboxClient> {
    const client = new InboxClient(options)
    await client.#launch()
    return client
  }

  get inboxId(): string {
    return this.#ready.inboxId
  }

  /** Why the inbox takes nothing at the moment, or null. */
  get alarm(): string | null {
    return this.#alarm
  }

  /** Requests and bytes waiting for their commit. */
  get waiting(): { readonly requests: number; readonly bytes: number } {
    return { requests: this.#waitingRequests.used, bytes: this.#waitingBytes.used }
  }

  ingestCounters(): readonly IngestCounter[] {
    return this.#figures.counters()
  }

  submit(request: IngestRequest): Promise<IngestResult> {
    const refusal = this.#refusal(request)
    if (refusal !== null) {
      this.#figures.count(request, refusal, this.#clock.now())
      return Promise.resolve(refusal)
    }
    const id = this.#nextId++
    const key = shareKey(request.signal, request.tenant)
    const bytes = bytesOf(request.body)
    this.#waitingRequests.add(key, 1)
    this.#waitingBytes.add(key, bytes)
    return new Promise(resolve => {
      this.#send(id, request, bytes)
      // The pieces are copied; holding on to them would keep them from being collected young.
      this.#waiting.set(id, { request: { ...request, body: [] }, bytes, key, resolve })
    })
  }

  /** Asks the worker; null if it is gone. */
  figures(): Promise<InboxFigures | null> {
    const port = this.#port
    if (port === null) return Promise.resolve(null)
    return new Promise(resolve => {
      const id = this.#nextId++
      this.#asked.set(id, resolve)
      port.postMessage({ type: 'figures', id } satisfies InboxCommand)
    })
  }

  /** Takes nothing more, commits and answers what waits, closes the file. May be called twice. */
  stop(): Promise<void> {
    this.gate.drain()
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  #refusal(request: IngestRequest): IngestResult | null {
    const closed = this.gate.refusal(request.signal, request.tenant)
    if (closed !== null) return closed
    if (this.#port === null) return workerGone
    const key = shareKey(request.signal, request.tenant)
    if (this.#waitingRequests.fits(key, 1) && this.#waitingBytes.fits(key, bytesOf(request.body))) return null
    return {
      outcome: 'retry',
      reason: 'queue_full',
      retryAfterMs: 1_000,
      message: `too much of ${request.signal} of this tenant is waiting to be stored: ${this.#waitingBytes.heldBy(key)} bytes`,
    }
  }

  /** Requests of one turn of the event loop cross in one message. */
  #send(id: number, request: IngestRequest, bytes: number): void {
    if (this.#outbox.length === 0) this.#timers.soon(() => this.#flushOutbox())
    const { transport: _, body, ...rest } = request
    this.#outbox.push({ ...rest, id, body: this.#bodies.join(body, bytes) })
  }

  #flushOutbox(): void {
    const requests = this.#outbox
    this.#outbox = []
    if (requests.length === 0 || this.#port === null) return
    const bytes = requests.reduce((sum, request) => sum + request.body.length, 0)
    const transfers = requests.map(request => request.body.buffer as ArrayBuffer) // made by the pool
    this.#port.postMessage({ type: 'submit', requests } satisfies InboxCommand, transfers)
    this.#garbage.passed(bytes)
  }

  #launch(): Promise<void> {
    const { inbox, inline, entry, connect } = this.#options
    return new Promise((resolve, reject) => {
      if (connect !== undefined) {
        this.#listen(connect(), resolve, reject)
        return
      }
      const { port1, port2 } = new MessageChannel()
      this.#listen(port1, resolve, reject)
      if (inline === true) {
        serveInbox(port2, inbox)
        return
      }
      const worker = new Worker(entry ?? workerEntry('inbox-worker', import.meta.url), {
        name: 'inbox',
        workerData: { port: port2, options: inbox } satisfies InboxWorkerData,
        transferList: [port2],
        resourceLimits: { maxYoungGenerationSizeMb },
      })
      this.#worker = worker
      worker.on('error', error => {
        this.#options.logger.error({ event: 'inbox_worker_failed', err: error }, 'inbox worker failed')
      })
      worker.on('exit', code => {
        hearLastWords(port1)
        reject(new Error(`the inbox worker ended with code ${code}`))
        if (this.#worker === worker) this.#workerEnded(code)
      })
    })
  }

  #listen(port: InboxPort, ready: () => void, failed: (error: Error) => void): void {
    port.on('message', message => {
      if (message.type === 'ready') {
        this.#ready = message
        this.#port = port
        this.#options.onWorker(engine =>
          port.postMessage({ type: 'engine', port: engine }, engine instanceof MessagePort ? [engine] : []),
        )
        ready()
      } else if (message.type === 'failed') {
        // Nothing a second worker would find differently.
        this.#worker = null
        failed(new ConfigurationError([message.message]))
      } else this.#heed(message)
    })
  }

  #heed(message: InboxReport): void {
    switch (message.type) {
      case 'answers':
        for (const { id, result } of message.answers) this.#answer(id, result)
        for (const buffer of message.returned) this.#bodies.giveBack(buffer)
        return
      case 'figures':
        this.#asked.get(message.id)?.(message.figures)
        this.#asked.delete(message.id)
        return
      case 'alarm':
        this.#alarm = message.problem
        if (message.problem === null)
          this.#options.logger.info({ event: 'inbox_recovered' }, 'inbox works again')
        else this.#options.logger.error({ event: 'inbox_fault', problem: message.problem }, 'inbox refuses')
        return
      case 'stopped':
        this.#onStopped?.()
        return
      case 'ready':
      case 'failed':
        return
      default:
        message satisfies never
    }
  }

  #answer(id: number, result: IngestResult): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    this.#waitingRequests.add(waiting.key, -1)
    this.#waitingBytes.add(waiting.key, -waiting.bytes)
    this.#figures.count(waiting.request, result, this.#clock.now())
    waiting.resolve(result)
  }

  /** What the worker had not answered is not known to be durable. */
  #workerEnded(code: number): void {
    this.#port = null
    this.#worker = null
    this.#outbox = []
    for (const id of [...this.#waiting.keys()]) this.#answer(id, workerGone)
    for (const resolve of this.#asked.values()) resolve(null)
    this.#asked.clear()
    this.#onStopped?.()
    if (this.#stopped !== null) return
    const now = this.#clock.now()
    this.#crashes = [...this.#crashes.filter(at => now - at < crashWindowMs), now]
    if (this.#crashes.length > maxCrashes) {
      this.#options.onFatal(new Error(`the inbox worker ended ${this.#crashes.length} times in a minute`))
      return
    }
    this.#options.logger.error(
      { event: 'inbox_worker_restarting', code },
      'inbox worker ended, starting another',
    )
    this.#launch().catch((error: unknown) => {
      this.#options.onFatal(error instanceof Error ? error : new Error(String(error)))
    })
  }

  async #stop(): Promise<void> {
    this.#flushOutbox()
    const port = this.#port
    if (port === null) return
    const ended = new Promise<void>(resolve => {
      this.#onStopped = resolve
    })
    port.postMessage({ type: 'stop' } satisfies InboxCommand)
    await ended
    for (const id of [...this.#waiting.keys()]) this.#answer(id, workerGone)
    for (const resolve of this.#asked.values()) resolve(null)
    this.#asked.clear()
    this.#port = null
    port.close()
    await this.#worker?.terminate()
    this.#worker = null
  }
}

const workerGone: IngestResult = {
  outcome: 'retry',
  reason: 'store_fault',
  retryAfterMs: 2_000,
  message: 'the inbox is restarting',
}

function bytesOf(parts: readonly Uint8Array[]): number {
  let total = 0
  for (const part of parts) total += part.length
  return total
}
