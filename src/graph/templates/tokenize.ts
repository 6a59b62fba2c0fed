/**
 * A log line as tokens, with what varies by its form (numbers, ids, addresses, paths, times) masked.
 *
 * A token keeps the white space before it as one leading blank, so that joining tokens gives the line's
 * shape. Characters are passed over once, words without digits are remembered, and nothing backtracks: any
 * input takes time linear in its length.
 */
import { characterClass, classOf } from './character-classes.ts'
import { dateEnd } from './date-end.ts'
import { isEmptyBrackets, isWildcard, spacedWildcard, wildcard, wordTokens } from './word-tokens.ts'

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

interface Piece {
  readonly tokens: readonly string[]
  readonly shape: string
}

const masked: Piece = { tokens: [wildcard], shape: wildcard }
const maskedSpaced: Piece = { tokens: [spacedWildcard], shape: spacedWildcard }

/** Reads lines; `shape` and `tokens` are those of the line read last. */
export class LineTokens {
  readonly #pieces: Piece[] = []
  readonly #words = new Map<string, Piece>()
  readonly #spacedWords = new Map<string, Piece>()
  #shape = ''

  /** The tokens of the line joined. */
  get shape(): string {
    return this.#shape
  }

  /** Copies of the tokens, at most `maxTokens`, which do not keep the text alive. */
  get tokens(): string[] {
    const tokens = this.#pieces.flatMap(piece => piece.tokens)
    if (tokens.length > maxTokens) tokens.length = maxTokens
    return tokens.map(flatCopy)
  }

  /** Reads the first line of a text; a stack trace below it belongs to the same event. */
  read(text: string): this {
    this.#pieces.length = 0
    this.#shape = ''
    let at = 0
    while (at < text.length && isBlank(text, at)) at++
    const newline = text.indexOf('\n', at)
    const end = Math.min(newline < 0 ? text.length : newline, at + maxLineChars)
    while (at < end && this.#pieces.length < maxTokens) {
      const blank = this.#pieces.length > 0 && isBlank(text, at)
      while (at < end && isBlank(text, at)) at++
      if (at < end) at = this.#word(text, at, end, blank)
    }
    return this
  }

  /** Adds the word at `from` and returns where it ends. */
  #word(text: string, from: number, end: number, blank: boolean): number {
    const date = dateEnd(text, from, end)
    if (date > from) {
      this.#add(blank ? maskedSpaced : masked)
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
    if (text.startsWith('HTTP/', from) && text.charCodeAt(from + 6) === 46 && this.#endsMasked()) {
      // The version behind a request target is part of the request line, which is one variable.
      const behind = Math.min(to, from + protocolVersionLength)
      if (behind < to) this.#add(this.#pieceOf(text.slice(behind, to), false, 0))
      return to
    }
    this.#add(this.#pieceOf(text.slice(from, to), blank, bits))
    return to
  }

  #pieceOf(word: string, blank: boolean, bits: number): Piece {
    if ((bits & characterClass.digit) !== 0 || word.length > maxRememberedLength) return split(word, blank)
    if (accounts.has(word) && beforeAccounts.has(this.#pieces.at(-1)?.tokens.at(-1) ?? '')) {
      return blank ? maskedSpaced : masked
    }
    const words = blank ? this.#spacedWords : this.#words
    const known = words.get(word)
    if (known !== undefined) return known
    if (words.size >= maxRememberedWords) words.clear()
    const piece = split(flatCopy(word), blank)
    words.set(flatCopy(word), piece)
    return piece
  }

  /** `key="value"`: what stands before the quote as a word, then the value. Returns the end behind the quote. */
  #quoted(text: string, from: number, value: number, blank: boolean): number {
    const quote = text.charAt(value - 1)
    const close = text.indexOf(quote, value)
    const key = wordTokens(text.slice(from, value - 1), blank)
    const tokens = [...key, quote, wildcard, quote]
    this.#add({ tokens, shape: tokens.join('') })
    return close + 1
  }

  #endsMasked(): boolean {
    return isWildcard(this.#pieces.at(-1)?.tokens.at(-1))
  }

  #add(piece: Piece): void {
    this.#pieces.push(piece)
    this.#shape += piece.shape
  }
}

/** The tokens of a line or of a stored pattern. */
export function tokenize(text: string): string[] {
  return new LineTokens().read(text).tokens
}

function split(word: string, blank: boolean): Piece {
  if (isEmptyBrackets(word)) {
    const tokens = [(blank ? ' ' : '') + word.charAt(0), wildcard, word.charAt(1)]
    return { tokens, shape: tokens.join('') }
  }
  const tokens = wordTokens(word, blank)
  if (tokens.length > 1) return { tokens, shape: tokens.join('') }
  if (tokens[0] === spacedWildcard) return maskedSpaced
  if (tokens[0] === wildcard) return masked
  return { tokens, shape: tokens[0] ?? '' }
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
