/**
 * Which parts of a log line vary by their form, whatever the system that wrote them. A part is a range of the
 * line, because cutting it out costs more than looking at it.
 */
import { characterClass, classOf } from './character-classes.ts'

const { digit, hexLetter, letter, sign, slash } = characterClass

/** Words that are values. */
export const literals: readonly string[] = ['true', 'false', 'null', 'none', 'nil', 'undefined', 'nan']
const literalSet = new Set(literals)
const longestLiteral = 9

/** A word with this many digits is an id; one with fewer may be a name, like `tty2` and `ext3`. */
const digitsOfAnId = 3

/** Letters a to f alone are taken as a word below this length. */
const hexWordLength = 8

/** Letters a to f and digits together are taken as hexadecimal from this length on. */
const hexIdLength = 6

/** Capitals and digits together are taken as a key from this length on. */
const capitalKeyLength = 12

/** Length of `<*>`. */
const maskLength = 3

/** Whether a mask stands at `at`: lines may quote templates, and stored patterns are read again. */
export function isMaskAt(text: string, at: number): boolean {
  return text.charCodeAt(at) === 60 && text.charCodeAt(at + 1) === 42 && text.charCodeAt(at + 2) === 62
}

/** Whether a part between punctuation is a variable. */
export function isVariable(text: string, from: number, to: number): boolean {
  let digits = 0
  let letters = 0
  let small = 0
  let seen = 0
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i)
    const bits = classOf(code)
    seen |= bits
    if ((bits & digit) !== 0) digits++
    else if ((bits & (letter | hexLetter)) !== 0) {
      letters++
      if (code > 90) small++
    } else if (code === 60 && isMaskAt(text, i)) return true
  }
  const hexOnly = (seen & letter) === 0
  const length = to - from
  if (digits === 0) {
    if (hexOnly && letters >= hexWordLength && letters === length) return true
    return length <= longestLiteral && literalSet.has(text.slice(from, to).toLowerCase())
  }
  if (letters === 0 || digits >= digitsOfAnId || (seen & slash) !== 0) return true
  if (small === 0 && letters + digits === length && length >= capitalKeyLength) return true
  const first = classOf(text.charCodeAt(from))
  return (first & (digit | sign)) !== 0 || (hexOnly && letters + digits >= hexIdLength)
}

/** Whether a whole word, punctuation included, is one variable: a path, a URL, an address with port, a time. */
export function isVariableCore(text: string, from: number, to: number): boolean {
  const length = to - from
  if (length > 1 && text.charCodeAt(from) === 47) return true
  if (length > 2 && text.charCodeAt(from + 1) === 58 && isSlash(text, from + 2)) return true
  let digits = 0
  let colons = 0
  let lastColon = -1
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i)
    if (code === 58) {
      colons++
      lastColon = i
      if (i + 2 < to && text.charCodeAt(i + 1) === 47 && text.charCodeAt(i + 2) === 47) return true
    } else if (code >= 48 && code <= 57) digits++
  }
  if (digits === 0) return false
  if (isNumeric(text, from, to)) return true
  if (colons === 0) return false
  return isAddressWithPort(text, from, to, lastColon) || (colons >= 4 && isColonHex(text, from, to))
}

/** Where the number, or the mask of one, begins in `name.123`; 0 for any other word. */
export function numberBehindName(text: string, from: number, to: number): number {
  let dot = from
  while (dot < to && (classOf(text.charCodeAt(dot)) & (letter | hexLetter)) !== 0) dot++
  if (dot === from || dot >= to - 1 || text.charCodeAt(dot) !== 46) return 0
  // A stored pattern is taken apart like the lines it came from.
  if (to - dot === maskLength + 1 && isMaskAt(text, dot + 1)) return dot + 1
  for (let i = dot + 1; i < to; i++) if ((classOf(text.charCodeAt(i)) & digit) === 0) return 0
  return dot + 1
}

function isSlash(text: string, at: number): boolean {
  return (classOf(text.charCodeAt(at)) & slash) !== 0
}

/** Hexadecimal groups between colons: hardware and IPv6 addresses. */
function isColonHex(text: string, from: number, to: number): boolean {
  let group = 0
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i)
    if (code === 58) group = 0
    else if ((classOf(code) & (digit | hexLetter)) === 0 || ++group > 4) return false
  }
  return true
}

/** `name:1234` and `1.2.3.4:1234`, where the name has a dot or a digit. */
function isAddressWithPort(text: string, from: number, to: number, colon: number): boolean {
  if (colon <= from || colon === to - 1) return false
  for (let i = colon + 1; i < to; i++) if ((classOf(text.charCodeAt(i)) & digit) === 0) return false
  let marked = false
  for (let i = from; i < colon; i++) {
    const code = text.charCodeAt(i)
    const bits = classOf(code)
    if (code === 46 || (bits & digit) !== 0) marked = true
    else if (code !== 45 && code !== 95 && (bits & (letter | hexLetter | slash)) === 0) return false
  }
  return marked
}

/** Digits with signs and colons between them: numbers, times, versions, ranges, `<1`. */
function isNumeric(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i)
    if (code === 58 || code === 44 || (code === 60 && i === from)) continue
    if ((classOf(code) & (digit | sign | slash)) === 0) return false
  }
  return true
}
