/**
 * The main thread's side of the engine worker: starts it, replaces it when it crashes, hands ports on.
 *
 * The worker notes the position it works on in shared memory. An entry on which it died twice in a row is
 * named to the next one, which sets it aside instead of dying a third time.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { ConfigurationError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import { type Clock, systemClock } from '../../model/time.ts'
import { hearLastWords } from '../last-words.ts'
import { workerEntry } from '../worker-entry.ts'
import type { EngineCommand, EngineReport, EngineWorkerFigures } from './engine-messages.ts'
import { type EngineServiceOptions, serveEngine } from './engine-service.ts'

export interface EngineWorkerData {
  readonly port: MessagePort
  readonly options: EngineServiceOptions
}

export interface EngineClientOptions {
  readonly service: Omit<EngineServiceOptions, 'suspect' | 'progress'>
  readonly logger: Logger
  /** On this thread instead of a worker, for tests. */
  readonly inline?: boolean
  /** Another worker file, for tests. */
  readonly entry?: URL
  readonly clock?: Clock
  /** A new worker is up; it needs a new channel to the inbox. Called for the first one too. */
  onWorker(): void
  /** The worker crashed too often to be replaced again. */
  onFatal(error: Error): void
}

/** Of the two halves and what is copied between them, a third each: two, as `heap-flags.ts` says why. */
const maxYoungGenerationSizeMb = 6

const crashWindowMs = 60_000
const maxCrashes = 5

export class EngineClient {
  readonly #options: EngineClientOptions
  readonly #clock: Clock
  readonly #progress = new SharedArrayBuffer(8)
  readonly #asked = new Map<number, (figures: EngineWorkerFigures | null) => void>()
  /** Tail channels that came while there was no worker. */
  #waitingTails: MessagePort[] = []
  #port: MessagePort | null = null
  #worker: Worker | null = null
  #nextId = 1
  #crashes: { readonly atMs: number; readonly position: number }[] = []
  #stopped: Promise<void> | null = null
  #onStopped: (() => void) | null = null
  #waitingFor: string | null = null

  private constructor(options: EngineClientOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /**
   * Resolves once store and inbox are open; replay goes on behind it. A server store that cannot be reached is
   * waited for behind it too. Rejects with one sentence. The worker loads its code at once and opens files after
   * `inboxIsOpen`.
   */
  static async start(options: EngineClientOptions, inboxIsOpen: Promise<unknown>): Promise<EngineClient> {
    const client = new EngineClient(options)
    await client.#launch(inboxIsOpen)
    return client
  }

  /** Gives the worker the engine's end of a channel to the inbox worker. */
  connectInbox(port: MessagePort): void {
    this.#post({ type: 'inbox', port }, [port])
  }

  /** Gives the worker the engine's end of a query worker's tail channel; it closes if the worker ends. */
  connectTail(port: MessagePort): void {
    if (this.#port === null) this.#waitingTails.push(port)
    else this.#post({ type: 'tail', port }, [port])
  }

  /** Why the store could not be opened yet, as of the last figures; null if it is. */
  get waitingFor(): string | null {
    return this.#waitingFor
  }

  /** Asks the worker; null if it is gone, or waits for the store. */
  figures(): Promise<EngineWorkerFigures | null> {
    if (this.#port === null) return Promise.resolve(null)
    const id = this.#nextId++
    this.#post({ type: 'figures', id }, [])
    return new Promise(resolve => this.#asked.set(id, resolve))
  }

  /** Seals what it can within `patienceMs` and ends the worker. May be called twice. */
  stop(patienceMs: number): Promise<void> {
    this.#stopped ??= this.#stop(patienceMs)
    return this.#stopped
  }

  #post(command: EngineCommand, transfers: readonly MessagePort[]): void {
    this.#port?.postMessage(command, transfers)
  }

  #launch(inboxIsOpen: Promise<unknown>): Promise<void> {
    const { port1, port2 } = new MessageChannel()
    const { service, inline, entry, onWorker } = this.#options
    const options = { ...service, suspect: this.#suspect(), progress: this.#progress }
    return new Promise((resolve, reject) => {
      port1.on('message', (message: EngineReport) => {
        if (message.type === 'ready') {
          this.#port = port1
          onWorker()
          for (const port of this.#waitingTails.splice(0)) this.connectTail(port)
          resolve()
        } else if (message.type === 'failed') {
          this.#worker = null
          reject(new ConfigurationError([message.message]))
        } else this.#heed(message)
      })
      inboxIsOpen.then(
        () => port1.postMessage({ type: 'begin' } satisfies EngineCommand),
        (error: unknown) => {
          reject(error)
          port1.close()
          const unused = this.#worker
          this.#worker = null
          void unused?.terminate()
        },
      )
      if (inline === true) {
        serveEngine(port2, options).catch(reject)
        return
      }
      const worker = new Worker(entry ?? workerEntry('engine-worker', import.meta.url), {
        name: 'engine',
        workerData: { port: port2, options } satisfies EngineWorkerData,
        transferList: [port2],
        resourceLimits: { maxYoungGenerationSizeMb },
      })
      this.#worker = worker
      worker.on('error', error => {
        this.#options.logger.error({ event: 'engine_worker_failed', err: error }, 'engine worker failed')
      })
      worker.on('exit', code => {
        hearLastWords(port1)
        reject(new Error(`the engine worker ended with code ${code}`))
        if (this.#worker === worker) this.#workerEnded(code)
      })
    })
  }

  /** The entry on which the last two workers died, or 0. */
  #suspect(): number {
    const last = this.#crashes.at(-1)?.position
    const before = this.#crashes.at(-2)?.position
    return last !== undefined && last === before ? last : 0
  }

  #heed(message: Exclude<EngineReport, { type: 'ready' | 'failed' }>): void {
    switch (message.type) {
      case 'figures':
        this.#waitingFor = message.waitingFor
        this.#asked.get(message.id)?.(message.figures)
        this.#asked.delete(message.id)
        return
      case 'stopped':
        this.#onStopped?.()
        return
      default:
        message satisfies never
    }
  }

  #workerEnded(code: number): void {
    this.#forgetWorker()
    this.#onStopped?.()
    if (this.#stopped !== null) return
    const now = this.#clock.now()
    const position = new Float64Array(this.#progress)[0] ?? 0
    const recent = this.#crashes.filter(crash => now - crash.atMs < crashWindowMs)
    this.#crashes = [...recent, { atMs: now, position }]
    if (this.#crashes.length > maxCrashes) {
      this.#options.onFatal(new Error(`the engine worker ended ${this.#crashes.length} times in a minute`))
      return
    }
    this.#options.logger.error(
      { event: 'engine_worker_restarting', code, position },
      'engine worker ended, starting another',
    )
    this.#launch(Promise.resolve()).catch((error: unknown) => {
      this.#options.onFatal(error instanceof Error ? error : new Error(String(error)))
    })
  }

  #forgetWorker(): void {
    this.#port = null
    this.#worker = null
    for (const resolve of this.#asked.values()) resolve(null)
    this.#asked.clear()
  }

  async #stop(patienceMs: number): Promise<void> {
    const port = this.#port
    if (port === null) return
    const worker = this.#worker
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onStopped = resolve
    this.#post({ type: 'stop', patienceMs }, [])
    await promise
    port.close()
    await worker?.terminate()
    this.#forgetWorker()
  }
}
