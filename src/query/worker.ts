/** A query worker: opens the store for reading, follows the tail, runs tools. Started by the pool. */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { Deadline } from '../model/reader.ts'
import type { StoreReader } from '../model/store.ts'
import type { StoreLocation } from '../model/store-location.ts'
import type { TailMessage, TailReleased } from '../model/tail.ts'
import { systemClock } from '../model/time.ts'
import type { ToolAnswer, ToolCall } from '../model/tool.ts'
import { collectAll } from '../model/young-garbage.ts'
import { openStoreReader } from '../store/open-store.ts'
import { findTool } from '../tools/registry.ts'
import { runTool } from '../tools/run-tool.ts'
import type { WorkerStart } from './call-messages.ts'
import { createReaderCaches, shrinkCaches } from './reader-caches.ts'
import { exportCall, runExport } from './run-export.ts'
import { ShortCallsFirst, threadPriority } from './short-calls-first.ts'
import { Tail } from './tail.ts'
import { type OpenReader, openTelemetryReader } from './telemetry-reader.ts'
import { type CallServer, type RunCall, serveCalls } from './worker-shell.ts'

/** `settings` of the pool for this worker; plain data. */
export interface QueryWorkerSettings {
  readonly store: StoreLocation
  /** Where exports are written before they are sent. */
  readonly exportDirectory: string
  /** The receiver's limit on attribute values, bytes. */
  readonly attributeMaxBytes: number
  /** Entries that a search for similar things compares at most. */
  readonly similarEntries: number
}

/** How long the first call waits for the engine to say what is not sealed yet; without it, sealed data answers. */
const firstTailMs = 1_000

/**
 * Follows the engine's channel; resolves when it has sent all it held, or after `firstTailMs`. The engine ends
 * what it held with how far it has sealed.
 */
function followTail(tail: Tail, start: WorkerStart): Promise<void> {
  start.tail.on('close', () => {
    // The engine worker is being replaced. This thread would answer from a tail that stands still; the pool
    // starts another with a channel to the new one.
    throw new Error('the channel to the engine was closed')
  })
  return new Promise(resolve => {
    const timer = setTimeout(resolve, firstTailMs)
    start.tail.on('message', (message: TailMessage) => {
      tail.accept(message)
      if (message.type !== 'sealed') return
      clearTimeout(timer)
      resolve()
    })
  })
}

/** Takes what the engine has sent and this thread's event loop has not come to: a call must not overtake it. */
function takeWaiting(tail: Tail, port: MessagePort): void {
  for (
    let waiting = receiveMessageOnPort(port);
    waiting !== undefined;
    waiting = receiveMessageOnPort(port)
  ) {
    tail.accept(waiting.message as TailMessage) // the engine sends nothing else
  }
}

function makeRun(start: WorkerStart<QueryWorkerSettings>, store: StoreReader, server: CallServer): RunCall {
  const { exportDirectory, attributeMaxBytes, similarEntries } = start.settings
  const caches = createReaderCaches()
  server.onShrink(share => {
    shrinkCaches(caches, share)
    // A thread that nobody asks anything would keep what it gave up.
    collectAll()
  })
  const tail = new Tail('', position =>
    start.tail.postMessage({ type: 'released', position } satisfies TailReleased),
  )
  const following = followTail(tail, start)
  const open = async (tenant: string, deadline: Deadline): Promise<OpenReader> => {
    await following
    takeWaiting(tail, start.tail)
    const ingestCounters = async () => (await server.ingestState()).counters
    const nowMs = systemClock.now()
    return openTelemetryReader({
      store,
      tail,
      tenant,
      deadline,
      nowMs,
      caches,
      ingestCounters,
      attributeMaxBytes,
      onDamage: what => server.reportDamage(what),
    })
  }
  const first = new ShortCallsFirst(threadPriority(), () => performance.now())
  return async (call: ToolCall, ofCall: Deadline): Promise<ToolAnswer> => {
    const deadline = first.begin(ofCall)
    const opened: OpenReader[] = []
    const openFor = async (tenant: string): Promise<OpenReader> => {
      const reader = await open(tenant, deadline)
      opened.push(reader)
      return reader
    }
    try {
      if (call.tool === exportCall)
        return await runExport(call, await openFor(call.caller.tenant), deadline, exportDirectory)
      const tool = findTool(call.tool)
      if (tool === undefined) throw new Error(`no tool named ${call.tool}`)
      return await runTool(tool, call.args, {
        caller: call.caller,
        deadline,
        open: openFor,
        similarEntries,
        receivers: async () => (await server.ingestState()).receivers,
        overflows: async () => (await server.ingestState()).overflows,
        onStoreFault: error => server.reportFault(call.tool, error),
      })
    } finally {
      await Promise.all(opened.map(reader => reader.release()))
      first.end()
    }
  }
}

if (parentPort === null) throw new Error('a query worker is started by the pool')
const start = workerData as WorkerStart<QueryWorkerSettings> // made by startQueryWorker
const store = await openStoreReader(start.settings.store)
serveCalls(parentPort, start.cancelFlag, server => makeRun(start, store, server))
