/**
 * One accepted request as a row of the inbox: what is written, how it is checked, how it is read back.
 *
 * A row carries the bytes as received, so that nothing the decoder does not understand is lost, and what was
 * refused, so that a replay never judges a second time. Its checksum covers every column.
 */
import { crc32 } from 'node:zlib'
import { StoreError } from '../../errors.ts'
import { crc32c } from '../../model/crc32c.ts'
import type { Compression, Encoding } from '../../model/ingest.ts'
import { type Refusal, type Signal, signals } from '../../model/telemetry.ts'

/**
 * Version of the row format that this code writes; it reads this one and older ones. Format 1 has a CRC-32C,
 * format 2 the CRC-32 of zlib, which Node computes natively: measured with 48 kB, 11 µs instead of 45.
 */
export const inboxRowFormat = 2

export interface InboxRow {
  readonly position: number
  readonly tenant: string
  readonly signal: Signal
  /** Milliseconds since the epoch. */
  readonly receivedMs: number
  readonly encoding: Encoding
  readonly compression: Compression
  /** Bytes after decompression; what a replay may allocate for them. */
  readonly rawBytes: number
  /** Items accepted, refused ones not counted. */
  readonly items: number
  readonly refusals: readonly Refusal[]
  /** Exactly as received. */
  readonly body: Uint8Array
}

/** Columns in the order of the `entry` table, without position. */
export interface StoredRow {
  readonly position: number
  readonly format: number
  readonly crc: number
  readonly tenant: string
  readonly signal: number
  readonly received_ms: number
  readonly encoding: number
  readonly compression: number
  readonly raw_bytes: number
  readonly items: number
  readonly refusals: string | null
  readonly body: Uint8Array
}

const encodings: readonly Encoding[] = ['protobuf', 'json']
const compressions: readonly Compression[] = ['none', 'gzip', 'zstd']
const utf8 = new TextEncoder()

export function encodeRow(row: InboxRow): StoredRow {
  const stored = {
    position: row.position,
    format: inboxRowFormat,
    tenant: row.tenant,
    signal: signals.indexOf(row.signal),
    received_ms: row.receivedMs,
    encoding: encodings.indexOf(row.encoding),
    compression: compressions.indexOf(row.compression),
    raw_bytes: row.rawBytes,
    items: row.items,
    refusals: encodeRefusals(row.refusals),
    body: row.body,
  }
  return { ...stored, crc: checksum(stored) }
}

/** Throws StoreError `corrupt_inbox_row` or, for a row of a newer version, `newer_format`. */
export function decodeRow(stored: StoredRow): InboxRow {
  if (stored.format > inboxRowFormat) {
    throw new StoreError(
      'newer_format',
      `inbox row ${stored.position} has format ${stored.format}, and this version reads up to ${inboxRowFormat}`,
    )
  }
  if (!(stored.body instanceof Uint8Array))
    throw new StoreError('corrupt_inbox_row', `inbox row ${stored.position} has no body`)
  const signal = signals[stored.signal]
  const encoding = encodings[stored.encoding]
  const compression = compressions[stored.compression]
  if (
    checksum(stored) !== stored.crc ||
    signal === undefined ||
    encoding === undefined ||
    compression === undefined
  ) {
    throw new StoreError('corrupt_inbox_row', `inbox row ${stored.position} fails its checksum`)
  }
  return {
    position: stored.position,
    tenant: stored.tenant,
    signal,
    receivedMs: stored.received_ms,
    encoding,
    compression,
    rawBytes: stored.raw_bytes,
    items: stored.items,
    refusals: decodeRefusals(stored.refusals),
    body: stored.body,
  }
}

function checksum(row: Omit<StoredRow, 'crc'>): number {
  const header = [
    row.position,
    row.format,
    row.signal,
    row.received_ms,
    row.encoding,
    row.compression,
    row.raw_bytes,
    row.items,
  ]
  const texts = `${row.refusals ?? ''}\n${row.tenant}`
  // The checksum of the body goes into that of the other columns, so that the body is read once.
  const body = row.format === 1 ? crc32c(row.body) : crc32(row.body)
  const text = `${header.join('\n')}\n${body}\n${texts}`
  return row.format === 1 ? crc32c(utf8.encode(text)) : crc32(text)
}

/** Reasons once each: a request of a million bad spans has one or two of them. */
function encodeRefusals(refusals: readonly Refusal[]): string | null {
  if (refusals.length === 0) return null
  const numbers = new Map<string, number>()
  const rows: number[] = []
  for (const { index, reason } of refusals) {
    const number = numbers.get(reason) ?? numbers.size
    numbers.set(reason, number)
    rows.push(index, number)
  }
  return JSON.stringify({ reasons: [...numbers.keys()], rows })
}

function decodeRefusals(text: string | null): readonly Refusal[] {
  if (text === null) return []
  // Written by encodeRefusals and covered by the checksum, which has been compared by now.
  const { reasons, rows } = JSON.parse(text) as { reasons: readonly string[]; rows: readonly number[] }
  const refusals: Refusal[] = []
  for (let i = 0; i < rows.length; i += 2) {
    refusals.push({ index: rows[i] ?? 0, reason: reasons[rows[i + 1] ?? 0] ?? '' })
  }
  return refusals
}
