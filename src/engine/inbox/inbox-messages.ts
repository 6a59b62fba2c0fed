/** What crosses the ports of the inbox worker. Bytes are transferred or shared, never copied by the port. */
import type { Signal } from '../../model/telemetry.ts'
import type { ThreadPort } from '../thread-port.ts'
import type { Answer } from './commit-group.ts'
import type { HandedColumns, Introduced } from './handed-columns.ts'
import type { InboxFigures } from './inbox.ts'
import type { Burial } from './inbox-storage.ts'
import type { IncomingRequest } from './intake.ts'

/** The inbox worker's end of a channel to the engine. */
export type EngineEnd = ThreadPort<EngineToInbox, InboxToEngine>

/** From the main thread. */
export type InboxCommand =
  | { readonly type: 'submit'; readonly requests: readonly IncomingRequest[] }
  /** The engine's end of a channel; replaces the one before it. */
  | { readonly type: 'engine'; readonly port: EngineEnd }
  | { readonly type: 'figures'; readonly id: number }
  | { readonly type: 'stop' }

/** To the main thread. */
export type InboxReport =
  | { readonly type: 'ready'; readonly inboxId: string; readonly lastPosition: number }
  /** The file cannot be opened; one sentence. */
  | { readonly type: 'failed'; readonly message: string }
  /** With buffers of bodies that are not needed any more. */
  | {
      readonly type: 'answers'
      readonly answers: readonly Answer[]
      readonly returned: readonly ArrayBuffer[]
    }
  | { readonly type: 'figures'; readonly id: number; readonly figures: InboxFigures }
  | { readonly type: 'alarm'; readonly problem: string | null }
  | { readonly type: 'stopped' }

/** One committed row on its way to the engine; its bytes are `buffer[offset, offset + length)`. */
export interface HandedEntry {
  readonly position: number
  readonly tenant: string
  readonly signal: Signal
  readonly receivedMs: number
  readonly items: number
  readonly offset: number
  readonly length: number
  /** Indices of the refused items, ascending; null for none. */
  readonly refused: Uint32Array | null
  /** The decoded columns in the same buffer; null if the engine is to decode the bytes itself. */
  readonly columns: HandedColumns | null
}

/**
 * To the engine: positions `[from, to]` are on disk. Without `entries` the engine was too far behind to be
 * handed them, and reads them from the file.
 */
export interface CommittedMessage {
  readonly type: 'committed'
  readonly from: number
  readonly to: number
  readonly buffer: SharedArrayBuffer | null
  /** What the columns of the entries name for the first time. */
  readonly introduced?: Introduced
  readonly entries: readonly HandedEntry[]
}

export type InboxToEngine = CommittedMessage | { readonly type: 'buried'; readonly position: number }

/** From the engine. */
export type EngineToInbox =
  /** Everything up to `position` is sealed, and no reader looks at it. */
  | { readonly type: 'released'; readonly position: number }
  | { readonly type: 'trim'; readonly position: number }
  /** Answered by `buried` once it is durable. */
  | { readonly type: 'bury'; readonly burial: Burial }
