/**
 * The durable half of the process, as the main thread sees it: requests go in, what is stored comes out through
 * the store and the tail. Wires the inbox worker and the engine worker and keeps them joined.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { CardinalityLimits } from '../graph/cardinality-budget.ts'
import type { GraphLimits } from '../graph/graph-limits.ts'
import type { Logger } from '../logger.ts'
import type { Admission } from '../model/ingest.ts'
import type { IngestControl } from '../model/ingest-observer.ts'
import type { Overflow } from '../model/overflow.ts'
import type { IngestCounter } from '../model/reader.ts'
import type { StoreLocation } from '../model/store-location.ts'
import type { InboxFigures } from './inbox/inbox.ts'
import { InboxClient } from './inbox/inbox-client.ts'
import { OverflowWatch } from './overflow-watch.ts'
import type { RetentionDays } from './retention/maintenance.ts'
import type { DeadLetterOptions } from './sealing/dead-letters.ts'
import { EngineClient } from './sealing/engine-client.ts'
import { defaultSealLimits, type SealLimits } from './sealing/engine-core.ts'
import type { EngineWorkerFigures } from './sealing/engine-messages.ts'

export interface EngineOptions {
  readonly inboxFile: string
  readonly store: StoreLocation
  readonly deadLetters: DeadLetterOptions
  /** Null: 4 GiB or a fifth of the free disk, the smaller. */
  readonly inboxMaxBytes: number | null
  readonly inboxKeepSealedMs: number
  readonly decompressionBudgetBytes: number
  readonly attributeMaxBytes: number
  readonly trustResourceTenant: boolean
  /** Requests and bytes that may wait for a commit. */
  readonly maxWaitingRequests: number
  readonly maxWaitingBytes: number
  readonly retentionDays: RetentionDays
  /** Bytes that everything stored may take; null, which is the default, for no bound. */
  readonly diskBudgetBytes?: number | null
  readonly graphLimits?: Partial<GraphLimits>
  /** Of all tenants together. */
  readonly graphLimitsInAll?: Partial<CardinalityLimits>
  readonly sealLimits?: SealLimits
  readonly logger: Logger
  /** Both workers on this thread, for tests. */
  readonly inline?: boolean
  /** Another file for the engine worker, for tests. */
  readonly engineEntry?: URL
  /** Off proves that the order test can fail; nothing a user can set leads here. */
  readonly synchronous?: 'FULL' | 'OFF'
  /** A worker cannot be kept running; the process cannot do its work any more. */
  onFatal(error: Error): void
}

export interface EngineFigures {
  /** Null while the worker is being replaced. */
  readonly inbox: InboxFigures | null
  /** Likewise, and while the store cannot be opened. */
  readonly engine: EngineWorkerFigures | null
  /** Why the store cannot be opened, or null. */
  readonly waitingFor: string | null
  /** Requests and bytes that wait for their commit. */
  readonly waiting: { readonly requests: number; readonly bytes: number }
  /** Why nothing is taken at the moment, or null. */
  readonly alarm: string | null
  readonly draining: boolean
}

export interface Engine {
  readonly admission: Admission
  /** Pauses by signal and tenant. */
  readonly control: IngestControl
  readonly inboxId: string
  /**
   * Hands the engine its end of a query worker's tail channel: it sends what it holds, then what comes. The
   * port closes when the engine worker has to be replaced; the query worker then needs a new one.
   */
  connectTail(port: MessagePort): void
  /** Bounds of the graph that were reached since the start; a few seconds old. */
  overflows(): readonly Overflow[]
  /** Since the start, sorted by tenant, signal and transport. */
  ingestCounters(): readonly IngestCounter[]
  figures(): Promise<EngineFigures>
  /** Takes nothing more from now on; senders are told to come back. */
  drain(): void
  /** Drains, commits, seals what can be sealed in time, closes; under eight seconds. May be called twice. */
  stop(): Promise<void>
}

/** How long requests that wait may take to be answered, and how long the last seal may take. */
const answerPatienceMs = 2_000
const sealPatienceMs = 4_000

/**
 * Opens inbox and store and accepts; what the inbox holds is replayed behind that. Rejects with
 * ConfigurationError, one sentence, when a file is foreign, newer, or an older copy.
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { logger, onFatal } = options
  const inline = options.inline === true
  let connectInbox: ((port: MessagePort) => void) | null = null
  let engine: EngineClient | null = null

  /** A new channel between whatever two workers there are. */
  function join(): void {
    if (connectInbox === null || engine === null) return
    const { port1, port2 } = new MessageChannel()
    engine.connectInbox(port2)
    connectInbox(port1)
  }

  const inboxStarting = InboxClient.start({
    inbox: {
      file: options.inboxFile,
      maxBytes: options.inboxMaxBytes,
      keepSealedMs: options.inboxKeepSealedMs,
      decompressionBudgetBytes: options.decompressionBudgetBytes,
      attributeMaxBytes: options.attributeMaxBytes,
      trustResourceTenant: options.trustResourceTenant,
      synchronous: options.synchronous ?? 'FULL',
    },
    maxWaitingRequests: options.maxWaitingRequests,
    maxWaitingBytes: options.maxWaitingBytes,
    logger,
    inline,
    onWorker: connect => {
      connectInbox = connect
      join()
    },
    onFatal,
  })
  const engineStarting = EngineClient.start(
    {
      service: {
        inboxFile: options.inboxFile,
        store: options.store,
        deadLetters: options.deadLetters,
        retentionDays: options.retentionDays,
        diskBudgetBytes: options.diskBudgetBytes ?? null,
        attributeMaxBytes: options.attributeMaxBytes,
        graphLimits: options.graphLimits ?? {},
        graphLimitsInAll: options.graphLimitsInAll ?? {},
        sealLimits: options.sealLimits ?? defaultSealLimits,
        logLevel: logger.level,
      },
      logger,
      inline,
      ...(options.engineEntry === undefined ? {} : { entry: options.engineEntry }),
      onWorker: join,
      onFatal,
    },
    inboxStarting,
  )
  // An inbox that does not open fails the engine with the same sentence.
  try {
    engine = await engineStarting
  } catch (error) {
    await inboxStarting.then(
      opened => opened.stop(),
      () => undefined,
    )
    throw error
  }
  const inbox = await inboxStarting
  join()
  return handleOf(inbox, engine)
}

function handleOf(inbox: InboxClient, engine: EngineClient): Engine {
  const watch = new OverflowWatch(inbox, async () => (await engine.figures())?.overflows ?? [])
  let stopping: Promise<void> | null = null

  async function stop(): Promise<void> {
    watch.stop()
    inbox.gate.drain()
    const end = Date.now() + answerPatienceMs
    while (inbox.waiting.requests > 0 && Date.now() < end) await pause(5)
    await engine.stop(sealPatienceMs)
    await inbox.stop()
  }

  return {
    admission: watch,
    overflows: () => watch.overflows,
    control: inbox.gate,
    inboxId: inbox.inboxId,
    connectTail: port => engine.connectTail(port),
    ingestCounters: () => inbox.ingestCounters(),
    figures: async () => ({
      inbox: await inbox.figures(),
      engine: await engine.figures(),
      waitingFor: engine.waitingFor,
      waiting: inbox.waiting,
      alarm: inbox.alarm,
      draining: inbox.gate.draining,
    }),
    drain: () => inbox.gate.drain(),
    stop: () => {
      stopping ??= stop()
      return stopping
    },
  }
}
