/**
 * Which of some words a record holds. Nearly all text is ASCII and nearly no token is one that was asked for, so
 * bytes are looked at where they lie and only tokens that begin like a word that is wanted become text.
 */
import { eachToken, maxTokenLength } from './fold-text.ts'
import { eachTextRange, type TextSink } from './log-text.ts'

/** Tokens whose verdicts are remembered; the words of a system are some ten thousand. */
const maxRemembered = 50_000

/** The byte of a token that an ASCII byte stands for; 0 between tokens. */
const folded = new Uint8Array(128)
for (let byte = 0; byte < 128; byte++) {
  const lower = byte >= 65 && byte <= 90 ? byte + 32 : byte
  if ((lower >= 97 && lower <= 122) || (lower >= 48 && lower <= 57)) folded[byte] = lower
}

export interface WantedWord {
  readonly word: string
  /** Never true for a token that begins with another letter than the word. */
  readonly finds: (token: string) => boolean
}

export class RecordWords {
  /** Bit i: a token of the record read last is found by word i. */
  seen = 0
  /** The same for each token in order, with zeros between pieces of text; only if order was asked for. */
  readonly sequence: number[] = []
  readonly #words: readonly WantedWord[]
  readonly #ordered: boolean
  readonly #masks = new Map<string, number>()
  /** By the first byte of a token: 1 where a word begins with it. */
  readonly #starts = new Uint8Array(128)
  #record: Buffer = Buffer.alloc(0)
  readonly #addToken = (token: string): void => this.#add(this.#maskOf(token))
  readonly #sink: TextSink = {
    range: (from, to) => {
      this.#addRange(from, to)
      this.#add(0)
    },
    text: value => {
      eachToken(value, this.#addToken)
      this.#add(0)
    },
  }

  /** At most 32 words. */
  constructor(words: readonly WantedWord[], ordered: boolean) {
    this.#words = words
    this.#ordered = ordered
    for (const { word } of words) {
      const code = word.charCodeAt(0)
      if (code < 128) this.#starts[code] = 1
    }
  }

  read(record: Uint8Array): void {
    this.seen = 0
    this.sequence.length = 0
    if (this.#words.length === 0) return
    this.#record = Buffer.from(record.buffer, record.byteOffset, record.byteLength)
    eachTextRange(record, this.#sink)
  }

  /** Bits of the words found in UTF-8 text, as `seen` has them afterwards. */
  inText(text: Buffer): number {
    this.seen = 0
    this.#record = text
    this.#addRange(0, text.length)
    return this.seen
  }

  #add(mask: number): void {
    this.seen |= mask
    if (this.#ordered) this.sequence.push(mask)
  }

  #addRange(from: number, to: number): void {
    const record = this.#record
    for (let at = from; at < to; at++)
      if ((record[at] as number) > 127) {
        eachToken(record.toString('utf8', from, to), this.#addToken)
        return
      }
    for (let at = from; at < to; ) {
      const first = folded[record[at] as number] as number
      const start = at++
      if (first === 0) continue
      while (at < to && folded[record[at] as number] !== 0) at++
      if (this.#starts[first] === 0) this.#add(0)
      else
        this.#addToken(record.toString('latin1', start, Math.min(at, start + maxTokenLength)).toLowerCase())
    }
  }

  #maskOf(token: string): number {
    const known = this.#masks.get(token)
    if (known !== undefined) return known
    let mask = 0
    for (let bit = 0; bit < this.#words.length; bit++)
      if (this.#words[bit]?.finds(token) === true) mask |= 1 << bit
    if (this.#masks.size >= maxRemembered) this.#masks.clear()
    this.#masks.set(token, mask)
    return mask
  }
}
