/**
 * Which fields of a message the columns of its block already hold, byte for byte.
 *
 * Such a field is left out of the stored message and written back from the column when the message is read.
 * A bit per row and field says so, and it is set only where the column says exactly what was sent: a time
 * that was replaced by the receive time, or a kind no column can hold, simply stays in the message.
 * Fields are numbered as in trace.proto, logs.proto and metrics.proto.
 */
import type { Block, LogBlock, MetricBlock, SpanBlock } from '../../model/telemetry.ts'
import { type ByteReader, ByteWriter } from './bytes.ts'
import { sameWords, viewOf } from './words.ts'

/** Wire types of the protobuf encoding. */
export const wireVarint = 0
export const wireFixed64 = 1
export const wireBytes = 2
export const wireFixed32 = 5

/** A field of a message: its tag, and where its value (without tag and length) lies. */
export interface FieldValue {
  view: DataView
  tag: number
  from: number
  to: number
}

export interface HeldFields {
  /** By tag, below 128: 1 where `match` may find something. Most fields are attributes, which no column holds. */
  readonly tags: Uint8Array
  /** Bit of this field if the column of `row` holds its value, else 0; may append to `numbers`. */
  match(row: number, value: FieldValue, numbers: ByteWriter): number
  /** The bit that stands for a number of the frame, 0 if there is none. */
  readonly numbered: number
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
  readonly #arena = new ByteWriter(4096)
  /** Where each lies in the arena; -1 before it is needed. */
  readonly #from: Int32Array
  readonly #to: Int32Array

  constructor(strings: readonly string[]) {
    this.#strings = strings
    this.#from = new Int32Array(strings.length).fill(-1)
    this.#to = new Int32Array(strings.length)
  }

  isValue(index: number, value: FieldValue): boolean {
    const from = this.#place(index)
    const size = (this.#to[index] as number) - from
    return value.to - value.from === size && sameWords(value.view, value.from, this.#arena.data, from, size)
  }

  write(out: ByteWriter, field: number, index: number): void {
    const from = this.#place(index)
    const to = this.#to[index] as number
    out.u8(tagOf(field, wireBytes))
    out.varint(to - from)
    out.words(this.#arena.data, from, to)
  }

  #place(index: number): number {
    const known = this.#from[index] as number
    if (known >= 0) return known
    const from = this.#arena.length
    this.#arena.raw(Buffer.from(this.#strings[index] ?? '', 'utf8'))
    this.#from[index] = from
    this.#to[index] = this.#arena.length
    return from
  }
}

function tagSet(...tags: readonly number[]): Uint8Array {
  const set = new Uint8Array(128)
  for (const tag of tags) set[tag] = 1
  return set
}

const spanTags = tagSet(0x0a, 0x12, 0x22, 0x2a, 0x30, 0x39, 0x41)
const logTags = tagSet(0x09, 0x10, 0x4a, 0x52, 0x62, 0x59)
const pointTags = tagSet(0x11, 0x19, 0x21, 0x31, 0x29)

/** Classes, not objects made anew for each block: code compiled for one block then serves the next. */
class SpanFields implements HeldFields {
  readonly tags: Uint8Array = spanTags
  readonly numbered = 0
  readonly oneof = 0
  readonly #block: SpanBlock
  readonly #texts: TextBytes
  readonly #traceIds: DataView
  readonly #spanIds: DataView
  readonly #parents: DataView

  constructor(block: SpanBlock) {
    this.#block = block
    this.#texts = new TextBytes(block.strings)
    this.#traceIds = viewOf(block.traceId)
    this.#spanIds = viewOf(block.spanId)
    this.#parents = viewOf(block.parentSpanId)
  }

  match(row: number, value: FieldValue): number {
    // Tags are field * 8 + wire type, spelled out: this runs for every field of every message.
    switch (value.tag) {
      case 0x0a:
        return sameId(value, this.#traceIds, row, 16) ? 1 : 0
      case 0x12:
        return sameId(value, this.#spanIds, row, 8) ? 2 : 0
      case 0x22:
        return sameId(value, this.#parents, row, 8) ? 4 : 0
      case 0x2a:
        return this.#texts.isValue(this.#block.name[row] as number, value) ? 8 : 0
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
    if (held & 8) this.#texts.write(out, 5, this.#block.name[row] as number)
    if (held & 16) writeByte(out, 6, this.#block.kind[row] as number)
    if (held & 32)
      writeFixed64(out, 7, this.#block.startHi[row] as number, this.#block.startLo[row] as number)
    if (held & 64) writeFixed64(out, 8, this.#block.endHi[row] as number, this.#block.endLo[row] as number)
  }
}

/** Observed times within this many nanoseconds of the index time are kept as the difference. */
const maxObservedDelta = 2 ** 51

class LogFields implements HeldFields {
  readonly tags: Uint8Array = logTags
  readonly numbered = 32
  readonly oneof = 0
  readonly #block: LogBlock
  readonly #texts: TextBytes
  readonly #traceIds: DataView
  readonly #spanIds: DataView

  constructor(block: LogBlock) {
    this.#block = block
    this.#texts = new TextBytes(block.strings)
    this.#traceIds = viewOf(block.traceId)
    this.#spanIds = viewOf(block.spanId)
  }

  match(row: number, value: FieldValue, numbers: ByteWriter): number {
    switch (value.tag) {
      case 0x09:
        return sameFixed64(value, this.#block.timeHi[row] as number, this.#block.timeLo[row] as number)
          ? 1
          : 0
      case 0x10:
        return sameByte(value, this.#block.severity[row] as number) ? 2 : 0
      case 0x4a:
        return sameId(value, this.#traceIds, row, 16) ? 4 : 0
      case 0x52:
        return sameId(value, this.#spanIds, row, 8) ? 8 : 0
      case 0x62:
        return this.#texts.isValue(this.#block.eventName[row] as number, value) ? 16 : 0
      case 0x59: {
        const delta =
          (highWord(value) - (this.#block.timeHi[row] as number)) * two32 +
          (lowWord(value) - (this.#block.timeLo[row] as number))
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
    if (held & 16) this.#texts.write(out, 12, this.#block.eventName[row] as number)
    if (held & 32) {
      const total = (this.#block.timeLo[row] as number) + numbers.zigzag()
      const carry = Math.floor(total / two32)
      writeFixed64(out, 11, ((this.#block.timeHi[row] as number) + carry) >>> 0, total - carry * two32)
    }
  }
}

/** Start, time, count and sum have the same numbers in every kind of data point. */
class PointFields implements HeldFields {
  readonly tags: Uint8Array = pointTags
  readonly numbered = 0
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

  match(row: number, value: FieldValue): number {
    const number = this.#isNumber[this.#block.metric[row] as number] === true
    switch (value.tag) {
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

function lowWord(value: FieldValue): number {
  return value.view.getUint32(value.from, true)
}

function highWord(value: FieldValue): number {
  return value.view.getUint32(value.from + 4, true)
}

/** A signed 64-bit integer, or NaN (equal to nothing) where a double could not hold it. */
function integerAt(value: FieldValue): number {
  const integer = (highWord(value) | 0) * two32 + lowWord(value)
  return Number.isSafeInteger(integer) ? integer : Number.NaN
}

function sameFixed64(value: FieldValue, high: number, low: number): boolean {
  return lowWord(value) === low && highWord(value) === high
}

function sameByte(value: FieldValue, held: number): boolean {
  return value.to - value.from === 1 && value.view.getUint8(value.from) === held && held < 128
}

function sameId(value: FieldValue, column: DataView, row: number, width: number): boolean {
  return value.to - value.from === width && sameWords(value.view, value.from, column, row * width, width)
}

function writeBytes(out: ByteWriter, field: number, column: Uint8Array, at: number, width: number): void {
  out.u8(tagOf(field, wireBytes))
  out.u8(width)
  out.raw(column, at, at + width)
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
