/**
 * Which lines of one shape have the same tokens. Most variables are masked whatever they are, as long as they have a
 * form that says so; of the others the content counts. Lines of many shapes then need not be walked word by word: their
 * number follows from shape and contents.
 */
import { byteClass, characterClass, classesOfBytes } from './character-classes.ts'
import { mayBeginDate } from './date-end.ts'
import { digitsShift, type ShapeTrie, variableBits } from './shape-trie.ts'

const { hexLetter, letter, sign, slash, blank, inner } = characterClass
const { digitsOnly, digitFirst, hexOnly } = variableBits

/** What decides about a variable. */
const rules = {
  /** Its content. */
  content: 0,
  /** It is masked if its form says so, else its content counts. */
  form: 1,
  /** It is masked with those beside it if one of them has digits enough, else the contents of all count. */
  group: 2,
  /** It is masked among other numbers. */
  number: 3,
  /** With one of the others: where it has letters, nothing is known. */
  withoutLetters: 4,
  /** One digit is enough. */
  oneDigit: 8,
  /** Of a group, but not its first. */
  continued: 16,
  /** A year may begin a date. */
  noYear: 32,
} as const
const kindOf = 3

/** As `variable-forms.ts` has them. */
const digitsOfAnId = 3
const hexIdLength = 6
const yearLength = 4

/** What a walk of a line noted: words with variables that were told by themselves. */
export interface WalkedLine {
  readonly bytes: Uint8Array
  readonly from: number
  readonly to: number
  /** From where to where each such part reaches, one behind the other. */
  readonly parts: readonly number[]
}

/** The rules of the shape of a line that the trie has just found, or null where they cannot be told. */
export function rulesOf(line: WalkedLine, shape: ShapeTrie): Uint8Array | null {
  const found = new Uint8Array(shape.variables)
  let variable = 0
  for (let at = 0; at < line.parts.length; at += 2) {
    const from = line.parts[at] as number
    const to = line.parts[at + 1] as number
    while (variable < shape.variables && (shape.from[variable] as number) < from) variable++
    const first = variable
    while (variable < shape.variables && (shape.to[variable] as number) <= to) variable++
    const rule = ruleOf(line, shape, { from, to, first, behind: variable })
    if (rule < 0) return null
    found.fill((rule & ~rules.noYear) | rules.continued, first, variable)
    if (variable > first) found[first] = rule
  }
  return found
}

interface Part {
  readonly from: number
  readonly to: number
  /** Its variables. */
  readonly first: number
  readonly behind: number
}

function ruleOf(line: WalkedLine, shape: ShapeTrie, part: Part): number {
  const { bytes } = line
  const { first, behind } = part
  if (behind === first) return -1
  const rest = classesBetween(bytes, shape, part)
  if ((rest & beyondNumbers) === 0 && allDigits(shape, part)) {
    const dated = (rest & dateMarks) !== 0 && isWordStart(line, part.from)
    return rules.number | rules.withoutLetters | (dated ? rules.noYear : 0)
  }
  if ((rest & (inner | dot | other)) !== 0) return -1
  const whole = shape.from[first] === part.from && shape.to[first] === part.to
  const rule = whole ? rules.form : rules.group | ((rest & slash) === 0 ? 0 : rules.oneDigit)
  return announces(bytes, part.to, line.to) ? rule | rules.withoutLetters : rule
}

/** Further bits beside those of classes: a dot, what stands between numbers, what dates have, and anything unusual. */
const dot = 1 << 12
const numberMark = 1 << 13
const dateMarks = 1 << 14
const other = 1 << 15
const beyondNumbers = letter | hexLetter | other

/** Classes of the bytes of the part that are in no variable; of a colon and a comma only that they stand between numbers. */
function classesBetween(bytes: Uint8Array, shape: ShapeTrie, { from, to, first, behind }: Part): number {
  let seen = 0
  let variable = first
  for (let at = from; at < to; at++) {
    if (variable < behind && at === shape.from[variable]) {
      at = (shape.to[variable++] as number) - 1
      continue
    }
    const code = bytes[at] as number
    const of = classesOfBytes[code] as number
    seen |= of
    if (code === 46) seen |= dot
    else if (code === 45 || (of & slash) !== 0) seen |= dateMarks
    else if ((of & (letter | hexLetter | sign)) === 0) seen |= code === 58 || code === 44 ? numberMark : other
  }
  return seen
}

function allDigits(shape: ShapeTrie, { first, behind }: Part): boolean {
  for (let variable = first; variable < behind; variable++)
    if (((shape.bits[variable] as number) & digitsOnly) === 0) return false
  return true
}

function isWordStart({ bytes, from }: WalkedLine, at: number): boolean {
  return at === from || ((classesOfBytes[bytes[at - 1] as number] as number) & blank) !== 0
}

/** Whether the word that goes on at `from` ends like the name of what follows, which hangs on its letters. */
function announces(bytes: Uint8Array, from: number, limit: number): boolean {
  let end = from
  while (end < limit && ((classesOfBytes[bytes[end] as number] as number) & blank) === 0) end++
  return (
    bytes[end - 1] === 58 ||
    ((classesOfBytes[bytes[end - 1] as number] as number) & byteClass.assigning) !== 0
  )
}

/** Whether each variable has a place in the rules; what of their contents counts goes into `content`. */
export class LineContent {
  low = 0
  high = 0

  /** False where the rules do not tell. */
  read(rulesOfShape: Uint8Array, bytes: Uint8Array, shape: ShapeTrie): boolean {
    this.low = 0
    this.high = 0
    for (let variable = 0; variable < rulesOfShape.length; variable++) {
      const rule = rulesOfShape[variable] as number
      const bits = shape.bits[variable] as number
      const from = shape.from[variable] as number
      const to = shape.to[variable] as number
      if ((rule & rules.withoutLetters) !== 0 && (bits & digitsOnly) === 0) return false
      const kind = rule & kindOf
      if (kind === rules.number) {
        if ((rule & rules.noYear) !== 0 && to - from === yearLength) return false
      } else if (kind === rules.group) {
        const behind = this.#readGroup(rulesOfShape, variable, bytes, shape)
        if (behind < 0) return false
        variable = behind - 1
      } else if (kind === rules.content || !isMasked(bits, to - from)) this.#add(variable, bytes, from, to)
      else if ((bits & digitFirst) === 0 && mayBeginDate(bytes, from, to)) return false
    }
    return true
  }

  /** The group that begins with the variable; returns the one behind it, -1 where the rules do not tell. */
  #readGroup(rulesOfShape: Uint8Array, first: number, bytes: Uint8Array, shape: ShapeTrie): number {
    const needed = ((rulesOfShape[first] as number) & rules.oneDigit) === 0 ? digitsOfAnId : 1
    const from = shape.from[first] as number
    if (
      ((shape.bits[first] as number) & digitFirst) === 0 &&
      mayBeginDate(bytes, from, shape.to[first] as number)
    )
      return -1
    let most = 0
    let behind = first
    do {
      const bits = shape.bits[behind] as number
      if (((rulesOfShape[behind] as number) & rules.withoutLetters) !== 0 && (bits & digitsOnly) === 0)
        return -1
      most = Math.max(most, bits >>> digitsShift)
      behind++
    } while (behind < rulesOfShape.length && ((rulesOfShape[behind] as number) & rules.continued) !== 0)
    if (most >= needed) return behind
    for (let variable = first; variable < behind; variable++)
      this.#add(variable, bytes, shape.from[variable] as number, shape.to[variable] as number)
    return behind
  }

  #add(variable: number, bytes: Uint8Array, from: number, to: number): void {
    let low = Math.imul(this.low ^ ((variable << 12) + to - from + 1), 0x2c1b3c6d)
    let high = Math.imul(this.high ^ low ^ (low >>> 15), 0x5bd1e995)
    for (let at = from; at < to; at++) {
      const code = bytes[at] as number
      low = Math.imul(low ^ code, 0x2c1b3c6d)
      low ^= low >>> 15
      high = Math.imul(high ^ code, 0x5bd1e995)
      high ^= high >>> 13
    }
    this.low = low
    this.high = high
  }
}

/** Whether a variable that is a part of its own is masked; false for some that are. */
function isMasked(bits: number, length: number): boolean {
  if ((bits & (digitsOnly | digitFirst)) !== 0) return true
  const digits = bits >>> digitsShift
  return digits >= digitsOfAnId || (digits > 0 && (bits & hexOnly) !== 0 && length >= hexIdLength)
}
