/** Scalars of the protobuf JSON mapping, as OTLP narrows it, into protobuf. */
import { InvalidInputError } from '../../errors.ts'
import type { ByteWriter } from '../wire/byte-writer.ts'
import { varintBytes } from '../wire/byte-writer.ts'
import type { FieldPlan } from './json-plan.ts'

/** JSON that is not what the field holds. */
export function jsonError(field: FieldPlan, expected: string): InvalidInputError {
  return new InvalidInputError('decode_error', `field ${field.name} must be ${expected}`)
}

/** 64 bits as halves; shared like the reader's cursor. */
const halves = { low: 0, high: 0 }

/** Reads a decimal integer, number or text, into `halves`, in two's complement. False if it is none or too big. */
function readInteger(value: unknown, signed: boolean): boolean {
  if (typeof value === 'number') {
    // What is longer came in as text; a double beyond this has lost digits already.
    if (!Number.isSafeInteger(value)) return false
    const size = Math.abs(value)
    halves.low = size >>> 0
    halves.high = Math.floor(size / 4294967296)
    return sign(value < 0, signed)
  }
  if (typeof value !== 'string' || value === '') return false
  const negative = value.charCodeAt(0) === 45
  const from = negative ? 1 : 0
  const digits = value.length - from
  if (digits < 1 || digits > 20) return false
  let upper = 0
  let lower = 0
  for (let i = from; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return integerNotation(value, signed)
    if (value.length - i > 9) upper = upper * 10 + digit
    else lower = lower * 10 + digit
  }
  setHalves(upper, lower)
  return sign(negative, signed)
}

/** `1e3` and `1.0` are integers too, in the JSON mapping. */
function integerNotation(text: string, signed: boolean): boolean {
  return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text) && readInteger(Number(text), signed)
}

/** `halves = upper * 10^9 + lower`, in steps that a double holds exactly; upper has at most 11 digits. */
function setHalves(upper: number, lower: number): void {
  const upperHigh = Math.floor(upper / 65536)
  const part = upperHigh * 1e9
  const low = (part % 65536) * 65536 + (upper % 65536) * 1e9 + lower
  halves.low = low % 4294967296
  halves.high = Math.floor(part / 65536) + Math.floor(low / 4294967296)
}

/** Applies the sign; false if the number does not fit. */
function sign(negative: boolean, signed: boolean): boolean {
  const { low, high } = halves
  if (!negative) return high <= (signed ? 0x7fffffff : 0xffffffff)
  if (low === 0 && high === 0) return true
  if (!signed || high > 0x80000000 || (high === 0x80000000 && low !== 0)) return false
  halves.low = -low >>> 0
  halves.high = (low === 0 ? -high : ~high) >>> 0
  return true
}

/** A whole number of 32 bits, as number or text; NaN if it is none or out of range. */
function readInteger32(value: unknown, signed: boolean): number {
  const number = typeof value === 'string' && /^-?\d+(\.0+)?$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isInteger(number)) return Number.NaN
  const low = signed ? -2147483648 : 0
  return number >= low && number <= (signed ? 2147483647 : 4294967295) ? number : Number.NaN
}

function readDouble(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value !== 'string') return null
  if (value === 'NaN') return Number.NaN
  if (value === 'Infinity') return Number.POSITIVE_INFINITY
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY
  if (!/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value)) return null
  const number = Number(value)
  return Number.isFinite(number) ? number : null
}

/**
 * Writes a number, bool or enum: with its tag, and left out if it is the default and that means the same; a
 * packed one without.
 */
export function writeNumber(out: ByteWriter, field: FieldPlan, value: unknown): void {
  const skipDefault = !field.packed && !field.presence
  switch (field.type) {
    case 'double': {
      const number = readDouble(value)
      if (number === null) throw jsonError(field, 'a number, "NaN", "Infinity" or "-Infinity"')
      // Minus zero is not the default.
      if (skipDefault && Object.is(number, 0)) return
      writeTag(out, field)
      out.double(number)
      return
    }
    case 'int64':
    case 'sfixed64':
    case 'uint64':
    case 'fixed64': {
      const signed = field.type === 'int64' || field.type === 'sfixed64'
      if (!readInteger(value, signed))
        throw jsonError(field, `${signed ? 'a' : 'an unsigned'} 64-bit integer`)
      const { low, high } = halves
      if (skipDefault && low === 0 && high === 0) return
      writeTag(out, field)
      if (field.type === 'int64' || field.type === 'uint64') out.varint64(low, high)
      else out.fixed64(low, high)
      return
    }
    case 'int32':
    case 'sint32':
    case 'uint32':
    case 'fixed32':
    case 'enum': {
      const number = integer32Of(field, value)
      if (skipDefault && number === 0) return
      writeTag(out, field)
      if (field.type === 'fixed32') out.fixed32(number)
      else if (field.type === 'sint32') out.varint32(((number << 1) ^ (number >> 31)) >>> 0)
      else out.varint64(number >>> 0, number < 0 ? 0xffffffff : 0)
      return
    }
    case 'bool':
      if (typeof value !== 'boolean') throw jsonError(field, 'true or false')
      if (skipDefault && !value) return
      writeTag(out, field)
      out.varint32(value ? 1 : 0)
      return
    default:
      throw new Error(`field ${field.name} is not a number`)
  }
}

/** Digits of a number that fits 32 bits for certain, and of one that fits 64. */
const digits32 = 9
const digits64 = 19

/**
 * The same for a run of plain digits in `bytes`; false, with nothing written, when it is not one or the field
 * holds something else.
 */
export function writeDigits(
  out: ByteWriter,
  field: FieldPlan,
  bytes: Uint8Array,
  from: number,
  to: number,
): boolean {
  const skipDefault = !field.packed && !field.presence
  const count = to - from
  if (count === 0 || count > digits64) return false
  // Nine digits at a time stay small integers.
  const lowerFrom = Math.max(from, to - digits32)
  const middleFrom = Math.max(from, lowerFrom - digits32)
  const lower = smallNumber(bytes, lowerFrom, to)
  const middle = smallNumber(bytes, middleFrom, lowerFrom)
  const first = smallNumber(bytes, from, middleFrom)
  if ((lower | middle | first) < 0) return false
  const upper = first * 1e9 + middle
  switch (field.type) {
    case 'fixed64':
    case 'sfixed64':
    case 'uint64':
    case 'int64':
      setHalves(upper, lower)
      if (halves.high > 0x7fffffff) return false
      if (skipDefault && halves.low === 0 && halves.high === 0) return true
      writeTag(out, field)
      if (field.type === 'int64' || field.type === 'uint64') out.varint64(halves.low, halves.high)
      else out.fixed64(halves.low, halves.high)
      return true
    case 'uint32':
    case 'fixed32':
    case 'enum':
    case 'int32':
      if (upper !== 0) return false
      if (skipDefault && lower === 0) return true
      writeTag(out, field)
      if (field.type === 'fixed32') out.fixed32(lower)
      else out.varint32(lower)
      return true
    default:
      return false
  }
}

/** Of at most nine digits; -1 if one is none. */
function smallNumber(bytes: Uint8Array, from: number, to: number): number {
  let value = 0
  for (let i = from; i < to; i++) {
    const digit = (bytes[i] as number) - 48
    if (digit < 0 || digit > 9) return -1
    value = (Math.imul(value, 10) + digit) | 0
  }
  return value
}

function writeTag(out: ByteWriter, field: FieldPlan): void {
  if (!field.packed) out.varint32(field.tag)
}

/**
 * OTLP wants enums as integers; names are taken as well, because every general protobuf JSON writer sends them
 * and refusing would lose the batch.
 */
function integer32Of(field: FieldPlan, value: unknown): number {
  const named = typeof value === 'string' ? field.enumNumbers?.get(value) : undefined
  if (named !== undefined) return named
  const signed = field.type !== 'uint32' && field.type !== 'fixed32'
  const number = readInteger32(value, signed)
  if (Number.isNaN(number)) throw jsonError(field, `${signed ? 'a' : 'an unsigned'} 32-bit integer`)
  return number
}

const encoder = new TextEncoder()

/** Texts up to this many characters are written byte by byte, which beats the call into the encoder. */
const shortText = 40

/** Length and content of a text as UTF-8; lone surrogates become U+FFFD. */
export function writeText(out: ByteWriter, text: string): void {
  const { length } = text
  const bytes = out.reserve(length * 3 + 5)
  if (length <= shortText) {
    const start = out.length + 1
    let i = 0
    for (; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code >= 0x80) break
      bytes[start + i] = code
    }
    if (i === length) {
      bytes[out.length] = length
      out.length = start + length
      return
    }
  }
  const lengthBytes = varintBytes(length)
  const start = out.beginLength(lengthBytes)
  out.length += encoder.encodeInto(text, bytes.subarray(start)).written
  out.endLength(start, lengthBytes)
}

/**
 * Bytes of an id out of hexadecimal text of any case. What is no hexadecimal, or of odd length, cannot be an id
 * but must stay visible as a bad one to the decoder, which refuses that item alone: it becomes bytes of a length
 * that no id has.
 */
export function writeId(out: ByteWriter, text: string, wanted: number): void {
  const size = text.length >>> 1
  const bytes = out.reserve(size + wanted + 7)
  const lengthBytes = varintBytes(size)
  const start = out.beginLength(lengthBytes)
  let valid = (text.length & 1) === 0
  for (let i = 0; i < size && valid; i++) {
    const high = hexDigit(text.charCodeAt(i * 2))
    const low = hexDigit(text.charCodeAt(i * 2 + 1))
    if (high < 0 || low < 0) valid = false
    bytes[start + i] = (high << 4) | low
  }
  const written = valid ? size : badIdBytes(size, wanted)
  if (!valid) bytes.fill(0xff, start, start + written)
  out.length = start + written
  out.endLength(start, lengthBytes)
}

/** Half as many as there are digits, but not zero, which would be no id, and not the right length. */
function badIdBytes(size: number, wanted: number): number {
  if (size === 0) return 1
  return size === wanted ? wanted + 1 : size
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const letter = code | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}

/** Length and content of base64 text, of either alphabet, with or without padding. */
export function writeBase64(out: ByteWriter, field: FieldPlan, text: string): void {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) throw jsonError(field, 'base64')
  const bytes = Buffer.from(text, 'base64')
  out.varint32(bytes.length)
  out.raw(bytes)
}
