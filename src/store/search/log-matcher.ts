/** Decides of rows whether a condition holds: from columns as far as they tell, else from the record. */
import type { LogBlock, RecordTable } from '../../model/telemetry.ts'
import { recordOf } from '../../model/telemetry.ts'
import { keyValueAt, valueText } from '../../otlp/any-value.ts'
import { cursor, readLength, readTag, skipValue } from '../../otlp/wire/varint.ts'
import { eachToken } from './fold-text.ts'
import { type LogCondition, termsOf } from './log-query.ts'
import { eachLogText } from './log-text.ts'
import { stemWord } from './stem-word.ts'
import { TermMatcher } from './term-matcher.ts'

/** Tokens whose verdicts are remembered; the words of a system are some ten thousand. */
const maxRemembered = 50_000

const recordAttribute = 0x32
const resourceAttribute = 0x0a

/** Three answers: columns alone may leave it open. */
type Verdict = boolean | undefined

export class LogMatcher {
  readonly #condition: LogCondition | null
  /** Bit i: the token is found by word i. Phrases have bits of their own, for equal words and stems. */
  readonly #masks = new Map<string, number>()
  readonly #bits: readonly ((token: string) => boolean)[]
  readonly #bitOf = new Map<LogCondition, number>()
  #sequence: number[] = []
  #seen = 0

  constructor(condition: LogCondition | null) {
    this.#condition = condition
    const bits: ((token: string) => boolean)[] = []
    visit(condition, one => {
      this.#bitOf.set(one, bits.length)
      if (one.type === 'word') {
        const matcher = new TermMatcher(one.token)
        bits.push(token => matcher.matches(token))
      } else if (one.type === 'phrase') for (const token of one.tokens) bits.push(sameWord(token))
    })
    this.#bits = bits
  }

  /** Whether the condition can be decided without text and attributes, and how; undefined if it cannot. */
  fromColumns(block: LogBlock, row: number): Verdict {
    return this.#condition === null ? true : this.#columns(this.#condition, block, row)
  }

  fromRecord(block: LogBlock, row: number, records: RecordTable): boolean {
    if (this.#condition === null) return true
    const record = recordOf(records, row)
    this.#readText(record)
    return this.#full(this.#condition, block, row, record)
  }

  #columns(condition: LogCondition, block: LogBlock, row: number): Verdict {
    switch (condition.type) {
      case 'and': {
        let open = false
        for (const one of condition.conditions) {
          const verdict = this.#columns(one, block, row)
          if (verdict === false) return false
          open ||= verdict === undefined
        }
        return open ? undefined : true
      }
      case 'or': {
        let open = false
        for (const one of condition.conditions) {
          const verdict = this.#columns(one, block, row)
          if (verdict === true) return true
          open ||= verdict === undefined
        }
        return open ? undefined : false
      }
      case 'not': {
        const verdict = this.#columns(condition.condition, block, row)
        return verdict === undefined ? undefined : !verdict
      }
      case 'service':
        return block.resources[block.resource[row] ?? -1]?.service.toLowerCase() === condition.name
      case 'severity': {
        const severity = block.severity[row] ?? 0
        return severity >= condition.from && severity <= condition.to
      }
      case 'trace':
        return traceMatches(block, row, condition.prefix)
      default:
        return undefined
    }
  }

  #full(condition: LogCondition, block: LogBlock, row: number, record: Uint8Array): boolean {
    switch (condition.type) {
      case 'and':
        return condition.conditions.every(one => this.#full(one, block, row, record))
      case 'or':
        return condition.conditions.some(one => this.#full(one, block, row, record))
      case 'not':
        return !this.#full(condition.condition, block, row, record)
      case 'word':
        return (this.#seen & (1 << (this.#bitOf.get(condition) ?? 0))) !== 0
      case 'phrase':
        return this.#holdsPhrase(this.#bitOf.get(condition) ?? 0, condition.tokens.length)
      case 'attribute':
        return (
          hasAttribute(record, recordAttribute, condition) ||
          hasAttribute(
            block.resources[block.resource[row] ?? -1]?.bytes ?? new Uint8Array(),
            resourceAttribute,
            condition,
          )
        )
      default:
        return this.#columns(condition, block, row) === true
    }
  }

  /** Masks of the record's tokens in order, a zero between pieces of text so that no phrase spans them. */
  #readText(record: Uint8Array): void {
    this.#sequence = []
    this.#seen = 0
    if (this.#bits.length === 0) return
    eachLogText(record, text => {
      eachToken(text, token => {
        const mask = this.#maskOf(token)
        this.#seen |= mask
        this.#sequence.push(mask)
      })
      this.#sequence.push(0)
    })
  }

  #maskOf(token: string): number {
    const known = this.#masks.get(token)
    if (known !== undefined) return known
    let mask = 0
    for (let bit = 0; bit < this.#bits.length; bit++) if (this.#bits[bit]?.(token) === true) mask |= 1 << bit
    if (this.#masks.size >= maxRemembered) this.#masks.clear()
    this.#masks.set(token, mask)
    return mask
  }

  #holdsPhrase(firstBit: number, length: number): boolean {
    const sequence = this.#sequence
    for (let start = 0; start + length <= sequence.length; start++) {
      let word = 0
      while (word < length && ((sequence[start + word] ?? 0) & (1 << (firstBit + word))) !== 0) word++
      if (word === length) return true
    }
    return false
  }
}

/** Text conditions in the order of `termsOf`, so that bits and limit agree. */
function visit(condition: LogCondition | null, found: (one: LogCondition) => void): void {
  if (condition === null || termsOf(condition).length === 0) return
  if (condition.type === 'and' || condition.type === 'or')
    for (const one of condition.conditions) visit(one, found)
  else if (condition.type === 'not') visit(condition.condition, found)
  else found(condition)
}

function sameWord(word: string): (token: string) => boolean {
  const stem = stemWord(word)
  return token => token === word || (token[0] === word[0] && stemWord(token) === stem)
}

function traceMatches(block: LogBlock, row: number, prefix: string): boolean {
  const from = row * 16
  const id = Buffer.from(block.traceId.subarray(from, from + 16)).toString('hex')
  return id.startsWith(prefix) && !/^0+$/.test(id)
}

/** Repeated KeyValue fields with this tag, in a LogRecord or a Resource message. */
function hasAttribute(
  message: Uint8Array,
  attributeTag: number,
  wanted: { readonly key: string; readonly value: string },
): boolean {
  const value = wanted.value.toLowerCase()
  for (let at = 0; at < message.length; ) {
    const tag = readTag(message, at, message.length)
    const content = cursor.next
    at = skipValue(message, content, message.length, tag & 7)
    if (tag !== attributeTag) continue
    const from = at - readLength(message, content, message.length)
    const attribute = keyValueAt(message, from, at)
    if (attribute.key === wanted.key && valueText(attribute.value).toLowerCase() === value) return true
  }
  return false
}
