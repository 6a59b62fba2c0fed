/** Finding the rows of a trace in blocks, and merging spans that were stored twice. */
import type { TraceRows } from '../model/reader.ts'
import type { RecordTable, SpanBlock } from '../model/telemetry.ts'

export interface TracePart {
  readonly block: SpanBlock
  readonly rows: readonly number[]
  readonly records: RecordTable
}

/** Rows whose trace id is `id` (16 bytes), ascending. */
export function matchingRows(block: SpanBlock, id: Uint8Array): readonly number[] {
  const rows: number[] = []
  const first = id[0]
  const last = id[15]
  const { traceId, count } = block
  for (let row = 0; row < count; row++) {
    const at = row * 16
    if (traceId[at] !== first || traceId[at + 15] !== last) continue
    let same = true
    for (let byte = 1; byte < 15 && same; byte++) same = traceId[at + byte] === id[byte]
    if (same) rows.push(row)
  }
  return rows
}

/** Keeps of equal spans (id and start; the trace is the same) the first one, and says how many went. */
export function mergeTraceParts(traceId: string, parts: readonly TracePart[]): TraceRows {
  const seen = new Set<string>()
  const kept: TracePart[] = []
  let duplicates = 0
  for (const part of parts) {
    const { block } = part
    const rows = part.rows.filter(row => {
      const span = Buffer.from(block.spanId.subarray(row * 8, row * 8 + 8)).toString('hex')
      const key = `${span} ${block.startHi[row]} ${block.startLo[row]}`
      if (seen.has(key)) {
        duplicates++
        return false
      }
      seen.add(key)
      return true
    })
    if (rows.length > 0) kept.push({ block, rows, records: part.records })
  }
  return { traceId, parts: kept, duplicates }
}
