/** Segments as rows: a header, and all parts as one value beside it. */
import type { Client } from 'pg'
import type { SegmentRecord } from '../../model/store.ts'
import { headerColumns, rowOf, type SegmentRow, signalNumber } from '../rows/segment-row.ts'
import { batchesOf, valuesList } from './batches.ts'
import { dayOf } from './schema.ts'
import type { TotalChanges } from './totals.ts'

/** A segment and the number it is stored under. */
export interface NumberedSegment {
  readonly sequence: number
  readonly segment: SegmentRecord
}

const columnTypes = `sequence bigint, id text, tenant text, signal smallint, format_version integer, inbox_id text,
  from_position bigint, to_position bigint, count integer, byte_length bigint, min_time_ms float8,
  max_time_ms float8, min_received_ms float8, max_received_ms float8, services text, parts text, day integer`
const columnNames = [...headerColumns.split(/,\s*/), 'parts', 'day']

/** Those of `segments` that are not stored yet, each once. */
export async function unstored(
  client: Client,
  segments: readonly NumberedSegment[],
): Promise<readonly NumberedSegment[]> {
  if (segments.length === 0) return []
  const { rows } = await client.query<{ readonly id: string }>(
    'SELECT id FROM otelcontext.segment WHERE id = ANY($1)',
    [segments.map(({ segment }) => segment.header.id)],
  )
  const stored = new Set(rows.map(row => row.id))
  return segments.filter(({ segment: { header } }) => {
    if (stored.has(header.id)) return false
    stored.add(header.id)
    return true
  })
}

/** None of them may be stored, and their partitions must be there. Belongs into a transaction. */
export async function insertSegments(
  client: Client,
  segments: readonly NumberedSegment[],
  totals: TotalChanges,
): Promise<void> {
  if (segments.length === 0) return
  const headers = segments.map(({ sequence, segment: { header, parts } }) => {
    const sizes = [...parts].map(([name, bytes]) => `${name}:${bytes.length}`)
    const values = [...rowOf(sequence, header, sizes), dayOf(header.maxReceivedMs)]
    return Object.fromEntries(columnNames.map((name, at) => [name, values[at]]))
  })
  await client.query(
    `INSERT INTO otelcontext.segment (${columnNames.join(', ')})
     SELECT ${columnNames.join(', ')} FROM json_to_recordset($1) AS header(${columnTypes})`,
    [JSON.stringify(headers)],
  )
  for (const batch of batchesOf(segments, ({ segment }) => segment.header.byteLength))
    await client.query(
      `INSERT INTO otelcontext.segment_data (signal, day, sequence, bytes) VALUES ${valuesList(batch.length, 4)}`,
      batch.flatMap(({ sequence, segment: { header, parts } }) => [
        signalNumber(header.signal),
        dayOf(header.maxReceivedMs),
        sequence,
        Buffer.concat([...parts.values()]),
      ]),
    )
  for (const { segment } of segments) {
    const { tenant, signal, count, byteLength } = segment.header
    totals.add(tenant, signalNumber(signal), { stored: count, segments: 1, bytes: byteLength })
  }
}

/** `sequences` number the removals. Belongs into a transaction. */
export async function deleteSegments(
  client: Client,
  rows: readonly SegmentRow[],
  {
    sequences,
    withBytes,
    totals,
  }: { sequences: readonly number[]; withBytes: boolean; totals: TotalChanges },
): Promise<void> {
  const numbers = rows.map(row => row.sequence)
  if (withBytes)
    await client.query(
      `DELETE FROM otelcontext.segment_data d
       USING unnest($1::smallint[], $2::int[], $3::bigint[]) AS gone(signal, day, sequence)
       WHERE d.signal = gone.signal AND d.day = gone.day AND d.sequence = gone.sequence`,
      [rows.map(row => row.signal), rows.map(row => dayOf(row.max_received_ms)), numbers],
    )
  await client.query('DELETE FROM otelcontext.segment WHERE sequence = ANY($1)', [numbers])
  await client.query(
    'INSERT INTO otelcontext.removal (sequence, id) SELECT * FROM unnest($1::bigint[], $2::text[])',
    [sequences.slice(0, rows.length), rows.map(row => row.id)],
  )
  for (const { tenant, signal, count, byte_length } of rows)
    totals.add(tenant, signal, { stored: -count, segments: -1, bytes: -byte_length })
}
