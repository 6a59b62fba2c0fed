/**
 * A log line as tokens, with what varies by its form (numbers, ids, addresses, paths, times) masked. A token
 * keeps the white space before it as one leading blank, so that joining tokens gives the line's shape.
 */
import { isWeekday } from './date-end.ts'
import { type LineSink, walkLine } from './line-walk.ts'
import { isWildcard, spacedWildcard, splitWord, wildcard } from './word-tokens.ts'

/** Tokens of a line, most of them elements of a list; of a template there are fewer. */
export const maxTokens = 1_000

/** Accounts that every system has are names like any other where a name is due. */
const accounts = new Set(['root', 'admin', 'administrator', 'guest', 'nobody', 'anonymous'])
const beforeAccounts = new Set([' user', 'user', ' for', ' from', ' by', ' as'])
const longestAccount = 13

/** The tokens of a line or of a stored pattern. They do not keep the text alive. */
export function tokenize(text: string): string[] {
  const sink = new TokenList()
  walkLine(text, sink)
  return sink.tokens.map(flatCopy)
}

class TokenList implements LineSink {
  readonly tokens: string[] = []

  get endsMasked(): boolean {
    return isWildcard(this.tokens.at(-1))
  }

  get endsWithMaskedColon(): boolean {
    return this.tokens.at(-1) === ':' && isWildcard(this.tokens.at(-2))
  }

  mask(blank: boolean): void {
    if (blank) this.#maskWeekday()
    this.#take(blank ? spacedWildcard : wildcard)
  }

  /** `on:Sat Jul 23 05:12:03`, `Sat, 23 Jul 2005`: the day varies with the date behind it, wherever it stands in a word. */
  #maskWeekday(): void {
    const at = this.tokens.length - (this.tokens.at(-1) === ',' ? 2 : 1)
    const token = this.tokens[at] ?? ''
    const spaced = token.startsWith(' ')
    if (isWeekday(spaced ? token.slice(1) : token)) this.tokens[at] = spaced ? spacedWildcard : wildcard
  }

  part(text: string, from: number, to: number, blank: boolean): void {
    const part = text.slice(from, to)
    this.#take(blank ? ` ${part}` : part)
  }

  dropColon(): void {
    this.tokens.pop()
  }

  language(text: string, from: number, to: number, blank: boolean): void {
    const account = to - from <= longestAccount && accounts.has(text.slice(from, to))
    if (account && beforeAccounts.has(this.tokens.at(-1) ?? '')) this.mask(blank)
    else splitWord(this, text, from, to, blank)
  }

  #take(token: string): void {
    if (this.tokens.length < maxTokens) this.tokens.push(token)
  }
}

/** A string of its own: a slice kept for long would keep the whole text it was cut from. */
function flatCopy(text: string): string {
  return text.length < 13 ? text : Buffer.from(text, 'utf16le').toString('utf16le')
}
