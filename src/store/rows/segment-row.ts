/** A segment header as a row of the `segment` table. */
import type { SealedCount, SegmentHeader } from '../../model/store.ts'
import { type Signal, signals } from '../../model/telemetry.ts'

export interface SegmentRow {
  readonly sequence: number
  readonly id: string
  readonly tenant: string
  readonly signal: number
  readonly format_version: number
  readonly inbox_id: string
  readonly from_position: number
  readonly to_position: number
  readonly count: number
  readonly byte_length: number
  readonly min_time_ms: number
  readonly max_time_ms: number
  readonly min_received_ms: number
  readonly max_received_ms: number
  /** JSON array, or null for too many. */
  readonly services: string | null
}

export const headerColumns = `sequence, id, tenant, signal, format_version, inbox_id, from_position, to_position,
  count, byte_length, min_time_ms, max_time_ms, min_received_ms, max_received_ms, services`

export function signalNumber(signal: Signal): number {
  return signals.indexOf(signal)
}

export function signalOf(number: number): Signal {
  return signals[number] ?? 'traces'
}

export function headerOf(row: SegmentRow): SegmentHeader {
  return {
    id: row.id,
    tenant: row.tenant,
    signal: signalOf(row.signal),
    formatVersion: row.format_version,
    inboxId: row.inbox_id,
    fromPosition: row.from_position,
    toPosition: row.to_position,
    count: row.count,
    byteLength: row.byte_length,
    minTimeMs: row.min_time_ms,
    maxTimeMs: row.max_time_ms,
    minReceivedMs: row.min_received_ms,
    maxReceivedMs: row.max_received_ms,
    services: row.services === null ? null : servicesOf(row.services),
  }
}

/** Null, which prunes nothing, where the text is not what was written. */
function servicesOf(text: string): readonly string[] | null {
  try {
    const parsed: unknown = JSON.parse(text)
    return Array.isArray(parsed) && parsed.every(name => typeof name === 'string') ? parsed : null
  } catch {
    return null
  }
}

export function rowOf(sequence: number, header: SegmentHeader, parts: readonly string[]): readonly unknown[] {
  return [
    sequence,
    header.id,
    header.tenant,
    signalNumber(header.signal),
    header.formatVersion,
    header.inboxId,
    header.fromPosition,
    header.toPosition,
    header.count,
    header.byteLength,
    header.minTimeMs,
    header.maxTimeMs,
    header.minReceivedMs,
    header.maxReceivedMs,
    header.services === null ? null : JSON.stringify(header.services),
    parts.join(' '),
  ]
}

/** Items by tenant and signal, in the order of their first segment. */
export function countsOf(headers: readonly SegmentHeader[]): readonly SealedCount[] {
  const counts = new Map<string, { tenant: string; signal: Signal; items: number }>()
  for (const { tenant, signal, count } of headers) {
    const key = `${signal} ${tenant}`
    const known = counts.get(key)
    if (known === undefined) counts.set(key, { tenant, signal, items: count })
    else known.items += count
  }
  return [...counts.values()]
}
