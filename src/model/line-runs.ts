/**
 * What the shape of a line leaves out: every run of letters and digits that has a digit, or that could be a
 * hexadecimal id without one. This looks at nothing but the text, unlike a template, whose words depend on what came
 * before; and it never cuts through a word of the search index.
 */

/** What a line may leave out; the rest of such a line would be hardly longer. */
export const maxVariables = 64
/** Letters a to f alone are left out from this length on: groups of UUIDs now and then have no digit. */
export const hexRunLength = 4

/** Of a byte in a run; those that make it a variable are the largest. */
export const runClass = { hexLetter: 1, otherLetter: 2, digit: 4, beyond: 8 } as const

/** By byte: its class; 0 between runs. Nothing beyond ASCII has a shape. */
export const runClasses: Uint8Array = new Uint8Array(256)
for (let byte = 0; byte < 256; byte++) {
  const lower = byte | 32
  if (byte >= 48 && byte <= 57) runClasses[byte] = runClass.digit
  else if (byte < 128 && lower >= 97 && lower <= 102) runClasses[byte] = runClass.hexLetter
  else if (byte < 128 && lower > 102 && lower <= 122) runClasses[byte] = runClass.otherLetter
  else if (byte > 127) runClasses[byte] = runClass.beyond
}

const { digit, hexLetter, beyond } = runClass
const factor = 0x2c1b3c6d
/** Stands for a variable in a hash: no byte, and hardly four of them. */
const variableMark = 0x1ff

function hashRun(seed: number, bytes: Uint8Array, view: DataView, from: number, to: number): number {
  // Words at a time alone would not tell how often a byte is repeated.
  let hash = Math.imul(seed ^ (seed >>> 13) ^ (to - from), factor)
  if (to - from < 4) {
    for (let at = from; at < to; at++) hash = Math.imul(hash ^ (bytes[at] as number), factor)
    return hash
  }
  const last = to - 4
  for (let at = from; at < last; at += 4) {
    hash = Math.imul(hash ^ view.getInt32(at, true), factor)
    hash ^= hash >>> 15
  }
  return Math.imul(hash ^ view.getInt32(last, true), factor)
}

/** A line cut into its variables and the rest; what was found stands in its fields until the next one. */
export class LineCut {
  /** What is left out: `from[i]` to `to[i]` in the bytes. */
  readonly from: Uint32Array = new Uint32Array(maxVariables)
  readonly to: Uint32Array = new Uint32Array(maxVariables)
  variables = 0
  /** Of the rest, 32 bits. */
  hash = 0

  /** False for a line that has no shape. `view` is of the same memory as `bytes`. */
  cut(bytes: Uint8Array, view: DataView, from: number, to: number): boolean {
    let hash = 0x811c9dc5 | 0
    let variables = 0
    for (let at = from; at < to; at++) {
      let of = runClasses[bytes[at] as number] as number
      if (of === 0) {
        hash = Math.imul(hash ^ (bytes[at] as number), factor)
        continue
      }
      const run = at
      let seen = 0
      while (of !== 0) {
        seen |= of
        if (++at >= to) break
        of = runClasses[bytes[at] as number] as number
      }
      if (seen >= digit || (seen === hexLetter && at - run >= hexRunLength)) {
        if (seen >= beyond || variables === maxVariables) return false
        this.from[variables] = run
        this.to[variables++] = at
        hash = Math.imul(hash ^ variableMark, factor)
      } else hash = hashRun(hash, bytes, view, run, at)
      if (at < to) hash = Math.imul(hash ^ (bytes[at] as number), factor)
    }
    this.variables = variables
    this.hash = hash ^ (hash >>> 15)
    return true
  }
}
