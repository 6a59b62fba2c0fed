/**
 * Shapes of lines met more than once, as a trie: a line is compared with the texts of a shape between its variables,
 * four bytes at a time, and only variables are looked at byte by byte. That takes a third of cutting it, and tells
 * which shape it is without a hash.
 *
 * What a variable is says `line-runs.ts`, as for the shapes of a segment, which are told by what is found here.
 */
import { hexRunLength, type LineCut, maxVariables, runClass, runClasses } from '../../model/line-runs.ts'

/** Nodes and bytes of text at most; full, everything is forgotten. As many as some thousand shapes have. */
const maxNodes = 16_384
const maxTextBytes = 1 << 19

/** What is known of a variable: bits, and from `lengthShift` on the number of its digits. */
export const variableBits = {
  /** Of a hexadecimal number at most. */
  hexOnly: 1,
  /** No letters. */
  digitsOnly: 2,
  /** Begins with a digit. */
  digitFirst: 4,
} as const
export const digitsShift = 4

/** `runClass.digit` is 4. */
const { digit, hexLetter, otherLetter, beyond } = runClass

export class ShapeTrie {
  /** Where the variables of the line found last begin and end in its bytes. */
  readonly from: Uint32Array = new Uint32Array(maxVariables)
  readonly to: Uint32Array = new Uint32Array(maxVariables)
  /** See `variableBits`. */
  readonly bits: Uint32Array = new Uint32Array(maxVariables)
  variables = 0
  readonly #text = new Uint8Array(maxTextBytes)
  readonly #textView = new DataView(this.#text.buffer)
  #textLength = 0
  /** Text of each node: where it begins, and how long it is. */
  readonly #start = new Int32Array(maxNodes)
  readonly #length = new Int32Array(maxNodes)
  /** First byte of the text. */
  readonly #key = new Uint8Array(maxNodes)
  /** Nodes that may follow: a list of those that begin with a text, and the one behind a variable. 0 for none. */
  readonly #child = new Int32Array(maxNodes)
  readonly #sibling = new Int32Array(maxNodes)
  readonly #variable = new Int32Array(maxNodes)
  /** Shape of lines that end behind the node. */
  readonly #shape = new Int32Array(maxNodes)
  #nodes = 1
  /** Number given last: numbers are not used again when everything is forgotten. */
  #lastShape = 0

  /** Number of the shape of a line of ASCII, from 1; 0 for one that is not known. Its variables stand in `from` and `to`. */
  find(bytes: Uint8Array, view: DataView, from: number, to: number): number {
    const variable = this.#variable
    const length = this.#length
    let node = 0
    let at = from
    this.variables = 0
    while (at < to) {
      const behind = variable[node] as number
      if (behind !== 0) {
        const end = this.#variableAt(bytes, at, to)
        if (end > at) {
          node = behind
          at = end
          continue
        }
      }
      node = this.#childOf(node, bytes[at] as number)
      if (node === 0) return 0
      const size = length[node] as number
      if (at + size > to || !this.#isTextOf(node, size, view, at)) return 0
      at += size
    }
    return this.#shape[node] as number
  }

  /** Adds the shape of a line that was cut; false if there is no room. */
  add(bytes: Uint8Array, from: number, to: number, cut: LineCut): boolean {
    const { variables } = cut
    if (this.#nodes + 3 * variables + 3 > maxNodes || this.#textLength + to - from > maxTextBytes)
      return false
    let node = 0
    let start = from
    for (let number = 0; number < variables; number++) {
      node = this.#addText(node, bytes, start, cut.from[number] as number)
      if (this.#variable[node] === 0) this.#variable[node] = this.#newNode(0, 0)
      node = this.#variable[node] as number
      start = cut.to[number] as number
    }
    node = this.#addText(node, bytes, start, to)
    if (this.#shape[node] === 0) this.#shape[node] = ++this.#lastShape
    return true
  }

  /** Forgets everything; returns the first number that will be given then. */
  clear(): number {
    const used = this.#nodes
    for (const column of [this.#child, this.#sibling, this.#variable, this.#shape]) column.fill(0, 0, used)
    this.#nodes = 1
    this.#textLength = 0
    return this.#lastShape + 1
  }

  /** Enters the variable that begins at `at` and returns its end; `at` if there is none. */
  #variableAt(bytes: Uint8Array, from: number, to: number): number {
    let seen = 0
    let digits = 0
    let at = from
    for (; at < to; at++) {
      const of = runClasses[bytes[at] as number] as number
      if (of === 0) break
      seen |= of
      digits += (of & digit) >> 2
    }
    if (seen < digit && (seen !== hexLetter || at - from < hexRunLength)) return from
    const number = this.variables
    if (seen >= beyond || number === maxVariables) return from
    this.variables = number + 1
    this.from[number] = from
    this.to[number] = at
    this.bits[number] =
      ((seen & otherLetter) === 0 ? variableBits.hexOnly : 0) |
      (seen === digit ? variableBits.digitsOnly : 0) |
      (runClasses[bytes[from] as number] === digit ? variableBits.digitFirst : 0) |
      (digits << digitsShift)
    return at
  }

  #childOf(node: number, byte: number): number {
    let child = this.#child[node] as number
    while (child !== 0 && this.#key[child] !== byte) child = this.#sibling[child] as number
    return child
  }

  #isTextOf(node: number, size: number, view: DataView, from: number): boolean {
    const text = this.#textView
    const start = this.#start[node] as number
    if (size < 4) {
      for (let at = 1; at < size; at++)
        if (text.getUint8(start + at) !== view.getUint8(from + at)) return false
      return true
    }
    const last = size - 4
    for (let at = 0; at < last; at += 4)
      if (text.getInt32(start + at, true) !== view.getInt32(from + at, true)) return false
    return text.getInt32(start + last, true) === view.getInt32(from + last, true)
  }

  /** The node behind the text, below `node`. */
  #addText(node: number, bytes: Uint8Array, from: number, to: number): number {
    let parent = node
    for (let at = from; at < to; ) {
      const child = this.#childOf(parent, bytes[at] as number)
      if (child === 0) return this.#addChild(parent, bytes, at, to)
      const common = this.#commonLength(child, bytes, at, to)
      if (common < (this.#length[child] as number)) this.#split(child, common)
      parent = child
      at += common
    }
    return parent
  }

  #addChild(parent: number, bytes: Uint8Array, from: number, to: number): number {
    const child = this.#newNode(this.#textLength, to - from)
    this.#text.set(bytes.subarray(from, to), this.#textLength)
    this.#textLength += to - from
    this.#key[child] = bytes[from] as number
    this.#sibling[child] = this.#child[parent] as number
    this.#child[parent] = child
    return child
  }

  #commonLength(node: number, bytes: Uint8Array, from: number, to: number): number {
    const start = this.#start[node] as number
    const limit = Math.min(this.#length[node] as number, to - from)
    let common = 1
    while (common < limit && this.#text[start + common] === bytes[from + common]) common++
    return common
  }

  /** Leaves the node the first `length` bytes of its text; what follows them goes with the rest. */
  #split(node: number, length: number): void {
    const start = (this.#start[node] as number) + length
    const rest = this.#newNode(start, (this.#length[node] as number) - length)
    this.#key[rest] = this.#text[start] as number
    this.#child[rest] = this.#child[node] as number
    this.#variable[rest] = this.#variable[node] as number
    this.#shape[rest] = this.#shape[node] as number
    this.#length[node] = length
    this.#child[node] = rest
    this.#variable[node] = 0
    this.#shape[node] = 0
  }

  #newNode(start: number, length: number): number {
    const node = this.#nodes++
    this.#start[node] = start
    this.#length[node] = length
    return node
  }
}
