/** The engine behind ports: opens store and inbox, runs the core, keeps stored data in shape. */
import { dirname, join } from 'node:path'
import type { MessagePort } from 'node:worker_threads'
import type { GraphLimits } from '../../graph/graph-limits.ts'
import { createLogger } from '../../logger.ts'
import type { StoreReader, StoreWriter } from '../../model/store.ts'
import type { StoreLocation } from '../../model/store-location.ts'
import { systemClock } from '../../model/time.ts'
import { systemTimers } from '../../model/timers.ts'
import { nameStore, openStoreReader, openStoreWriter } from '../../store/open-store.ts'
import { InboxFileReader } from '../inbox/inbox-file-reader.ts'
import { defaultBallastBytes } from '../retention/ballast.ts'
import { Maintenance, maintenanceTickMs, type RetentionDays } from '../retention/maintenance.ts'
import { type DeadLetterOptions, DeadLetters } from './dead-letters.ts'
import { EngineCore, type SealLimits } from './engine-core.ts'
import type { EngineCommand, EngineReport, EngineWorkerFigures } from './engine-messages.ts'
import { InboxLink } from './inbox-link.ts'
import { readInvariant } from './invariant.ts'

export interface EngineServiceOptions {
  readonly inboxFile: string
  readonly store: StoreLocation
  readonly deadLetters: DeadLetterOptions
  readonly retentionDays: RetentionDays
  /** Bytes that everything stored may take; null for no bound. */
  readonly diskBudgetBytes: number | null
  readonly attributeMaxBytes: number
  readonly graphLimits: Partial<GraphLimits>
  readonly sealLimits: SealLimits
  readonly logLevel: string
  /** See `EngineCoreOptions`. */
  readonly suspect: number
  /** Eight bytes: the position in work. */
  readonly progress: SharedArrayBuffer
}

const figuresAgeMs = 1_000

/** Serves until `stop`; closes `port` then. What keeps it from starting is reported as `failed`. */
export async function serveEngine(port: MessagePort, options: EngineServiceOptions): Promise<void> {
  const report = (message: EngineReport): void => port.postMessage(message)
  const link = new InboxLink()
  let engine: Opened
  try {
    await untilBegin(port)
    engine = await open(options, link)
  } catch (error) {
    report({ type: 'failed', message: error instanceof Error ? error.message : String(error) })
    port.close()
    return
  }
  const { core, maintenance, maintenanceStop } = engine
  const figureReader = new FigureReader(engine)
  let maintaining: Promise<void> = Promise.resolve()
  let busy = false
  const timer = setInterval(() => {
    if (busy) return
    busy = true
    maintaining = maintenance.tick().finally(() => {
      busy = false
    })
  }, maintenanceTickMs)

  async function stop(patienceMs: number): Promise<void> {
    clearInterval(timer)
    maintenanceStop.abort()
    await core.stop(patienceMs)
    await maintaining
    link.close()
    engine.inbox.close()
    await engine.reader.close()
    await engine.writer.close()
    report({ type: 'stopped' })
    port.close()
  }

  port.on('message', (message: EngineCommand) => {
    switch (message.type) {
      case 'begin':
        return
      case 'inbox':
        link.connect(message.port, committed => core.offer(committed))
        return
      case 'tail':
        message.port.on('close', () => core.tail.unsubscribe(message.port))
        // Listening is what makes the port notice that the other side is gone.
        message.port.on('message', () => undefined)
        core.tail.subscribe(message.port)
        return
      case 'figures':
        void figureReader.read().then(figures => report({ type: 'figures', id: message.id, figures }))
        return
      case 'stop':
        void stop(message.patienceMs)
        return
      default:
        message satisfies never
    }
  })
  core.start()
  report({ type: 'ready', sealedPosition: core.figures().sealedPosition })
}

/** Nothing is lost before the next listener: the port keeps what comes until then. */
function untilBegin(port: MessagePort): Promise<void> {
  return new Promise(resolve => {
    port.once('message', () => resolve())
  })
}

interface Opened {
  readonly core: EngineCore
  readonly maintenance: Maintenance
  readonly maintenanceStop: AbortController
  readonly inbox: InboxFileReader
  readonly writer: StoreWriter
  readonly reader: StoreReader
}

async function open(options: EngineServiceOptions, link: InboxLink): Promise<Opened> {
  const logger = createLogger(options.logLevel).child({ thread: 'engine' })
  const writer = await openStoreWriter(options.store)
  const reader = await openStoreReader(options.store)
  const inbox = new InboxFileReader(options.inboxFile)
  const sealed = await writer.sealedPosition(inbox.inboxId)
  const last = inbox.lastPosition()
  if (sealed > last) {
    throw new Error(
      `${options.inboxFile} ends at position ${last}, but ${await nameStore(options.store)} holds it up to ${sealed}: the inbox is an older copy; put the newer one back, or move it away to start an empty one`,
    )
  }
  const deadLetters = new DeadLetters(options.deadLetters)
  const progress = new Float64Array(options.progress)
  const core = await EngineCore.open(options, {
    store: writer,
    reader: inbox,
    deadLetters,
    logger,
    clock: systemClock,
    timers: systemTimers,
    inbox: link,
    progress,
  })
  const maintenanceStop = new AbortController()
  const maintenance = new Maintenance({
    writer,
    reader,
    days: options.retentionDays,
    files: {
      database: options.store.driver === 'sqlite' ? options.store.file : null,
      inbox: options.inboxFile,
      ballast: join(dirname(options.inboxFile), 'ballast'),
      ballastBytes: defaultBallastBytes,
      deadLetterBytes: () => deadLetters.figures().bytes,
    },
    diskBudgetBytes: options.diskBudgetBytes,
    clock: systemClock,
    logger,
    stop: maintenanceStop.signal,
  })
  return { core, maintenance, maintenanceStop, inbox, writer, reader }
}

/** Looks at store and inbox at most once a second and seal: probes and scrapes may come more often. */
class FigureReader {
  readonly #engine: Opened
  #read: Pick<EngineWorkerFigures, 'stored' | 'invariant'> = { stored: null, invariant: null }
  #readAtMs = 0
  #readAtSeal = -1

  constructor(engine: Opened) {
    this.#engine = engine
  }

  async read(): Promise<EngineWorkerFigures> {
    const { core, maintenance } = this.#engine
    const { sealedPosition } = core.figures()
    if (systemClock.now() - this.#readAtMs > figuresAgeMs || sealedPosition !== this.#readAtSeal) {
      this.#readAtMs = systemClock.now()
      this.#readAtSeal = sealedPosition
      this.#read = await this.#readStored()
    }
    return { ...core.figures(), maintenance: maintenance.figures(), ...this.#read }
  }

  async #readStored(): Promise<Pick<EngineWorkerFigures, 'stored' | 'invariant'>> {
    const { writer, reader, inbox } = this.#engine
    try {
      return { stored: await writer.storageReport(), invariant: await readInvariant(reader, inbox) }
    } catch {
      // The fault shows in the figures of sealing; here the figures are just not known.
      return { stored: null, invariant: null }
    }
  }
}
