/**
 * Which traces a segment holds, in about five bytes a trace: the sorted first four bytes of their ids, for
 * look-ups by prefix, and sorted hashes of whole ids, because some systems send ids whose first half is zero.
 */
import { ByteReader, type ByteWriter } from './bytes.ts'
import { hashId, isZeroId } from './id-table.ts'
import { radixOrder } from './radix-order.ts'
import { sameWords, viewOf } from './words.ts'

export interface TraceIndex {
  /** Distinct, ascending. */
  readonly prefixes: Uint32Array
  readonly hashes: Uint32Array
}

/** Index of the non-zero ids in a column of 16-byte trace ids. */
export function writeTraceIndex(out: ByteWriter, traceIds: Uint8Array): void {
  const count = traceIds.length / 16
  const ids = viewOf(traceIds)
  const prefixes = new Uint32Array(count)
  const hashes = new Uint32Array(count)
  let used = 0
  for (let row = 0; row < count; row++) {
    const at = row * 16
    // Rows of one trace mostly stand together.
    if (row > 0 && sameWords(ids, at, ids, at - 16, 16)) continue
    if (isZeroId(ids, at, 16)) continue
    hashes[used] = hashId(ids, at, 16)
    prefixes[used] = ids.getUint32(at)
    used++
  }
  writeSorted(out, prefixes.subarray(0, used))
  writeSorted(out, hashes.subarray(0, used))
}

export function readTraceIndex(content: Uint8Array): TraceIndex {
  const from = new ByteReader(content)
  return { prefixes: readSorted(from), hashes: readSorted(from) }
}

/** May hold the trace: false is certain, true is wrong about once in 400,000 segments of 10,000 traces. */
export function mayHoldTrace(index: TraceIndex, id: Uint8Array): boolean {
  const hash = hashId(viewOf(id), 0, 16)
  const at = lowerBound(index.hashes, hash)
  return index.hashes[at] === hash
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
