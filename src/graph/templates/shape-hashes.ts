/**
 * Numbers of lines by their shape: what `line-hash.ts` makes of a line word by word, it makes of every line of the same
 * shape in which the same contents count. Shapes are remembered when they are met twice.
 */
import { LineCut } from '../../model/line-runs.ts'
import { maxLineChars } from './line-walk.ts'
import { LineContent, rulesOf, type WalkedLine } from './shape-rules.ts'
import { ShapeTrie } from './shape-trie.ts'

/** Hashes of shapes met once, by their last bits. */
const seenSlots = 4096
/** A power of two; numbers remembered are half as many, then all are forgotten. */
const slots = 16_384
/** So many lines of a shape with contents of their own, and it is given up to look for theirs. */
const maxMisses = 256
/** Where most of so many lines have no shape that is known, it is not asked for in the next ones. */
const judgedLines = 1024
const pausedLines = 8192

export class ShapeHashes {
  readonly trie: ShapeTrie = new ShapeTrie()
  /** Both halves of the number found last. */
  low = 0
  high = 0
  readonly #cut = new LineCut()
  readonly #content = new LineContent()
  readonly #seen = new Int32Array(seenSlots)
  /** By number of shape from `#firstShape`; null where lines of a shape have nothing in common. */
  readonly #rules: (Uint8Array | null)[] = []
  /** By the same: lines whose number was not known, less those whose was. */
  readonly #misses: number[] = []
  #firstShape = 1
  readonly #shapes = new Int32Array(slots)
  /** Contents and numbers, four words each. */
  readonly #words = new Int32Array(slots * 4)
  #size = 0
  #lines = 0
  #missed = 0
  #paused = 0

  /** Number of the line's shape, whose variables are in the trie then; 0 if there is none. */
  shapeOf(bytes: Uint8Array, view: DataView, from: number, to: number): number {
    if (this.#paused > 0) {
      this.#paused--
      return 0
    }
    if (++this.#lines === judgedLines) this.#judge()
    if (to - from > maxLineChars) return 0
    const shape = this.trie.find(bytes, view, from, to)
    return shape === 0 ? this.#meet(bytes, view, from, to) : shape
  }

  /** Whether the number of the line that the trie found last is known. */
  find(shape: number, bytes: Uint8Array): boolean {
    const place = shape - this.#firstShape
    const rules = this.#rules[place] ?? null
    const content = this.#content
    if (rules === null || !content.read(rules, bytes, this.trie)) return false
    const slot = this.#slot(shape, content)
    if (this.#shapes[slot] === 0) return false
    const misses = this.#misses[place] as number
    if (misses > 0) this.#misses[place] = misses - 1
    this.low = this.#words[slot * 4 + 2] as number
    this.high = this.#words[slot * 4 + 3] as number
    return true
  }

  /** Whether no line of the shape has been walked yet. */
  isNew(shape: number): boolean {
    return this.#rules[shape - this.#firstShape] === undefined
  }

  /** Tells of the walk of the line that the trie found last, the first of its shape; null where nothing follows from it. */
  learn(shape: number, line: WalkedLine | null): void {
    const place = shape - this.#firstShape
    this.#rules[place] = line === null ? null : rulesOf(line, this.trie)
    this.#misses[place] = 0
  }

  /** Enters the number of the line that the trie found last. */
  enter(shape: number, bytes: Uint8Array, low: number, high: number): void {
    const place = shape - this.#firstShape
    const rules = this.#rules[place] ?? null
    const content = this.#content
    if (rules === null || !content.read(rules, bytes, this.trie)) return
    const misses = (this.#misses[place] as number) + 1
    this.#misses[place] = misses
    if (misses > maxMisses) {
      this.#rules[place] = null
      return
    }
    if (this.#size * 2 >= slots) {
      this.#shapes.fill(0)
      this.#size = 0
    }
    const slot = this.#slot(shape, content)
    if (this.#shapes[slot] === 0) this.#size++
    this.#shapes[slot] = shape
    this.#words[slot * 4] = content.low
    this.#words[slot * 4 + 1] = content.high
    this.#words[slot * 4 + 2] = low
    this.#words[slot * 4 + 3] = high
  }

  #slot(shape: number, { low, high }: LineContent): number {
    const words = this.#words
    let slot = (Math.imul(shape, 0x9e3779b1) ^ low ^ (low >>> 15)) & (slots - 1)
    while (this.#shapes[slot] !== 0) {
      if (this.#shapes[slot] === shape && words[slot * 4] === low && words[slot * 4 + 1] === high) return slot
      slot = (slot + 1) & (slots - 1)
    }
    return slot
  }

  /** A line whose shape is not in the trie: it gets there if this is not the first. */
  #meet(bytes: Uint8Array, view: DataView, from: number, to: number): number {
    this.#missed++
    const cut = this.#cut
    if (!cut.cut(bytes, view, from, to)) return 0
    const slot = cut.hash & (seenSlots - 1)
    if (this.#seen[slot] !== cut.hash) {
      this.#seen[slot] = cut.hash
      return 0
    }
    if (!this.trie.add(bytes, from, to, cut)) {
      this.#firstShape = this.trie.clear()
      this.#rules.length = 0
      this.#misses.length = 0
      return 0
    }
    return this.trie.find(bytes, view, from, to)
  }

  #judge(): void {
    if (this.#missed * 2 > judgedLines) this.#paused = pausedLines
    this.#lines = 0
    this.#missed = 0
  }
}
