/**
 * JSON bytes straight into protobuf, without objects in between: for what telemetry senders write, which is
 * nearly everything. Whatever is unusual (unknown or repeated keys, surrogate escapes, anything malformed) is
 * left to the complete path over JSON.parse, which also knows what to say about it; where both read a
 * request they write the same bytes.
 */
import { isUtf8 } from 'node:buffer'
import { InvalidInputError } from '../../errors.ts'
import { viewOf } from '../wire/byte-view.ts'
import type { ByteWriter } from '../wire/byte-writer.ts'
import { maxDepth } from '../wire/varint.ts'
import {
  backslash,
  closeList,
  closeObject,
  colon,
  comma,
  escapes,
  hasMeaning,
  hexDigits,
  hexValue,
  isNumberByte,
  latin1,
  minus,
  nine,
  openList,
  openObject,
  point,
  powersOfTen,
  quote,
  zero,
} from './json-bytes.ts'
import type { FieldPlan, MessagePlan } from './json-plan.ts'
import { writeBase64, writeDigits, writeId, writeNumber } from './json-scalars.ts'
import { type ScanField, type ScanPlan, scanPlanOf } from './scan-plan.ts'

/** Thrown for what the complete path must look at; one object, because it is no error. */
const unusual: { readonly name: 'unusual' } = { name: 'unusual' }

const noFields: readonly ScanField[] = []

/** Texts below this many bytes have a length of one byte, and are copied as they are looked at. */
const shortText = 128

/** Digits of nanoseconds since 1970, from 2001 to 2286. */
const timeDigits = 19

/** Digits that a double holds exactly, with room to spare. */
const exactDigits = 15

/**
 * Writes the message that the JSON object `bytes` holds to `out`. False if it is left to the complete path; what
 * was written is then to be thrown away.
 */
export function scanJson(bytes: Uint8Array, plan: MessagePlan, out: ByteWriter): boolean {
  if (!isUtf8(bytes)) return false
  try {
    return new JsonScanner(bytes, out).request(scanPlanOf(plan))
  } catch (error) {
    if (error === unusual || error instanceof InvalidInputError) return false
    throw error
  }
}

class JsonScanner {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #out: ByteWriter
  #pos = 0

  constructor(bytes: Uint8Array, out: ByteWriter) {
    this.#bytes = bytes
    this.#view = viewOf(bytes)
    this.#out = out
  }

  request(plan: ScanPlan): boolean {
    const bytes = this.#bytes
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.#pos = 3
    this.#space()
    this.#message(plan, 1)
    this.#space()
    return this.#pos === bytes.length
  }

  /** The byte at the position; -1 behind the end. */
  #peek(): number {
    return this.#pos < this.#bytes.length ? (this.#bytes[this.#pos] ?? -1) : -1
  }

  #space(): void {
    const bytes = this.#bytes
    if ((bytes[this.#pos] ?? 0) > 0x20) return
    while (this.#pos < bytes.length) {
      const byte = bytes[this.#pos] ?? 0
      if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) return
      this.#pos++
    }
  }

  #expect(byte: number): void {
    if (this.#peek() !== byte) throw unusual
    this.#pos++
  }

  #message(plan: ScanPlan, depth: number): void {
    if (depth > maxDepth) throw unusual
    this.#expect(openObject)
    this.#space()
    if (this.#peek() === closeObject) {
      this.#pos++
      return
    }
    let seen = 0
    let previous = 0
    for (;;) {
      const field = this.#key(plan, previous)
      previous = field.ordinal
      // The last of equal keys counts, and only the complete path can take back the first.
      if ((seen & (1 << previous)) !== 0) throw unusual
      seen |= 1 << previous
      this.#space()
      this.#value(field, depth)
      this.#space()
      const next = this.#peek()
      this.#pos++
      if (next === closeObject) return
      if (next !== comma) throw unusual
      this.#space()
    }
  }

  /** Key and colon. */
  #key(plan: ScanPlan, previous: number): ScanField {
    const guess = plan.following[previous]
    if (guess !== undefined && this.#isKey(guess)) {
      this.#pos += guess.key.length + 1
      return guess
    }
    const other = plan.formerly[previous]
    if (other !== undefined && this.#isKey(other)) {
      this.#pos += other.key.length + 1
      return other
    }
    const field = this.#searchKey(plan, previous)
    this.#space()
    this.#expect(colon)
    return field
  }

  #isKey({ key, words }: ScanField): boolean {
    const pos = this.#pos
    const last = pos + key.length - 3
    if (last + 4 > this.#bytes.length) return false
    const view = this.#view
    const count = words.length - 1
    for (let i = 0; i < count; i++) if (view.getInt32(pos + i * 4, true) !== words[i]) return false
    return view.getInt32(last, true) === words[count]
  }

  #searchKey(plan: ScanPlan, previous: number): ScanField {
    const bytes = this.#bytes
    if (this.#peek() !== quote) throw unusual
    let end = this.#pos + 1
    while (end < bytes.length && bytes[end] !== quote) end++
    const candidates = plan.byLength[end - this.#pos - 1] ?? noFields
    for (const field of candidates) {
      if (!this.#startsWith(field.key)) continue
      plan.formerly[previous] = plan.following[previous]
      plan.following[previous] = field
      this.#pos = end + 1
      return field
    }
    throw unusual
  }

  #startsWith(key: Uint8Array): boolean {
    const bytes = this.#bytes
    const pos = this.#pos
    if (pos + key.length > bytes.length) return false
    for (let i = 0; i < key.length; i++) if (bytes[pos + i] !== key[i]) return false
    return true
  }

  #value(field: ScanField, depth: number): void {
    if (this.#peek() === 0x6e) {
      this.#literal('null')
      return
    }
    const { plan } = field
    if (!plan.repeated) {
      this.#one(field, depth)
      return
    }
    this.#expect(openList)
    this.#space()
    if (this.#peek() === closeList) {
      this.#pos++
      return
    }
    if (!plan.packed) {
      this.#list(field, depth)
      return
    }
    this.#out.varint32(plan.packedTag)
    const guess = plan.lengthBytes
    const start = this.#out.beginLength(guess)
    this.#list(field, depth)
    plan.lengthBytes = this.#out.endLength(start, guess)
  }

  /** Elements up to the closing bracket; numbers without tags. */
  #list(field: ScanField, depth: number): void {
    for (;;) {
      this.#one(field, depth)
      this.#space()
      const next = this.#peek()
      this.#pos++
      if (next === closeList) return
      if (next !== comma) throw unusual
      this.#space()
    }
  }

  #one(field: ScanField, depth: number): void {
    const { plan, message } = field
    const out = this.#out
    if (message !== null) {
      out.varint32(plan.tag)
      const guess = plan.lengthBytes
      const start = out.beginLength(guess)
      this.#message(message, depth + 1)
      plan.lengthBytes = out.endLength(start, guess)
      return
    }
    // An element of a list is there even when it is empty.
    const skipDefault = !plan.presence && !plan.repeated
    if (plan.type === 'string') this.#string(plan.tag, skipDefault)
    else if (plan.type === 'bytes') this.#bytesValue(field, skipDefault)
    else this.#number(plan)
  }

  /** Position of the quote that ends the text at the position, which has no escapes; -1 if it has. */
  #plainEnd(): number {
    const bytes = this.#bytes
    if (this.#peek() !== quote) throw unusual
    for (let pos = this.#pos + 1; pos < bytes.length; pos++) {
      const byte = bytes[pos] ?? 0
      if (byte === quote) return pos
      if (byte === backslash) return -1
      if (byte < 0x20) throw unusual
    }
    throw unusual
  }

  #string(tag: number, skipDefault: boolean): void {
    const bytes = this.#bytes
    if (this.#peek() !== quote) throw unusual
    if (skipDefault && bytes[this.#pos + 1] === quote) {
      this.#pos += 2
      return
    }
    const out = this.#out
    const start = out.length
    out.varint32(tag)
    if (this.#copyShort()) return
    out.length = start
    const end = this.#plainEnd()
    if (end < 0) {
      this.#escaped(tag)
      return
    }
    const from = this.#pos + 1
    this.#pos = end + 1
    out.varint32(tag)
    out.varint32(end - from)
    out.raw(bytes, from, end)
  }

  /** Copies the text at the position with its length; false for one that is long, has escapes or does not end. */
  #copyShort(): boolean {
    const bytes = this.#bytes
    const view = this.#view
    const out = this.#out
    const target = out.reserve(shortText + 5)
    const data = out.data
    const lengthAt = out.length
    const from = this.#pos + 1
    const limit = Math.min(bytes.length - 4, from + shortText - 4)
    let pos = from
    let at = lengthAt + 1
    for (; pos <= limit; pos += 4, at += 4) {
      const word = view.getInt32(pos, true)
      if (hasMeaning(word)) break
      data.setInt32(at, word, true)
    }
    for (const end = Math.min(bytes.length, from + shortText); pos < end; pos++, at++) {
      const byte = bytes[pos] ?? 0
      if (byte === quote) {
        target[lengthAt] = pos - from
        out.length = at
        this.#pos = pos + 1
        return true
      }
      if (byte === backslash || byte < 0x20) return false
      target[at] = byte
    }
    return false
  }

  /** A text with escapes; it is not empty. */
  #escaped(tag: number): void {
    const bytes = this.#bytes
    const out = this.#out
    out.varint32(tag)
    const start = out.beginLength(2)
    let pos = this.#pos + 1
    let plain = pos
    for (;;) {
      if (pos >= bytes.length) throw unusual
      const byte = bytes[pos] ?? 0
      if (byte !== quote && byte !== backslash) {
        if (byte < 0x20) throw unusual
        pos++
        continue
      }
      out.raw(bytes, plain, pos)
      if (byte === quote) break
      const kind = bytes[pos + 1] ?? 0
      if (kind === 0x75) pos = this.#unicodeEscape(pos)
      else {
        const meant = escapes.get(kind)
        if (meant === undefined) throw unusual
        out.varint32(meant)
        pos += 2
      }
      plain = pos
    }
    this.#pos = pos + 1
    out.endLength(start, 2)
  }

  /** Writes the character of the escape at `pos`; returns the position behind it. */
  #unicodeEscape(pos: number): number {
    let code = 0
    for (let i = 2; i < 6; i++) {
      const digit = hexValue(this.#bytes[pos + i] ?? 0)
      if (digit < 0) throw unusual
      code = code * 16 + digit
    }
    if (code >= 0xd800 && code <= 0xdfff) throw unusual
    const out = this.#out
    const target = out.reserve(3)
    if (code < 0x80) target[out.length++] = code
    else {
      if (code < 0x800) target[out.length++] = 0xc0 | (code >> 6)
      else {
        target[out.length++] = 0xe0 | (code >> 12)
        target[out.length++] = 0x80 | ((code >> 6) & 0x3f)
      }
      target[out.length++] = 0x80 | (code & 0x3f)
    }
    return pos + 6
  }

  #bytesValue(field: ScanField, skipDefault: boolean): void {
    const { plan } = field
    const from = this.#pos + 1
    if (plan.idBytes > 0 && this.#bytes[from + plan.idBytes * 2] === quote && this.#peek() === quote) {
      const start = this.#out.length
      this.#out.varint32(plan.tag)
      if (this.#hex(from, plan.idBytes)) {
        this.#pos = from + plan.idBytes * 2 + 1
        return
      }
      this.#out.length = start
    }
    const end = this.#plainEnd()
    if (end < 0) throw unusual
    this.#pos = end + 1
    if (end === from && skipDefault) return
    this.#out.varint32(plan.tag)
    const text = latin1(this.#bytes, from, end)
    if (plan.idBytes === 0) writeBase64(this.#out, plan, text)
    else writeId(this.#out, text, plan.idBytes)
  }

  /** Length and bytes of an id; false, with nothing written, if a digit is none. */
  #hex(from: number, size: number): boolean {
    const bytes = this.#bytes
    const out = this.#out
    const target = out.reserve(size + 1)
    const at = out.length
    target[at] = size
    for (let i = 0; i < size; i++) {
      const high = hexDigits[bytes[from + i * 2] ?? 0] ?? -1
      const low = hexDigits[bytes[from + i * 2 + 1] ?? 0] ?? -1
      if ((high | low) < 0) return false
      target[at + 1 + i] = (high << 4) | low
    }
    out.length = at + 1 + size
    return true
  }

  /** A number, bool or enum. */
  #number(plan: FieldPlan): void {
    const first = this.#peek()
    if (first === 0x74 || first === 0x66) {
      this.#literal(first === 0x74 ? 'true' : 'false')
      writeNumber(this.#out, plan, first === 0x74)
      return
    }
    if (first !== quote) {
      this.#bareNumber(plan)
      return
    }
    const from = this.#pos + 1
    const timeEnd = from + timeDigits
    if (this.#bytes[timeEnd] === quote && writeDigits(this.#out, plan, this.#bytes, from, timeEnd)) {
      this.#pos = timeEnd + 1
      return
    }
    const end = this.#plainEnd()
    if (end < 0) throw unusual
    this.#pos = end + 1
    if (writeDigits(this.#out, plan, this.#bytes, from, end)) return
    writeNumber(this.#out, plan, latin1(this.#bytes, from, end))
  }

  #bareNumber(plan: FieldPlan): void {
    const bytes = this.#bytes
    const from = this.#pos
    let pos = from
    while (pos < bytes.length && isNumberByte(bytes[pos] ?? 0)) pos++
    this.#pos = pos
    if (plan.type === 'double' && this.#shortDecimal(plan, from, pos)) return
    const leadingZero = bytes[from] === zero && pos > from + 1
    if (!leadingZero && writeDigits(this.#out, plan, bytes, from, pos)) return
    const text = latin1(bytes, from, pos)
    if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) throw unusual
    // Beyond what a double holds the digits themselves count.
    const digits = text.length > exactDigits && /^-?\d+$/.test(text)
    writeNumber(this.#out, plan, digits ? text : Number(text))
  }

  /**
   * A decimal of few digits, which is exact: whole number and power of ten are doubles, and division rounds
   * once. False, with nothing written, for every other number.
   */
  #shortDecimal(plan: FieldPlan, from: number, to: number): boolean {
    const bytes = this.#bytes
    const first = bytes[from] === minus ? from + 1 : from
    if (to - first > exactDigits || to === first) return false
    if (bytes[first] === zero && to > first + 1 && bytes[first + 1] !== point) return false
    let whole = 0
    let pointAt = -1
    for (let i = first; i < to; i++) {
      const byte = bytes[i] ?? 0
      if (byte === point && pointAt < 0 && i > first && i < to - 1) pointAt = i
      else if (byte >= zero && byte <= nine) whole = whole * 10 + (byte - zero)
      else return false
    }
    const value = pointAt < 0 ? whole : whole / (powersOfTen[to - 1 - pointAt] ?? 1)
    if (!plan.packed) {
      if (!plan.presence && value === 0 && first === from) return true
      this.#out.varint32(plan.tag)
    }
    this.#out.double(first === from ? value : -value)
    return true
  }

  #literal(word: 'null' | 'true' | 'false'): void {
    for (let i = 0; i < word.length; i++) {
      if (this.#bytes[this.#pos + i] !== word.charCodeAt(i)) throw unusual
    }
    this.#pos += word.length
  }
}
