/** How the engine's two workers turn request bytes into columns; the one place that knows the decoders. */
import type { Encoding } from '../model/ingest.ts'
import type { Batch, Signal } from '../model/telemetry.ts'
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
