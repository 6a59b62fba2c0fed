/** The engine behind ports: opens store and inbox, runs the core, keeps stored data in shape. */
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { MessagePort } from 'node:worker_threads'
import { StoreError } from '../../errors.ts'
import type { CardinalityLimits } from '../../graph/cardinality-budget.ts'
import type { GraphLimits } from '../../graph/graph-limits.ts'
import { createLogger, type Logger } from '../../logger.ts'
import type { StoreReader, StoreWriter } from '../../model/store.ts'
import type { StoreLocation } from '../../model/store-location.ts'
import type { TailReleased } from '../../model/tail.ts'
import { systemClock } from '../../model/time.ts'
import { systemTimers } from '../../model/timers.ts'
import {
  embeddedFile,
  faultPasses,
  nameStore,
  openStoreReader,
  openStoreWriter,
} from '../../store/open-store.ts'
import { FreedMemory } from '../freed-memory.ts'
import { InboxFileReader } from '../inbox/inbox-file-reader.ts'
import { defaultBallastBytes } from '../retention/ballast.ts'
import { Maintenance, maintenanceTickMs, type RetentionDays } from '../retention/maintenance.ts'
import { type DeadLetterOptions, DeadLetters } from './dead-letters.ts'
import { EngineCore, type SealLimits } from './engine-core.ts'
import type { EngineCommand, EngineReport, EngineWorkerFigures } from './engine-messages.ts'
import { InboxLink } from './inbox-link.ts'
import { readInvariant } from './invariant.ts'
import { mustStartOver } from './sealer.ts'
import { StoreWait } from './store-wait.ts'

export interface EngineServiceOptions {
  readonly inboxFile: string
  readonly store: StoreLocation
  readonly deadLetters: DeadLetterOptions
  readonly retentionDays: RetentionDays
  /** Bytes that everything stored may take; null for no bound. */
  readonly diskBudgetBytes: number | null
  readonly attributeMaxBytes: number
  readonly graphLimits: Partial<GraphLimits>
  /** Of all tenants together. */
  readonly graphLimitsInAll: Partial<CardinalityLimits>
  readonly sealLimits: SealLimits
  readonly logLevel: string
  /** See `EngineCoreOptions`. */
  readonly suspect: number
  /** Eight bytes: the position in work. */
  readonly progress: SharedArrayBuffer
}

const figuresAgeMs = 1_000
/** Between two looks at what the process holds. */
const lookAtMemoryMs = 1_000
/** A store that is slow or away must not hold up probes and scrapes; they then see the figures before. */
const figuresPatienceMs = 300
/** Between attempts to open a store that is away. */
const firstWaitMs = 250
/** A server store that does not answer is waited for behind the start after so long. */
const startPatienceMs = 2_000
const lastWaitMs = 5_000
/** What a stop leaves to calls of the store that are under way. */
const closePatienceMs = 500

/**
 * Serves until `stop`; closes `port` then. What keeps it from starting is reported as `failed`, unless it is a
 * server store that may come back: that is waited for, while the inbox takes what arrives.
 */
export async function serveEngine(port: MessagePort, options: EngineServiceOptions): Promise<void> {
  const report = (message: EngineReport): void => port.postMessage(message)
  const link = new InboxLink()
  const wait = new StoreWait(link, report)
  let heed = (message: EngineCommand): void => wait.heed(message)
  const logger = createLogger(options.logLevel).child({ thread: 'engine' })
  let engine: Opened | null
  try {
    await untilBegin(port)
    const startWaiting = (): void => {
      port.on('message', (message: EngineCommand) => heed(message))
      report({ type: 'ready' })
    }
    engine = await openPatiently(options, { link, wait, logger, startWaiting })
  } catch (error) {
    if (wait.fault !== null) throw error
    report({ type: 'failed', message: error instanceof Error ? error.message : String(error) })
    port.close()
    return
  }
  if (engine === null) {
    link.close()
    report({ type: 'stopped' })
    port.close()
    return
  }
  const opened = engine
  heed = serveOpened(opened, { port, link, wait, report })
  const { core } = opened
  const subscribe = (tail: MessagePort): void => subscribeTail(core, tail)
  for (const tail of wait.end(message => core.offer(message))) subscribe(tail)
  core.start()
  if (wait.fault !== null) {
    logger.info({ event: 'store_recovered' }, 'the store is open')
    return
  }
  port.on('message', (message: EngineCommand) => heed(message))
  report({ type: 'ready' })
}

interface Ports {
  readonly port: MessagePort
  readonly link: InboxLink
  readonly wait: StoreWait
  report(message: EngineReport): void
}

/** Starts what runs beside the core, and returns what heeds commands from now on. */
function serveOpened(engine: Opened, { port, link, wait, report }: Ports): (message: EngineCommand) => void {
  const { core, maintenance, maintenanceStop } = engine
  const figureReader = new FigureReader(engine)
  const freed = new FreedMemory()
  const looking = setInterval(() => freed.look(performance.now()), lookAtMemoryMs)
  let maintaining: Promise<void> = Promise.resolve()
  let busy = false
  const timer = setInterval(() => {
    void watchPosition(engine)
    if (busy) return
    busy = true
    maintaining = maintenance.tick().finally(() => {
      busy = false
    })
  }, maintenanceTickMs)

  async function stop(patienceMs: number): Promise<void> {
    clearInterval(timer)
    clearInterval(looking)
    maintenanceStop.abort()
    await core.stop(patienceMs)
    // A server that does not answer would hold them up; what they wait for ends with their connections.
    await withinPatience(maintaining)
    link.close()
    engine.inbox.close()
    await Promise.all([withinPatience(engine.reader.close()), engine.writer.close()])
    report({ type: 'stopped' })
    port.close()
  }

  return message => {
    switch (message.type) {
      case 'begin':
        return
      case 'inbox':
        return wait.connect(message.port)
      case 'tail':
        return subscribeTail(core, message.port)
      case 'figures':
        void figureReader
          .read()
          .then(figures => report({ type: 'figures', id: message.id, figures, waitingFor: null }))
        return
      case 'stop':
        void stop(message.patienceMs)
        return
      default:
        message satisfies never
    }
  }
}

function withinPatience(work: Promise<unknown>): Promise<unknown> {
  return Promise.race([work, pause(closePatienceMs)])
}

/** Rejects, and so ends this thread, where the next one has to start from what the store holds. */
async function watchPosition({ writer, inbox }: Opened): Promise<void> {
  try {
    await writer.sealedPosition(inbox.inboxId)
  } catch (error) {
    if (mustStartOver(error)) throw error
  }
}

function subscribeTail(core: EngineCore, tail: MessagePort): void {
  tail.on('close', () => core.tail.unsubscribe(tail))
  tail.on('message', ({ position }: TailReleased) => core.tail.released(tail, position))
  core.tail.subscribe(tail)
}

/** Nothing is lost before the next listener: the port keeps what comes until then. */
function untilBegin(port: MessagePort): Promise<void> {
  return new Promise(resolve => {
    port.once('message', () => resolve())
  })
}

interface Opening {
  readonly link: InboxLink
  readonly wait: StoreWait
  readonly logger: Logger
  /** Called once, before the first wait. */
  startWaiting(): void
}

/** Null if it was stopped before. Rejects with what waiting does not mend, unless it has waited already. */
async function openPatiently(options: EngineServiceOptions, opening: Opening): Promise<Opened | null> {
  const { wait, logger } = opening
  const startWaiting = (fault: string): void => {
    const first = wait.fault === null
    wait.fault = fault
    if (first) opening.startWaiting()
  }
  const slow = setTimeout(() => startWaiting('the store has not answered yet'), startPatienceMs)
  if (embeddedFile(options.store) !== null) clearTimeout(slow)
  for (let waitMs = firstWaitMs; !wait.stopped.signal.aborted; waitMs = Math.min(waitMs * 2, lastWaitMs)) {
    try {
      const opened = await open(options, opening.link, logger)
      clearTimeout(slow)
      return opened
    } catch (error) {
      clearTimeout(slow)
      const waited = wait.fault !== null
      if (!(error instanceof StoreError) || (!waited && !(await faultPasses(options.store, error))))
        throw error
      if (error.message !== wait.fault)
        logger.error({ event: 'store_fault', err: error }, 'the store is away; the inbox keeps what arrives')
      startWaiting(error.message)
      await pause(waitMs, undefined, { signal: wait.stopped.signal }).catch(() => undefined)
    }
  }
  return null
}

interface Opened {
  readonly core: EngineCore
  readonly maintenance: Maintenance
  readonly maintenanceStop: AbortController
  readonly inbox: InboxFileReader
  readonly writer: StoreWriter
  readonly reader: StoreReader
}

async function open(options: EngineServiceOptions, link: InboxLink, logger: Logger): Promise<Opened> {
  const writer = await openStoreWriter(options.store)
  try {
    return await openOver(writer, options, link, logger)
  } catch (error) {
    await writer.close()
    throw error
  }
}

async function openOver(
  writer: StoreWriter,
  options: EngineServiceOptions,
  link: InboxLink,
  logger: Logger,
): Promise<Opened> {
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
      database: embeddedFile(options.store),
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
  #fault: string | null = null
  #reading: Promise<void> | null = null

  constructor(engine: Opened) {
    this.#engine = engine
  }

  async read(): Promise<EngineWorkerFigures> {
    const { core, maintenance } = this.#engine
    const { sealedPosition } = core.figures()
    if (systemClock.now() - this.#readAtMs > figuresAgeMs || sealedPosition !== this.#readAtSeal) {
      this.#reading ??= this.#readStored(sealedPosition).finally(() => {
        this.#reading = null
      })
      await Promise.race([this.#reading, pause(figuresPatienceMs, undefined, { ref: false })])
    }
    const figures = core.figures()
    return {
      ...figures,
      // Without traffic nothing is sealed, and this is where a store that went away is noticed.
      storeFault: figures.storeFault ?? this.#fault,
      maintenance: maintenance.figures(),
      ...this.#read,
    }
  }

  async #readStored(sealedPosition: number): Promise<void> {
    const { writer, reader, inbox } = this.#engine
    try {
      this.#read = { stored: await writer.storageReport(), invariant: await readInvariant(reader, inbox) }
      this.#fault = null
    } catch (error) {
      this.#read = { stored: null, invariant: null }
      this.#fault = error instanceof Error ? error.message : String(error)
    }
    this.#readAtMs = systemClock.now()
    this.#readAtSeal = sealedPosition
  }
}
