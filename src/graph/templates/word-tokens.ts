/** A word between white space, split at its punctuation, its variable parts masked. */
import { characterClass, classOf } from './character-classes.ts'
import { isVariable, isVariableCore, numberedNameLength } from './variable-forms.ts'

/** Stands for a variable part. */
export const wildcard = '<*>'
export const spacedWildcard = ' <*>'

/** Whether the token is a wildcard, with or without a blank before it. */
export function isWildcard(token: string | undefined): boolean {
  return token === wildcard || token === spacedWildcard
}

/** The tokens of a word; with `blank` the first one begins with a blank. */
export function wordTokens(word: string, blank: boolean): string[] {
  const out: string[] = []
  let from = 0
  let to = word.length
  while (from < to && isOpening(word, from)) push(out, blank, word.charAt(from++))
  while (to > from && (classOf(word.charCodeAt(to - 1)) & characterClass.closing) !== 0) {
    if (word.endsWith(wildcard, to)) break
    to--
  }
  if (to > from) splitCore(out, blank, word.slice(from, to))
  else if (from === 0) {
    // Nothing but punctuation, as in a rule across the page: one token.
    push(out, blank, word)
    return out
  }
  for (let i = to; i < word.length; i++) push(out, blank, word.charAt(i))
  return out
}

/** `()` or `[]` alone: a value that is missing here and is there in other lines. */
export function isEmptyBrackets(word: string): boolean {
  return word === '()' || word === '[]'
}

function isOpening(word: string, at: number): boolean {
  return (classOf(word.charCodeAt(at)) & characterClass.opening) !== 0 && !isComparison(word, at)
}

/** `<1` is a number, `<*>` a variable. */
function isComparison(word: string, at: number): boolean {
  if (word.charCodeAt(at) !== 60) return false
  return (classOf(word.charCodeAt(at + 1)) & characterClass.digit) !== 0 || word.startsWith(wildcard, at)
}

function splitCore(out: string[], blank: boolean, core: string): void {
  if (isVariableCore(core)) {
    push(out, blank, wildcard)
    return
  }
  let from = 0
  for (let i = 0; i <= core.length; i++) {
    if (core.charCodeAt(i) === 60 && core.startsWith(wildcard, i)) {
      i += wildcard.length - 1
      continue
    }
    const length = i === core.length ? 1 : punctuationAt(core, i)
    if (length === 0) continue
    if (i > from) pushPart(out, blank, core.slice(from, i))
    if (i === core.length) return
    push(out, blank, core.slice(i, i + length))
    from = i + length
    // What follows an assignment is a value as a whole when it has the form of one.
    if (core.charCodeAt(i) === 61 && from < core.length && isVariableCore(core.slice(from))) {
      push(out, blank, wildcard)
      return
    }
    i = from - 1
  }
}

/** `core.2275` is the word `core.` and a number: such names would otherwise vanish as a whole. */
function pushPart(out: string[], blank: boolean, part: string): void {
  const numbered = numberedNameLength(part)
  if (numbered > 0) {
    push(out, blank, part.slice(0, numbered))
    push(out, blank, wildcard)
  } else if (!isVariable(part)) push(out, blank, part)
  else if (out.at(-1) === ':' && isWildcard(out.at(-2))) {
    // An address and its port, before more punctuation, are one.
    out.pop()
  } else push(out, blank, wildcard)
}

/** Length of the punctuation at `i`: a run of dots of two and more, one of the inner marks, or 0. */
function punctuationAt(core: string, i: number): number {
  const code = core.charCodeAt(i)
  if (code !== 46) return (classOf(code) & characterClass.inner) !== 0 && !isComparison(core, i) ? 1 : 0
  let to = i
  while (core.charCodeAt(to) === 46) to++
  return to - i >= 2 ? to - i : 0
}

/** Only the first token of a word carries the blank before it. */
function push(out: string[], blank: boolean, token: string): void {
  out.push(blank && out.length === 0 ? ` ${token}` : token)
}
