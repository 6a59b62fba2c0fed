/** Refusals and warnings of one batch, in sentences for the sender. */
import type { Refusal } from '../model/telemetry.ts'

/** Different reasons in one answer; the rest share one. A request may hold a million bad items. */
const maxReasons = 16

const otherReason = 'its ids cannot be right either'

export class BatchNotes {
  readonly refusals: Refusal[] = []
  readonly #reasons = new Map<string, string>()
  /** Items by what was wrong with them. */
  badReferences = 0
  cutItems = 0
  cutGroups = 0
  future = 0

  /** Equal reasons are one string, however many items they belong to. */
  refuse(index: number, reason: string): void {
    this.refusals.push({ index, reason: this.#shared(reason) })
  }

  #shared(reason: string): string {
    const known = this.#reasons.get(reason)
    if (known !== undefined) return known
    if (this.#reasons.size >= maxReasons) return otherReason
    this.#reasons.set(reason, reason)
    return reason
  }

  /** One sentence for each kind of trouble, with advice. */
  warnings(noun: string, attributeMaxBytes: number): readonly string[] {
    const warnings: string[] = []
    if (this.badReferences > 0) {
      warnings.push(
        `${this.badReferences} ${noun} carried a trace or span id of wrong length or all zero in a reference; ` +
          'they are kept without it. Send 16 byte trace ids and 8 byte span ids, or none',
      )
    }
    if (this.cutItems > 0 || this.cutGroups > 0) {
      warnings.push(
        `attribute values over ${attributeMaxBytes} bytes were cut and marked in ${this.cutItems} ${noun} and ` +
          `${this.cutGroups} resources or scopes. Raise ATTRIBUTE_MAX_BYTES or send less`,
      )
    }
    if (this.future > 0) {
      warnings.push(
        `${this.future} ${noun} are more than an hour ahead of this server's clock; they are found by receive ` +
          'time. Check the clock of the sender',
      )
    }
    return warnings
  }
}
