/**
 * Data points that have been seen before but for their values, so that the next export of a series is compared word
 * by word and not parsed. A form belongs to one series: the same attributes under another metric are another form.
 */
import type { PointDraft } from './point-draft.ts'

/** Series of a busy receiver; 64 bytes each here, and their points in `maxWords`. */
const maxForms = 65_536
/** 24 MB, taken as it is needed: twice the bytes of 65,536 points of 180 bytes. */
const maxWords = 6_291_456
/** Looked at before giving up: keeps look-ups short even when someone sends attributes that collide on purpose. */
const maxChain = 16
const buckets = 65_536

/** Places of what is known of a form, in numbers. */
const stride = 16
const at = {
  words: 0,
  length: 1,
  head: 2,
  text: 3,
  time: 4,
  start: 5,
  value: 6,
  valueIsInteger: 7,
  count: 8,
  withoutValue: 9,
  attributesFrom: 10,
  /** Bytes behind the attributes. */
  tail: 11,
  hash: 12,
  /** Form in the same bucket + 1. */
  link: 13,
  /** Form that came next, the last time, + 1. */
  next: 14,
} as const

export class PointForms {
  #fields = new Int32Array(256 * stride)
  /** For each four bytes of a point: what they are, and which bits of it count. */
  #words = new Int32Array(16_384)
  #buckets = new Int32Array(0)
  #count = 0
  #used = 0

  get crowded(): boolean {
    return this.#count > maxForms * 0.75 || this.#used > maxWords * 0.75
  }

  clear(): void {
    this.#count = 0
    this.#used = 0
    this.#buckets.fill(0)
  }

  /** Entry of the series text. */
  textOf(form: number): number {
    return this.#get(form, at.text)
  }

  /** Where the values lie, from the start of the point, -1 where there is none. */
  timeOf(form: number): number {
    return this.#get(form, at.time)
  }

  startOf(form: number): number {
    return this.#get(form, at.start)
  }

  valueOf(form: number): number {
    return this.#get(form, at.value)
  }

  countOf(form: number): number {
    return this.#get(form, at.count)
  }

  valueIsInteger(form: number): boolean {
    return this.#get(form, at.valueIsInteger) === 1
  }

  withoutValue(form: number): boolean {
    return this.#get(form, at.withoutValue) === 1
  }

  /** The form that followed this one the last time, -1 if none has. */
  next(form: number): number {
    return this.#get(form, at.next) - 1
  }

  follow(form: number, next: number): void {
    this.#fields[form * stride + at.next] = next + 1
  }

  /** Whether `view[from, to)`, a point under this head, is one of this form. */
  matches(form: number, head: number, view: DataView, from: number, to: number): boolean {
    const fields = this.#fields
    const base = form * stride
    if (fields[base + at.length] !== to - from || fields[base + at.head] !== head) return false
    const words = this.#words
    const last = to - 4
    let word = fields[base + at.words] ?? 0
    for (let pos = from; pos < last; pos += 4, word += 2) {
      if (((view.getInt32(pos, true) ^ (words[word] ?? 0)) & (words[word + 1] ?? 0)) !== 0) return false
    }
    return ((view.getInt32(last, true) ^ (words[word] ?? 0)) & (words[word + 1] ?? 0)) === 0
  }

  /** The form of a point whose attributes lie where they lie in `guide`, a form under the same head; else -1. */
  find(guide: number, head: number, view: DataView, from: number, to: number): number {
    const first = from + this.#get(guide, at.attributesFrom)
    const end = to - this.#get(guide, at.tail)
    if (first > end || to - from < 4) return -1
    const hash = hashOf(view, first, end, head)
    let form = (this.#buckets[hash & (buckets - 1)] ?? 0) - 1
    for (let steps = 0; form >= 0 && steps < maxChain; steps++) {
      if (this.#get(form, at.hash) === hash && this.matches(form, head, view, from, to)) return form
      form = this.#get(form, at.link) - 1
    }
    return -1
  }

  /** Enters the point that `draft` has read; its number, or -1 when there is no room. */
  add(draft: PointDraft, head: number, text: number, view: DataView, from: number, to: number): number {
    const length = to - from
    const words = 2 * Math.ceil(length / 4)
    if (this.#count >= maxForms || this.#used + words > maxWords) return -1
    this.#reserve(words)
    const form = this.#count++
    const hash = hashOf(view, from + draft.attributesFrom, from + draft.attributesTo, head)
    const bucket = hash & (buckets - 1)
    const values = {
      words: this.#used,
      length,
      head,
      text,
      time: draft.time,
      start: draft.start,
      value: draft.value,
      valueIsInteger: draft.valueIsInteger ? 1 : 0,
      count: draft.count,
      withoutValue: draft.withoutValue ? 1 : 0,
      attributesFrom: draft.attributesFrom,
      tail: length - draft.attributesTo,
      hash,
      link: this.#buckets[bucket] ?? 0,
      next: 0,
    }
    this.#fields.set(Object.values(values), form * stride)
    this.#buckets[bucket] = form + 1
    this.#writeWords(draft.mask, view, from, to)
    return form
  }

  #writeWords(mask: Uint8Array, view: DataView, from: number, to: number): void {
    const masks = new DataView(mask.buffer)
    const last = to - 4
    for (let pos = from; ; pos = Math.min(pos + 4, last)) {
      this.#words[this.#used++] = view.getInt32(pos, true)
      this.#words[this.#used++] = masks.getInt32(pos - from, true)
      if (pos === last) return
    }
  }

  #reserve(words: number): void {
    if (this.#buckets.length === 0) this.#buckets = new Int32Array(buckets)
    if ((this.#count + 1) * stride > this.#fields.length) this.#fields = doubled(this.#fields, 0)
    if (this.#used + words > this.#words.length) this.#words = doubled(this.#words, words)
  }

  #get(form: number, place: number): number {
    return this.#fields[form * stride + place] ?? 0
  }
}

function doubled(source: Int32Array, extra: number): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(source.length * 2 + extra)
  wider.set(source)
  return wider
}

function hashOf(view: DataView, from: number, to: number, seed: number): number {
  let hash = Math.imul(seed ^ (to - from), 0x9e3779b1)
  let pos = from
  for (; pos + 4 <= to; pos += 4) {
    hash = Math.imul(hash ^ view.getInt32(pos, true), 0x85ebca6b)
    hash ^= hash >>> 13
  }
  for (; pos < to; pos++) hash = Math.imul(hash ^ view.getUint8(pos), 0x01000193)
  return hash ^ (hash >>> 15)
}
