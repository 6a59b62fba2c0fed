/**
 * Messages of a segment in small compressed frames: `rowsPerFrame` rows each, so that reading one trace with
 * its attributes unpacks one or two of them. A row is what its columns do not hold: tokens that name
 * dictionary entries, and values that do not repeat. Reading gives back the message, equal field by field;
 * fields the columns held come last.
 */
import type { Block, RecordTable } from '../../model/telemetry.ts'
import { varintBytes } from '../../otlp/wire/byte-writer.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import type { DictionaryReader } from './dictionary-reader.ts'
import {
  type FieldValue,
  type HeldFields,
  heldFieldsOf,
  wireBytes,
  wireFixed32,
  wireFixed64,
  wireVarint,
} from './held-fields.ts'
import { RecordDictionary } from './record-dictionary.ts'

/** Measured on real spans: 64 costs a tenth more bytes, 256 saves 4 % and doubles what one trace unpacks. */
export const rowsPerFrame = 128

/** Where the message of a row lies. */
export interface RecordSource {
  readonly bytes: Uint8Array
  readonly from: number
  readonly to: number
}

export interface EncodedRecords {
  /** `heldFieldsOf` bits per row. */
  readonly held: Uint8Array
  readonly dictionary: Uint8Array
  readonly frames: readonly Uint8Array[]
}

interface Cursor {
  at: number
}

/** Encodes the messages of `block` in one pass; `sourceOf(row)` is called once per row. */
export function encodeRecords(block: Block, sourceOf: (row: number) => RecordSource): EncodedRecords {
  const splitter = new MessageSplitter(heldFieldsOf(block))
  const held = new Uint8Array(block.count)
  const frames: Uint8Array[] = []
  for (let start = 0; start < block.count; start += rowsPerFrame) {
    const end = Math.min(block.count, start + rowsPerFrame)
    splitRows(splitter, sourceOf, start, end, held)
    frames.push(splitter.takeFrame())
  }
  return { held, dictionary: splitter.dictionary.done(), frames }
}

/** A loop with a function of its own is compiled once and kept; inside `encodeRecords` it was thrown away. */
function splitRows(
  splitter: MessageSplitter,
  sourceOf: (row: number) => RecordSource,
  start: number,
  end: number,
  held: Uint8Array,
): void {
  for (let row = start; row < end; row++) held[row] = splitter.split(sourceOf(row), row)
}

/** Walks the fields of messages and sorts them into held ones and tokens of the frame at hand. */
class MessageSplitter {
  readonly dictionary: RecordDictionary = new RecordDictionary()
  readonly #fields: HeldFields
  // Kept from frame to frame: allocating buffers for each took a fifth of the time of sealing.
  readonly #codes = new ByteWriter(8192)
  readonly #numbers = new ByteWriter(1024)
  readonly #literals = new ByteWriter(65_536)
  readonly #value: FieldValue = { bytes: new Uint8Array(), from: 0, to: 0 }
  readonly #cursor: Cursor = { at: 0 }

  constructor(fields: HeldFields) {
    this.#fields = fields
  }

  /** What was split since the last frame was taken. */
  takeFrame(): Uint8Array {
    const frame = new ByteWriter(this.#codes.length + this.#numbers.length + this.#literals.length + 32)
    for (const section of [this.#codes, this.#numbers, this.#literals]) {
      frame.block(section.view())
      section.length = 0
    }
    return frame.done()
  }

  /** Returns the bits of the held fields. */
  split(source: RecordSource, row: number): number {
    const { bytes, to } = source
    const { oneof } = this.#fields
    const cursor = this.#cursor
    const value = this.#value
    const codes = this.#codes
    const countAt = codes.length
    codes.u8(0)
    value.bytes = bytes
    let held = 0
    let count = 0
    let at = source.from
    while (at < to) {
      const start = at
      let tag = bytes[at++] as number
      const size = bytes[at] as number
      if ((tag & 0x87) === wireBytes && tag > 7 && at < to && size < 128 && at + size < to) {
        // What nearly all fields are: a tag of one byte and a length of one byte.
        value.from = at + 1
        value.to = at + 1 + size
      } else {
        cursor.at = start
        tag = skipVarint(bytes, cursor, to)
        if (tag < 8 || !locateValue(bytes, tag & 7, cursor, to, value)) {
          this.#literal(this.dictionary.rawKey(), bytes, start, to)
          count++
          break
        }
      }
      at = value.to
      const bit = this.#fields.match(row, tag, value, this.#numbers)
      if (bit !== 0 && (held & bit) === 0) {
        held = (bit & oneof) === 0 ? held | bit : (held & ~oneof) | bit
        continue
      }
      this.#addToken(bytes, start, tag, value)
      count++
    }
    if (count < 128) codes.bytes[countAt] = count
    else this.#insertCount(countAt, count)
    return held
  }

  /** A count of more than the one byte that was left for it. */
  #insertCount(countAt: number, count: number): void {
    const codes = this.#codes
    const tail = codes.bytes.slice(countAt + 1, codes.length)
    codes.length = countAt
    codes.varint(count)
    codes.raw(tail)
  }

  #addToken(bytes: Uint8Array, start: number, tag: number, value: FieldValue): void {
    const { dictionary } = this
    const { from, to } = value
    const keyLength = (tag & 7) === wireBytes ? attributeKeyLength(bytes, from, to) : -1
    const keyFrom = keyLength < 0 ? -1 : from + 2
    const keyTo = keyFrom + keyLength
    const entry = dictionary.entryOf(bytes, start, to, keyFrom, keyTo, tag)
    if (entry >= 0) this.#codes.varint(entry * 2)
    else this.#literal(dictionary.key, bytes, keyFrom < 0 ? from : to - payloadOf(to - keyTo - 1), to)
  }

  #literal(key: number, bytes: Uint8Array, from: number, to: number): void {
    this.#codes.varint(key * 2 + 1)
    this.#codes.varint(to - from)
    this.#literals.raw(bytes, from, to)
  }
}

/** A varint below 2^32, or 0 where there is none. */
function skipVarint(bytes: Uint8Array, cursor: Cursor, end: number): number {
  let value = 0
  for (let shift = 0; shift < 35 && cursor.at < end; shift += 7) {
    const byte = bytes[cursor.at++] as number
    value += (byte & 127) * 2 ** shift
    if (byte < 128) return value <= 0xffffffff ? value : 0
  }
  return 0
}

function locateValue(
  bytes: Uint8Array,
  wire: number,
  cursor: Cursor,
  end: number,
  value: FieldValue,
): boolean {
  value.from = cursor.at
  if (wire === wireVarint) {
    let at = cursor.at
    while (at < end && (bytes[at] as number) > 127) at++
    value.to = at + 1
  } else if (wire === wireFixed64) value.to = cursor.at + 8
  else if (wire === wireFixed32) value.to = cursor.at + 4
  else if (wire === wireBytes) {
    if (cursor.at >= end) return false
    const size = skipVarint(bytes, cursor, end)
    value.from = cursor.at
    value.to = cursor.at + size
  } else return false
  return value.to <= end
}

/**
 * Length of the key if the value is a KeyValue in its usual form (`0a` key `12` value, nothing else, lengths
 * in their shortest form), so that it can be put together again byte for byte; else -1.
 */
function attributeKeyLength(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < 4 || bytes[from] !== 0x0a) return -1
  const keyLength = bytes[from + 1] as number
  const at = from + 2 + keyLength
  if (keyLength > 127 || at + 2 > to || bytes[at] !== 0x12) return -1
  const one = bytes[at + 1] as number
  if (one < 128 && one === to - at - 2) return keyLength
  const payload = payloadOf(to - at - 1)
  // The length in front of the value has to be the one that `payload` bytes need.
  let size = 0
  let scale = 1
  for (let index = at + 1; index < to - payload; index++) {
    const byte = bytes[index] as number
    const last = index === to - payload - 1
    if (byte > 127 === last) return -1
    size += (byte & 127) * scale
    scale *= 128
  }
  return size === payload && varintBytes(size) === to - payload - at - 1 ? keyLength : -1
}

/** How many of `size` bytes, a length and what it counts, are the latter. */
function payloadOf(size: number): number {
  if (size <= 128) return size - 1
  if (size <= 16385) return size - 2
  if (size <= 2097154) return size - 3
  return size - 4
}

/** Which frames hold the rows (all if null), ascending. */
export function framesOf(rows: readonly number[] | null, count: number): readonly number[] {
  const frames = Math.ceil(count / rowsPerFrame)
  if (rows === null) return Array.from({ length: frames }, (_, frame) => frame)
  const wanted = new Set<number>()
  for (const row of rows) if (row >= 0 && row < count) wanted.add(Math.floor(row / rowsPerFrame))
  return [...wanted].sort((a, b) => a - b)
}

/** Puts the messages of `rows` (all if null) together; `frames` holds the content of those `framesOf` named. */
export function decodeRecords(
  block: Block,
  held: Uint8Array,
  dictionary: DictionaryReader,
  frames: ReadonlyMap<number, Uint8Array>,
  rows: readonly number[] | null,
): RecordTable {
  const wanted = rows === null ? null : new Set(rows)
  const offset = new Uint32Array(block.count)
  const length = new Uint32Array(block.count)
  const fields = heldFieldsOf(block)
  const out = new ByteWriter((rows?.length ?? block.count) * 512)
  const unwanted = new ByteWriter(64)
  for (const [frame, content] of frames) {
    const sections = new ByteReader(content)
    const codes = new ByteReader(sections.block())
    const numbers = new ByteReader(sections.block())
    const literals = new ByteReader(sections.block())
    const end = Math.min(block.count, (frame + 1) * rowsPerFrame)
    for (let row = frame * rowsPerFrame; row < end; row++) {
      const keep = wanted === null || wanted.has(row)
      const start = out.length
      const count = codes.varint()
      for (let token = 0; token < count; token++) {
        const code = codes.varint()
        if (code % 2 === 0) {
          if (keep) dictionary.writeEntry(code / 2, out)
          continue
        }
        const value = literals.raw(codes.varint())
        if (keep) dictionary.writeLiteral((code - 1) / 2, value, out)
      }
      // Rows in between are passed over in the streams; only numbers have to be read to do so.
      unwanted.length = 0
      fields.write(keep ? out : unwanted, row, held[row] as number, numbers)
      if (!keep) continue
      offset[row] = start
      length[row] = out.length - start
    }
  }
  return { bytes: out.done(), offset, length }
}
