/**
 * An upper bound of what a text costs in o200k tokens, tight on JSON and telemetry, for any text at all.
 *
 * It cuts the text where the vocabulary's own pattern cuts it. Digits are one token per three. A word or a run
 * of punctuation that is known to be one token counts as one. For anything else it relies on what byte pair
 * encoding guarantees: when it stops, no two neighbours form a token, so two single characters that are a
 * pair of the vocabulary never stand side by side. A byte outside ASCII counts as a token of its own.
 */
import { isPair, isTriple, knownRuns, knownWords } from './lexicon.ts'

const space = 32
const apostrophe = 39

const isUpper = (code: number): boolean => code >= 65 && code <= 90
const isLower = (code: number): boolean => code >= 97 && code <= 122
const isLetter = (code: number): boolean => isUpper(code) || isLower(code)
const isDigit = (code: number): boolean => code >= 48 && code <= 57
const isPunctuation = (code: number): boolean =>
  code > space && code < 127 && !isLetter(code) && !isDigit(code)
const isBeyondAscii = (code: number): boolean => code > 127

/** No token ends here in that way. */
const never = -1_000_000

/**
 * Most tokens that characters [from, to) of a piece can become. `ends[l]` is the most with a last token of l
 * characters, 3 standing for three and more. Two neighbours that together are a known token cannot both be
 * there: two singles that are a pair, a single and a pair that are a triple.
 */
function structuralBound(text: string, from: number, to: number): number {
  let [one, two, three] = [never, never, never]
  let [oneBefore, twoBefore, threeBefore] = [never, never, never]
  let [oneEarlier, twoEarlier, threeEarlier] = [never, never, never]
  let thirdBefore = never
  for (let at = from; at < to; at++) {
    const length = at - from + 1
    const code = text.charCodeAt(at)
    const previous = length > 1 ? text.charCodeAt(at - 1) : 0
    const pair = length > 1 && isPair(previous, code)
    const triple = length > 2 && isTriple(text.charCodeAt(at - 2), previous, code)
    const nextOne = length === 1 ? 1 : 1 + Math.max(pair ? never : one, triple ? never : two, three)
    // A pair after a single: together they are this triple.
    const nextTwo = !pair
      ? never
      : length === 2
        ? 1
        : 1 + Math.max(triple ? never : oneBefore, twoBefore, threeBefore)
    const whole = length >= 3 ? 1 : never
    const nextThree = Math.max(whole, 1 + Math.max(oneEarlier, twoEarlier, threeEarlier), thirdBefore)
    thirdBefore = Math.max(never, nextThree)
    ;[oneEarlier, twoEarlier, threeEarlier] = [oneBefore, twoBefore, threeBefore]
    ;[oneBefore, twoBefore, threeBefore] = [one, two, three]
    ;[one, two, three] = [nextOne, nextTwo, nextThree]
  }
  return Math.max(one, two, three)
}

function endOfWord(text: string, from: number): number {
  let at = from
  while (at < text.length && isUpper(text.charCodeAt(at))) at++
  while (at < text.length && isLower(text.charCodeAt(at))) at++
  return at
}

/** Characters whose place in the vocabulary's pattern is not known here: beyond ASCII, or control characters. */
const isStrange = (code: number): boolean => code >= 127 || code < space

/** Cost of the word [from, to) that takes the character before it (at `from - 1`) along if `prefixed`. */
function wordBound(text: string, from: number, to: number, prefixed: boolean): number {
  const next = text.charCodeAt(to)
  const before = from - (prefixed ? 1 : 0)
  const afterStrange = before > 0 && isStrange(text.charCodeAt(before - 1))
  // After something strange it is open whether the prefix belongs to the word; apart they cost most.
  if (afterStrange && prefixed && text.charCodeAt(before) !== space)
    return 1 + structuralBound(text, from, to)
  const alone = !afterStrange && next !== apostrophe && !isBeyondAscii(next)
  const cost = alone ? knownWords.get(text.slice(from, to)) : undefined
  if (cost === undefined) return structuralBound(text, before, to)
  if (!prefixed) return cost.alone
  return cost.behind.get(text.charCodeAt(from - 1)) ?? cost.alone + 1
}

function runBound(text: string, from: number, to: number): number {
  const touchesOther =
    isBeyondAscii(text.charCodeAt(to)) || (from > 0 && isBeyondAscii(text.charCodeAt(from - 1)))
  const known = touchesOther || to - from > 8 ? undefined : knownRuns.get(text.slice(from, to))
  return known ?? structuralBound(text, from, to)
}

function utf8Bytes(code: number): number {
  // Half of a surrogate pair is two of its four bytes.
  return code < 0x800 ? 2 : code >= 0xd800 && code <= 0xdfff ? 2 : 3
}

/** Upper bound of the o200k tokens of `text`; at least the true number for every string of whole characters. */
export function tokenBound(text: string): number {
  let tokens = 0
  let at = 0
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (isLetter(code)) {
      const end = endOfWord(text, at)
      tokens += wordBound(text, at, end, false)
      at = end
    } else if (isDigit(code)) {
      let end = at + 1
      while (end < text.length && isDigit(text.charCodeAt(end))) end++
      // Digits of other scripts join the same group of three and move its borders.
      const mixed = isBeyondAscii(text.charCodeAt(end)) || (at > 0 && isBeyondAscii(text.charCodeAt(at - 1)))
      tokens += mixed ? end - at : Math.ceil((end - at) / 3)
      at = end
    } else if (isPunctuation(code) || code === space) {
      let end = at + 1
      while (end < text.length && isPunctuation(text.charCodeAt(end))) end++
      const prefixes = end - at === 1 && isLetter(text.charCodeAt(end))
      if (prefixes) {
        const wordEnd = endOfWord(text, end)
        // An apostrophe after a word may belong to that word instead ("it's"), which costs one more at most.
        if (code === apostrophe && at > 0 && isLetter(text.charCodeAt(at - 1))) {
          tokens += 1 + structuralBound(text, at, wordEnd)
        } else tokens += wordBound(text, end, wordEnd, true)
        at = wordEnd
      } else {
        tokens += runBound(text, at, end)
        at = end
      }
    } else if (code < 128) {
      tokens += 1
      at++
    } else {
      tokens += utf8Bytes(code)
      at++
    }
  }
  return tokens
}
