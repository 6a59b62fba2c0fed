/** How the engine's two workers turn request bytes into columns; the one place that knows the decoders. */
import type { Encoding } from '../model/ingest.ts'
import type { Batch, Block, MetricBlock, Signal } from '../model/telemetry.ts'
import { decodeBatch } from '../otlp/decode-batch.ts'
import { transcodeJson } from '../otlp/json/transcode-json.ts'
import { LogColumns, logRowBytes } from '../otlp/logs/log-columns.ts'
import { MetricColumns, metricRowBytes } from '../otlp/metrics/metric-columns.ts'
import { SpanColumns, spanRowBytes } from '../otlp/traces/span-columns.ts'

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
 * them again. Null for a small batch, and where records were rewritten, because those are not in `bytes`.
 */
export function columnsOf(batch: Batch, bytes: Uint8Array): BatchColumns | null {
  const { block, records } = batch
  if (block.count < minClonedItems || records.bytes !== bytes) return null
  return { block, offset: records.offset, length: records.length }
}

const rowBytes = { traces: spanRowBytes, logs: logRowBytes, metrics: metricRowBytes } as const

/** Bytes of the columns of so many rows. */
export function columnBytes(signal: Signal, rows: number): number {
  return rows * rowBytes[signal]
}

/** Columns with room for `rows` rows that start at byte `at`. */
export interface FilledColumns {
  readonly memory: ArrayBufferLike
  readonly at: number
  readonly rows: number
  /** Rows in use. */
  readonly items: number
}

/** The block of columns that were decoded elsewhere. */
export function blockAt(
  signal: Signal,
  filled: FilledColumns,
  texts: Pick<Block, 'strings' | 'resources' | 'scopes'> & Pick<MetricBlock, 'metrics'>,
): Block {
  const { memory, at, rows, items } = filled
  const place = { buffer: memory, offset: at }
  if (signal === 'metrics') return new MetricColumns(rows, place).block(items, texts)
  const columns = signal === 'logs' ? new LogColumns(rows, place) : new SpanColumns(rows, place)
  return columns.finish(items, texts.strings, texts.resources, texts.scopes)
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
