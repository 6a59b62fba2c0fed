/**
 * Finds the template of a line among those of one service.
 *
 * Lines whose masked tokens are equal share a template. A new shape joins a template of the same length that
 * differs only where both hold values; shapes that differ in one word stay apart until so many words have been
 * seen at that place that it must be a variable, and then become one.
 *
 * Source: the grouping by length and the most similar candidate follow He, Zhu, Zheng, Lyu, "Drain: an online
 * log parsing approach with fixed depth tree", ICWS 2017; what may be merged is decided differently.
 */
import { collapseRepeats } from './collapse-repeats.ts'
import type { LineHash } from './line-hash.ts'
import { LineTable } from './line-table.ts'
import { tokenize } from './tokenize.ts'
import { isWildcard, spacedWildcard, wildcard } from './word-tokens.ts'

export interface Template {
  /** 0 until the miner gives one. */
  number: number
  tokens: readonly string[]
  /** Number of the template it has become one with, 0 for none. */
  mergedInto: number
}

export interface TemplateMatch {
  readonly template: Template
  /** Templates whose tokens changed by taking this line in. */
  readonly changed: readonly Template[]
}

/**
 * This many different words at one place of otherwise equal shapes make the place a variable: fewer behind a
 * word that announces a name, more at the start of a line, where its subject stands.
 */
export const variantsOfAVariable = { named: 3, usual: 5, first: 16 } as const

/** Words behind which a name follows. */
const announcing = new Set([
  'user',
  'username',
  'account',
  'host',
  'hostname',
  'node',
  'server',
  'client',
  'container',
  'pod',
  'service',
  'database',
  'table',
  'topic',
  'queue',
  'class',
  'type',
  'file',
  'key',
  'name',
  'group',
  'role',
  'principal',
  'for',
  'from',
  'to',
  'by',
  'on',
])

/** What follows does not tell templates apart. */
export const maxTemplateTokens = 256

/** Shapes remembered by their exact tokens; the oldest go first. */
export const maxShapes = 20_000

/** Places where templates may differ by one word; the oldest go first. */
export const maxPlaces = 50_000

export class TemplateTree {
  readonly service: string
  overflow: Template | null = null
  readonly #byLine = new LineTable<Template>(maxShapes)
  /** Lines without a template: looking for one again costs more than all else about a line. */
  readonly #folded = new LineTable<true>(maxShapes)
  readonly #byShape = new Map<string, Template>()
  /** Templates that have units behind values: their tokens without units, and the tokens these were made of. */
  readonly #withUnits = new Map<
    Template,
    { readonly of: readonly string[]; readonly bare: readonly string[] }
  >()
  readonly #byLength = new Map<number, Template[]>()
  /** Templates by their tokens with one word left out. */
  readonly #places = new Map<string, Template[]>()
  #size = 0

  constructor(service: string) {
    this.service = service
  }

  get size(): number {
    return this.#size
  }

  /** The template of lines with this hash, if one was matched lately. */
  known(hash: LineHash): Template | undefined {
    return this.#byLine.get(hash.low, hash.high)
  }

  /** Whether a line with this hash found no template when there was no room, and none has changed since. */
  isFolded(hash: LineHash): boolean {
    return this.#folded.get(hash.low, hash.high) === true
  }

  /** The line's template, new if none fits; null instead of a new one when `full`. */
  match(line: string, hash: LineHash, full: boolean): TemplateMatch | null {
    const match = this.#matchTokens(tokenize(line), full)
    if (match === null) this.#folded.set(hash.low, hash.high, true)
    else this.#byLine.set(hash.low, hash.high, match.template)
    if (match !== null && match.changed.length > 0) this.#folded.clear()
    return match
  }

  #matchTokens(sent: readonly string[], full: boolean): TemplateMatch | null {
    const sentShape = sent.join('')
    const collapsed = collapseRepeats(sent)
    const tokens = collapsed.length > maxTemplateTokens ? collapsed.slice(0, maxTemplateTokens) : collapsed
    const shape = tokens === sent ? sentShape : tokens.join('')
    const match = this.#byShape.get(shape) ?? this.#similar(tokens)
    if (match !== undefined) return this.#take(match, tokens, sentShape)
    const inOtherUnits = this.#otherUnits(tokens, sentShape)
    if (inOtherUnits !== undefined) return inOtherUnits
    if (full) return null
    const template: Template = { number: 0, tokens, mergedInto: 0 }
    this.insert(template)
    const changed = this.#mergeVariants(template)
    const final = this.#byShape.get(shape) ?? template
    this.#remember(sentShape, final)
    return { template: final, changed }
  }

  #take(template: Template, tokens: readonly string[], sentShape: string): TemplateMatch {
    const before = template.tokens
    if (before.length === tokens.length) generalise(template, tokens)
    this.#remember(sentShape, template)
    return { template, changed: before === template.tokens ? [] : [template] }
  }

  /** A template that is the same but for the units of its values; it loses them, for they vary too. */
  #otherUnits(tokens: readonly string[], sentShape: string): TemplateMatch | undefined {
    const bare = withoutUnits(tokens)
    if (bare === tokens) return undefined
    const known = this.#byShape.get(bare.join('')) ?? this.#similar(bare)
    if (known !== undefined) return this.#take(known, bare, sentShape)
    for (const template of this.#withUnits.keys()) {
      const without = this.#bareOf(template)
      if (without.length !== bare.length || valueDifferences(without, bare) < 0) continue
      this.#forget(template)
      template.tokens = without
      this.insert(template)
      return { ...this.#take(template, bare, sentShape), changed: [template] }
    }
    return undefined
  }

  /** Adds a stored template. One with the pattern of an older one had become one with it before it was stored. */
  restore(template: Template): void {
    const older = this.#byShape.get(template.tokens.join(''))
    if (older === undefined) this.insert(template)
    else template.mergedInto = older.number
  }

  /** Adds a template as it is. */
  insert(template: Template): void {
    const length = template.tokens.length
    const group = this.#byLength.get(length)
    if (group === undefined) this.#byLength.set(length, [template])
    else group.push(template)
    this.#remember(template.tokens.join(''), template)
    const of = template.tokens
    const bare = withoutUnits(of)
    if (bare !== of) this.#withUnits.set(template, { of, bare })
    this.#size++
  }

  /** The tokens of one of `#withUnits` without units; made anew only when they have changed. */
  #bareOf(template: Template): readonly string[] {
    const of = template.tokens
    const known = this.#withUnits.get(template)
    if (known?.of === of) return known.bare
    const bare = withoutUnits(of)
    this.#withUnits.set(template, { of, bare })
    return bare
  }

  #remember(shape: string, template: Template): void {
    if (this.#byShape.size >= maxShapes) {
      for (const oldest of this.#byShape.keys()) {
        this.#byShape.delete(oldest)
        break
      }
    }
    this.#byShape.set(shape, template)
  }

  /** The template that differs from the tokens in the fewest values and in no word; undefined without one. */
  #similar(tokens: readonly string[]): Template | undefined {
    let best: Template | undefined
    let fewest = Number.POSITIVE_INFINITY
    for (const template of this.#byLength.get(tokens.length) ?? []) {
      const differences = valueDifferences(template.tokens, tokens)
      if (differences >= 0 && differences < fewest) {
        best = template
        fewest = differences
      }
    }
    return best
  }

  /** Makes one of the templates that differ from a new one in the same word, once they are enough. */
  #mergeVariants(template: Template): readonly Template[] {
    const changed: Template[] = []
    for (const [i, token] of template.tokens.entries()) {
      if (!isWord(token)) continue
      const blanked = template.tokens.with(i, blankLike(token))
      const place = blanked.join('')
      const variants = (this.#places.get(place) ?? []).filter(
        one => one.mergedInto === 0 && one.tokens.length === blanked.length && one.tokens[i] !== blanked[i],
      )
      variants.push(template)
      if (variants.length < variantsAt(template.tokens, i)) {
        this.#rememberPlace(place, variants)
        continue
      }
      this.#places.delete(place)
      return this.#unite(variants, blanked)
    }
    return changed
  }

  #rememberPlace(place: string, variants: Template[]): void {
    if (this.#places.size >= maxPlaces) {
      for (const oldest of this.#places.keys()) {
        this.#places.delete(oldest)
        break
      }
    }
    this.#places.set(place, variants)
  }

  /** The oldest variant takes the others in and keeps its number. */
  #unite(variants: readonly Template[], tokens: readonly string[]): readonly Template[] {
    const [oldest, ...others] = variants
    if (oldest === undefined) return []
    oldest.tokens = tokens
    this.#remember(tokens.join(''), oldest)
    for (const other of this.#byLength.get(tokens.length) ?? []) {
      if (other !== oldest && subsumes(tokens, other.tokens)) others.push(other)
    }
    for (const other of others) {
      other.tokens = tokens
      other.mergedInto = oldest.number
      this.#forget(other)
    }
    this.#byLine.replace(template => (others.includes(template) ? oldest : template))
    for (const [shape, template] of this.#byShape) {
      if (template.mergedInto !== 0 || others.includes(template)) this.#byShape.set(shape, oldest)
    }
    return [oldest, ...others]
  }

  #forget(template: Template): void {
    this.#withUnits.delete(template)
    const group = this.#byLength.get(template.tokens.length) ?? []
    const at = group.indexOf(template)
    if (at >= 0) {
      group.splice(at, 1)
      this.#size--
    }
  }
}

const units = new Set([
  'b',
  'kb',
  'mb',
  'gb',
  'tb',
  'kib',
  'mib',
  'gib',
  'tib',
  'ns',
  'us',
  'ms',
  's',
  'sec',
  'min',
  'h',
])

/** The tokens without units behind values; the same array if there are none. */
function withoutUnits(tokens: readonly string[]): readonly string[] {
  const isUnit = (token: string, i: number) =>
    isWildcard(tokens[i - 1]) && token.startsWith(' ') && units.has(token.slice(1).toLowerCase())
  return tokens.some(isUnit) ? tokens.filter((token, i) => !isUnit(token, i)) : tokens
}

function variantsAt(tokens: readonly string[], i: number): number {
  if (i === 0) return variantsOfAVariable.first
  const before = tokens[i - 1] === ':' ? tokens[i - 2] : tokens[i - 1]
  return announcing.has((before ?? '').trim().toLowerCase())
    ? variantsOfAVariable.named
    : variantsOfAVariable.usual
}

/** Whether the tokens fit a pattern, any text fitting a wildcard. */
function subsumes(pattern: readonly string[], tokens: readonly string[]): boolean {
  return pattern.every(
    (token, i) =>
      token === tokens[i] ||
      (isWildcard(token) && isTextual(tokens[i] ?? '') && spacing(token) === spacing(tokens[i] ?? '')),
  )
}

function spacing(token: string): boolean {
  return token.startsWith(' ')
}

/** How many values differ between a template and a line of the same length; -1 if a word does. */
function valueDifferences(pattern: readonly string[], tokens: readonly string[]): number {
  let differences = 0
  let equalWords = 0
  for (let i = 0; i < pattern.length; i++) {
    const ours = pattern[i] ?? ''
    const theirs = tokens[i] ?? ''
    if (ours === theirs) {
      if (isWord(ours)) equalWords++
      continue
    }
    if (ours.startsWith(' ') !== theirs.startsWith(' ')) return -1
    const value = isValue(pattern, tokens, i)
    if (!value) return -1
    differences++
  }
  return equalWords > 0 ? differences : -1
}

/** Whether what differs at `i` is a value rather than a word: a wildcard, a name with digits, or assigned. */
function isValue(pattern: readonly string[], tokens: readonly string[], i: number): boolean {
  const ours = pattern[i] ?? ''
  const theirs = tokens[i] ?? ''
  if (!isTextual(ours) || !isTextual(theirs)) return false
  if (isWildcard(ours) || isWildcard(theirs)) return true
  if (pattern[i - 1] === '=') return true
  return hasDigit(ours) && hasDigit(theirs)
}

function generalise(template: Template, tokens: readonly string[]): boolean {
  let changed = false
  const next = template.tokens.map((token, i) => {
    if (token === tokens[i] || isWildcard(token)) return token
    changed = true
    return blankLike(token)
  })
  if (changed) template.tokens = next
  return changed
}

function blankLike(token: string): string {
  return token.startsWith(' ') ? spacedWildcard : wildcard
}

/** A token of letters or digits, as opposed to punctuation. */
function isTextual(token: string): boolean {
  return isWildcard(token) || /[\p{L}\p{N}]/u.test(token)
}

function isWord(token: string): boolean {
  return !isWildcard(token) && /[\p{L}\p{N}]/u.test(token)
}

function hasDigit(token: string): boolean {
  return /\d/.test(token)
}
