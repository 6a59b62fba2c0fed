/** Decides of rows whether a condition holds: from columns as far as they tell, else from the record. */
import type { LogBlock, RecordTable, ResourceEntry } from '../../model/telemetry.ts'
import { recordOf } from '../../model/telemetry.ts'
import { hasAttribute, resourceAttributeTag } from './attribute-match.ts'
import { type LogCondition, termsOf } from './log-query.ts'
import { RecordWords, type WantedWord } from './record-words.ts'
import { stemWord } from './stem-word.ts'
import { TermMatcher } from './term-matcher.ts'

const recordAttribute = 0x32

type AttributeCondition = Extract<LogCondition, { readonly type: 'attribute' }>

/** Three answers: columns alone may leave it open. */
type Verdict = boolean | undefined

export class LogMatcher {
  readonly #condition: LogCondition | null
  /** Bit i: a token is found by word i. Phrases have bits of their own, for equal words and stems. */
  readonly #words: RecordWords
  readonly #bitOf = new Map<LogCondition, number>()
  /** Per attribute condition: what its resources say. */
  readonly #resources = new Map<LogCondition, WeakMap<ResourceEntry, boolean>>()

  constructor(condition: LogCondition | null) {
    this.#condition = condition
    const bits: WantedWord[] = []
    let phrases = false
    visit(condition, one => {
      this.#bitOf.set(one, bits.length)
      if (one.type === 'word') {
        const matcher = new TermMatcher(one.token)
        bits.push({ word: one.token, finds: token => matcher.matches(token) })
      } else if (one.type === 'phrase') {
        phrases = true
        for (const word of one.tokens) bits.push({ word, finds: sameWord(word) })
      }
    })
    this.#words = new RecordWords(bits, phrases)
  }

  /** Whether the condition can be decided without text and attributes, and how; undefined if it cannot. */
  fromColumns(block: LogBlock, row: number): Verdict {
    return this.#condition === null ? true : this.#columns(this.#condition, block, row)
  }

  fromRecord(block: LogBlock, row: number, records: RecordTable): boolean {
    if (this.#condition === null) return true
    const record = recordOf(records, row)
    this.#words.read(record)
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
        return (this.#words.seen & (1 << (this.#bitOf.get(condition) ?? 0))) !== 0
      case 'phrase':
        return this.#holdsPhrase(this.#bitOf.get(condition) ?? 0, condition.tokens.length)
      case 'attribute':
        return (
          hasAttribute(record, recordAttribute, condition) ||
          this.#resourceHas(block.resources[block.resource[row] ?? -1], condition)
        )
      default:
        return this.#columns(condition, block, row) === true
    }
  }

  #resourceHas(resource: ResourceEntry | undefined, condition: AttributeCondition): boolean {
    if (resource === undefined) return false
    const known = this.#resources.get(condition) ?? new WeakMap<ResourceEntry, boolean>()
    this.#resources.set(condition, known)
    let verdict = known.get(resource)
    if (verdict === undefined) {
      verdict = hasAttribute(resource.bytes, resourceAttributeTag, condition)
      known.set(resource, verdict)
    }
    return verdict
  }

  #holdsPhrase(firstBit: number, length: number): boolean {
    const { sequence } = this.#words
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
