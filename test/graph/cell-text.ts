/** Rollup records as sorted lines of text, one per cell, so that two sets of records can be compared. */
import { keysOf, openBlock } from '../../src/graph/rollups/decode.ts'
import { mergeRollups } from '../../src/graph/rollups/merge.ts'
import { kindShapes } from '../../src/graph/rollups/series-keys.ts'
import type { RollupRecord } from '../../src/model/store.ts'

/** Every cell that is left after adding all records up. */
export function cellText(records: readonly RollupRecord[], stepSeconds = 10): string[] {
  const lines: string[] = []
  for (const record of mergeRollups(records, stepSeconds)) {
    const block = openBlock(record.bytes)
    for (const [number, shape] of kindShapes.entries()) {
      const decoded = block.section(number)
      if (decoded === undefined) continue
      const { cells } = decoded
      for (const [s, key] of keysOf(decoded).entries()) {
        for (let row = cells.first[s] ?? 0; row < (cells.first[s + 1] ?? 0); row++) {
          const from = cells.bucketFirst[row] ?? 0
          const to = cells.bucketFirst[row + 1] ?? 0
          const sketch = [...cells.buckets.subarray(from, to)].map(
            (b, i) => `${b}x${cells.bucketCounts[from + i]}`,
          )
          const columns = [
            cells.count,
            cells.errors,
            cells.sum,
            cells.self,
            cells.paired,
            cells.max,
            cells.lastMs,
          ]
          const values = columns.map(column => column[row] ?? 0).join(' ')
          lines.push(`${shape.kind} ${key.join('|')} ${cells.window[row]}: ${values} [${sketch.join(' ')}]`)
        }
      }
    }
  }
  return lines.sort()
}
