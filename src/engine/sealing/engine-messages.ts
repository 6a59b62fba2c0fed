/** What the main thread and the engine worker say to each other. */
import type { MessagePort } from 'node:worker_threads'
import type { StorageReport } from '../../model/store.ts'
import type { MaintenanceFigures } from '../retention/maintenance.ts'
import type { EngineCoreFigures } from './engine-core.ts'
import type { InvariantRow } from './invariant.ts'

export interface EngineWorkerFigures extends EngineCoreFigures {
  readonly maintenance: MaintenanceFigures
  /** Null when the store did not answer. */
  readonly stored: StorageReport | null
  /** Null when they cannot be read quickly; see `readInvariant`. */
  readonly invariant: readonly InvariantRow[] | null
}

/** From the main thread. */
export type EngineCommand =
  /** The inbox is open; the worker's code has been loading meanwhile. Comes first. */
  | { readonly type: 'begin' }
  /** The engine's end of a channel to the inbox worker; replaces the one before it. */
  | { readonly type: 'inbox'; readonly port: MessagePort }
  /** The engine's end of a query worker's tail channel. */
  | { readonly type: 'tail'; readonly port: MessagePort }
  | { readonly type: 'figures'; readonly id: number }
  | { readonly type: 'stop'; readonly patienceMs: number }

/** To the main thread. */
export type EngineReport =
  /** The store is open, or is waited for; channels are taken from now on. */
  | { readonly type: 'ready' }
  /** It cannot start; one sentence. */
  | { readonly type: 'failed'; readonly message: string }
  /** No figures while the store cannot be opened; then it says why. */
  | {
      readonly type: 'figures'
      readonly id: number
      readonly figures: EngineWorkerFigures | null
      readonly waitingFor: string | null
    }
  | { readonly type: 'stopped' }
