/** Published requests as blocks, decoded when a read first needs them. */
import type { TailEntry } from '../model/tail.ts'
import type { Batch, Block, Signal } from '../model/telemetry.ts'
import { toMs } from '../model/time.ts'
import { decodeBatch } from '../otlp/decode-batch.ts'
import type { DecodedEntry, ReaderCaches } from './reader-caches.ts'

/**
 * The accepted items of an entry. `attributeMaxBytes` has to be the receiver's, so that the same values are
 * cut. Null where the bytes do not decode, which the engine meets too and sets aside.
 */
export function decodedEntry(
  entry: TailEntry,
  caches: ReaderCaches,
  attributeMaxBytes: number,
): DecodedEntry | null {
  const known = caches.entries.get(entry)
  if (known !== undefined) return known
  const batch = decode(entry, attributeMaxBytes)
  if (batch === null) return null
  const decoded = { batch, ...timeRangeOf(batch.block) }
  caches.entries.set(entry, decoded)
  return decoded
}

function decode(entry: TailEntry, attributeMaxBytes: number): Batch | null {
  const { signal, bytes, receivedMs, refused, templates } = entry
  let batch: Batch
  try {
    batch = decodeBatch(signal, bytes, { receivedMs, refused, attributeMaxBytes })
  } catch {
    return null
  }
  const { block } = batch
  if (block.signal !== 'logs' || templates === null || templates.length !== block.count) return batch
  return { ...batch, block: { ...block, template: templates } }
}

/** Index times of a block in milliseconds; an empty one has an empty range. */
function timeRangeOf(block: Block): { readonly minTimeMs: number; readonly maxTimeMs: number } {
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

export function isOf(entry: TailEntry, tenant: string, signal: Signal): boolean {
  return entry.tenant === tenant && entry.signal === signal
}
