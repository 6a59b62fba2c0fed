/** Which words of a log line vary by their form, whatever the system that wrote them. */
import { characterClass, classOf } from './character-classes.ts'

const { digit, hexLetter, letter, sign, slash } = characterClass

/** Words that are values. */
const literals = new Set(['true', 'false', 'null', 'none', 'nil', 'undefined', 'nan'])

/** A word with this many digits is an id; one with fewer may be a name, like `tty2` and `ext3`. */
const digitsOfAnId = 3

/** Letters a to f alone are taken as a word below this length. */
const hexWordLength = 8

/** Letters a to f and digits together are taken as hexadecimal from this length on. */
const hexIdLength = 6

/** Whether a part between punctuation is a variable. */
export function isVariable(part: string): boolean {
  let digits = 0
  let letters = 0
  let seen = 0
  for (let i = 0; i < part.length; i++) {
    const bits = classOf(part.charCodeAt(i))
    seen |= bits
    if ((bits & digit) !== 0) digits++
    else if ((bits & (letter | hexLetter)) !== 0) letters++
  }
  if (letters > 0 && part.includes('<*>')) return true
  const hexOnly = (seen & letter) === 0
  if (digits === 0) {
    if (part === '<*>' || part.includes('<*>')) return true
    if (hexOnly && letters >= hexWordLength && letters === part.length) return true
    return literals.has(part.toLowerCase())
  }
  if (letters === 0 || digits >= digitsOfAnId || (seen & slash) !== 0) return true
  const first = classOf(part.charCodeAt(0))
  return (first & (digit | sign)) !== 0 || (hexOnly && letters + digits >= hexIdLength)
}

/** Whether a whole word, punctuation included, is one variable: a path, a URL, an address with port, a time. */
export function isVariableCore(core: string): boolean {
  if (core.length > 1 && core.charCodeAt(0) === 47) return true
  if (core.length > 2 && core.charCodeAt(1) === 58 && (classOf(core.charCodeAt(2)) & slash) !== 0) return true
  let digits = 0
  let colons = 0
  let lastColon = -1
  for (let i = 0; i < core.length; i++) {
    const code = core.charCodeAt(i)
    if (code === 58) {
      colons++
      lastColon = i
      if (core.charCodeAt(i + 1) === 47 && core.charCodeAt(i + 2) === 47) return true
    } else if (code >= 48 && code <= 57) digits++
  }
  if (digits === 0) return false
  if (isNumeric(core)) return true
  if (colons === 0) return false
  return isAddressWithPort(core, lastColon) || (colons >= 4 && isColonHex(core))
}

/** Length of the name and its dot in `name.123`, 0 for any other word. */
export function numberedNameLength(part: string): number {
  const dot = part.indexOf('.')
  if (dot <= 0 || dot === part.length - 1) return 0
  for (let i = 0; i < dot; i++) if ((classOf(part.charCodeAt(i)) & (letter | hexLetter)) === 0) return 0
  for (let i = dot + 1; i < part.length; i++) if ((classOf(part.charCodeAt(i)) & digit) === 0) return 0
  return dot + 1
}

/** Hexadecimal groups between colons: hardware and IPv6 addresses. */
function isColonHex(core: string): boolean {
  let group = 0
  for (let i = 0; i < core.length; i++) {
    const code = core.charCodeAt(i)
    if (code === 58) group = 0
    else if ((classOf(code) & (digit | hexLetter)) === 0 || ++group > 4) return false
  }
  return true
}

/** `name:1234` and `1.2.3.4:1234`, where the name has a dot or a digit. */
function isAddressWithPort(core: string, colon: number): boolean {
  if (colon <= 0 || colon === core.length - 1) return false
  for (let i = colon + 1; i < core.length; i++) if ((classOf(core.charCodeAt(i)) & digit) === 0) return false
  let marked = false
  for (let i = 0; i < colon; i++) {
    const code = core.charCodeAt(i)
    const bits = classOf(code)
    if (code === 46 || (bits & digit) !== 0) marked = true
    else if (code !== 45 && code !== 95 && (bits & (letter | hexLetter | slash)) === 0) return false
  }
  return marked
}

/** Digits with signs and colons between them: numbers, times, versions, ranges, `<1`. */
function isNumeric(core: string): boolean {
  for (let i = 0; i < core.length; i++) {
    const code = core.charCodeAt(i)
    if (code === 58 || code === 44 || (code === 60 && i === 0)) continue
    if ((classOf(code) & (digit | sign | slash)) === 0) return false
  }
  return true
}
