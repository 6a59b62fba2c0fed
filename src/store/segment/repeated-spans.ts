/**
 * Spans that are stored twice because their sender sent them twice: equal in trace, span and start, and then in
 * every byte of message, resource and scope. Anything less may be two spans of a system that repeats ids, and both
 * are kept.
 */
import type { SpanBlock } from '../../model/telemetry.ts'
import type { JoinedRecords } from './picked-records.ts'

/** 1 for every row that repeats an earlier one; null if none does. */
export function repeatedSpans(block: SpanBlock, records: JoinedRecords): Uint8Array | null {
  const first = new Map<string, number>()
  let repeated: Uint8Array | null = null
  for (let row = 0; row < block.count; row++) {
    const key = keyOf(block, row)
    const earlier = first.get(key)
    if (earlier === undefined) first.set(key, row)
    else if (isRepetition(block, records, earlier, row)) {
      repeated ??= new Uint8Array(block.count)
      repeated[row] = 1
    }
  }
  return repeated
}

function keyOf(block: SpanBlock, row: number): string {
  const ids = Buffer.from(block.traceId.buffer, block.traceId.byteOffset + row * 16, 16).toString('latin1')
  const span = Buffer.from(block.spanId.buffer, block.spanId.byteOffset + row * 8, 8).toString('latin1')
  return `${ids}${span}${block.startHi[row]} ${block.startLo[row]}`
}

function isRepetition(block: SpanBlock, records: JoinedRecords, a: number, b: number): boolean {
  return (
    Buffer.compare(messageOf(records, a), messageOf(records, b)) === 0 &&
    Buffer.compare(
      entryOf(block.resources, block.resource, a),
      entryOf(block.resources, block.resource, b),
    ) === 0 &&
    Buffer.compare(entryOf(block.scopes, block.scope, a), entryOf(block.scopes, block.scope, b)) === 0
  )
}

function messageOf(records: JoinedRecords, row: number): Uint8Array {
  const table = records.tables[records.table[row] as number]
  const from = records.offset[row] as number
  return table?.bytes.subarray(from, from + (records.length[row] as number)) ?? new Uint8Array()
}

function entryOf(
  entries: readonly { readonly bytes: Uint8Array }[],
  column: Uint32Array,
  row: number,
): Uint8Array {
  return entries[column[row] as number]?.bytes ?? new Uint8Array()
}
