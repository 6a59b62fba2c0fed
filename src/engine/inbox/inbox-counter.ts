/** The books of the inbox, by tenant and signal. */
import type { Signal } from '../../model/telemetry.ts'

/** Figures of one tenant and signal, kept in the transactions they count. */
export interface InboxCounter {
  readonly tenant: string
  readonly signal: Signal
  /** Items acknowledged since the file was made, duplicates among them. */
  readonly accepted: number
  /** Items of requests that had been stored before, since the file was made. */
  readonly deduplicated: number
  /** Items of entries that could not be processed, since the file was made. */
  readonly buried: number
  /** What lies in the file now. */
  readonly rows: number
  readonly items: number
  readonly bytes: number
}

export function emptyCounter(tenant: string, signal: Signal): InboxCounter {
  return { tenant, signal, accepted: 0, deduplicated: 0, buried: 0, rows: 0, items: 0, bytes: 0 }
}

/** What a row costs in the file beside its body: columns, cell, its share of a page. */
export function rowSize(bodyBytes: number): number {
  return bodyBytes + 256
}
