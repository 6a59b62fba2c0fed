/**
 * The shapes of the texts of a segment: a text with its numbers and ids left out. Lines of one shape are stored,
 * and their words indexed, as the shape's number and what was left out.
 *
 * Left out is every run of letters and digits that has a digit, or that could be a hexadecimal id without one.
 * This looks at nothing but the text, unlike a template, whose words depend on what came before; and it never
 * cuts through a word of the search index, so that those of a shape are those of its pieces.
 */
import { ByteWriter } from './bytes.ts'
import { sameWords } from './words.ts'

/** What a text may leave out; the rest of such a text would be hardly longer. */
const maxVariables = 64
/** Longer texts are looked up as a whole, or not at all. */
const maxTextBytes = 4096
/** Texts remembered as seen once, and shapes: as many as a segment has rows, and some. */
const maxTexts = 16_384
/** Letters a to f alone are left out from this length on: groups of UUIDs now and then have no digit. */
const hexLength = 4

const hexLetter = 1
const otherLetter = 2
const digit = 4
const beyond = 8

/** By byte: what it is in a run; 0 between runs. */
const runClasses = new Uint8Array(256)
for (let byte = 0; byte < 256; byte++) {
  const lower = byte | 32
  if (byte >= 48 && byte <= 57) runClasses[byte] = digit
  else if (byte < 128 && lower >= 97 && lower <= 102) runClasses[byte] = hexLetter
  else if (byte < 128 && lower > 102 && lower <= 122) runClasses[byte] = otherLetter
  else if (byte > 127) runClasses[byte] = beyond
}

const seenOnce = -1
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

export class TextShapes {
  /** What the text found last leaves out: `from[i]` to `to[i]` in its bytes. */
  readonly from: Uint32Array = new Uint32Array(maxVariables)
  readonly to: Uint32Array = new Uint32Array(maxVariables)
  variables = 0
  /** Pieces of all shapes, one behind the other. */
  readonly #arena = new ByteWriter(4096)
  /** Where each piece starts in the arena; one more than there are. */
  readonly #pieces: number[] = [0]
  /** First piece of each shape; one more than there are. */
  readonly #shapes: number[] = [0]
  #hashes = new Int32Array(512)
  /** Shape of each text, or `seenOnce`; by slot, which is free where `#used` is 0. */
  #numbers = new Int32Array(512)
  #used = new Uint8Array(512)
  #size = 0
  #hash = 0

  get count(): number {
    return this.#shapes.length - 1
  }

  /**
   * Number of the shape of the text, whose variables then stand in `from` and `to`; -1 for the first text of a
   * shape, because most of those stay the only one, and for texts that are not plain ASCII.
   */
  find(bytes: Uint8Array, view: DataView, from: number, to: number): number {
    if (to - from > maxTextBytes || !this.#cut(bytes, view, from, to)) return -1
    const slot = this.#slot()
    if (this.#used[slot] === 0) {
      this.#remember(slot)
      return -1
    }
    const number = this.#numbers[slot] as number
    if (number === seenOnce) {
      this.#numbers[slot] = this.count
      return this.#add(bytes, from, to)
    }
    return this.#isOf(number, view, from, to) ? number : -1
  }

  /** Hands over where each piece of a shape lies in `bytes`. */
  eachPiece(shape: number, piece: (bytes: Uint8Array, from: number, to: number) => void): void {
    const end = this.#shapes[shape + 1] as number
    for (let at = this.#shapes[shape] as number; at < end; at++)
      piece(this.#arena.bytes, this.#pieces[at] as number, this.#pieces[at + 1] as number)
  }

  /** Pieces of a shape: one more than it has variables. */
  pieces(shape: number): number {
    return (this.#shapes[shape + 1] as number) - (this.#shapes[shape] as number)
  }

  /** Finds the variables and hashes the rest; false for a text that has no shape. */
  #cut(bytes: Uint8Array, view: DataView, from: number, to: number): boolean {
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
      if (seen >= digit || (seen === hexLetter && at - run >= hexLength)) {
        if (seen >= beyond || variables === maxVariables) return false
        this.from[variables] = run
        this.to[variables++] = at
        hash = Math.imul(hash ^ variableMark, factor)
      } else hash = hashRun(hash, bytes, view, run, at)
      if (at < to) hash = Math.imul(hash ^ (bytes[at] as number), factor)
    }
    this.variables = variables
    this.#hash = hash ^ (hash >>> 15)
    return true
  }

  #slot(): number {
    const mask = this.#hashes.length - 1
    let slot = this.#hash & mask
    while (this.#used[slot] === 1 && this.#hashes[slot] !== this.#hash) slot = (slot + 1) & mask
    return slot
  }

  #remember(free: number): void {
    if (this.#size >= maxTexts) return
    this.#hashes[free] = this.#hash
    this.#numbers[free] = seenOnce
    this.#used[free] = 1
    if (++this.#size * 2 > this.#hashes.length) this.#grow()
  }

  #grow(): void {
    const [hashes, numbers, used] = [this.#hashes, this.#numbers, this.#used]
    const slots = hashes.length * 2
    const mask = slots - 1
    this.#hashes = new Int32Array(slots)
    this.#numbers = new Int32Array(slots)
    this.#used = new Uint8Array(slots)
    for (let from = 0; from < hashes.length; from++) {
      if (used[from] === 0) continue
      let slot = (hashes[from] as number) & mask
      while (this.#used[slot] === 1) slot = (slot + 1) & mask
      this.#hashes[slot] = hashes[from] as number
      this.#numbers[slot] = numbers[from] as number
      this.#used[slot] = 1
    }
  }

  #add(bytes: Uint8Array, from: number, to: number): number {
    let start = from
    for (let at = 0; at <= this.variables; at++) {
      this.#arena.raw(bytes, start, at < this.variables ? (this.from[at] as number) : to)
      this.#pieces.push(this.#arena.length)
      start = this.to[at] as number
    }
    return this.#shapes.push(this.#pieces.length - 1) - 2
  }

  /** Whether the text is its variables and the pieces of the shape, byte for byte: hashes alone may collide. */
  #isOf(shape: number, view: DataView, from: number, to: number): boolean {
    const first = this.#shapes[shape] as number
    const { variables } = this
    if ((this.#shapes[shape + 1] as number) - first !== variables + 1) return false
    let start = from
    let piece = this.#pieces[first] as number
    for (let at = 0; at <= variables; at++) {
      const size = (at < variables ? (this.from[at] as number) : to) - start
      const next = this.#pieces[first + at + 1] as number
      if (next - piece !== size || !sameWords(this.#arena.data, piece, view, start, size)) return false
      start = this.to[at] as number
      piece = next
    }
    return true
  }
}
