/** Which bytes of a data point are its values, and which are the same in every export of its series. */
import { cursor, readLength, readTag, readVarint, skipValue } from '../wire/varint.ts'
import type { PointLayout } from './point-layout.ts'

/** Longer points are decoded anew each time: some hundred buckets, or attributes that are texts. */
export const maxDraftBytes = 4_096

/** Bit of `DataPointFlags` that says the point has no value. */
export const noRecordedValue = 1

/** What lies where in the point read last, counted from its start; -1 where there is none. */
export class PointDraft {
  /** 255 for a byte that is the same in every export, 0 for one that belongs to a value. */
  readonly mask: Uint8Array = new Uint8Array(maxDraftBytes)
  time = -1
  start = -1
  count = -1
  /** Of a gauge or sum its value, else its sum. */
  value = -1
  valueIsInteger = false
  withoutValue = false
  /** All attributes; empty if there are none. */
  attributesFrom = 0
  attributesTo = 0

  /**
   * Reads the well-formed point `bytes[from, to)`; false if the next one of its series may well have other bytes where
   * this one has a length, an id or a number of no fixed width.
   */
  read(layout: PointLayout, bytes: Uint8Array, from: number, to: number): boolean {
    if (layout.type === 'exponential_histogram' || to - from > maxDraftBytes || to - from < 4) return false
    this.#reset(to - from)
    for (let pos = from; pos < to; ) {
      const start = pos
      const tag = readTag(bytes, pos, to)
      const content = cursor.next
      pos = skipValue(bytes, content, to, tag & 7)
      if ((tag & 7) === 1) this.#fixed64(layout, tag, content - from)
      else if (tag === layout.attributes) {
        if (this.attributesTo !== 0 && this.attributesTo !== start - from) return false
        if (this.attributesTo === 0) this.attributesFrom = start - from
        this.attributesTo = pos - from
      } else if (tag === layout.flags) {
        this.withoutValue = (readVarint(bytes, content, to) & noRecordedValue) !== 0
      } else if ((tag & 7) === 2) {
        const value = pos - readLength(bytes, content, to)
        if (tag === layout.bucketCounts) this.mask.fill(0, value - from, pos - from)
        else if (tag === layout.quantiles) {
          if (!this.#allFixed64(bytes, from, value, pos)) return false
        } else if (tag !== layout.bounds) return false
      }
    }
    return true
  }

  #reset(length: number): void {
    this.mask.fill(255, 0, length)
    this.time = -1
    this.start = -1
    this.count = -1
    this.value = -1
    this.valueIsInteger = false
    this.withoutValue = false
    this.attributesFrom = 0
    this.attributesTo = 0
  }

  #fixed64(layout: PointLayout, tag: number, at: number): void {
    this.mask.fill(0, at, at + 8)
    if (tag === 0x19) this.time = at
    else if (tag === 0x11) this.start = at
    else if (tag === layout.count) this.count = at
    else if (tag === layout.asDouble || tag === layout.asInt || tag === layout.sum) {
      this.value = at
      this.valueIsInteger = tag === layout.asInt
    }
  }

  #allFixed64(bytes: Uint8Array, point: number, from: number, to: number): boolean {
    for (let pos = from; pos < to; ) {
      const tag = readTag(bytes, pos, to)
      if ((tag & 7) !== 1) return false
      this.mask.fill(0, cursor.next - point, cursor.next - point + 8)
      pos = cursor.next + 8
    }
    return true
  }
}
