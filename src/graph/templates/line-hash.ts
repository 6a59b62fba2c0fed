/**
 * A number for the shape of a log line, without making the shape: lines with the same number have the same
 * tokens, so their template can be looked up at a fraction of the cost.
 *
 * Words without digits are taken as they are, which is finer than their tokens and does no harm: lines of one
 * template then have a few numbers instead of one. The line is walked as the bytes it came in; a word whose form
 * is not told apart here goes through `line-walk.ts`, which knows all of them.
 */
import { textAt } from '../../otlp/wire/utf8-text.ts'
import { byteClass, characterClass, classesOfBytes } from './character-classes.ts'
import { mayBeginDate } from './date-end.ts'
import { type LineSink, maxLineChars, walkLine, walkWordAt } from './line-walk.ts'
import { mayEndSecretName } from './secret-keys.ts'
import { ShapeHashes } from './shape-hashes.ts'
import { literals } from './variable-forms.ts'

const { digit, hexLetter, letter, sign, slash, blank, opening, closing, inner } = characterClass
const { assigning, dateLetter, beyond } = byteClass

/** What a word may consist of whose form is told here: one part, or a number with its punctuation. */
const simple = digit | hexLetter | letter | sign | slash

const lowFactor = 0x2c1b3c6d
const highFactor = 0x5bd1e995
const spacedStart = 0x10003
const closeStart = 0x10004

/** 53 bits of hash: with ten thousand shapes two of them share a number with a chance of one in 10^8. */
export class LineHash implements LineSink {
  #low = 0
  #high = 0
  #lowBeforeColon = 0
  #highBeforeColon = 0
  endsMasked = false
  endsWithMaskedColon = false
  #bytes: Uint8Array = new Uint8Array()
  /** The same memory. */
  #view: DataView = new DataView(new ArrayBuffer(0))
  #from = 0
  #to = 0
  /** The line as text, made when a word needs it. */
  #text: string | null = null
  readonly shapes: ShapeHashes
  /** Shape of the line walked last, 0 if it has none. */
  shape = 0
  /** Where the parts with digits of the line begin and end; null where nobody asks, or they do not say all. */
  #parts: number[] | null = null

  /** All of a thread share the shapes, a megabyte, because these do not hang on who writes the lines. */
  constructor(shapes: ShapeHashes = shapesOfThread()) {
    this.shapes = shapes
  }

  /** Low half of the number of the line walked last, all 32 bits in use. */
  get low(): number {
    return this.#low
  }

  get high(): number {
    return this.#high
  }

  /** Walks the first line of the UTF-8 text `bytes[from, to)`, or knows its number by its shape. */
  walk(bytes: Uint8Array, from: number, to: number): void {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    const shapes = this.shapes
    const shape = shapes.shapeOf(bytes, this.#view, from, to)
    this.shape = shape
    if (shape === 0) {
      this.#walkWords(from, to)
      return
    }
    if (shapes.find(shape, bytes)) {
      this.#low = shapes.low
      this.#high = shapes.high
      return
    }
    this.#parts = shapes.isNew(shape) ? [] : null
    this.#walkWords(from, to)
    if (shapes.isNew(shape))
      shapes.learn(shape, this.#parts === null ? null : { bytes, from, to, parts: this.#parts })
    this.#parts = null
    shapes.enter(shape, bytes, this.#low, this.#high)
  }

  #walkWords(from: number, to: number): void {
    const bytes = this.#bytes
    let first = from
    while (first < to && ((classesOfBytes[bytes[first] as number] as number) & blank) !== 0) first++
    this.#from = first
    this.#to = Math.min(to, first + maxLineBytes)
    this.#text = null
    this.#begin()
    if (this.#walkAscii()) this.#finish()
    else this.walkText(textAt(bytes, first, this.#to))
  }

  /** The same of a text; of ASCII it gives what its bytes give. */
  walkText(text: string): void {
    this.#begin()
    walkLine(text, this)
    this.#finish()
  }

  mask(spaced: boolean): void {
    this.#start(spaced ? 0x10001 : 0x10002)
    this.endsMasked = true
    this.endsWithMaskedColon = false
  }

  part(text: string, from: number, to: number, spaced: boolean): void {
    if (to - from === 1) this.#mark(text.charCodeAt(from), spaced)
    else this.language(text, from, to, spaced)
  }

  dropColon(): void {
    this.#low = this.#lowBeforeColon
    this.#high = this.#highBeforeColon
    this.endsMasked = true
    this.endsWithMaskedColon = false
  }

  language(text: string, from: number, to: number, spaced: boolean): void {
    this.#startWord(spaced, to - from)
    let at = from
    for (; at + 4 < to; at += 4) this.#mixFour(text, at)
    if (to - from >= 4) this.#mixFour(text, to - 4)
    else for (; at < to; at++) this.#mix(text.charCodeAt(at))
    this.endsMasked = false
    this.endsWithMaskedColon = false
  }

  #begin(): void {
    this.#low = 0x811c9dc5 | 0
    this.#high = 0x2545f491
    this.endsMasked = false
    this.endsWithMaskedColon = false
  }

  #finish(): void {
    this.#low = Math.imul(this.#low ^ (this.#low >>> 15), 0x2c1b3c6d)
    this.#high = Math.imul(this.#high ^ (this.#high >>> 13), 0x297a2d39) >>> 11
  }

  /** Marks where tokens begin: `a` and `bc` are not `ab` and `c`. */
  #start(value: number): void {
    this.#low ^= this.#low >>> 13
    this.#mix(value)
  }

  /** Four codes at a time alone would not tell how often a code is repeated. */
  #startWord(spaced: boolean, length: number): void {
    this.#start((spaced ? spacedStart : closeStart) + (length << 5))
  }

  /** Four codes as bytes of ASCII would be read, one by one where they are more. */
  #mixFour(text: string, at: number): void {
    const [a, b] = [text.charCodeAt(at), text.charCodeAt(at + 1)]
    const [c, d] = [text.charCodeAt(at + 2), text.charCodeAt(at + 3)]
    if ((a | b | c | d) < 128) this.#mix(a | (b << 8) | (c << 16) | (d << 24))
    else for (const code of [a, b, c, d]) this.#mix(code)
  }

  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, lowFactor)
    const high = Math.imul(this.#high ^ value, highFactor)
    this.#high = high ^ (high >>> 15)
  }

  /** A token of one character. */
  #mark(code: number, spaced: boolean): void {
    const colon = this.endsMasked && !spaced && code === 58
    if (colon) {
      this.#lowBeforeColon = this.#low
      this.#highBeforeColon = this.#high
    }
    this.#startWord(spaced, 1)
    this.#mix(code)
    this.endsMasked = false
    this.endsWithMaskedColon = colon
  }

  /** Word by word as `walkLine` does it; false where a byte is not ASCII. */
  #walkAscii(): boolean {
    const bytes = this.#bytes
    const classes = classesOfBytes
    const first = this.#from
    const limit = Math.min(this.#to, first + maxLineChars)
    let at = first
    while (at < limit) {
      let of = classes[bytes[at] as number] as number
      const spaced = (of & blank) !== 0
      while ((of & blank) !== 0) {
        if (bytes[at] === newline) {
          this.#parts = null
          return true
        }
        if (++at >= limit) return true
        of = classes[bytes[at] as number] as number
      }
      const word = at
      let bits = 0
      while ((of & blank) === 0) {
        bits |= of
        if (++at >= limit) break
        of = classes[bytes[at] as number] as number
      }
      if ((bits & beyond) !== 0) return false
      const assigned = (bits & assigning) !== 0
      const quoting = assigned && this.#isQuoting(word, at)
      const usual = !quoting && !this.#isUnusual(word, at)
      if (usual && (bits & digit) === 0) this.#word(word, at, spaced)
      else if (!usual || !this.#walkVariable(word, at, spaced, assigned)) {
        if (quoting || (bits & digit) !== 0 || mayBeginDate(bytes, word, at)) this.#parts = null
        at = this.#walkUnusual(word, limit, spaced)
        if (at < 0) return false
      }
    }
    return true
  }

  /** Whether a word may be, or be followed by, what takes more than one word to tell. */
  #isUnusual(word: number, to: number): boolean {
    const bytes = this.#bytes
    const of = classesOfBytes[bytes[word] as number] as number
    if ((of & (digit | dateLetter)) !== 0 && mayBeginDate(bytes, word, to)) return true
    const last = bytes[to - 1]
    if ((last === 58 || last === 61) && mayEndSecretName(bytes, word, to - 1)) return true
    // `Bearer`, and a protocol's version.
    if (to - word === 6) return ((bytes[word] as number) | 32) === 98
    return bytes[word + 6] === 46 && bytes[word] === 72
  }

  /** Whether a quoted value begins in the word. */
  #isQuoting(word: number, to: number): boolean {
    const bytes = this.#bytes
    for (let at = word + 1; at < to; at++)
      if ((bytes[at] === 34 || bytes[at] === 39) && bytes[at - 1] === 61) return true
    return false
  }

  /** The word at `word` and where it ends, by way of its text; -1 where bytes are not characters. */
  #walkUnusual(word: number, limit: number, spaced: boolean): number {
    const from = this.#from
    this.#text ??= textAt(this.#bytes, from, limit)
    if (this.#text.length !== limit - from) return -1
    return from + walkWordAt(this.#text, word - from, limit - from, spaced, this)
  }

  /**
   * A word with digits: punctuation, one part or a number, punctuation; `assigned` says that there is an equals
   * sign, which may stand behind a name before the part. False for any other word, with nothing done. What is a
   * variable says `variable-forms.ts`, at more length.
   */
  #walkVariable(word: number, to: number, spaced: boolean, assigned: boolean): boolean {
    const bytes = this.#bytes
    const classes = classesOfBytes
    let start = word
    let end = to
    while (((classes[bytes[start] as number] as number) & opening) !== 0) {
      // `<1` is a number.
      if (bytes[start] === 60) return false
      start++
    }
    while (((classes[bytes[end - 1] as number] as number) & closing) !== 0) end--
    const equals = assigned ? this.#nameEnd(start, end) : -1
    if (assigned && equals < 0) return false
    const from = assigned ? equals + 1 : start
    let digits = 0
    let letters = 0
    let small = 0
    let seen = 0
    let dots = false
    for (let at = from; at < end; at++) {
      const code = bytes[at] as number
      const of = classes[code] as number
      seen |= of
      if ((of & digit) !== 0) digits++
      else if ((of & (letter | hexLetter)) !== 0) {
        letters++
        if (code > 90) small++
      } else if ((of & simple) === 0) {
        // Only numbers have these inside without being taken apart.
        if (code !== 58 && code !== 44) return false
      } else if (code === 46) dots = true
    }
    const length = end - from
    const firstOf = classes[bytes[from] as number] as number
    let masked = letters === 0
    // `name=1://` would be a URL.
    if (assigned && (seen & inner) !== 0 && (seen & slash) !== 0) return false
    if (!masked) {
      // Parts between punctuation, and `name.123`.
      if ((seen & inner) !== 0 || (dots && this.#isDotted(from, end))) return false
      masked =
        digits >= 3 ||
        (seen & slash) !== 0 ||
        (firstOf & (digit | sign)) !== 0 ||
        ((seen & letter) === 0 && letters + digits >= 6) ||
        (small === 0 && letters + digits === length && length >= 12)
    }
    this.#parts?.push(from, end)
    for (let at = word; at < start; at++) this.#mark(bytes[at] as number, spaced && at === word)
    let close = spaced && start === word
    if (assigned) {
      this.#word(start, equals, close)
      this.#mark(61, false)
      close = false
    }
    if (masked) this.mask(close)
    else this.#word(from, end, close)
    for (let at = end; at < to; at++) this.#mark(bytes[at] as number, false)
    return true
  }

  /** Where the equals sign behind a plain name stands; -1 without one, and for names that are values or secret. */
  #nameEnd(from: number, to: number): number {
    const bytes = this.#bytes
    let at = from
    let value = 0
    let seen = 0
    for (; at < to; at++) {
      const code = bytes[at] as number
      const of = classesOfBytes[code] as number
      if ((of & (letter | hexLetter)) === 0 && code !== 95 && code !== 45) break
      seen |= of
      value = (value % wrap) * 32 + (code & 31)
    }
    if (at === from || at === to || bytes[at] !== 61) return -1
    const mayBeValue = ((seen & letter) === 0 && at - from >= 8) || literalWords.has(value)
    return mayBeValue || mayEndSecretName(bytes, from, at) ? -1 : at
  }

  /** Whether dots take the word apart: two in a row, or one between a name and a number. */
  #isDotted(from: number, to: number): boolean {
    const bytes = this.#bytes
    let named = true
    let numbered = false
    for (let at = from; at < to; at++) {
      const code = bytes[at] as number
      const of = classesOfBytes[code] as number
      if (code === 46) {
        if (bytes[at + 1] === 46) return true
        numbered = named
      } else if ((of & digit) === 0) numbered = false
      if ((of & (letter | hexLetter)) === 0) named = false
    }
    return numbered
  }

  /** As `language`, out of the bytes. */
  #word(from: number, to: number, spaced: boolean): void {
    this.#startWord(spaced, to - from)
    let low = this.#low
    let high = this.#high
    if (to - from < 4) {
      for (let at = from; at < to; at++) {
        const code = this.#bytes[at] as number
        low = Math.imul(low ^ code, lowFactor)
        high = Math.imul(high ^ code, highFactor)
        high ^= high >>> 15
      }
    } else {
      const view = this.#view
      const last = to - 4
      for (let at = from; at < last; at += 4) {
        const codes = view.getInt32(at, true)
        low = Math.imul(low ^ codes, lowFactor)
        high = Math.imul(high ^ codes, highFactor)
        high ^= high >>> 15
      }
      const codes = view.getInt32(last, true)
      low = Math.imul(low ^ codes, lowFactor)
      high = Math.imul(high ^ codes, highFactor)
      high ^= high >>> 15
    }
    this.#low = low
    this.#high = high
    this.endsMasked = false
    this.endsWithMaskedColon = false
  }
}

let shared: ShapeHashes | null = null

function shapesOfThread(): ShapeHashes {
  shared ??= new ShapeHashes()
  return shared
}

const newline = 10

/** Letters of a word as one number, five bits each; only as many as a double holds are kept. */
const wrap = 2 ** 45
const literalWords: ReadonlySet<number> = new Set(
  literals.map(word => [...word].reduce((value, one) => value * 32 + (one.charCodeAt(0) & 31), 0)),
)

/** Of UTF-8, for as many characters as are looked at. */
const maxLineBytes = maxLineChars * 4
