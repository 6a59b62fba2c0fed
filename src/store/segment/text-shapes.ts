/**
 * The shapes of the texts of a segment: a text with its numbers and ids left out, as `line-runs.ts` tells them. Lines of
 * one shape are stored, and their words indexed, as the shape's number and what was left out: no cut goes through a word of
 * the search index, so that those of a shape are those of its pieces.
 */
import { LineCut } from '../../model/line-runs.ts'
import { ByteWriter } from './bytes.ts'
import type { RowMarks } from './picked-records.ts'
import { sameWords } from './words.ts'

/** Longer texts are looked up as a whole, or not at all. */
const maxTextBytes = 4096
/** Texts remembered as seen once, and shapes: as many as a segment has rows, and some. */
const maxTexts = 16_384

const seenOnce = -1

export class TextShapes {
  readonly #cut = new LineCut()
  /** What the text found last leaves out: `from[i]` to `to[i]` in its bytes. */
  readonly from: Uint32Array = this.#cut.from
  readonly to: Uint32Array = this.#cut.to
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
  /** Shapes by the number that the lines were marked with. */
  readonly #marked = new Map<number, number>()

  get variables(): number {
    return this.#cut.variables
  }

  get count(): number {
    return this.#shapes.length - 1
  }

  /**
   * Number of the shape of the text, whose variables then stand in `from` and `to`; -1 for the first text of a
   * shape, because most of those stay the only one, and for texts that are not plain ASCII.
   */
  find(bytes: Uint8Array, view: DataView, from: number, to: number): number {
    if (to - from > maxTextBytes || !this.#cut.cut(bytes, view, from, to)) return -1
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

  /** The same for a text whose shape and variables were found before. */
  findMarked(marks: RowMarks, bytes: Uint8Array, view: DataView, from: number, to: number): number {
    const known = this.#marked.get(marks.shape)
    if (known === undefined) {
      // Twice a segment and shape: numbers are given as without marks.
      const number = this.find(bytes, view, from, to)
      if (number >= 0) this.#marked.set(marks.shape, number)
      return number
    }
    const variables = this.pieces(known) - 1
    for (let at = 0; at < variables; at++) {
      const variable = marks.variables[marks.first + at] as number
      const start = from + (variable >>> 16)
      this.from[at] = start
      this.to[at] = start + (variable & 0xffff)
    }
    this.#cut.variables = variables
    return known
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

  #slot(): number {
    const { hash } = this.#cut
    const mask = this.#hashes.length - 1
    let slot = hash & mask
    while (this.#used[slot] === 1 && this.#hashes[slot] !== hash) slot = (slot + 1) & mask
    return slot
  }

  #remember(free: number): void {
    if (this.#size >= maxTexts) return
    this.#hashes[free] = this.#cut.hash
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
