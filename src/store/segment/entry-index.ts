/** What a reader asks of a request first, so that it need not decode those that hold nothing it wants. */
import type { EntryIndex } from '../../model/tail.ts'
import type { Block } from '../../model/telemetry.ts'
import { toMs } from '../../model/time.ts'
import { hashId } from './id-table.ts'
import { sameWords, viewOf } from './words.ts'

/** Index times of a block in milliseconds; an empty one has an empty range. */
export function timeRangeOf(block: Block): { readonly minTimeMs: number; readonly maxTimeMs: number } {
  const high = block.signal === 'traces' ? block.startHi : block.timeHi
  const low = block.signal === 'traces' ? block.startLo : block.timeLo
  let minTimeMs = Number.POSITIVE_INFINITY
  let maxTimeMs = Number.NEGATIVE_INFINITY
  for (let row = 0; row < block.count; row++) {
    const time = toMs(high[row] as number, low[row] as number)
    if (time < minTimeMs) minTimeMs = time
    if (time > maxTimeMs) maxTimeMs = time
  }
  return { minTimeMs, maxTimeMs }
}

export function entryIndexOf(block: Block): EntryIndex {
  const traces = block.signal === 'traces' ? traceHashes(block.traceId) : null
  return { count: block.count, ...timeRangeOf(block), traces }
}

/** Kept from request to request: it grows to the largest one. */
let scratch = new Uint32Array(1024)

/** As `hashOfTrace` makes them, once for ids that stand together: a few words, copied with the message that takes them. */
function traceHashes(traceIds: Uint8Array): Uint32Array {
  const ids = viewOf(traceIds)
  if (scratch.length * 16 < traceIds.length) scratch = new Uint32Array(traceIds.length >> 4)
  let count = 0
  for (let at = 0; at < traceIds.length; at += 16)
    if (at === 0 || !sameWords(ids, at, ids, at - 16, 16)) scratch[count++] = hashId(ids, at, 16)
  return scratch.slice(0, count)
}
