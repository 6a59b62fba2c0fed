/**
 * Inbox, engine and SQLite store on real files and on one thread. `hook` runs between any two steps of a seal;
 * what readers are told arrives when a test delivers it, as messages between threads do.
 */
import { join } from 'node:path'
import { Handover } from '../../../src/engine/inbox/handover.ts'
import { InboxFileReader } from '../../../src/engine/inbox/inbox-file-reader.ts'
import { DeadLetters } from '../../../src/engine/sealing/dead-letters.ts'
import { EngineCore, type EngineCoreOptions } from '../../../src/engine/sealing/engine-core.ts'
import { createLogger } from '../../../src/logger.ts'
import type { Seal, StoreReader, StoreWriter } from '../../../src/model/store.ts'
import type { TailMessage } from '../../../src/model/tail.ts'
import type { LogBlock, SpanBlock } from '../../../src/model/telemetry.ts'
import { systemTimers } from '../../../src/model/timers.ts'
import { createReaderCaches } from '../../../src/query/reader-caches.ts'
import { Tail } from '../../../src/query/tail.ts'
import { type OpenReader, openTelemetryReader } from '../../../src/query/telemetry-reader.ts'
import { openSqliteReader } from '../../../src/store/sqlite/store-reader.ts'
import { openSqliteWriter } from '../../../src/store/sqlite/store-writer.ts'
import { InboxHarness } from '../inbox/inbox-harness.ts'

export type SealStep = 'before commit' | 'after commit' | 'before trim' | 'after trim'

/** Runs between two steps; may read, may throw in place of the store. */
export type SealHook = (step: SealStep) => Promise<void> | void

export interface EngineHarnessOptions {
  readonly hook?: SealHook
  readonly core?: Partial<EngineCoreOptions>
  readonly deadLetterFiles?: number
  /** Milliseconds that pass whenever somebody looks at the clock. */
  readonly tickMs?: number
}

export class EngineHarness {
  readonly inboxes: InboxHarness = new InboxHarness()
  tail: Tail = new Tail()
  hook: SealHook
  readonly messages: TailMessage[] = []
  readonly reader: StoreReader = openSqliteReader(this.databaseFile)
  readonly #caches = createReaderCaches()
  readonly #options: EngineHarnessOptions
  #handed = 0
  #handover: Handover | null = null
  #store: StoreWriter | null = null
  #inboxReader: InboxFileReader | null = null
  core: EngineCore | null = null

  constructor(options: EngineHarnessOptions = {}) {
    this.#options = options
    this.hook = options.hook ?? (() => undefined)
  }

  get databaseFile(): string {
    return join(this.inboxes.directory, 'store.db')
  }

  get deadLetterDirectory(): string {
    return join(this.inboxes.directory, 'dlq')
  }

  /** Starts the engine on what inbox and store hold; readers start anew with it. */
  async start(): Promise<EngineCore> {
    this.messages.length = 0
    const store = openSqliteWriter(this.databaseFile)
    const inboxReader = new InboxFileReader(this.inboxes.file)
    this.#store = store
    this.#inboxReader = inboxReader
    const look = (): number => (this.inboxes.nowMs += this.#options.tickMs ?? 0)
    const core = await EngineCore.open(
      {
        sealLimits: { items: 50_000, bytes: 2 ** 25, ageMs: 2_000 },
        graphLimits: {},
        attributeMaxBytes: 65_536,
        suspect: 0,
        ...this.#options.core,
      },
      {
        store: this.#hooked(store),
        reader: inboxReader,
        deadLetters: new DeadLetters({
          directory: this.deadLetterDirectory,
          maxFiles: this.#options.deadLetterFiles ?? 1_000,
          maxBytes: 2 ** 30,
        }),
        logger: createLogger('SILENT'),
        clock: { now: look },
        // Time passes by itself, unless a test makes it pass with every look.
        timers: this.#options.tickMs === undefined ? systemTimers : { ...systemTimers, elapsedMs: look },
        inbox: {
          released: position => this.#handover?.released(position),
          trim: position => void this.#trim(position),
          bury: async burial => this.inboxes.inbox.bury(burial),
        },
        progress: new Float64Array(1),
      },
    )
    this.core = core
    const port = { postMessage: (message: TailMessage) => this.messages.push(message) }
    this.tail = new Tail('', position => core.tail.released(port, position))
    core.tail.subscribe(port)
    this.#handover = new Handover(
      { postMessage: message => core.offer(message) },
      this.inboxes.inbox.lastPosition,
    )
    core.start()
    return core
  }

  /** Passes what the inbox has committed since the last time on to the engine. */
  handOver(): void {
    for (const group of this.inboxes.groups.slice(this.#handed)) this.#handover?.offer(group)
    this.#handed = this.inboxes.groups.length
  }

  /** Lets readers hear the oldest messages they have not heard yet. */
  deliver(count: number = this.messages.length): void {
    for (const message of this.messages.splice(0, count)) this.tail.accept(message)
  }

  async open(tenant = 'default'): Promise<OpenReader> {
    return openTelemetryReader({
      store: this.reader,
      tail: this.tail,
      tenant,
      deadline: { signal: new AbortController().signal, check: () => undefined },
      nowMs: this.inboxes.nowMs,
      caches: this.#caches,
      ingestCounters: async () => [],
    })
  }

  /** Span names as often as they are found, sorted. */
  async spanNames(tenant = 'default'): Promise<readonly string[]> {
    const reader = await this.open(tenant)
    try {
      const names: string[] = []
      const range = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER }
      for await (const { block } of reader.scanSpans({ range })) names.push(...namesOf(block))
      return names.sort()
    } finally {
      await reader.release()
    }
  }

  /** Spans of `shop` as rollups count them. */
  async countedSpans(tenant = 'default'): Promise<number> {
    const reader = await this.open(tenant)
    try {
      const view = await reader.rollups({ fromMs: 1_699_999_000_000, toMs: 1_700_001_000_000 }, 10)
      return view.series('service', 'shop').reduce((sum, { count }) => sum + count.reduce((a, b) => a + b), 0)
    } finally {
      await reader.release()
    }
  }

  async logBlocks(tenant = 'default'): Promise<readonly LogBlock[]> {
    const reader = await this.open(tenant)
    try {
      const blocks: LogBlock[] = []
      const range = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER }
      for await (const { block } of reader.scanLogs({ range })) blocks.push(block)
      return blocks
    } finally {
      await reader.release()
    }
  }

  /** Ends the engine as a kill would: nothing more is sealed. */
  async crash(): Promise<void> {
    await this.core?.stop(0)
    this.#close()
  }

  async remove(): Promise<void> {
    await this.core?.stop(5_000)
    this.#close()
    await this.reader.close()
    this.inboxes.remove()
  }

  #close(): void {
    this.core = null
    this.#inboxReader?.close()
    this.#inboxReader = null
    void this.#store?.close()
    this.#store = null
  }

  async #trim(position: number): Promise<void> {
    await this.hook('before trim')
    this.inboxes.inbox.trim(position)
    this.inboxes.inbox.tick()
    await this.hook('after trim')
  }

  #hooked(store: StoreWriter): StoreWriter {
    const hook = async (step: SealStep): Promise<void> => this.hook(step)
    return new Proxy(store, {
      get(target, name): unknown {
        if (name === 'commitSeal') {
          return async (seal: Seal): Promise<void> => {
            await hook('before commit')
            await target.commitSeal(seal)
            await hook('after commit')
          }
        }
        const member: unknown = Reflect.get(target, name)
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
  }
}

function namesOf(block: SpanBlock): readonly string[] {
  return Array.from(block.name, name => block.strings[name] ?? '')
}
