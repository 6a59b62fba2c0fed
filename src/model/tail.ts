/**
 * What the engine tells every query worker about data that is acknowledged but perhaps not sealed yet.
 * A reader pins what it was told, opens its store snapshot, reads the sealed position P in it, and takes from the
 * tail what lies behind P. It says how far it needs nothing any more, because the memory of entries is used again.
 */
import type { PackedPublication } from './packed-tail.ts'
import type { RollupRecord, TemplateRecord } from './store.ts'
import type { Signal } from './telemetry.ts'

export interface TailEntry {
  readonly position: number
  readonly tenant: string
  readonly signal: Signal
  readonly receivedMs: number
  /**
   * The request as uncompressed OTLP protobuf, in shared memory; decoded by the reader when it is needed. Holds
   * something else once every reader has released the position.
   */
  readonly bytes: Uint8Array
  /** Indices of the items the receiver refused; they are skipped, not judged again. */
  readonly refused: Uint32Array
  /** Logs: template number per accepted row. */
  readonly templates: Uint32Array | null
  /** Absent: what it holds is known once it is decoded. */
  readonly index?: EntryIndex
}

/** What the accepted items of an entry say without being decoded. */
export interface EntryIndex {
  readonly count: number
  /** Of index times. */
  readonly minTimeMs: number
  readonly maxTimeMs: number
  /** Hashes of the ids of all traces that spans belong to; null for other signals. */
  readonly traces: Uint32Array | null
}

/** Sent once or twice a second while data arrives. Ranges are consecutive: each `from` is the last `to` + 1. */
export interface TailPublication {
  readonly type: 'publication'
  readonly inboxId: string
  readonly from: number
  readonly to: number
  /** Receive time of `to`, milliseconds. */
  readonly timeMs: number
  readonly entries: readonly TailEntry[]
  /** First position whose entries the rollups count; a later publication with the same one replaces them. */
  readonly rollupsFrom: number
  /** Cells added by the entries of [rollupsFrom, to]. */
  readonly rollups: readonly RollupRecord[]
  readonly templates: readonly TemplateRecord[]
}

/** Everything up to `position` is in the store; a reader whose snapshot is newer may forget it. */
export interface TailSealed {
  readonly type: 'sealed'
  readonly inboxId: string
  readonly position: number
  /** Positions since the engine's start whose requests could not be read back; they are in no answer. Absent for 0. */
  readonly lostPositions?: number
  /** Tenants some of whose names are counted as `_overflow` since the engine's start. Absent for none. */
  readonly overflowing?: readonly string[]
}

/** Publications cross threads packed. */
export type TailMessage = TailPublication | PackedPublication | TailSealed

/** From a reader: it looks at nothing up to `position` any more. */
export interface TailReleased {
  readonly type: 'released'
  readonly position: number
}
