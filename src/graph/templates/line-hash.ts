/**
 * A number for the shape of a log line, without making the shape: lines with the same number have the same
 * tokens, so their template can be looked up at a fraction of the cost.
 *
 * Words without digits are taken as they are, which is finer than their tokens and does no harm: lines of one
 * template then have a few numbers instead of one.
 */
import { type LineSink, walkLine } from './line-walk.ts'

/** 53 bits of hash: with ten thousand shapes two of them share a number with a chance of one in 10^8. */
export class LineHash implements LineSink {
  #low = 0
  #high = 0
  #lowBeforeColon = 0
  #highBeforeColon = 0
  endsMasked = false
  endsWithMaskedColon = false

  /** The number of a line. */
  of(text: string): number {
    this.#low = 0x811c9dc5 | 0
    this.#high = 0x2545f491
    this.endsMasked = false
    this.endsWithMaskedColon = false
    walkLine(text, this)
    const low = Math.imul(this.#low ^ (this.#low >>> 15), 0x2c1b3c6d) >>> 0
    const high = Math.imul(this.#high ^ (this.#high >>> 13), 0x297a2d39) >>> 11
    return high * 4294967296 + low
  }

  mask(blank: boolean): void {
    this.#mix(blank ? 0x10001 : 0x10002)
    this.endsMasked = true
    this.endsWithMaskedColon = false
  }

  part(text: string, from: number, to: number, blank: boolean): void {
    const colon = this.endsMasked && !blank && to - from === 1 && text.charCodeAt(from) === 58
    if (colon) {
      this.#lowBeforeColon = this.#low
      this.#highBeforeColon = this.#high
    }
    this.language(text, from, to, blank)
    this.endsWithMaskedColon = colon
  }

  dropColon(): void {
    this.#low = this.#lowBeforeColon
    this.#high = this.#highBeforeColon
    this.endsMasked = true
    this.endsWithMaskedColon = false
  }

  language(text: string, from: number, to: number, blank: boolean): void {
    let low = this.#low
    let high = this.#high
    // Marks where tokens begin: `a` and `bc` are not `ab` and `c`.
    const start = blank ? 0x10003 : 0x10004
    low = Math.imul(low ^ start, 0x01000193)
    high = Math.imul(high ^ start, 0x5bd1e995)
    for (let i = from; i < to; i++) {
      const code = text.charCodeAt(i)
      low = Math.imul(low ^ code, 0x01000193)
      high = Math.imul((high ^ code) + (high >>> 15), 0x5bd1e995)
    }
    this.#low = low
    this.#high = high
    this.endsMasked = false
    this.endsWithMaskedColon = false
  }

  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193)
    this.#high = Math.imul((this.#high ^ value) + (this.#high >>> 15), 0x5bd1e995)
  }
}
