/** What the columnar decoders need to know besides the bytes. */

export interface DecodeContext {
  /** Receive time of the request, milliseconds since the epoch. */
  readonly receivedMs: number
  /**
   * Replay: leave out exactly these items (indices in order of appearance, ascending) and judge nothing
   * again. Not given on receipt, when the decoder decides and reports.
   */
  readonly refused?: Uint32Array
  /** Attribute values of more bytes are cut and marked. */
  readonly attributeMaxBytes: number
}

/**
 * Items in one request. An empty item takes two bytes on the wire and about sixty in columns, so without a
 * limit one request of 64 MiB could ask for 2 GB. A million is what 64 MiB holds of very small real ones.
 */
export const maxItemsPerRequest = 1_000_000

/** Times further ahead of receipt than this are not believed: milliseconds. */
export const futureToleranceMs = 3_600_000
