/** The kinds of rollup series as numbers of the block format, and what each kind's cells hold. */
import type { RollupKind } from '../../model/rollup.ts'

export interface KindShape {
  readonly kind: RollupKind
  /** Number of key parts. */
  readonly parts: number
  /**
   * `duration`: counts, errors, times and a sketch; `call`: the same with gaps and pairs; `count`: a count
   * alone; `value`: a metric summary.
   */
  readonly cells: 'duration' | 'call' | 'count' | 'value'
}

/** Position is the kind's number in stored blocks: append, never reorder. */
export const kindShapes: readonly KindShape[] = [
  { kind: 'service', parts: 1, cells: 'duration' },
  { kind: 'operation', parts: 3, cells: 'duration' },
  { kind: 'edge', parts: 4, cells: 'call' },
  { kind: 'instance', parts: 4, cells: 'duration' },
  { kind: 'severity', parts: 2, cells: 'count' },
  { kind: 'template', parts: 2, cells: 'count' },
  { kind: 'metric', parts: 6, cells: 'value' },
]

const numbers = new Map(kindShapes.map((shape, number) => [shape.kind, number]))

/** The number of a kind in stored blocks. */
export function kindNumber(kind: RollupKind): number {
  return numbers.get(kind) ?? 0
}

/** The parts of a key as one text; no two keys of a kind have the same. */
export function keyText(key: readonly string[]): string {
  return key.length === 1 ? (key[0] ?? '') : key.join('\u0000')
}

/** Order of keys: part by part, by code units. */
export function compareKeys(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length; i++) {
    const x = a[i] ?? ''
    const y = b[i] ?? ''
    if (x !== y) return x < y ? -1 : 1
  }
  return 0
}

/** Series by number: what a `CellTable`'s series numbers stand for. */
export class SeriesKeys {
  readonly kinds: number[] = []
  readonly keys: (readonly string[])[] = []
  /** Every part of every key once, and the parts of series `n` as numbers of these, from `firstPart[n]` on. */
  readonly texts: string[] = []
  readonly parts: number[] = []
  readonly firstPart: number[] = []
  readonly #textNumbers = new Map<string, number>()
  readonly #byText: Map<string, number>[] = kindShapes.map(() => new Map<string, number>())

  get size(): number {
    return this.kinds.length
  }

  /** Number of the series, added if it is new. */
  add(kind: number, key: readonly string[]): number {
    const known = this.#byText[kind]
    const text = keyText(key)
    const found = known?.get(text)
    if (found !== undefined) return found
    const number = this.kinds.length
    this.kinds.push(kind)
    this.keys.push(key)
    this.firstPart.push(this.parts.length)
    for (const part of key) this.parts.push(this.#textNumber(part))
    known?.set(text, number)
    return number
  }

  #textNumber(text: string): number {
    const found = this.#textNumbers.get(text)
    if (found !== undefined) return found
    const number = this.texts.length
    this.texts.push(text)
    this.#textNumbers.set(text, number)
    return number
  }
}
