/** Texts as small numbers, shared by everything one diagnosis compares, so that inner loops compare numbers. */
export class Names {
  readonly #ids = new Map<string, number>([['', 0]])
  readonly #texts: string[] = ['']

  /** The number of a text; the empty string is 0. */
  id(text: string): number {
    const known = this.#ids.get(text)
    if (known !== undefined) return known
    const id = this.#texts.length
    this.#ids.set(text, id)
    this.#texts.push(text)
    return id
  }

  text(id: number): string {
    return this.#texts[id] ?? ''
  }

  get size(): number {
    return this.#texts.length
  }
}
