/** What a search term finds: tokens that begin with it, and tokens with the same stem. */
import { stemWord } from './stem-word.ts'

/** Verdicts kept per term; a search sees few distinct tokens again and again. */
const maxRemembered = 4096

export class TermMatcher {
  /** One folded token. */
  readonly term: string
  readonly stem: string
  readonly #known = new Map<string, boolean>()

  constructor(term: string) {
    this.term = term
    this.stem = stemWord(term)
  }

  matches(token: string): boolean {
    if (token.startsWith(this.term)) return true
    if (token[0] !== this.term[0]) return false
    const known = this.#known.get(token)
    if (known !== undefined) return known
    const verdict = stemWord(token) === this.stem
    if (this.#known.size >= maxRemembered) this.#known.clear()
    this.#known.set(token, verdict)
    return verdict
  }

  /**
   * A beginning that every token this term finds has: stems differ from their words only at the end, by
   * cutting or by changing at most the last two letters of what is left.
   */
  get commonPrefix(): string {
    const shared = Math.min(this.term.length, Math.max(1, this.stem.length - 2))
    // Half a character outside of the basic plane is the beginning of no UTF-8 text.
    const cut = /[\ud800-\udbff]/.test(this.term[shared - 1] ?? '') ? shared - 1 : shared
    return this.term.slice(0, cut)
  }
}
