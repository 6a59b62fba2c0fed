/**
 * Which traces a segment holds, in about five bytes a trace: the sorted first four bytes of their ids, for
 * look-ups by prefix, and sorted hashes of whole ids, because some systems send ids whose first half is zero; for
 * spans also which groups of rows each lies in.
 */

import type { Signal } from '../../model/telemetry.ts'
import { rowsPerGroup } from './block-codec.ts'
import { ByteReader, type ByteWriter } from './bytes.ts'
import { hashId, isZeroId } from './id-table.ts'
import { radixOrder } from './radix-order.ts'
import { sameWords, viewOf } from './words.ts'

export interface TraceIndex {
  /** Distinct, ascending. */
  readonly prefixes: Uint32Array
  readonly hashes: Uint32Array
  /** Bits of groups, by hash; the last bit stands for all later ones. Null where nothing is known. */
  readonly groups: Uint16Array | null
}

const lastGroupBit = 15
/** Every bit of a group. */
export const allGroups = 0xffff

/** Index of the non-zero ids in a column of 16-byte trace ids of `signal`. */
export function writeTraceIndex(out: ByteWriter, traceIds: Uint8Array, signal: Signal): void {
  const count = traceIds.length / 16
  const ids = viewOf(traceIds)
  const prefixes = new Uint32Array(count)
  const hashes = new Uint32Array(count)
  const groups = new Uint16Array(count)
  const groupRows = rowsPerGroup(signal)
  let used = 0
  for (let row = 0; row < count; row++) {
    const at = row * 16
    // Rows of one trace mostly stand together.
    if (row % groupRows !== 0 && sameWords(ids, at, ids, at - 16, 16)) continue
    if (isZeroId(ids, at, 16)) continue
    hashes[used] = hashId(ids, at, 16)
    groups[used] = 1 << Math.min(lastGroupBit, Math.floor(row / groupRows))
    prefixes[used] = ids.getUint32(at)
    used++
  }
  writeSorted(out, prefixes.subarray(0, used))
  writeSorted(out, hashes.subarray(0, used))
  if (signal === 'traces') writeGroups(out, hashes.subarray(0, used), groups)
}

/** One number of bits for every distinct hash, in their order; `groups` has those of each that was met. */
function writeGroups(out: ByteWriter, hashes: Uint32Array, groups: Uint16Array): void {
  const order = radixOrder(hashes)
  let bits = 0
  for (let at = 0; at < order.length; at++) {
    const number = order[at] as number
    bits |= groups[number] as number
    if (at + 1 < order.length && hashes[order[at + 1] as number] === hashes[number]) continue
    out.varint(bits)
    bits = 0
  }
}

export function readTraceIndex(content: Uint8Array): TraceIndex {
  const from = new ByteReader(content)
  const prefixes = readSorted(from)
  const hashes = readSorted(from)
  if (from.at === from.end) return { prefixes, hashes, groups: null }
  const groups = new Uint16Array(hashes.length)
  for (let at = 0; at < groups.length; at++) groups[at] = from.varint()
  return { prefixes, hashes, groups }
}

export function hashOfTrace(id: Uint8Array): number {
  return hashId(viewOf(id), 0, 16)
}

/** Bits of groups that may hold a trace with this hash; 0 is certain, others wrong once in 400,000 segments of 10,000 traces. */
export function traceGroups(index: TraceIndex, hash: number): number {
  const at = lowerBound(index.hashes, hash)
  if (index.hashes[at] !== hash) return 0
  return index.groups === null ? allGroups : (index.groups[at] as number)
}

/** Whether group `number` is among the bits. */
export function hasGroup(bits: number, number: number): boolean {
  return ((bits >> Math.min(number, lastGroupBit)) & 1) === 1
}

/** May hold a trace whose first four bytes, big-endian, are `prefix`. */
export function mayHoldPrefix(index: TraceIndex, prefix: number): boolean {
  return index.prefixes[lowerBound(index.prefixes, prefix)] === prefix
}

export function prefixOf(id: Uint8Array, at: number): number {
  return (
    (((id[at] as number) << 24) |
      ((id[at + 1] as number) << 16) |
      ((id[at + 2] as number) << 8) |
      (id[at + 3] as number)) >>>
    0
  )
}

function lowerBound(sorted: Uint32Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}

/** The distinct numbers, ascending. */
function writeSorted(out: ByteWriter, numbers: Uint32Array): void {
  const order = radixOrder(numbers)
  let distinct = 0
  for (let at = 0; at < order.length; at++)
    if (at === 0 || numbers[order[at] as number] !== numbers[order[at - 1] as number]) distinct++
  out.varint(distinct)
  let last = 0
  for (let at = 0; at < order.length; at++) {
    const number = numbers[order[at] as number] as number
    if (at === 0 || number !== last) out.varint(number - last)
    last = number
  }
}

function readSorted(from: ByteReader): Uint32Array {
  const values = new Uint32Array(from.count())
  let last = 0
  for (let at = 0; at < values.length; at++) {
    last += from.varint()
    values[at] = last
  }
  return values
}
