/**
 * The server of one life: the real inbox, its client and service, the real engine and the real reader, joined by
 * simulated channels and standing on the models of inbox file and store.
 */

import { InboxClient } from '../../src/engine/inbox/inbox-client.ts'
import type {
  EngineEnd,
  EngineToInbox,
  InboxCommand,
  InboxReport,
  InboxToEngine,
} from '../../src/engine/inbox/inbox-messages.ts'
import { serveInbox } from '../../src/engine/inbox/inbox-service.ts'
import type { DeadLetterBox } from '../../src/engine/sealing/dead-letters.ts'
import { EngineCore } from '../../src/engine/sealing/engine-core.ts'
import { InboxLink } from '../../src/engine/sealing/inbox-link.ts'
import { StoreError } from '../../src/errors.ts'
import { createLogger, type Logger } from '../../src/logger.ts'
import type { IngestRequest, IngestResult } from '../../src/model/ingest.ts'
import type { StoreReader } from '../../src/model/store.ts'
import type { TailMessage, TailReleased } from '../../src/model/tail.ts'
import { createReaderCaches, type ReaderCaches } from '../../src/query/reader-caches.ts'
import { Tail } from '../../src/query/tail.ts'
import { type OpenReader, openTelemetryReader } from '../../src/query/telemetry-reader.ts'
import { SegmentCompactor } from '../../src/store/compact-segments.ts'
import type { InboxFaults } from './model-inbox.ts'
import type { StoreFaults } from './model-store.ts'
import { simulatedChannel } from './sim-channel.ts'
import { ProcessDied, SimulatedProcess } from './virtual-time.ts'
import type { World } from './world.ts'

const logger: Logger = createLogger('SILENT')
const attributeMaxBytes = 65_536
/** Small, so that seals, and crashes between their steps, are frequent. */
const sealLimits = { items: 12, bytes: 1024 * 1024, ageMs: 300 }
const never = Number.POSITIVE_INFINITY

interface EngineThread {
  readonly process: SimulatedProcess
  readonly link: InboxLink
  readonly core: EngineCore
  readonly tail: Tail
  readonly caches: ReaderCaches
  readonly compactor: SegmentCompactor
  /** The engine has told readers what it holds. */
  followed: boolean
}

export class SimulatedServer {
  readonly process: SimulatedProcess
  readonly #world: World
  readonly #store: StoreReader
  #inbox: InboxClient | null = null
  #engine: EngineThread | null = null
  #engines = 0
  #connectInbox: ((port: EngineEnd) => void) | null = null

  readonly #number: number

  /** `number` tells it from the servers before. */
  constructor(world: World, number: number, onDeath: () => void) {
    this.#world = world
    this.#number = number
    const { stepsToDeath } = world.faults
    const steps = world.faulty && stepsToDeath > 0 ? world.choice.below(stepsToDeath) : never
    this.process = new SimulatedProcess(world.time, steps)
    this.process.onDeath = onDeath
    this.#store = world.storeDisk.reader(this.#storeFaults(this.process))
  }

  /** Resolves once requests are taken; rejects when it cannot start, and never settles when it dies before. */
  async start(): Promise<void> {
    const { wall, faults } = this.#world
    const inbox = {
      file: 'model',
      maxBytes: faults.inboxBytes,
      keepSealedMs: 0,
      decompressionBudgetBytes: 16 * 1024 * 1024,
      attributeMaxBytes,
      trustResourceTenant: false,
    }
    this.#inbox = await InboxClient.start({
      inbox,
      maxWaitingRequests: 1_000,
      maxWaitingBytes: 16 * 1024 * 1024,
      logger,
      clock: wall,
      timers: this.process.timers,
      connect: () => {
        const [client, service] = this.#channel<InboxCommand, InboxReport>(this.process, this.process)
        const storage = this.#world.inboxDisk.storage(this.#inboxFaults(), () => this.#diskSpace())
        serveInbox(service, inbox, { clock: wall, timers: this.process.timers, storage })
        return client
      },
      onWorker: connect => {
        this.#connectInbox = connect
        this.#join()
      },
      onFatal: error => this.#world.find(`the inbox gave up: ${error.message}`),
    })
    await this.startEngine()
  }

  /** Also in place of an engine that died. */
  async startEngine(): Promise<void> {
    const thread = new SimulatedProcess(this.#world.time, never, this.process)
    const { storeDisk, inboxDisk, wall } = this.#world
    const writer = storeDisk.writer(this.#storeFaults(thread))
    const reader = inboxDisk.reader()
    const sealed = await writer.sealedPosition(reader.inboxId)
    if (sealed > reader.lastPosition())
      this.#world.find(`the store holds position ${sealed}, the inbox ends at ${reader.lastPosition()}`)
    const link = new InboxLink()
    const options = { sealLimits, graphLimits: {}, attributeMaxBytes, suspect: 0 }
    const core = await EngineCore.open(options, {
      store: writer,
      reader,
      deadLetters: this.#deadLetters(thread),
      logger,
      clock: wall,
      timers: thread.timers,
      inbox: link,
      progress: new Float64Array(1),
    })
    const [tailPort, readerPort] = this.#channel<TailMessage, TailReleased>(thread, this.process)
    const tail = new Tail('', position => readerPort.postMessage({ type: 'released', position }))
    const compactor = new SegmentCompactor(this.#store, writer)
    const caches = createReaderCaches()
    const engine = { process: thread, link, core, tail, caches, compactor, followed: false }
    readerPort.on('message', message => {
      tail.accept(message)
      if (message.type === 'sealed') engine.followed = true
    })
    tailPort.on('message', ({ position }) => core.tail.released(tailPort, position))
    core.tail.subscribe(tailPort)
    this.#engine = engine
    this.#engines++
    this.#join()
    core.start()
  }

  /** False if it was dead already. */
  killEngine(): boolean {
    if (this.#engine === null) return false
    this.#engine.process.die()
    this.#engine = null
    return true
  }

  async submit(request: IngestRequest): Promise<IngestResult> {
    if (this.#inbox === null) throw new Error('it has not started')
    return this.#inbox.submit(request)
  }

  /** As the process does on a signal. */
  async stop(): Promise<void> {
    const inbox = this.#inbox
    inbox?.gate.drain()
    await this.#engine?.core.stop(4_000)
    await inbox?.stop()
  }

  /** Null while there is no engine. */
  figures(): ReturnType<EngineCore['figures']> | null {
    return this.#engine?.core.figures() ?? null
  }

  /** Whether there is an engine that readers have heard of. */
  get answers(): boolean {
    return this.#engine?.followed === true
  }

  /** Tells one engine from the next. */
  get engineNumber(): string {
    return `${this.#number}.${this.#engines}`
  }

  /** Bytes of requests that readers hold beyond the store. */
  get tailBytes(): number {
    return this.#engine?.tail.byteLength ?? 0
  }

  async compact(): Promise<void> {
    try {
      await this.#engine?.compactor.run(this.#world.wall.now(), 1)
    } catch (error) {
      if (!(error instanceof StoreError) && !(error instanceof ProcessDied)) throw error
    }
  }

  /** Null while it does not answer. */
  async open(tenant: string): Promise<OpenReader | null> {
    const engine = this.#engine
    if (engine === null || !engine.followed) return null
    return openTelemetryReader({
      store: this.#store,
      tail: engine.tail,
      tenant,
      deadline: { signal: new AbortController().signal, check: () => undefined },
      nowMs: this.#world.wall.now(),
      caches: engine.caches,
      ingestCounters: async () => [],
    })
  }

  #join(): void {
    const engine = this.#engine
    if (this.#connectInbox === null || engine === null) return
    const [inboxEnd, engineEnd] = this.#channel<InboxToEngine, EngineToInbox>(this.process, engine.process)
    engine.link.connect(engineEnd, committed => engine.core.offer(committed))
    this.#connectInbox(inboxEnd)
  }

  #channel<A, B>(first: SimulatedProcess, second: SimulatedProcess) {
    return simulatedChannel<A, B>(this.#world.time, first, second, () =>
      this.#world.faulty ? this.#world.delay(this.#world.faults.threadDelayMs) : 0,
    )
  }

  #diskSpace() {
    const { capacityBytes, usedBytes } = this.#world.inboxDisk
    if (capacityBytes === never) return { freeBytes: 2 ** 40, totalBytes: 2 ** 41 }
    return { freeBytes: Math.max(0, capacityBytes - usedBytes), totalBytes: capacityBytes }
  }

  #inboxFaults(): InboxFaults {
    const { faults, inboxDisk, choice } = this.#world
    const world = this.#world
    const fail = (code: string): never => {
      world.count(code)
      throw Object.assign(new Error(code), { code })
    }
    return {
      opening: () => {
        this.process.step()
        // Whether a commit is found whose sync failed is for the file system to say.
        if (inboxDisk.inLimbo && choice.chance(0.5)) inboxDisk.unsynced = []
        inboxDisk.inLimbo = false
        if (world.chance(faults.syncFails)) fail('SQLITE_IOERR_FSYNC')
      },
      beforeWrite: bytes => {
        this.process.step()
        if (inboxDisk.usedBytes + bytes > inboxDisk.capacityBytes) fail('SQLITE_FULL')
        if (world.chance(faults.writeFails)) fail('SQLITE_IOERR_WRITE')
      },
      beforeSync: () => {
        this.process.step()
        if (!world.chance(faults.syncFails)) return
        inboxDisk.inLimbo = true
        fail('SQLITE_IOERR_FSYNC')
      },
      afterSync: () => this.process.step(),
    }
  }

  #storeFaults(thread: SimulatedProcess): StoreFaults {
    const world = this.#world
    const { faults } = world
    const wait = (ms: number): Promise<void> => new Promise(resolve => thread.timers.after(ms, resolve))
    const fail = (code: string): never => {
      world.count(code)
      throw new StoreError(code, `the store says ${code}`)
    }
    return {
      before: async () => {
        if (world.faulty && faults.storeMs > 0) await wait(world.delay(faults.storeMs))
        thread.step()
        if (world.chance(faults.storeRefuses)) fail('store_busy')
      },
      after: async () => {
        thread.step()
        if (world.chance(faults.storeLosesAnswer)) fail('store_unreachable')
      },
      reading: async () => {
        if (world.faulty && faults.storeMs > 0) await wait(world.delay(5))
      },
    }
  }

  #deadLetters(thread: SimulatedProcess): DeadLetterBox {
    return {
      figures: () => ({ files: 0, bytes: 0 }),
      write: (_inboxId, row, reason) => {
        thread.step()
        this.#world.find(`position ${row.position} was given up: ${reason}`)
        return true
      },
    }
  }
}
