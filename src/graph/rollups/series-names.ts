/**
 * Series of one tenant by small numbers that hold across records: what a reader keeps of many records refers to
 * them, so that a key is compared and sorted once and not for every record that has it.
 */
import type { DecodedKind } from './decode.ts'
import { PairMap } from './pair-map.ts'
import { kindShapes } from './series-keys.ts'

export class SeriesNames {
  readonly #texts: string[] = []
  readonly #numbers = new Map<string, number>()
  readonly #kinds: readonly NamesOfKind[] = kindShapes.map(
    shape => new NamesOfKind(shape.parts, shape.kind === 'edge', this.#texts),
  )

  /** All series known, of every kind. */
  get size(): number {
    return this.#kinds.reduce((sum, names) => sum + names.size, 0)
  }

  kind(number: number): NamesOfKind {
    const names = this.#kinds[number]
    if (names === undefined) throw new RangeError(`there is no kind ${number}`)
    return names
  }

  /** The number of every series of a section, in the section's order. */
  numbersOf(kind: number, cells: DecodedKind): Uint32Array {
    const texts = Uint32Array.from(cells.partTexts, text => this.#textNumber(text))
    return this.kind(kind).numbersOf(cells, texts)
  }

  /** Number of a series; -1 for one that no section had. */
  find(kind: number, key: readonly string[]): number {
    const texts = key.map(part => this.#numbers.get(part) ?? -1)
    return texts.includes(-1) ? -1 : this.kind(kind).find(texts)
  }

  #textNumber(text: string): number {
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    const number = this.#texts.push(text) - 1
    this.#numbers.set(text, number)
    return number
  }
}

export class NamesOfKind {
  readonly #parts: number
  readonly #isEdge: boolean
  readonly #texts: readonly string[]
  /** Numbers of the parts of each key, one key behind the other. */
  #keyTexts = new Uint32Array(256)
  #size = 0
  /** Keys that were asked for. */
  readonly #keys: (readonly string[])[] = []
  /** A key is folded from the left: pairs of what its beginning has become and its next part. */
  readonly #folds: readonly PairMap[]
  /** Numbers by service. */
  readonly #byService = new Map<string, number[]>()
  #sorted: Uint32Array = new Uint32Array(0)

  constructor(parts: number, isEdge: boolean, texts: readonly string[]) {
    this.#parts = parts
    this.#isEdge = isEdge
    this.#texts = texts
    this.#folds = Array.from({ length: Math.max(1, parts - 1) }, () => new PairMap())
  }

  get size(): number {
    return this.#size
  }

  /** The same array each time. */
  key(number: number): readonly string[] {
    const known = this.#keys[number]
    if (known !== undefined) return known
    const key = Array.from({ length: this.#parts }, (_, part) => this.part(number, part))
    this.#keys[number] = key
    return key
  }

  part(number: number, part: number): string {
    return this.#texts[this.#keyTexts[number * this.#parts + part] as number] ?? ''
  }

  /** Series whose first key part is the service, of edges also those that lead to it. */
  ofService(service: string): readonly number[] {
    return this.#byService.get(service) ?? []
  }

  /** By the numbers of the key's texts; -1 if it is not there. */
  find(texts: readonly number[]): number {
    let folded = texts[0] ?? -1
    for (const [fold, pairs] of this.#folds.entries()) {
      if (folded < 0) return -1
      folded = pairs.find(folded, texts[fold + 1] ?? 0)
    }
    return folded
  }

  /** Order of keys: part by part, by code units. */
  compare(a: number, b: number): number {
    for (let part = 0; part < this.#parts; part++) {
      const [x, y] = [this.part(a, part), this.part(b, part)]
      if (x !== y) return x < y ? -1 : 1
    }
    return 0
  }

  /** All numbers, in the order of their keys. */
  sorted(): Uint32Array {
    const known = this.#sorted.length
    if (known === this.#size) return this.#sorted
    const fresh = Uint32Array.from({ length: this.#size - known }, (_, i) => known + i)
    const compare = (a: number, b: number): number => this.compare(a, b)
    this.#sorted = merged(this.#sorted, fresh.sort(compare), compare)
    return this.#sorted
  }

  /** `texts` are the numbers of the section's own texts. */
  numbersOf({ parts, cells }: DecodedKind, texts: Uint32Array): Uint32Array {
    const numbers = new Uint32Array(cells.first.length - 1)
    for (let s = 0; s < numbers.length; s++) {
      let folded = texts[parts[0]?.[s] as number] as number
      for (let fold = 0; fold < this.#folds.length; fold++) {
        const part = parts[fold + 1]
        const text = part === undefined ? 0 : (texts[part[s] as number] as number)
        folded = (this.#folds[fold] as PairMap).add(folded, text)
      }
      numbers[s] = folded
      if (folded === this.#size) this.#learn(parts.map(part => texts[part[s] as number] as number))
    }
    return numbers
  }

  #learn(key: readonly number[]): void {
    const number = this.#size++
    if (this.#size * this.#parts > this.#keyTexts.length) {
      const wider = new Uint32Array(this.#keyTexts.length * 2 + this.#parts)
      wider.set(this.#keyTexts)
      this.#keyTexts = wider
    }
    this.#keyTexts.set(key, number * this.#parts)
    this.#noteService(this.part(number, 0), number)
    if (this.#isEdge && key[0] !== key[1]) this.#noteService(this.part(number, 1), number)
  }

  #noteService(service: string, number: number): void {
    const list = this.#byService.get(service)
    if (list === undefined) this.#byService.set(service, [number])
    else list.push(number)
  }
}

function merged(a: Uint32Array, b: Uint32Array, compare: (a: number, b: number) => number): Uint32Array {
  const both = new Uint32Array(a.length + b.length)
  let i = 0
  let j = 0
  for (let at = 0; at < both.length; at++) {
    const takeFirst = j >= b.length || (i < a.length && compare(a[i] as number, b[j] as number) <= 0)
    both[at] = (takeFirst ? a[i++] : b[j++]) as number
  }
  return both
}
