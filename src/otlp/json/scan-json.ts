/**
 * JSON bytes straight into protobuf, without objects in between: for what telemetry senders write, which is
 * nearly everything. Whatever is unusual (unknown or repeated keys, surrogate escapes, anything malformed) is
 * left to the complete path over JSON.parse, which also knows what to say about it; where both read a
 * request they write the same bytes.
 */
import { isUtf8 } from 'node:buffer'
import { InvalidInputError } from '../../errors.ts'
import type { ByteWriter } from '../wire/byte-writer.ts'
import { maxDepth } from '../wire/varint.ts'
import type { FieldPlan, MessagePlan } from './json-plan.ts'
import { writeBase64, writeDigits, writeId, writeNumber } from './json-scalars.ts'
import { type ScanField, type ScanPlan, scanPlanOf } from './scan-plan.ts'

/** Thrown for what the complete path must look at; one object, because it is no error. */
const unusual: { readonly name: 'unusual' } = { name: 'unusual' }

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const openList = 0x5b
const closeList = 0x5d
const openObject = 0x7b
const closeObject = 0x7d
const zero = 0x30
const nine = 0x39
const minus = 0x2d
const point = 0x2e

/** Exact up to 10^22. */
const powersOfTen: readonly number[] = Array.from({ length: 16 }, (_, power) => 10 ** power)

/** What stands behind a backslash, and the byte it means. */
const escapes: ReadonlyMap<number, number> = new Map([
  [quote, quote],
  [backslash, backslash],
  [0x2f, 0x2f],
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
])

const noFields: readonly ScanField[] = []

/** Texts up to this many bytes are copied byte by byte, which beats the call into the engine. */
const shortText = 48

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
  readonly #out: ByteWriter
  #pos = 0

  constructor(bytes: Uint8Array, out: ByteWriter) {
    this.#bytes = bytes
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
      this.#expect(colon)
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

  #key(plan: ScanPlan, previous: number): ScanField {
    const guess = plan.following[previous]
    if (guess !== undefined && this.#startsWith(guess.key)) {
      this.#pos += guess.key.length
      return guess
    }
    const bytes = this.#bytes
    if (this.#peek() !== quote) throw unusual
    let end = this.#pos + 1
    while (end < bytes.length && bytes[end] !== quote) end++
    const candidates = plan.byLength[end - this.#pos - 1] ?? noFields
    for (const field of candidates) {
      if (!this.#startsWith(field.key)) continue
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
    const end = this.#plainEnd()
    const out = this.#out
    if (end < 0) {
      this.#escaped(tag)
      return
    }
    const from = this.#pos + 1
    const length = end - from
    this.#pos = end + 1
    if (length === 0 && skipDefault) return
    out.varint32(tag)
    out.varint32(length)
    if (length > shortText) {
      out.raw(this.#bytes, from, end)
      return
    }
    const target = out.reserve(length)
    const at = out.length
    const bytes = this.#bytes
    for (let i = 0; i < length; i++) target[at + i] = bytes[from + i] ?? 0
    out.length = at + length
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
    const end = this.#plainEnd()
    if (end < 0) throw unusual
    const from = this.#pos + 1
    this.#pos = end + 1
    const { plan } = field
    if (end === from && skipDefault) return
    this.#out.varint32(plan.tag)
    if (end - from === plan.idBytes * 2 && end > from && this.#hex(from, plan.idBytes)) return
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
      const high = hexValue(bytes[from + i * 2] ?? 0)
      const low = hexValue(bytes[from + i * 2 + 1] ?? 0)
      if (high < 0 || low < 0) return false
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
    const end = this.#plainEnd()
    if (end < 0) throw unusual
    const from = this.#pos + 1
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

function isNumberByte(byte: number): boolean {
  return (
    (byte >= zero && byte <= nine) ||
    byte === 0x2d ||
    byte === 0x2b ||
    byte === 0x2e ||
    (byte | 0x20) === 0x65
  )
}

function hexValue(byte: number): number {
  if (byte >= zero && byte <= nine) return byte - zero
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 87 : -1
}

/** ASCII as text; anything else comes out as something no number or id is. */
function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1')
}
