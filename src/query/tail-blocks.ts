/** Published requests as blocks, decoded when a read first needs them. */
import type { TailEntry } from '../model/tail.ts'
import type { Batch, Signal } from '../model/telemetry.ts'
import { decodeBatch } from '../otlp/decode-batch.ts'
import { timeRangeOf } from '../store/segment/entry-index.ts'
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

export function isOf(entry: TailEntry, tenant: string, signal: Signal): boolean {
  return entry.tenant === tenant && entry.signal === signal
}
