/**
 * The search syntax for log records: words, "phrases", AND, OR, NOT or a leading minus, parentheses, fields
 * (`service:cart`, `severity:error`, `trace_id:4bf9...`) and attributes (`http.route=/cart`). Words next to
 * each other all have to match. Nothing in it is ever a pattern or reaches a database.
 */
import { InvalidInputError } from '../../errors.ts'
import { tokensOf } from './fold-text.ts'

/** Words of one search, those of phrases included; each is a bit of a 32-bit mask while searching. */
export const maxTerms = 32
/** Parentheses and negations inside one another. */
const maxDepth = 16
const maxQueryLength = 2048

export type LogCondition =
  | { readonly type: 'and' | 'or'; readonly conditions: readonly LogCondition[] }
  | { readonly type: 'not'; readonly condition: LogCondition }
  /** One folded word: a token that begins with it or has the same stem. */
  | { readonly type: 'word'; readonly token: string }
  /** Folded words in this order; each the same word or stem. */
  | { readonly type: 'phrase'; readonly tokens: readonly string[] }
  /** Compared without regard to case. */
  | { readonly type: 'service'; readonly name: string }
  /** SeverityNumbers from and to, both included. */
  | { readonly type: 'severity'; readonly from: number; readonly to: number }
  /** 32 lower-case hex digits, or at least eight of its first. */
  | { readonly type: 'trace'; readonly prefix: string }
  /** An attribute of the record or its resource; key exactly, value as text without regard to case. */
  | { readonly type: 'attribute'; readonly key: string; readonly value: string }

interface Piece {
  readonly kind: 'word' | 'quoted' | 'open' | 'close'
  readonly text: string
  /** Where it starts, for messages. */
  readonly at: number
}

/**
 * What has to hold of a record; null for an empty query, which holds of every record. Throws
 * InvalidInputError `invalid_query` with field `query`.
 */
export function parseLogQuery(query: string): LogCondition | null {
  if (query.length > maxQueryLength)
    throw invalid(`the query has ${query.length} characters, the limit is ${maxQueryLength}`)
  const parser = new Parser(piecesOf(query))
  const condition = parser.parse()
  if (condition === null && query.trim() !== '')
    throw invalid(`the query ${JSON.stringify(query.slice(0, 40))} has no word to look for`)
  const words = termsOf(condition).length
  if (words > maxTerms) throw invalid(`the query has ${words} words, the limit is ${maxTerms}`)
  return condition
}

/** Words that a record is found for, those of phrases too: not what must be absent. */
export function soughtTerms(condition: LogCondition | null): readonly string[] {
  if (condition === null || condition.type === 'not') return []
  if (condition.type === 'and' || condition.type === 'or') return condition.conditions.flatMap(soughtTerms)
  return termsOf(condition)
}

/** All words of a condition, those of phrases too, in order of appearance. */
export function termsOf(condition: LogCondition | null): readonly string[] {
  if (condition === null) return []
  switch (condition.type) {
    case 'and':
    case 'or':
      return condition.conditions.flatMap(termsOf)
    case 'not':
      return termsOf(condition.condition)
    case 'word':
      return [condition.token]
    case 'phrase':
      return condition.tokens
    default:
      return []
  }
}

function invalid(message: string): InvalidInputError {
  return new InvalidInputError('invalid_query', message, { field: 'query' })
}

function piecesOf(query: string): readonly Piece[] {
  const pieces: Piece[] = []
  let at = 0
  while (at < query.length) {
    const character = query[at] ?? ''
    if (/\s/.test(character)) {
      at++
    } else if (character === '(' || character === ')') {
      pieces.push({ kind: character === '(' ? 'open' : 'close', text: character, at })
      at++
    } else if (character === '"') {
      const end = closingQuote(query, at)
      pieces.push({ kind: 'quoted', text: query.slice(at + 1, end), at })
      at = end + 1
    } else {
      const end = wordEnd(query, at)
      pieces.push({ kind: 'word', text: query.slice(at, end), at })
      at = end
    }
  }
  return pieces
}

function closingQuote(query: string, open: number): number {
  const end = query.indexOf('"', open + 1)
  if (end < 0) throw invalid(`the quote at character ${open + 1} of the query is not closed`)
  return end
}

/** A word goes on through a quoted value, as in `service:"my cart"`. */
function wordEnd(query: string, from: number): number {
  let at = from
  while (at < query.length) {
    const character = query[at] ?? ''
    if (/\s/.test(character) || character === '(' || character === ')') return at
    if (character === '"') at = closingQuote(query, at)
    at++
  }
  return at
}

class Parser {
  readonly #pieces: readonly Piece[]
  #next = 0
  #depth = 0

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces
  }

  parse(): LogCondition | null {
    const condition = this.#either()
    const rest = this.#pieces[this.#next]
    if (rest !== undefined) throw invalid(`unexpected ")" at character ${rest.at + 1} of the query`)
    return condition
  }

  #either(): LogCondition | null {
    const alternatives: LogCondition[] = []
    do {
      const condition = this.#all()
      if (condition !== null) alternatives.push(condition)
    } while (this.#takeWord('OR'))
    return combined('or', alternatives)
  }

  #all(): LogCondition | null {
    const conditions: LogCondition[] = []
    while (true) {
      if (this.#takeWord('AND')) continue
      const piece = this.#pieces[this.#next]
      if (piece === undefined || piece.kind === 'close' || (piece.kind === 'word' && piece.text === 'OR'))
        break
      const condition = this.#one()
      if (condition !== null) conditions.push(condition)
    }
    return combined('and', conditions)
  }

  #one(): LogCondition | null {
    if (++this.#depth > maxDepth) throw invalid(`the query nests deeper than ${maxDepth}`)
    const condition = this.#unguarded()
    this.#depth--
    return condition
  }

  #unguarded(): LogCondition | null {
    if (this.#takeWord('NOT')) return negated(this.#operand('NOT'))
    const piece = this.#pieces[this.#next++]
    if (piece === undefined) return null
    if (piece.kind === 'open') {
      const inside = this.#either()
      if (this.#pieces[this.#next]?.kind !== 'close')
        throw invalid(`the "(" at character ${piece.at + 1} of the query is not closed`)
      this.#next++
      return inside
    }
    if (piece.kind === 'quoted') return wordsCondition(piece.text)
    if (piece.text === '-') return negated(this.#operand('-'))
    if (piece.text.startsWith('-')) return negated(wordCondition(piece.text.slice(1)))
    return wordCondition(piece.text)
  }

  #operand(operator: string): LogCondition | null {
    const piece = this.#pieces[this.#next]
    if (piece === undefined || piece.kind === 'close')
      throw invalid(`nothing follows ${operator} in the query`)
    return this.#one()
  }

  #takeWord(word: string): boolean {
    const piece = this.#pieces[this.#next]
    if (piece?.kind !== 'word' || piece.text !== word) return false
    this.#next++
    return true
  }
}

function combined(type: 'and' | 'or', conditions: readonly LogCondition[]): LogCondition | null {
  if (conditions.length < 2) return conditions[0] ?? null
  return { type, conditions }
}

function negated(condition: LogCondition | null): LogCondition | null {
  return condition === null ? null : { type: 'not', condition }
}

/** A field, an attribute, or text. */
function wordCondition(text: string): LogCondition | null {
  const field = /^(service|severity|trace_id):(.+)$/s.exec(text)
  if (field !== null) return fieldCondition(field[1] ?? '', unquoted(field[2] ?? ''))
  const attribute = /^([\p{L}\p{N}_./-]+)=(.*)$/su.exec(text)
  if (attribute !== null)
    return { type: 'attribute', key: attribute[1] ?? '', value: unquoted(attribute[2] ?? '') }
  return wordsCondition(unquoted(text))
}

function unquoted(text: string): string {
  return text.replaceAll('"', '')
}

/** One token is a word; several, from a quoted text or from `payment-service`, are a phrase. */
function wordsCondition(text: string): LogCondition | null {
  const tokens = tokensOf(text)
  if (tokens.length > 1) return { type: 'phrase', tokens }
  const token = tokens[0]
  return token === undefined ? null : { type: 'word', token }
}

const severityClasses = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']

function fieldCondition(field: string, value: string): LogCondition {
  if (field === 'service') return { type: 'service', name: value.toLowerCase() }
  if (field === 'severity') return severityCondition(value.toLowerCase())
  const prefix = value.toLowerCase()
  if (!/^[0-9a-f]{8,32}$/.test(prefix))
    throw invalid(`trace_id takes 8 to 32 hex digits, not ${JSON.stringify(value)}`)
  return { type: 'trace', prefix }
}

/** `error` is the class; `>=error` and `error+` are the class and those above. */
function severityCondition(value: string): LogCondition {
  const andAbove = value.startsWith('>=') || value.endsWith('+')
  const name = value.replace(/^>=|\+$/g, '').replace(/^warning$/, 'warn')
  const place = severityClasses.indexOf(name)
  if (place < 0)
    throw invalid(
      `severity takes ${severityClasses.join(', ')}, with + for it and above, not ${JSON.stringify(value)}`,
    )
  return { type: 'severity', from: place * 4 + 1, to: andAbove ? 24 : place * 4 + 4 }
}
