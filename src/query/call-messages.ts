/** What the pool and its workers say to each other. One call runs in a worker at a time. */
import type { MessagePort } from 'node:worker_threads'
import type { Overflow } from '../model/overflow.ts'
import type { IngestCounter } from '../model/reader.ts'
import type { Receiver } from '../model/receiver.ts'
import type { ToolCall } from '../model/tool.ts'

/** Pool to worker. `deadlineMs` is a time of the wall clock, milliseconds. */
export type ToWorker =
  | { readonly type: 'call'; readonly id: number; readonly call: ToolCall; readonly deadlineMs: number }
  /** For work that waits on something else than its own thread; the shared flag reaches the rest. */
  | { readonly type: 'cancel'; readonly id: number }
  /** Memory is scarce: caches are to keep this share, 0 to 1, of what they hold. */
  | { readonly type: 'shrink'; readonly share: number }
  /** Answers `ask_counters`. */
  | { readonly type: 'counters'; readonly ask: number; readonly state: IngestState }

/** Worker to pool. */
export type FromWorker =
  /** Takes calls from now on. */
  | { readonly type: 'ready' }
  /** Counters of the ingest path live on the main thread. */
  | { readonly type: 'ask_counters'; readonly ask: number }
  | { readonly type: 'answer'; readonly id: number; readonly json: string; readonly failed: boolean }
  /** It stopped because it was cancelled or its time was over. */
  | { readonly type: 'stopped'; readonly id: number }
  /** A store that could not be read: the agent is told so, the process log says why. */
  | { readonly type: 'store_fault'; readonly tool: string; readonly message: string }
  /** Stored data that cannot be read and was left out; the answer says that something was. */
  | { readonly type: 'damage'; readonly what: string }
  /** It threw what it should not have: a bug. */
  | { readonly type: 'crashed'; readonly id: number; readonly message: string }

/** What the main thread knows of the way in. */
export interface IngestState {
  readonly counters: readonly IngestCounter[]
  readonly receivers: readonly Receiver[]
  readonly overflows: readonly Overflow[]
}

/** `workerData` of a query worker. */
export interface WorkerStart<S = unknown> {
  /** One 32-bit integer in shared memory: the id of the call to give up, 0 for none. */
  readonly cancelFlag: SharedArrayBuffer
  /** Where the engine publishes what is not sealed yet. */
  readonly tail: MessagePort
  /** What the worker needs to open the store; plain data. */
  readonly settings: S
}
