/**
 * A log line as tokens, with what varies by its form (numbers, ids, addresses, paths, times) masked.
 *
 * A token keeps the white space before it as one leading blank, so that joining tokens gives the line's
 * shape. Characters are passed over once, words without digits are remembered, and nothing backtracks, so that any
 * input takes time linear in its length.
 */
import { characterClass, classOf } from './character-classes.ts'
import { dateEnd } from './date-end.ts'
import { isWildcard, spacedWildcard, splitWord, type TokenSink, wildcard } from './word-tokens.ts'

/** Characters of a line that are looked at: what follows does not tell templates apart. */
export const maxLineChars = 2_000

/** Tokens of a line, most of them elements of a list; of a template there are fewer, see `maxTemplateTokens`. */
export const maxTokens = 1_000

/** Words remembered with their tokens, and their longest length: language repeats itself. */
const maxRememberedWords = 10_000
const maxRememberedLength = 48

/** Text between quotes behind an equals sign is one value, blanks and all, up to this many characters. */
const maxQuotedChars = 256

/** Length of `HTTP/1.1`. */
const protocolVersionLength = 8

/** Accounts that every system has are names like any other where a name is due. */
const accounts = new Set(['root', 'admin', 'administrator', 'guest', 'nobody', 'anonymous'])
const beforeAccounts = new Set([' user', 'user', ' for', ' from', ' by', ' as'])

/** A remembered word. */
interface Word {
  readonly shape: string
  readonly tokens: readonly string[]
}

/**
 * Reads lines. Most lines have a shape that is known, so reading gives the shape alone; tokens are made when
 * they are asked for.
 */
export class LineTokens implements TokenSink {
  readonly #words = new Map<string, Word>()
  readonly #spacedWords = new Map<string, Word>()
  readonly #tokens: string[] = []
  #collecting = false
  #count = 0
  #text = ''
  #shape = ''
  last = ''
  beforeLast = ''

  /** The tokens of the line joined. */
  get shape(): string {
    return this.#shape
  }

  /** The tokens of the line read last, at most `maxTokens`; they do not keep the text alive. */
  get tokens(): string[] {
    this.#collecting = true
    this.#tokens.length = 0
    this.read(this.#text)
    this.#collecting = false
    return this.#tokens.slice(0, maxTokens).map(flatCopy)
  }

  /** Reads the first line of a text; a stack trace below it belongs to the same event. */
  read(text: string): this {
    this.#text = text
    this.#shape = ''
    this.#count = 0
    this.last = ''
    this.beforeLast = ''
    let at = 0
    while (at < text.length && isBlank(text, at)) at++
    const newline = text.indexOf('\n', at)
    const end = Math.min(newline < 0 ? text.length : newline, at + maxLineChars)
    while (at < end && this.#count < maxTokens) {
      const blank = this.#count > 0 && isBlank(text, at)
      while (at < end && isBlank(text, at)) at++
      if (at < end) at = this.#word(text, at, end, blank)
    }
    return this
  }

  take(token: string): void {
    this.beforeLast = this.last
    this.last = token
    this.#shape += token
    this.#count++
    if (this.#collecting) this.#tokens.push(token)
  }

  untake(): void {
    this.#shape = this.#shape.slice(0, this.#shape.length - this.last.length)
    this.last = this.beforeLast
    this.beforeLast = ''
    this.#count--
    if (this.#collecting) this.#tokens.pop()
  }

  /** Takes the word at `from` and returns where it ends. */
  #word(text: string, from: number, end: number, blank: boolean): number {
    const date = dateEnd(text, from, end)
    if (date > from) {
      this.take(blank ? spacedWildcard : wildcard)
      return date
    }
    let to = from
    let bits = 0
    let assigned = false
    for (; to < end; to++) {
      const code = text.charCodeAt(to)
      const of = classOf(code)
      if ((of & characterClass.blank) !== 0) break
      bits |= of
      if (code === 61) assigned = true
    }
    if (assigned) {
      const value = quotedValueAt(text, from, to, end)
      if (value > 0) return this.#quoted(text, from, value, blank)
    }
    if (text.charCodeAt(from + 6) === 46 && isWildcard(this.last) && text.startsWith('HTTP/', from)) {
      // The version behind a request target is part of the request line, which is one variable.
      const behind = Math.min(to, from + protocolVersionLength)
      if (behind < to) splitWord(this, text, behind, to, false)
    } else if ((bits & characterClass.digit) !== 0 || to - from > maxRememberedLength) {
      splitWord(this, text, from, to, blank)
    } else this.#language(text.slice(from, to), blank)
    return to
  }

  /** A word without digits, mostly one of a language: split once and remembered. */
  #language(word: string, blank: boolean): void {
    if (accounts.has(word) && beforeAccounts.has(this.last)) {
      this.take(blank ? spacedWildcard : wildcard)
      return
    }
    const words = blank ? this.#spacedWords : this.#words
    let known = words.get(word)
    if (known === undefined) {
      if (words.size >= maxRememberedWords) words.clear()
      known = splitAlone(flatCopy(word), blank)
      words.set(flatCopy(word), known)
    }
    const { tokens, shape } = known
    if (this.#collecting) for (const token of tokens) this.#tokens.push(token)
    this.#shape += shape
    this.#count += tokens.length
    this.beforeLast = tokens.length > 1 ? (tokens.at(-2) ?? '') : this.last
    this.last = tokens.at(-1) ?? ''
  }

  /** `key="value"`: what stands before the quote as a word, then the value. Returns the end behind the quote. */
  #quoted(text: string, from: number, value: number, blank: boolean): number {
    const quote = text.charAt(value - 1)
    splitWord(this, text, from, value - 1, blank)
    this.take(quote)
    this.take(wildcard)
    this.take(quote)
    return text.indexOf(quote, value) + 1
  }
}

/** The tokens of a line or of a stored pattern. */
export function tokenize(text: string): string[] {
  return new LineTokens().read(text).tokens
}

function splitAlone(word: string, blank: boolean): Word {
  const tokens: string[] = []
  const sink: TokenSink = {
    get last() {
      return tokens.at(-1) ?? ''
    },
    get beforeLast() {
      return tokens.at(-2) ?? ''
    },
    take: token => tokens.push(token),
    untake: () => tokens.pop(),
  }
  splitWord(sink, word, 0, word.length, blank)
  return { shape: tokens.join(''), tokens }
}

/** Where the value of `key="value"` in the word begins, behind its quote; 0 without a closed one. */
function quotedValueAt(text: string, from: number, to: number, end: number): number {
  for (let i = from; i < to - 1; i++) {
    if (text.charCodeAt(i) !== 61) continue
    const quote = text.charCodeAt(i + 1)
    if (quote !== 34 && quote !== 39) continue
    const close = text.indexOf(text.charAt(i + 1), i + 2)
    return close > i + 2 && close < end && close - i <= maxQuotedChars ? i + 2 : 0
  }
  return 0
}

function isBlank(text: string, at: number): boolean {
  return (classOf(text.charCodeAt(at)) & characterClass.blank) !== 0
}

/** A string of its own: a slice kept for long would keep the whole text it was cut from. */
function flatCopy(text: string): string {
  return text.length < 13 ? text : Buffer.from(text, 'utf16le').toString('utf16le')
}
