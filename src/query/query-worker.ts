/** One worker thread as the pool sees it: runs a call, can be made to give it up, can be ended. */
import { type MessagePort, type ResourceLimits, Worker } from 'node:worker_threads'
import type { ToolAnswer, ToolCall } from '../model/tool.ts'
import type { FromWorker, IngestState, ToWorker, WorkerStart } from './call-messages.ts'

/**
 * Following the tail alone lets a young generation without a bound grow to 16 MB in each of these threads, nearly all of it dead;
 * with this one it stays at half of that.
 */
export const queryWorkerLimits: ResourceLimits = { maxYoungGenerationSizeMb: 12 }

export type Outcome =
  | { readonly type: 'answer'; readonly answer: ToolAnswer }
  | { readonly type: 'stopped' }
  | { readonly type: 'crashed'; readonly message: string }

export interface QueryWorker {
  /** Resolves once it takes calls; never if it ends before. */
  readonly ready: Promise<void>
  /** Resolves when the work has ended, one way or another; never rejects. */
  run(id: number, call: ToolCall, deadlineMs: number): Promise<Outcome>
  /** Has its caches keep this share, 0 to 1, of what they hold, once no call runs. */
  shrink(share: number): void
  /** Asks the running call to stop at its next check. */
  cancel(id: number): void
  /** Ends the thread; a running call resolves as stopped. */
  end(): Promise<void>
  readonly ended: boolean
}

export interface WorkerOptions {
  readonly entry: URL
  readonly tail: MessagePort
  readonly settings: unknown
  readonly ingestState: () => Promise<IngestState>
  readonly onStoreFault: (tool: string, message: string) => void
  readonly onDamage: (what: string) => void
  /** Called when the thread ends without having been asked to; `started` if it had been ready. */
  readonly onLost: (reason: string, started: boolean) => void
}

export function startQueryWorker(options: WorkerOptions): QueryWorker {
  const cancelFlag = new SharedArrayBuffer(4)
  const flag = new Int32Array(cancelFlag)
  const start: WorkerStart = { cancelFlag, tail: options.tail, settings: options.settings }
  const worker = new Worker(options.entry, {
    workerData: start,
    transferList: [options.tail],
    resourceLimits: queryWorkerLimits,
  })
  const post = (message: ToWorker): void => worker.postMessage(message)
  let current: { readonly id: number; readonly resolve: (outcome: Outcome) => void } | null = null
  let ended = false
  let started = false
  let becomeReady = (): void => undefined
  const ready = new Promise<void>(resolve => {
    becomeReady = resolve
  })
  let asked = false
  let reason = 'the thread ended'

  const settle = (id: number | null, outcome: Outcome): void => {
    if (current === null || (id !== null && current.id !== id)) return
    const { resolve } = current
    current = null
    resolve(outcome)
  }

  const answerCounters = async (ask: number): Promise<void> => {
    const state = await options.ingestState().catch(() => ({ counters: [], receivers: [], overflows: [] }))
    if (!ended) post({ type: 'counters', ask, state })
  }

  worker.on('message', (message: FromWorker) => {
    if (message.type === 'ready') {
      started = true
      becomeReady()
    } else if (message.type === 'answer')
      settle(message.id, { type: 'answer', answer: { json: message.json, failed: message.failed } })
    else if (message.type === 'stopped') settle(message.id, { type: 'stopped' })
    else if (message.type === 'crashed') settle(message.id, { type: 'crashed', message: message.message })
    else if (message.type === 'damage') options.onDamage(message.what)
    else if (message.type === 'store_fault') options.onStoreFault(message.tool, message.message)
    else void answerCounters(message.ask)
  })
  worker.on('error', error => {
    reason = error instanceof Error ? error.message : String(error)
  })
  worker.on('exit', () => {
    ended = true
    settle(null, asked ? { type: 'stopped' } : { type: 'crashed', message: `query worker lost: ${reason}` })
    if (!asked) options.onLost(reason, started)
  })

  return {
    ready,
    get ended() {
      return ended
    },
    run(id, call, deadlineMs) {
      if (ended) return Promise.resolve({ type: 'crashed', message: `query worker lost: ${reason}` })
      return new Promise(resolve => {
        current = { id, resolve }
        post({ type: 'call', id, call, deadlineMs })
      })
    },
    shrink(share) {
      if (!ended) post({ type: 'shrink', share })
    },
    cancel(id) {
      Atomics.store(flag, 0, id)
      post({ type: 'cancel', id })
    },
    async end() {
      asked = true
      await worker.terminate()
    },
  }
}
