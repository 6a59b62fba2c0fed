/**
 * Goes through the words of a log line in one pass. What is masked is decided here and in `word-tokens.ts`;
 * what is made of it is the sink's business. Nothing backtracks, so that any input takes time linear in its
 * length.
 */
import { characterClass, classOf } from './character-classes.ts'
import { dateEnd } from './date-end.ts'
import { isSecretKey, isSecretScheme } from './secret-keys.ts'
import { splitWord, type TokenSink } from './word-tokens.ts'

/** Characters of a line that are looked at: what follows does not tell templates apart. */
export const maxLineChars = 2_000

/** Text between quotes behind an equals sign is one value, blanks and all, up to this many characters. */
const maxQuotedChars = 256

/** Length of `HTTP/1.1`. */
const protocolVersionLength = 8

export interface LineSink extends TokenSink {
  /** Whether the last token is a wildcard. */
  readonly endsMasked: boolean
  /** A word without digits, not yet split. */
  language(text: string, from: number, to: number, blank: boolean): void
}

/** Tells the sink the first line of a text; a stack trace below it belongs to the same event. */
export function walkLine(text: string, sink: LineSink): void {
  let at = 0
  while (at < text.length && isBlank(text, at)) at++
  const first = at
  const limit = Math.min(text.length, at + maxLineChars)
  while (at < limit && text.charCodeAt(at) !== newline) {
    const blank = at > first && isBlank(text, at)
    while (at < limit && isBlank(text, at) && text.charCodeAt(at) !== newline) at++
    if (at >= limit || text.charCodeAt(at) === newline) return
    at = walkWordAt(text, at, limit, blank, sink)
  }
}

/** Tells the word at `from`, and what belongs to it, and returns where that ends. */
export function walkWordAt(
  text: string,
  from: number,
  limit: number,
  blank: boolean,
  sink: LineSink,
): number {
  const to = walkWord(text, from, limit, blank, sink)
  return announcesSecret(text, from, to) ? walkSecret(text, to, limit, sink) : to
}

const newline = 10

/** `password:`, `token =` and `Bearer`: what follows behind white space is the secret. */
function announcesSecret(text: string, from: number, to: number): boolean {
  const last = text.charCodeAt(to - 1)
  if (last === 58 || last === 61) {
    let key = to - 2
    while (key > from && (classOf(text.charCodeAt(key - 1)) & characterClass.inner) === 0) key--
    return isSecretKey(text, key, to - 1)
  }
  return isSecretScheme(text, from, to)
}

/** Masks the next word. `Authorization: Bearer` is followed by one more. */
function walkSecret(text: string, from: number, limit: number, sink: LineSink): number {
  let at = from
  while (at < limit && isBlank(text, at) && text.charCodeAt(at) !== newline) at++
  if (at >= limit || at === from || text.charCodeAt(at) === newline) return from
  const word = at
  while (at < limit && !isBlank(text, at)) at++
  if (isSecretScheme(text, word, at)) {
    sink.part(text, word, at, true)
    return walkSecret(text, at, limit, sink)
  }
  sink.mask(true)
  return at
}

/** Tells the word at `from` and returns where it ends. */
function walkWord(text: string, from: number, limit: number, blank: boolean, sink: LineSink): number {
  const date = dateEnd(text, from, limit)
  if (date > from) {
    sink.mask(blank)
    return date
  }
  let to = from
  let bits = 0
  let assigned = false
  for (; to < limit; to++) {
    const code = text.charCodeAt(to)
    const of = classOf(code)
    if ((of & characterClass.blank) !== 0) break
    bits |= of
    if (code === 61) assigned = true
  }
  if (assigned) {
    const value = quotedValueAt(text, from, to, limit)
    if (value > 0) return walkQuoted(text, from, value, blank, sink)
  }
  if ((bits & characterClass.digit) === 0) sink.language(text, from, to, blank)
  else if (text.charCodeAt(from + 6) === 46 && sink.endsMasked && text.startsWith('HTTP/', from)) {
    // The version behind a request target is part of the request line, which is one variable.
    const behind = Math.min(to, from + protocolVersionLength)
    if (behind < to) splitWord(sink, text, behind, to, false)
  } else splitWord(sink, text, from, to, blank)
  return to
}

/** `key="value"`: what stands before the quote as a word, then the value. Returns the end behind the quote. */
function walkQuoted(text: string, from: number, value: number, blank: boolean, sink: LineSink): number {
  const close = text.indexOf(text.charAt(value - 1), value)
  splitWord(sink, text, from, value - 1, blank)
  sink.part(text, value - 1, value, false)
  sink.mask(false)
  sink.part(text, close, close + 1, false)
  return close + 1
}

/** Where the value of `key="value"` in the word begins, behind its quote; 0 without a closed one. */
function quotedValueAt(text: string, from: number, to: number, limit: number): number {
  for (let i = from; i < to - 1; i++) {
    if (text.charCodeAt(i) !== 61) continue
    const quote = text.charCodeAt(i + 1)
    if (quote !== 34 && quote !== 39) continue
    const end = Math.min(limit, i + maxQuotedChars)
    for (let close = i + 2; close < end; close++) {
      const code = text.charCodeAt(close)
      if (code === newline) return 0
      if (code === quote) return close > i + 2 ? i + 2 : 0
    }
    return 0
  }
  return 0
}

function isBlank(text: string, at: number): boolean {
  return (classOf(text.charCodeAt(at)) & characterClass.blank) !== 0
}
