/** Which rows of a segment have a body of a shape, and where in their messages lies what it leaves out. */
import type { Scratch } from './scratch.ts'
import type { TextShapes } from './text-shapes.ts'

export class ShapedRows {
  readonly shapes: TextShapes
  /** Shape of the body by row, -1 for none. */
  readonly shape: Int32Array
  /** 1 where a message has text besides a body of a shape. */
  readonly more: Uint8Array
  /** First variable of each row; one more than there are rows. */
  readonly first: Uint32Array
  /** Where variables lie in the bytes that hold the message of their row. */
  from: Uint32Array
  to: Uint32Array
  readonly #scratch: Scratch
  #count = 0

  /** Lies in `scratch`. */
  constructor(rows: number, shapes: TextShapes, scratch: Scratch) {
    this.shapes = shapes
    this.shape = scratch.integers(rows).fill(-1)
    this.more = scratch.octets(rows).fill(0)
    this.first = scratch.words(rows + 1)
    this.first[0] = 0
    this.from = scratch.words(rows * 8 + 64)
    this.to = scratch.words(rows * 8 + 64)
    this.#scratch = scratch
  }

  /** Enters the body whose text was found last. Rows come in order, with gaps only where `end` was called. */
  add(row: number, shape: number): void {
    const { shapes } = this
    if (this.#count + shapes.variables > this.from.length) this.#widen()
    this.shape[row] = shape
    for (let at = 0; at < shapes.variables; at++) {
      this.from[this.#count] = shapes.from[at] as number
      this.to[this.#count++] = shapes.to[at] as number
    }
  }

  /** Closes a row. */
  end(row: number): void {
    this.first[row + 1] = this.#count
  }

  #widen(): void {
    const [from, to] = [this.from, this.to]
    this.from = this.#scratch.words(from.length * 2)
    this.to = this.#scratch.words(to.length * 2)
    this.from.set(from)
    this.to.set(to)
  }
}
