/** Keeps what was found in the lines of requests until they are sealed, so that they need not be cut into words again. */
import type { LineMarks } from '../../model/telemetry.ts'
import type { ShapeTrie } from '../templates/shape-trie.ts'

/** Numbers of some dozens of usual requests in one piece of memory: pieces of their own have the heap collected more often. */
const chunkWords = 65_536
/** Variables of a line there is room for on average; beyond that lines are sealed without marks. */
const usualVariables = 16

export class LineMarker {
  #chunk = new Uint32Array(chunkWords)
  #used = 0
  #shape = this.#chunk.subarray(0, 0)
  #first = this.#chunk.subarray(0, 0)
  #variables = this.#chunk.subarray(0, 0)
  #count = 0

  /** For so many lines to come. */
  begin(lines: number): void {
    const words = lines * (2 + usualVariables)
    if (this.#used + words > this.#chunk.length) {
      this.#chunk = new Uint32Array(Math.max(chunkWords, words))
      this.#used = 0
    }
    const at = this.#used
    this.#shape = this.#chunk.subarray(at, at + lines)
    this.#first = this.#chunk.subarray(at + lines, at + 2 * lines)
    this.#variables = this.#chunk.subarray(at + 2 * lines, at + words)
    this.#count = 0
  }

  /** Marks a line whose text begins at `from` with its shape, found last by `found`. */
  mark(line: number, shape: number, found: ShapeTrie, from: number): void {
    const count = this.#count
    const variables = this.#variables
    if (count + found.variables > variables.length) return
    for (let at = 0; at < found.variables; at++) {
      const start = found.from[at] as number
      variables[count + at] = ((start - from) << 16) | ((found.to[at] as number) - start)
    }
    this.#shape[line] = shape
    this.#first[line] = count
    this.#count = count + found.variables
  }

  /** What was marked since `begin`. */
  take(): LineMarks {
    this.#used += 2 * this.#shape.length + this.#count
    return { shape: this.#shape, first: this.#first, variables: this.#variables.subarray(0, this.#count) }
  }
}
