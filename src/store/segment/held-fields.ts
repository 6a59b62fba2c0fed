/**
 * Which fields of a message the columns of its block already hold, byte for byte.
 *
 * Such a field is left out of the stored message and written back from the column when the message is read.
 * A bit per row and field says so, and it is set only where the column says exactly what was sent: a time
 * that was replaced by the receive time, or a kind no column can hold, simply stays in the message.
 * Fields are numbered as in trace.proto, logs.proto and metrics.proto.
 */
import type { Block, LogBlock, MetricBlock, SpanBlock } from '../../model/telemetry.ts'
import type { ByteReader, ByteWriter } from './bytes.ts'

/** Wire types of the protobuf encoding. */
export const wireVarint = 0
export const wireFixed64 = 1
export const wireBytes = 2
export const wireFixed32 = 5

/** A field of a message: where its value (without tag and length) lies. */
export interface FieldValue {
  bytes: Uint8Array
  from: number
  to: number
}

export interface HeldFields {
  /** Bit of this field if the column of `row` holds its value, else 0; may append to `numbers`. */
  match(row: number, tag: number, value: FieldValue, numbers: ByteWriter): number
  /** The bits of a oneof: of its members only the one that came last is kept. */
  readonly oneof: number
  /** Appends the fields of `held`; reads what `match` appended from `numbers`. */
  write(out: ByteWriter, row: number, held: number, numbers: ByteReader): void
}

export function heldFieldsOf(block: Block): HeldFields {
  switch (block.signal) {
    case 'traces':
      return new SpanFields(block)
    case 'logs':
      return new LogFields(block)
    case 'metrics':
      return new PointFields(block)
  }
}

const two32 = 4294967296

function tagOf(field: number, wire: number): number {
  return field * 8 + wire
}

/** UTF-8 of the texts of a block, made when first needed. */
class TextBytes {
  readonly #strings: readonly string[]
  readonly #bytes: (Uint8Array | undefined)[] = []

  constructor(strings: readonly string[]) {
    this.#strings = strings
  }

  of(index: number): Uint8Array {
    const known = this.#bytes[index]
    if (known !== undefined) return known
    const made = Buffer.from(this.#strings[index] ?? '', 'utf8')
    this.#bytes[index] = made
    return made
  }
}

/** Classes, not objects made anew for each block: code compiled for one block then serves the next. */
class SpanFields implements HeldFields {
  readonly oneof = 0
  readonly #block: SpanBlock
  readonly #texts: TextBytes

  constructor(block: SpanBlock) {
    this.#block = block
    this.#texts = new TextBytes(block.strings)
  }

  match(row: number, tag: number, value: FieldValue): number {
    // Tags are field * 8 + wire type, spelled out: this runs for every field of every message.
    switch (tag) {
      case 0x0a:
        return sameBytes(value, this.#block.traceId, row * 16, 16) ? 1 : 0
      case 0x12:
        return sameBytes(value, this.#block.spanId, row * 8, 8) ? 2 : 0
      case 0x22:
        return sameBytes(value, this.#block.parentSpanId, row * 8, 8) ? 4 : 0
      case 0x2a:
        return sameText(value, this.#texts.of(this.#block.name[row] as number)) ? 8 : 0
      case 0x30:
        return sameByte(value, this.#block.kind[row] as number) ? 16 : 0
      case 0x39:
        return sameFixed64(value, this.#block.startHi[row] as number, this.#block.startLo[row] as number)
          ? 32
          : 0
      case 0x41:
        return sameFixed64(value, this.#block.endHi[row] as number, this.#block.endLo[row] as number) ? 64 : 0
      default:
        return 0
    }
  }

  write(out: ByteWriter, row: number, held: number): void {
    if (held & 1) writeBytes(out, 1, this.#block.traceId, row * 16, 16)
    if (held & 2) writeBytes(out, 2, this.#block.spanId, row * 8, 8)
    if (held & 4) writeBytes(out, 4, this.#block.parentSpanId, row * 8, 8)
    if (held & 8) writeText(out, 5, this.#texts.of(this.#block.name[row] as number))
    if (held & 16) writeByte(out, 6, this.#block.kind[row] as number)
    if (held & 32)
      writeFixed64(out, 7, this.#block.startHi[row] as number, this.#block.startLo[row] as number)
    if (held & 64) writeFixed64(out, 8, this.#block.endHi[row] as number, this.#block.endLo[row] as number)
  }
}

/** Observed times within this many nanoseconds of the index time are kept as the difference. */
const maxObservedDelta = 2 ** 51

class LogFields implements HeldFields {
  readonly oneof = 0
  readonly #block: LogBlock
  readonly #texts: TextBytes

  constructor(block: LogBlock) {
    this.#block = block
    this.#texts = new TextBytes(block.strings)
  }

  match(row: number, tag: number, value: FieldValue, numbers: ByteWriter): number {
    switch (tag) {
      case 0x09:
        return sameFixed64(value, this.#block.timeHi[row] as number, this.#block.timeLo[row] as number)
          ? 1
          : 0
      case 0x10:
        return sameByte(value, this.#block.severity[row] as number) ? 2 : 0
      case 0x4a:
        return sameBytes(value, this.#block.traceId, row * 16, 16) ? 4 : 0
      case 0x52:
        return sameBytes(value, this.#block.spanId, row * 8, 8) ? 8 : 0
      case 0x62:
        return sameText(value, this.#texts.of(this.#block.eventName[row] as number)) ? 16 : 0
      case 0x59: {
        const delta =
          (wordAt(value.bytes, value.from + 4) - (this.#block.timeHi[row] as number)) * two32 +
          (wordAt(value.bytes, value.from) - (this.#block.timeLo[row] as number))
        if (Math.abs(delta) > maxObservedDelta) return 0
        numbers.zigzag(delta)
        return 32
      }
      default:
        return 0
    }
  }

  write(out: ByteWriter, row: number, held: number, numbers: ByteReader): void {
    if (held & 1) writeFixed64(out, 1, this.#block.timeHi[row] as number, this.#block.timeLo[row] as number)
    if (held & 2) writeByte(out, 2, this.#block.severity[row] as number)
    if (held & 4) writeBytes(out, 9, this.#block.traceId, row * 16, 16)
    if (held & 8) writeBytes(out, 10, this.#block.spanId, row * 8, 8)
    if (held & 16) writeText(out, 12, this.#texts.of(this.#block.eventName[row] as number))
    if (held & 32) {
      const total = (this.#block.timeLo[row] as number) + numbers.zigzag()
      const carry = Math.floor(total / two32)
      writeFixed64(out, 11, ((this.#block.timeHi[row] as number) + carry) >>> 0, total - carry * two32)
    }
  }
}

/** Start, time, count and sum have the same numbers in every kind of data point. */
class PointFields implements HeldFields {
  /** as_double and as_int. */
  readonly oneof = 4 | 8
  readonly #block: MetricBlock
  readonly #words: Uint32Array
  readonly #isNumber: readonly boolean[]

  constructor(block: MetricBlock) {
    this.#block = block
    this.#words = new Uint32Array(block.value.buffer, block.value.byteOffset, block.count * 2)
    this.#isNumber = block.metrics.map(metric => metric.type === 'gauge' || metric.type === 'sum')
  }

  match(row: number, tag: number, value: FieldValue): number {
    const number = this.#isNumber[this.#block.metric[row] as number] === true
    switch (tag) {
      case 0x11:
        return sameFixed64(value, this.#block.startHi[row] as number, this.#block.startLo[row] as number)
          ? 1
          : 0
      case 0x19:
        return sameFixed64(value, this.#block.timeHi[row] as number, this.#block.timeLo[row] as number)
          ? 2
          : 0
      case 0x21:
        if (number)
          return sameFixed64(value, this.#words[row * 2 + 1] as number, this.#words[row * 2] as number)
            ? 4
            : 0
        return integerAt(value) === this.#block.pointCount[row] ? 16 : 0
      case 0x31:
        return number && integerAt(value) === this.#block.value[row] ? 8 : 0
      case 0x29:
        if (number) return 0
        return sameFixed64(value, this.#words[row * 2 + 1] as number, this.#words[row * 2] as number) ? 32 : 0
      default:
        return 0
    }
  }

  write(out: ByteWriter, row: number, held: number): void {
    if (held & 1) writeFixed64(out, 2, this.#block.startHi[row] as number, this.#block.startLo[row] as number)
    if (held & 2) writeFixed64(out, 3, this.#block.timeHi[row] as number, this.#block.timeLo[row] as number)
    if (held & 4) writeFixed64(out, 4, this.#words[row * 2 + 1] as number, this.#words[row * 2] as number)
    if (held & 8) writeInteger(out, 6, this.#block.value[row] as number)
    if (held & 16) writeInteger(out, 4, this.#block.pointCount[row] as number)
    if (held & 32) writeFixed64(out, 5, this.#words[row * 2 + 1] as number, this.#words[row * 2] as number)
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  )
}

/** A signed 64-bit integer, or NaN (equal to nothing) where a double could not hold it. */
function integerAt(value: FieldValue): number {
  const integer = (wordAt(value.bytes, value.from + 4) | 0) * two32 + wordAt(value.bytes, value.from)
  return Number.isSafeInteger(integer) ? integer : Number.NaN
}

function sameFixed64(value: FieldValue, high: number, low: number): boolean {
  return wordAt(value.bytes, value.from) === low && wordAt(value.bytes, value.from + 4) === high
}

function sameByte(value: FieldValue, held: number): boolean {
  return value.to - value.from === 1 && value.bytes[value.from] === held && held < 128
}

function sameBytes(value: FieldValue, column: Uint8Array, at: number, width: number): boolean {
  if (value.to - value.from !== width) return false
  for (let byte = 0; byte < width; byte++)
    if (value.bytes[value.from + byte] !== column[at + byte]) return false
  return true
}

function sameText(value: FieldValue, text: Uint8Array): boolean {
  return sameBytes(value, text, 0, text.length)
}

function writeBytes(out: ByteWriter, field: number, column: Uint8Array, at: number, width: number): void {
  out.u8(tagOf(field, wireBytes))
  out.u8(width)
  out.raw(column, at, at + width)
}

function writeText(out: ByteWriter, field: number, text: Uint8Array): void {
  out.u8(tagOf(field, wireBytes))
  out.block(text)
}

function writeByte(out: ByteWriter, field: number, value: number): void {
  out.u8(tagOf(field, wireVarint))
  out.u8(value)
}

function writeFixed64(out: ByteWriter, field: number, high: number, low: number): void {
  out.u8(tagOf(field, wireFixed64))
  out.u32(low)
  out.u32(high)
}

function writeInteger(out: ByteWriter, field: number, value: number): void {
  const high = Math.floor(value / two32)
  writeFixed64(out, field, high >>> 0, value - high * two32)
}
