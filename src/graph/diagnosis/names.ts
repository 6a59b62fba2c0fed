/** Texts as small numbers, shared by everything one diagnosis compares, so that inner loops compare numbers. */
export class Names {
  readonly #ids = new Map<string, number>([['', 0]])
  readonly #texts: string[] = ['']
  readonly #same: ReadonlyMap<string, string>

  /** `same`: texts that stand for another one. */
  constructor(same: ReadonlyMap<string, string> = new Map()) {
    this.#same = same
  }

  /** The number of a text; the empty string is 0. */
  id(text: string): number {
    const known = this.#ids.get(text)
    if (known !== undefined) return known
    const other = this.#same.get(text)
    const id = other === undefined ? this.#texts.push(text) - 1 : this.id(other)
    this.#ids.set(text, id)
    return id
  }

  text(id: number): string {
    return this.#texts[id] ?? ''
  }

  get size(): number {
    return this.#texts.length
  }
}

/** Two numbers of texts as one; an answer has far fewer than two to the 26th. */
export function pairOf(one: number, other: number): number {
  return one * 67_108_864 + other
}
