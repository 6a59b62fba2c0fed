/**
 * Comparing, hashing and copying byte ranges by 32-bit words, which takes a quarter of the time of bytes. A
 * DataView reads words wherever they begin; ranges of less than a word go byte by byte.
 */

/** A view of exactly these bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Whether `size` bytes of `a` from `aFrom` are those of `b` from `bFrom`. */
export function sameWords(a: DataView, aFrom: number, b: DataView, bFrom: number, size: number): boolean {
  if (size < 4) {
    for (let at = 0; at < size; at++) if (a.getUint8(aFrom + at) !== b.getUint8(bFrom + at)) return false
    return true
  }
  // From the end: what resembles each other in telemetry begins alike.
  for (let at = size - 4; at > 0; at -= 4)
    if (a.getInt32(aFrom + at, true) !== b.getInt32(bFrom + at, true)) return false
  return a.getInt32(aFrom, true) === b.getInt32(bFrom, true)
}

/** Bytes that are hashed in full; of longer ranges every eighth word and the end are. */
const wholeBytes = 64

/** 32 bits of the range. Equal ranges have equal hashes; a long one may differ where it was not looked at. */
export function hashWords(view: DataView, from: number, to: number, seed: number): number {
  const size = to - from
  let hash = Math.imul(seed ^ size, 0x9e3779b1)
  if (size < 4) {
    for (let at = from; at < to; at++) hash = Math.imul(hash ^ view.getUint8(at), 0x01000193)
  } else {
    const last = to - 4
    const step = size > wholeBytes ? 32 : 4
    let at = from
    for (; at < last - 12; at += step) hash = mix(hash, view.getInt32(at, true))
    if (step > 4) at = last - 12
    for (; at < last; at += 4) hash = mix(hash, view.getInt32(at, true))
    hash = mix(hash, view.getInt32(last, true))
  }
  return hash ^ (hash >>> 15)
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x85ebca6b)
  return mixed ^ (mixed >>> 13)
}
