/** How the engine's two workers turn request bytes into columns; the one place that knows the decoders. */
import type { Encoding } from '../model/ingest.ts'
import type { Batch, Block, Signal } from '../model/telemetry.ts'
import { decodeBatch } from '../otlp/decode-batch.ts'
import { transcodeJson } from '../otlp/json/transcode-json.ts'

/** Canonical protobuf of a decompressed body. Throws InvalidInputError for JSON that is none. */
export function toProtobuf(signal: Signal, encoding: Encoding, bytes: Uint8Array): Uint8Array {
  return encoding === 'json' ? transcodeJson(signal, bytes) : bytes
}

export interface DecodeSettings {
  /** Attribute values of more bytes are cut and marked. */
  readonly attributeMaxBytes: number
}

/** Decodes on receipt: the decoder judges every item. Throws InvalidInputError. */
export function decodeReceived(
  signal: Signal,
  bytes: Uint8Array,
  receivedMs: number,
  settings: DecodeSettings,
): Batch {
  return decodeBatch(signal, bytes, { receivedMs, attributeMaxBytes: settings.attributeMaxBytes })
}

/** A batch without the bytes of its request, which both threads have already. */
export interface BatchColumns {
  readonly block: Block
  readonly offset: Uint32Array
  readonly length: Uint32Array
}

/** Items from which on cloning the columns of a request is cheaper than decoding it again. */
const minClonedItems = 16

/**
 * What of a batch is worth handing to another thread with the request `bytes`: a fifth of the work of decoding
 * them again. Null for a small batch, for metrics, whose entries are views of the request, and where records
 * were rewritten, because those are not in `bytes`.
 */
export function columnsOf(batch: Batch, bytes: Uint8Array): BatchColumns | null {
  const { block, records } = batch
  if (block.signal === 'metrics' || block.count < minClonedItems || records.bytes !== bytes) return null
  return { block, offset: records.offset, length: records.length }
}

/** The batch again, on the other thread. */
export function batchOf(columns: BatchColumns, bytes: Uint8Array): Batch {
  const { block, offset, length } = columns
  return { block, records: { bytes, offset, length }, refusals: [], warnings: [] }
}

/** Decodes what was accepted: the refused items are left out and nothing is judged again. */
export function decodeAccepted(
  signal: Signal,
  bytes: Uint8Array,
  receivedMs: number,
  refused: Uint32Array,
  settings: DecodeSettings,
): Batch {
  return decodeBatch(signal, bytes, { receivedMs, refused, attributeMaxBytes: settings.attributeMaxBytes })
}
