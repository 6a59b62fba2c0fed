/**
 * Which lines of one shape have the same tokens. Most variables are masked whatever they are, as long as they have a
 * form that says so; of the others the content counts. Lines of many shapes then need not be walked word by word: their
 * number follows from shape and contents.
 */
import { byteClass, characterClass, classesOfBytes } from './character-classes.ts'
import { mayBeginDate } from './date-end.ts'
import { digitsShift, type ShapeTrie, variableBits } from './shape-trie.ts'

const { digit, hexLetter, letter, sign, blank, inner } = characterClass
const { digitsOnly, digitFirst, hexOnly } = variableBits

/** What decides about a variable. */
const rules = {
  /** Its content. */
  content: 0,
  /** It is masked if its form says so, else its content counts. */
  form: 1,
  /** The same, by its number of digits: letters stand before it in the word. */
  count: 2,
  /** It is masked among other numbers. */
  number: 3,
  /** With one of the others: where it has letters, nothing is known. */
  withoutLetters: 4,
} as const

/** As `variable-forms.ts` has them. */
const digitsOfAnId = 3
const hexIdLength = 6

/** What a walk of a line noted: words with variables that were told by themselves. */
export interface WalkedLine {
  readonly bytes: Uint8Array
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
    found.fill(rule, first, variable)
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

function ruleOf({ bytes, to }: WalkedLine, shape: ShapeTrie, part: Part): number {
  const { first, behind } = part
  const alone = behind - first === 1 && shape.to[first] === part.to
  if (!alone || !isName(bytes, part.from, shape.from[first] as number))
    return isNumeric(bytes, shape, part) ? rules.number | rules.withoutLetters : -1
  const rule = shape.from[first] === part.from ? rules.form : rules.count
  return announces(bytes, part.to, to) ? rule | rules.withoutLetters : rule
}

/** Letters and signs that do not take a word apart, or nothing. */
function isName(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const of = classesOfBytes[bytes[at] as number] as number
    if (bytes[at] === 46 || (of & inner) !== 0 || (of & (letter | hexLetter | sign)) === 0) return false
  }
  return true
}

/** Numbers with what stands between them, but for what stands in dates. */
function isNumeric(bytes: Uint8Array, shape: ShapeTrie, { from, to, first, behind }: Part): boolean {
  for (let variable = first; variable < behind; variable++)
    if (((shape.bits[variable] as number) & digitsOnly) === 0) return false
  for (let at = from; at < to; at++) {
    const code = bytes[at] as number
    const of = classesOfBytes[code] as number
    if (code === 45 || ((of & (digit | sign)) === 0 && code !== 58 && code !== 44)) return false
  }
  return behind > first
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
      if (rule >= rules.withoutLetters && (bits & digitsOnly) === 0) return false
      const from = shape.from[variable] as number
      const to = shape.to[variable] as number
      const kind = rule & 3
      if (kind === rules.number) continue
      if (kind === rules.form) {
        if ((bits & (digitsOnly | digitFirst)) !== 0) continue
        if (mayBeginDate(bytes, from, to)) return false
        const digits = bits >>> digitsShift
        if (digits >= digitsOfAnId || (digits > 0 && (bits & hexOnly) !== 0 && to - from >= hexIdLength))
          continue
      } else if (kind === rules.count && bits >>> digitsShift >= digitsOfAnId) continue
      this.#add(variable, bytes, from, to)
    }
    return true
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
