/** A word between white space, split at its punctuation, its variable parts masked. */
import { characterClass, classOf } from './character-classes.ts'
import { isSecretKey } from './secret-keys.ts'
import { isMaskAt, isVariable, isVariableCore, numberBehindName } from './variable-forms.ts'

/** Stands for a variable part. */
export const wildcard = '<*>'
export const spacedWildcard = ' <*>'

/** Takes the tokens of a line, one by one. */
export interface TokenSink {
  /** Whether the last two tokens are a wildcard and a colon. */
  readonly endsWithMaskedColon: boolean
  mask(blank: boolean): void
  /** A token as it stands in the text; `blank` says that white space stands before it. */
  part(text: string, from: number, to: number, blank: boolean): void
  /** Gives the colon of `endsWithMaskedColon` back. */
  dropColon(): void
}

/** Whether the token is a wildcard, with or without a blank before it. */
export function isWildcard(token: string | undefined): boolean {
  return token === wildcard || token === spacedWildcard
}

/** Takes the word `text[from, to)` apart; with `blank` its first token begins with a blank. */
export function splitWord(sink: TokenSink, text: string, from: number, to: number, blank: boolean): void {
  if (isEmptyBrackets(text, from, to)) {
    // A value that is missing here and is there in other lines.
    sink.part(text, from, from + 1, blank)
    sink.mask(false)
    sink.part(text, from + 1, to, false)
    return
  }
  let start = from
  let end = to
  let spaced = blank
  while (start < end && isOpening(text, start)) {
    sink.part(text, start, start + 1, spaced)
    start++
    spaced = false
  }
  while (end > start && (classOf(text.charCodeAt(end - 1)) & characterClass.closing) !== 0) {
    if (end - start >= 3 && isMaskAt(text, end - 3)) break
    end--
  }
  if (end > start) splitCore(sink, text, start, end, spaced)
  else if (start === from) {
    // Nothing but punctuation, as in a rule across the page: one token.
    sink.part(text, from, to, blank)
    return
  }
  for (let i = end; i < to; i++) sink.part(text, i, i + 1, false)
}

/** `()` or `[]` alone. */
function isEmptyBrackets(text: string, from: number, to: number): boolean {
  if (to - from !== 2) return false
  const open = text.charCodeAt(from)
  const close = text.charCodeAt(from + 1)
  return (open === 40 && close === 41) || (open === 91 && close === 93)
}

function isOpening(text: string, at: number): boolean {
  return (classOf(text.charCodeAt(at)) & characterClass.opening) !== 0 && !isComparison(text, at)
}

/** `<1` is a number, `<*>` a variable. */
function isComparison(text: string, at: number): boolean {
  if (text.charCodeAt(at) !== 60) return false
  return (classOf(text.charCodeAt(at + 1)) & characterClass.digit) !== 0 || isMaskAt(text, at)
}

function splitCore(sink: TokenSink, text: string, start: number, end: number, blank: boolean): void {
  if (isVariableCore(text, start, end)) {
    sink.mask(blank)
    return
  }
  let spaced = blank
  let from = start
  for (let i = start; i <= end; i++) {
    if (i < end && isMaskAt(text, i)) {
      i += wildcard.length - 1
      continue
    }
    const length = i === end ? 1 : punctuationAt(text, i, end)
    if (length === 0) continue
    if (i > from) {
      splitPart(sink, text, from, i, spaced)
      spaced = false
    }
    if (i === end) return
    sink.part(text, i, i + length, spaced)
    spaced = false
    from = i + length
    if (from < end && isValue(text, start, i, end)) {
      sink.mask(false)
      return
    }
    i = from - 1
  }
}

/**
 * Whether all that follows the punctuation at `at` is one value: behind the name of a secret always, behind an
 * equals sign when it has the form of a variable.
 */
function isValue(text: string, start: number, at: number, end: number): boolean {
  const code = text.charCodeAt(at)
  if (code !== 61 && code !== 58) return false
  let key = at - 1
  while (key > start && (classOf(text.charCodeAt(key - 1)) & characterClass.inner) === 0) key--
  if (isSecretKey(text, key, at)) return true
  return code === 61 && isVariableCore(text, at + 1, end)
}

/** `core.2275` is the word `core.` and a number: such names would otherwise vanish as a whole. */
function splitPart(sink: TokenSink, text: string, from: number, to: number, blank: boolean): void {
  const number = numberBehindName(text, from, to)
  if (number > 0) {
    sink.part(text, from, number, blank)
    sink.mask(false)
  } else if (!isVariable(text, from, to)) sink.part(text, from, to, blank)
  else if (!blank && sink.endsWithMaskedColon) {
    // An address and its port, before more punctuation, are one.
    sink.dropColon()
  } else sink.mask(blank)
}

/** Length of the punctuation at `i`: a run of dots of two and more, one of the inner marks, or 0. */
function punctuationAt(text: string, i: number, end: number): number {
  const code = text.charCodeAt(i)
  if (code !== 46) return (classOf(code) & characterClass.inner) !== 0 && !isComparison(text, i) ? 1 : 0
  let to = i
  while (to < end && text.charCodeAt(to) === 46) to++
  return to - i >= 2 ? to - i : 0
}
